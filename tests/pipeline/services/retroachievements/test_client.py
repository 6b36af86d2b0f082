"""RetroAchievements as a key may ask it: who an account is, all pages of its games, and what goes wrong."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from models.errors import UsageError
from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.services.retroachievements.client import Member, RetroAchievements, read_key
from tests.shops import LocalShops, Player
from tests.shops.retroachievements import KEY

ULID = "01HZZZZZZZZZZZZZZZZZZZZZZ1"
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def retro(shops: LocalShops, client: Client) -> RetroAchievements:
    return RetroAchievements(client, shops.retroachievements_url, KEY)


def fill(player: Player, games: int) -> None:
    for number in range(1, games + 1):
        player.earn(number, f"Wick {number}", "Lamp Boy", NOON - timedelta(minutes=number))


@pytest.mark.parametrize("written", ["Wicktrimmer", "wicktrimmer ", "https://retroachievements.org/user/Wicktrimmer"])
def test_an_account_is_asked_for_by_what_stays_when_its_name_changes(
    shops: LocalShops, retro: RetroAchievements, written: str
) -> None:
    shops.add_player()
    assert retro.member(written) == Member(external_id=ULID, name="Wicktrimmer")


def test_an_account_without_such_an_id_is_asked_for_by_its_name(shops: LocalShops, retro: RetroAchievements) -> None:
    shops.fail(200, '{"User": "Wicktrimmer"}')
    assert retro.member("wicktrimmer") == Member(external_id="Wicktrimmer", name="Wicktrimmer")


@pytest.mark.parametrize(
    ("written", "says"), [("nobody", "knows no account 'nobody'"), ("two words", "is no account of"), ("", "is no")]
)
def test_an_account_that_is_none_is_said_so(
    shops: LocalShops, retro: RetroAchievements, written: str, says: str
) -> None:
    shops.add_player()
    with pytest.raises(UsageError, match=says):
        retro.member(written)


def test_all_pages_come_as_one_list(shops: LocalShops, retro: RetroAchievements) -> None:
    fill(shops.add_player(), 1203)

    answer = json.loads(retro.progress(ULID))

    assert (answer["Total"], len({game["GameID"] for game in answer["Results"]})) == (1203, 1203)
    assert [(seen.query["c"], seen.query["o"]) for seen in shops.requests] == [
        ("500", "0"),
        ("500", "500"),
        ("500", "1000"),
    ]


def test_a_list_that_changes_while_it_is_read_is_read_again(shops: LocalShops, retro: RetroAchievements) -> None:
    player = shops.add_player()
    fill(player, 600)
    pages = iter([False, True, False, False])

    def play() -> None:
        # The last game comes to the front, so that no page shows it.
        if next(pages):
            player.earn(600, "Wick 600", "Lamp Boy", NOON + timedelta(hours=1))

    player.before_page = play

    assert {game["GameID"] for game in json.loads(retro.progress(ULID))["Results"]} == set(range(1, 601))
    assert len(shops.requests) == 4


def test_a_list_that_never_holds_still_is_no_answer(shops: LocalShops, retro: RetroAchievements) -> None:
    player = shops.add_player()
    fill(player, 600)
    hours = iter(range(1, 100))
    player.before_page = lambda: player.earn(
        min(player.games, key=lambda each: player.games[each]["MostRecentAwardedDate"]),
        "Wick",
        "Lamp Boy",
        NOON + timedelta(hours=next(hours)),
    )
    with pytest.raises(SourceUnavailable, match="changes each time that it is read"):
        retro.progress(ULID)


def test_an_account_without_games_has_none_and_one_that_is_gone_is_no_empty_library(
    shops: LocalShops, retro: RetroAchievements
) -> None:
    shops.add_player()
    assert json.loads(retro.progress(ULID)) == {"Count": 0, "Total": 0, "Results": []}
    shops.players.clear()
    with pytest.raises(SourceRefused, match=r"knows no account .* any more, and nothing of its library was changed"):
        retro.progress(ULID)


def test_a_refused_key_says_where_the_valid_one_is_and_shows_neither(
    shops: LocalShops, retro: RetroAchievements
) -> None:
    shops.add_player()
    shops.keys.clear()
    with pytest.raises(SourceRefused, match=r"refuses the key \(401\).*settings.*sources login") as caught:
        retro.progress(ULID)
    assert KEY not in str(caught.value) + repr(retro)


def test_it_may_ask_us_to_wait_and_may_answer_in_another_shape(shops: LocalShops, retro: RetroAchievements) -> None:
    shops.fail(429, Retry_After="90")
    with pytest.raises(SourceUnavailable, match="asks us to wait") as caught:
        retro.progress(ULID)
    assert caught.value.retry_after == timedelta(seconds=90)
    for body in ("", "[]", '{"Total": 1}', '{"Total": "x", "Results": []}'):
        shops.fail(200, body)
        with pytest.raises(SourceChanged, match="cannot be read"):
            retro.progress(ULID)


@pytest.mark.parametrize("written", ["", "short", "with space and more of it", "x" * 65, "öäü" * 10])
def test_what_can_be_no_key_is_refused_and_not_repeated(written: str) -> None:
    with pytest.raises(UsageError, match="settings shows yours") as caught:
        read_key(written)
    assert not written or written not in str(caught.value)
