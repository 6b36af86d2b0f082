"""What shops and launchers say: Steam, Playnite, Heroic, legendary."""

from datetime import UTC, datetime

from pipeline.library.formats.no_games import no_game_by_name
from tests.pipeline.library.formats.examples import (
    HEROIC,
    HEROIC_GOG,
    LEGENDARY,
    LEGENDARY_CSV,
    LOCALCONFIG,
    PLAYNITE,
    PLAYNITE_OBJECT,
    STEAM,
    dumped,
    read,
)

PLAYED_AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_steam_gives_minutes_and_the_last_playing_and_zero_is_never() -> None:
    reading = read(STEAM)
    portal, half_life, tool = reading.records

    assert (portal.store, portal.external_id, portal.ownership) == ("steam", "620", "owned")
    assert (portal.playtime_seconds, portal.last_played_at) == (5400, PLAYED_AT)
    assert (half_life.playtime_seconds, half_life.last_played_at) == (0, None)
    assert tool.no_game == "a tool, no game"
    assert reading.is_whole


def test_steam_without_names_gives_ids() -> None:
    (record,) = read(dumped({"response": {"games": [{"appid": 620, "playtime_forever": 1}]}})).records

    assert (record.written, record.external_id) == ("Steam app 620", "620")


def test_an_answer_with_fewer_games_than_it_counts_is_not_whole() -> None:
    assert not read(dumped({"response": {"game_count": 2, "games": [{"appid": 620}]}})).is_whole


def test_a_game_that_cannot_be_is_set_aside_and_the_others_land() -> None:
    games = [{"appid": -1}, {"appid": 9, "playtime_forever": 10**12}, {"name": "No id"}, {"appid": 620}]

    reading = read(dumped({"response": {"games": games}}))

    assert [each.line for each in reading.records] == [4]
    assert [each.line for each in reading.broken] == [1, 2, 3]
    assert not reading.is_whole


def test_of_localconfig_only_the_apps_of_steam_are_read() -> None:
    played, settings_alone, runtime = read(LOCALCONFIG).records

    assert (played.line, played.external_id, played.playtime_seconds) == (1, "620", 5400)
    assert played.last_played_at == PLAYED_AT
    assert settings_alone.no_game is not None
    assert runtime.no_game == "a part of the store's own program"


def test_playnite_gives_seconds_a_store_and_an_id_that_is_the_stores_own() -> None:
    gog, xbox = read(PLAYNITE).records

    assert (gog.store, gog.external_id, gog.year, gog.platforms) == ("gog", "1207667183", 2015, ("PC (Windows)",))
    assert (gog.playtime_seconds, gog.status, gog.rating, gog.is_favourite) == (3600, "finished", 85.0, True)
    assert gog.last_played_at == datetime(2025, 8, 31, 21, 31, 55, 971000, tzinfo=UTC)
    assert (xbox.store, xbox.external_id, xbox.playtime_seconds) == ("xbox", None, 0)


def test_playnites_other_form_has_texts_for_references() -> None:
    (record,) = read(PLAYNITE_OBJECT).records

    assert (record.store, record.external_id, record.is_hidden) == ("epic", "Fox", True)


def test_a_time_of_powershells_is_read() -> None:
    games = [{"Name": "Ico", "Playtime": 1, "LastActivity": "/Date(1700000000000)/"}]

    assert read(dumped(games)).records[0].last_played_at == PLAYED_AT


def test_heroic_names_the_store_by_its_runner_and_tells_dlc_apart() -> None:
    game, dlc = read(HEROIC).records

    assert (game.store, game.external_id, game.no_game) == ("epic", "Quail", None)
    assert dlc.no_game == "DLC: it belongs to another game"


def test_heroic_at_gog_has_ids_that_igdb_knows_and_its_redistributables_are_no_game() -> None:
    game, redistributables = read(HEROIC_GOG).records

    assert (game.store, game.external_id, game.year) == ("gog", "1441257285", 1998)
    assert (redistributables.no_game, redistributables.external_id) == ("a part of the store's own program", None)


def test_legendary_tells_games_from_dlc_and_engines() -> None:
    game, dlc, engine = read(LEGENDARY).records

    assert (game.store, game.external_id, game.no_game) == ("epic", "Quail", None)
    assert (dlc.line, dlc.no_game) == (2, "DLC: it belongs to another game")
    assert engine.no_game == "an engine, no game"


def test_legendarys_csv_says_which_lines_are_dlc() -> None:
    game, dlc = read(LEGENDARY_CSV).records

    assert (game.line, game.no_game, dlc.no_game) == (2, None, "DLC: it belongs to another game")


def test_servers_soundtracks_and_passes_are_no_games_by_their_names() -> None:
    names = ["Rust Dedicated Server", "Ico Original Soundtrack", "Ico Season Pass", "Proton 9.0", "Source SDK"]

    assert all(no_game_by_name(name) for name in names)
    assert not any(
        no_game_by_name(name)
        for name in ["Lost", "Proton Ball", "Pass the Ball", "Engine of War", "Besiege + The Splintered Sea DLC"]
    )
