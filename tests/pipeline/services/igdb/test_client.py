"""The client of IGDB: its token, its limit, refusals, and pages that lack rows."""

import math
import threading
from datetime import timedelta

import pytest

from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.services.igdb.apicalypse import equal
from pipeline.services.igdb.client import Igdb
from pipeline.services.igdb.igdb_requests import QueryRejected, Usage
from tests.igdb.front import BLOCKED, TOO_MANY
from tests.igdb.games import game, games
from tests.igdb.setting import IgdbSetting


def ids(igdb: Igdb, after: int = 0, until: int | None = None) -> list[int]:
    return [document.igdb_id for document in igdb.games_page(after, until).documents.documents]


def test_a_page_tells_its_rows_when_it_was_asked_for_and_whether_there_are_more(
    setting: IgdbSetting, igdb: Igdb
) -> None:
    setting.igdb.put(*games(1, 620))
    before = setting.clock()
    page = igdb.games_page(100)

    assert before <= page.asked_at <= setting.clock()
    assert (page.size, page.count, page.more, page.whole) == (500, 520, 600, True)
    assert igdb.games_page(600).more is None
    assert ids(igdb, 100, 103) == [101, 102, 103]
    assert sum(page.size for page in igdb.pages("games", ("id",))) == 620


def test_games_are_asked_for_by_ids_and_those_that_igdb_lacks_are_named(setting: IgdbSetting, igdb: Igdb) -> None:
    setting.igdb.put(*games(1, 30))

    [page] = igdb.games([5, 3, 5, 99])
    assert [document.igdb_id for document in page.documents.documents] == [3, 5]
    assert igdb.missing([5, 99, 98]) == {98, 99}
    assert igdb.count() == 30
    assert igdb.count(where=equal("platforms", 6)) == 15


def test_the_ends_of_ten_pages_come_with_one_request(setting: IgdbSetting, igdb: Igdb) -> None:
    setting.igdb.put(*games(1, 1700))

    assert igdb.cuts(100) == [600, 1100, 1600]
    assert len(setting.igdb.requests) == 1


def test_four_workers_renew_a_dead_token_once(setting: IgdbSetting) -> None:
    setting.igdb.put(*games(1, 5))
    with Client() as client:
        assert ids(setting.open(client)) == [1, 2, 3, 4, 5]
    setting.twitch.revoke_app_tokens()
    answers: list[list[int]] = []

    def work() -> None:
        with Client() as client:
            answers.append(ids(setting.open(client)))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert answers == [[1, 2, 3, 4, 5]] * 4
    assert setting.twitch.tokens_issued == 2


def test_a_token_that_is_refused_again_needs_a_person(setting: IgdbSetting, igdb: Igdb) -> None:
    setting.igdb.fail("/games", 401, {"message": "Authorization Failure."}, times=math.inf)

    with pytest.raises(SourceRefused, match=r"Authorization Failure.*TWITCH_CLIENT_SECRET"):
        igdb.games_page(0)
    assert len(setting.igdb.requests) == 2


def test_a_429_holds_every_worker_off_and_is_asked_again(setting: IgdbSetting, igdb: Igdb) -> None:
    setting.igdb.put(*games(1, 2))
    setting.igdb.fail("/games", 429, TOO_MANY)

    assert ids(igdb) == [1, 2]
    [refused, answered] = setting.igdb.requests
    assert answered.time - refused.time >= 1


def test_a_429_that_does_not_end_is_left_for_later(setting: IgdbSetting, igdb: Igdb) -> None:
    setting.igdb.fail("/games", 429, TOO_MANY, times=math.inf, headers={"Retry-After": "600"})

    with pytest.raises(SourceUnavailable, match=r"leaves no room|429") as caught:
        igdb.games_page(0)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= timedelta(minutes=1)


def test_a_block_by_the_front_of_igdb_is_reported_with_its_text(setting: IgdbSetting, igdb: Igdb) -> None:
    setting.igdb.fail("/games", 403, BLOCKED)

    with pytest.raises(SourceRefused, match=r"does not let us in \(Access denied error code: 1010\)"):
        igdb.games_page(0)


def test_a_query_that_igdb_rejects_names_the_cause_and_is_not_repeated(setting: IgdbSetting, igdb: Igdb) -> None:
    with pytest.raises(QueryRejected, match="Syntax Error: Unexpected 'nonsense'") as caught:
        igdb.rows("games", "nonsense;")

    assert (caught.value.status, "nonsense" in caught.value.cause) == (400, True)
    assert caught.value.payload.startswith(b"[")
    assert len(setting.igdb.requests) == 1


def test_a_failing_igdb_is_asked_three_times(setting: IgdbSetting, igdb: Igdb) -> None:
    setting.igdb.put(*games(1, 2))
    setting.igdb.fail("/games", 502, "bad gateway", times=2)

    assert ids(igdb) == [1, 2]
    assert len(setting.igdb.requests) == 3


def test_a_page_that_lacks_rows_is_asked_for_again(setting: IgdbSetting, igdb: Igdb) -> None:
    setting.igdb.put(*games(1, 600))
    setting.igdb.shorten(3, 500)

    page = igdb.games_page(0)
    assert (page.size, page.missing, page.whole) == (500, 0, True)
    assert len(setting.igdb.requests) == 3


def test_a_page_that_stays_short_is_told_and_leads_on_from_its_last_row(
    setting: IgdbSetting, igdb: Igdb, caplog: pytest.LogCaptureFixture
) -> None:
    setting.igdb.put(*games(1, 600))
    setting.igdb.shorten(20, 20, 20)

    page = igdb.games_page(0)
    assert (page.size, page.missing, page.whole, page.more) == (480, 20, False, 480)
    assert "counts 600 rows of games above id 0, but shows 480" in caplog.text


def test_a_header_that_counts_too_many_rows_is_not_believed(setting: IgdbSetting, igdb: Igdb) -> None:
    setting.igdb.put(*games(1, 30))
    shown = [game(29), game(30)]
    setting.igdb.fail("/games", 200, shown, times=3, headers={"X-Count": "30"})

    page = igdb.games_page(28)
    assert (page.size, page.count, page.missing, page.more) == (2, 2, 0, None)


def test_a_full_page_of_nothing_is_no_end(setting: IgdbSetting, igdb: Igdb) -> None:
    setting.igdb.put(*games(1, 600))
    setting.igdb.shorten(500, 500, 500)

    with pytest.raises(SourceUnavailable, match="shows 0"):
        igdb.games_page(0)


@pytest.mark.parametrize("rows", [[game(2), game(1)], [game(1), game(1)], [game(9)]])
def test_rows_in_another_order_than_asked_for_are_not_paged_by(
    setting: IgdbSetting, igdb: Igdb, rows: list[dict[str, object]]
) -> None:
    setting.igdb.fail("/games", 200, rows)

    with pytest.raises(SourceChanged, match="out of order"):
        igdb.games_page(0, 5)


@pytest.mark.parametrize("body", [b"<html>", b'{"message": 1}', b"[1", b"\xff"])
def test_an_answer_that_is_no_list_is_kept_for_a_person(setting: IgdbSetting, igdb: Igdb, body: bytes) -> None:
    setting.igdb.fail("/games", 200, body)

    with pytest.raises(SourceChanged) as caught:
        igdb.games_page(0)
    assert caught.value.payload == body


def test_requests_of_the_last_hour_are_counted(setting: IgdbSetting, igdb: Igdb) -> None:
    usage = Usage(setting.redis, setting.twitch.client_id)
    for _ in range(3):
        igdb.count()

    assert usage.last_hour() == 3


def test_the_limit_of_igdb_is_kept_by_all_workers(setting: IgdbSetting) -> None:
    setting.requests, setting.igdb.limits.per_second, setting.igdb.limits.most_open = 4, 4, 8

    def work() -> None:
        with Client() as client:
            igdb = setting.open(client)
            for _ in range(3):
                igdb.count()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [request.status for request in setting.igdb.requests] == [200] * 9
