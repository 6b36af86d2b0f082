"""What a round of questions brought: written down and read again, joined, and told apart."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pipeline.errors import SourceChanged, SourceError, SourceRefused, SourceUnavailable
from pipeline.library.formats.steam import OwnedGames
from pipeline.library.records import Broken, Reading, Record
from pipeline.library.sources.answers import Facts, read_answer
from pipeline.library.sources.rounds import (
    Asked,
    LookedUp,
    decode_round,
    digest_of,
    encode_round,
    error_of,
    failure_of,
    joined,
    last_played,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PAGE = b'{"response":{"game_count":2,"games":[{"appid":9,"name":"Glowmoor"},{"appid":"x"}]}}'


def reading(*records: Record, is_whole: bool = True) -> Reading:
    return Reading(format="steam", taken_for="Steam", records=records, is_whole=is_whole)


def game(number: int, minutes: int = 0, at: datetime | None = None) -> Record:
    return Record(line=number, written=f"Game {number}", playtime_seconds=minutes * 60, last_played_at=at)


def test_a_round_is_read_as_it_was_written() -> None:
    failure = failure_of(SourceChanged("new shape", payload=b"\xff<html>"))
    asked = [
        Asked(account_id=1, at=NOON, body=msgspec.Raw(b'{"a":1}')),
        Asked(account_id=2, at=NOON, failure=failure),
    ]
    looked_up = LookedUp(rows=(msgspec.Raw(b'{"id":1}'),), asked_at=NOON)
    again = decode_round(encode_round(asked, looked_up))
    first, second = again.asked
    assert ([bytes(row) for row in again.looked_up.rows], again.looked_up.asked_at) == ([b'{"id":1}'], NOON)
    assert decode_round(None).asked == ()
    assert (bytes(first.body), first.failure, first.at) == (b'{"a":1}', None, NOON)
    assert second.failure == failure


@pytest.mark.parametrize(
    "error",
    [
        SourceRefused("no"),
        SourceChanged("new shape", payload=b"<html>"),
        SourceUnavailable("away", retry_after=timedelta(minutes=5)),
    ],
)
def test_an_error_comes_back_as_it_was(error: SourceError) -> None:
    again = error_of([failure_of(error)])
    assert (type(again), str(again)) == (type(error), str(error))
    for name in ("payload", "retry_after"):
        assert getattr(again, name, None) == getattr(error, name, None)


def test_of_several_errors_the_one_that_needs_a_person_comes_first() -> None:
    errors = [SourceUnavailable("away"), SourceChanged("new"), SourceRefused("no"), SourceRefused("later")]
    assert str(error_of([failure_of(error) for error in errors])) == "no"
    assert str(error_of([failure_of(error) for error in errors[:2]])) == "new"
    assert error_of([]) is None


def test_the_order_of_an_answer_says_nothing_and_all_else_does() -> None:
    a, b = game(1, 5), game(2)
    assert digest_of(reading(a, b)) == digest_of(reading(b, a))
    assert digest_of(reading(a)) not in {digest_of(reading(b)), digest_of(reading(game(1, 6))), digest_of(reading())}


def test_accounts_together_have_each_game_once_as_it_was_played_longest() -> None:
    broken = msgspec.structs.replace(reading(game(1, 5), game(3)), broken=(Broken(line=7, written="x", reason="no"),))
    both = joined([reading(game(1, 60), game(2)), broken])
    assert sorted((r.line, r.playtime_seconds) for r in both.records) == [(1, 3600), (2, 0), (3, 0)]
    assert ([each.line for each in both.broken], both.is_whole) == ([7], True)
    assert not joined([reading(), reading(is_whole=False)]).is_whole
    assert joined([broken]) is broken


def test_the_last_playing_is_one_that_has_been() -> None:
    assert last_played(reading(game(1), game(2, 1, NOON), game(3, 1, NOON + timedelta(days=1))), NOON) == NOON
    assert last_played(reading(game(1)), NOON) is None


def test_a_game_is_the_line_of_its_number_and_one_that_has_none_is_below_zero() -> None:
    read = read_answer(PAGE, "Steam", OwnedGames(), [Facts(9, NOON), None], is_whole=True)
    assert [(record.line, record.external_id, record.last_played_at) for record in read.records] == [(9, "9", NOON)]
    assert ([each.line for each in read.broken], read.is_whole, read.taken_for) == ([-2], False, "Steam")


def test_an_answer_without_games_is_an_empty_library_and_one_without_sense_is_none() -> None:
    empty = read_answer(b'{"response":{"game_count":0}}', "Steam", OwnedGames(), [], is_whole=True)
    assert (list(empty.records), empty.is_whole) == ([], True)
    for body in (b'{"response":{"games":[{"appid":"x"}]}}', b'{"response":{"games":5}}'):
        with pytest.raises(SourceChanged) as caught:
            read_answer(body, "Steam", OwnedGames(), [None], is_whole=True)
        assert caught.value.payload == body
