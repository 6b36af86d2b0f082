"""What Steam answered real people, synced with a catalogue that knows every app of it."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update

from models import GameState, LibraryEntry, PlaySession
from pipeline.library.sources.steam import SteamLibrary
from tests.paths import RECORDINGS
from tests.pipeline.library.sources.syncing import DAY, HOUR, Syncing
from tests.shops import SteamUser

FOLDER = RECORDINGS / "library"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here"),
]


def recorded(name: str) -> Sequence[Any]:
    games: Sequence[Any] = json.loads((FOLDER / name).read_text())["response"]["games"]
    return games


def test_a_real_library_then_one_game_more_one_less_and_one_played(syncing: Syncing, user: SteamUser) -> None:
    games = recorded("steam_GetOwnedGames_first_65.json")
    syncing.know({game["appid"]: game["name"] for game in games if game["appid"] > 40})
    user.games = {game["appid"]: game for game in games}
    first = syncing.round()
    assert (first.outcome, first.items, syncing.events()) == ("ok", 65, [])
    entries = syncing.rows(LibraryEntry)
    played = next(row for row in entries if row["playtime_seconds"])
    lost = next(row for row in entries if row is not played)
    with syncing.engine.begin() as connection:
        connection.execute(update(GameState).values(notes="mine"))

    user.own(40, "Salt Drift")
    user.lose(int(lost["external_id"]))
    user.play(int(played["external_id"]), syncing.now + HOUR, minutes=42)
    second = syncing.round(DAY)

    assert (dict(second.events), syncing.named("library.added")) == ({"library.added": 1}, ["Salt Drift"])
    assert [(row["entry_id"], row["seconds"]) for row in syncing.rows(PlaySession)] == [(played["id"], 42 * 60)]
    assert len(syncing.games()) == len(entries) + 1
    syncing.round(DAY)
    assert lost["title"] in syncing.games()
    assert dict(syncing.round(DAY).events) == {"library.gone": 1}


def test_a_real_answer_without_names_is_the_same_library(syncing: Syncing, user: SteamUser) -> None:
    games = recorded("steam_GetOwnedGames_no_appinfo_69.json")
    reading = SteamLibrary("https://steam.example").read(json.dumps({"response": {"games": games}}).encode())
    assert (len(reading.records), reading.is_whole) == (69, True)


def test_the_answer_of_a_private_profile_changes_nothing(syncing: Syncing, user: SteamUser) -> None:
    user.own(10, "Glowmoor")
    syncing.round()
    syncing.shops.fail(200, (FOLDER / "steam_GetOwnedGames_private.json").read_text())
    fetched = syncing.round(DAY)
    assert "keeps its games private" in (fetched.error or "")
    assert syncing.games() == {"Glowmoor"}
