"""Steam as a key may ask it: who an account is, which games it has, and each thing that goes wrong in its own words."""

import json
from datetime import timedelta

import pytest

from models.errors import UsageError
from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.services.steam.client import Profile, Steam
from tests.shops import LocalShops
from tests.shops.steam import BAD_REQUEST, KEY, REFUSED

NUMBER = "76561190000000001"


@pytest.fixture
def steam(shops: LocalShops, client: Client) -> Steam:
    return Steam(client, shops.steam_url, KEY)


@pytest.mark.parametrize("written", [NUMBER, "lamp", "https://steamcommunity.com/id/lamp/"])
def test_an_account_is_found_by_its_number_its_name_and_its_address(
    shops: LocalShops, steam: Steam, written: str
) -> None:
    shops.add_user()
    assert steam.profile(written) == Profile(steam_id=NUMBER, name="Lamplighter")


@pytest.mark.parametrize("written", ["nobody", "76561199999999999"])
def test_an_account_that_steam_does_not_know_is_said_so(shops: LocalShops, steam: Steam, written: str) -> None:
    shops.add_user()
    with pytest.raises(UsageError, match=f"Steam knows no account '{written}': give the address of its profile"):
        steam.profile(written)


def test_games_come_with_their_names_and_free_ones_with_them(shops: LocalShops, steam: Steam) -> None:
    shops.add_user().own(10, "Glowmoor", minutes=5)

    (game,) = json.loads(steam.owned_games(NUMBER))["response"]["games"]

    assert (game["appid"], game["name"], game["playtime_forever"]) == (10, "Glowmoor", 5)
    assert shops.requests[-1].query == {
        "steamid": NUMBER,
        "include_appinfo": "1",
        "include_played_free_games": "1",
    }


def test_the_key_is_in_a_header_and_in_no_address(shops: LocalShops, steam: Steam) -> None:
    shops.add_user()
    steam.profile("lamp")
    steam.owned_games(NUMBER)

    assert [seen.headers["x-webapi-key"] for seen in shops.requests] == [KEY] * 3
    assert not any(KEY in seen.query.values() for seen in shops.requests)


def test_a_library_without_games_is_one(shops: LocalShops, steam: Steam) -> None:
    shops.add_user()
    assert json.loads(steam.owned_games(NUMBER)) == {"response": {"game_count": 0, "games": []}}


def test_a_private_profile_is_no_empty_library(shops: LocalShops, steam: Steam) -> None:
    shops.add_user().is_private = True
    with pytest.raises(SourceRefused, match=r'keeps its games private.*"Game details" to public at https://') as caught:
        steam.owned_games(NUMBER)
    assert "nothing of its library was changed" in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_from_a_private_profile_by_what_steam_says_of_it(
    shops: LocalShops, steam: Steam, status: int
) -> None:
    shops.fail(status, REFUSED)
    with pytest.raises(SourceRefused, match=rf"refuses the key \({status}\).*dev/apikey.*sources login steam"):
        steam.owned_games(NUMBER)
    shops.fail(403, "<html>Access is denied</html>")
    with pytest.raises(SourceRefused, match="keeps its games private"):
        steam.owned_games(NUMBER)
    shops.fail(status, "<html>Access is denied</html>")
    with pytest.raises(SourceRefused, match="refuses the key"):
        steam.profile(NUMBER)


def test_an_account_that_is_gone_is_said_so(shops: LocalShops, steam: Steam) -> None:
    shops.fail(400, BAD_REQUEST)
    with pytest.raises(SourceRefused, match=f"knows no account {NUMBER}: sign in again"):
        steam.owned_games(NUMBER)


def test_steam_may_ask_us_to_wait(shops: LocalShops, steam: Steam) -> None:
    shops.fail(429, Retry_After="120")
    shops.fail(429)
    for seconds in (120, 60):
        with pytest.raises(SourceUnavailable, match="Steam asks us to wait") as caught:
            steam.owned_games(NUMBER)
        assert caught.value.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "<html>", '{"response":{"games":5}}', '{"response":{"game_count":3}}']
)
def test_an_answer_of_an_unknown_shape_is_kept_and_is_no_library(shops: LocalShops, steam: Steam, body: str) -> None:
    shops.fail(200, body)
    with pytest.raises(SourceChanged) as caught:
        steam.owned_games(NUMBER)
    assert caught.value.payload == body.encode()


def test_no_error_and_no_repr_shows_the_key(shops: LocalShops, steam: Steam) -> None:
    assert KEY not in repr(steam)
    for status in (400, 401, 403, 404, 418, 429):
        shops.fail(status, Retry_After="60")
        with pytest.raises((SourceChanged, SourceRefused, SourceUnavailable)) as caught:
            steam.owned_games(NUMBER)
        assert KEY not in str(caught.value)
