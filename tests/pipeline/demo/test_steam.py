"""The demo's player at Steam and RetroAchievements, read by our own clients as real ones are."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pipeline.demo import steam
from pipeline.demo.igdb.catalogue import steam_id
from pipeline.demo.services import DemoServices
from pipeline.demo.world import GAMES
from pipeline.fetch.http import Client
from pipeline.library.records import Record
from pipeline.library.sources.retroachievements import RetroAchievementsLibrary
from pipeline.library.sources.steam import SteamLibrary

NOW = datetime(2031, 5, 4, 12, 34, 56, tzinfo=UTC)


@pytest.fixture
def services() -> Iterator[DemoServices]:
    with DemoServices(NOW) as running:
        yield running


def test_the_player_signs_in_buys_a_game_and_plays_as_hours_pass(services: DemoServices, client: Client) -> None:
    shop = SteamLibrary(services.steam_url)
    member = shop.member(client, shop.read_key(steam.STEAM_KEY), steam.VANITY)
    assert (member.external_id, member.name, member.games) == (steam.STEAM_ID, steam.NAME, 3)

    def library() -> dict[str | None, Record]:
        records = shop.read(shop.ask(client, steam.STEAM_KEY, steam.STEAM_ID)).records
        return {record.external_id: record for record in records}

    first = library()
    while services.advance() < 4:
        pass
    later = library()
    new = later.keys() - first.keys()
    assert {later[appid].written for appid in new} == {GAMES["sporeways"].name}
    played = [appid for appid in first if later[appid].playtime_seconds != first[appid].playtime_seconds]
    assert set(played) == {steam_id("saltglass"), steam_id("gutter-league")}
    assert all(later[appid].last_played_at is not None for appid in played)


def test_the_player_has_mastered_a_game_at_retroachievements(services: DemoServices, client: Client) -> None:
    shop = RetroAchievementsLibrary(services.retroachievements_url)
    member = shop.member(client, shop.read_key(steam.RETROACHIEVEMENTS_KEY), "SaltyFinn")
    assert (member.external_id, member.games) == (steam.ULID, 1)
    (record,) = shop.read(shop.ask(client, steam.RETROACHIEVEMENTS_KEY, member.external_id)).records
    assert (record.status, record.written) == ("mastered", GAMES["gutter-league"].name)
