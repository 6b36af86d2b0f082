"""Syncing a library at Steam: what comes, goes and is played, and that nothing which a person said is touched."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from models import (
    Event,
    Game,
    GameState,
    ImportLine,
    LibraryEntry,
    LibraryImport,
    PersonWork,
    PlaySession,
    Playthrough,
    WantedGame,
)
from models.people import OWNER_ID
from tests.pipeline.library.sources.syncing import DAY, DRIFT, GLOWMOOR, HOUR, KETTLE, NAMES, SPORES, Syncing, snapshot
from tests.shops import SteamUser

LIBRARY = (
    *(Event, Game, GameState, ImportLine, LibraryEntry, LibraryImport),
    *(PersonWork, PlaySession, Playthrough, WantedGame),
)


@pytest.fixture
def owner(user: SteamUser) -> SteamUser:
    """An account with two games, of which one was played."""
    user.own(GLOWMOOR, "Glowmoor", minutes=90)
    user.own(KETTLE, "Kettle Bots")
    return user


def entry(syncing: Syncing, app: int) -> Any:
    (row,) = [row for row in syncing.rows(LibraryEntry) if row["external_id"] == str(app)]
    return row


def say_by_hand(syncing: Syncing, app: int) -> Any:
    """Say something of a game, as `library set` does; returns all that is said."""
    games = {row["id"]: row["work_id"] for row in syncing.rows(Game)}
    with syncing.engine.begin() as connection:
        said = {"status": "paused", "rating": 85.0, "notes": "The bridge!", "is_favourite": True, "tags": ["cosy"]}
        row = {
            **said,
            "person_id": OWNER_ID,
            "work_id": games[entry(syncing, app)["game_id"]],
            "set_by": dict.fromkeys(said, "hand"),
            "updated_at": syncing.now,
        }
        connection.execute(insert(GameState).values(row))
    return syncing.rows(GameState)


def test_the_first_answer_is_the_library_and_notifies_nobody(syncing: Syncing, owner: SteamUser) -> None:
    fetched = syncing.round()

    assert (fetched.outcome, fetched.items, fetched.changed, syncing.events()) == ("ok", 2, 2, [])
    assert syncing.events(silent=True) == ["library.added"]
    glowmoor = entry(syncing, GLOWMOOR)
    assert {name: glowmoor[name] for name in ("store", "ownership", "platform", "playtime_seconds", "igdb_id")} == {
        "store": "steam",
        "ownership": "owned",
        "platform": "PC",
        "playtime_seconds": 5400,
        "igdb_id": GLOWMOOR,
    }
    assert {tuple(row["words"]) for row in syncing.rows(PersonWork)} == {("owned",), ("owned", "backlog")}
    assert {row["igdb_id"] for row in syncing.rows(WantedGame)} == {GLOWMOOR, KETTLE}


def test_one_game_more_one_less_and_one_that_was_played(syncing: Syncing, owner: SteamUser) -> None:
    syncing.round()
    said = say_by_hand(syncing, GLOWMOOR)
    owner.own(SPORES, "Sporeways")
    owner.lose(KETTLE)
    owner.play(GLOWMOOR, syncing.now + HOUR, minutes=30)

    fetched = syncing.round(DAY)

    assert (dict(fetched.events), syncing.named("library.added")) == ({"library.added": 1}, ["Sporeways"])
    assert syncing.games() == {"Glowmoor", "Kettle Bots", "Sporeways"}
    (session,) = syncing.rows(PlaySession)
    assert (session["seconds"], session["since_at"], session["until_at"]) == (1800, syncing.now - DAY, syncing.now)
    assert (entry(syncing, GLOWMOOR)["playtime_seconds"], syncing.rows(GameState)) == (7200, said)


def test_a_game_is_gone_after_the_third_answer_without_it_and_returns(syncing: Syncing, owner: SteamUser) -> None:
    syncing.round()
    owner.lose(KETTLE)
    absences = []
    for _ in range(5):
        syncing.round(DAY)
        absences.append((entry(syncing, KETTLE)["absences"], entry(syncing, KETTLE)["last_seen_at"] is not None))
    assert absences == [(1, False), (2, False), (3, True), (3, True), (3, True)]
    assert (syncing.events(), syncing.games()) == (["library.gone"], {"Glowmoor"})

    owner.own(KETTLE, "Kettle Bots")
    syncing.round(DAY)
    syncing.round(DAY)

    assert (syncing.events(), syncing.games()) == (["library.gone", "library.returned"], {"Glowmoor", "Kettle Bots"})
    assert len(syncing.rows(LibraryEntry)) == 2


def test_the_same_answer_again_writes_nothing(syncing: Syncing, owner: SteamUser) -> None:
    owner.own(77, "A tool that IGDB lacks")
    syncing.round()
    before = snapshot(syncing, LIBRARY)
    owner.games = dict(reversed(owner.games.items()))

    for _ in range(3):
        assert syncing.round(DAY).outcome == "unchanged"

    assert snapshot(syncing, LIBRARY) == before


def test_the_first_playing_after_never_is_told_once(syncing: Syncing, owner: SteamUser) -> None:
    syncing.round()
    for _ in range(2):
        owner.play(KETTLE, syncing.now)
        syncing.round(DAY)

    assert (syncing.events(), syncing.named("play.started")) == (["play.started"], ["Kettle Bots"])
    assert [row["seconds"] for row in syncing.rows(PlaySession)] == [3600, 3600]


def test_playtime_never_shrinks(syncing: Syncing, owner: SteamUser) -> None:
    syncing.round()
    owner.own(GLOWMOOR, "Glowmoor", minutes=0)
    syncing.round(DAY)
    owner.own(GLOWMOOR, "Glowmoor", minutes=91)
    syncing.round(DAY)

    assert entry(syncing, GLOWMOOR)["playtime_seconds"] == 91 * 60
    assert [row["seconds"] for row in syncing.rows(PlaySession)] == [60]
    assert "play.started" not in syncing.events()


def test_what_was_hidden_or_removed_stays_away(syncing: Syncing, owner: SteamUser) -> None:
    syncing.round()
    hidden, removed = entry(syncing, GLOWMOOR)["id"], entry(syncing, KETTLE)["id"]
    with syncing.engine.begin() as connection:
        for id_, column in ((hidden, "hidden_at"), (removed, "removed_at")):
            its = update(LibraryEntry).where(LibraryEntry.id == id_)
            connection.execute(its.values({column: syncing.now}))
    owner.play(GLOWMOOR, syncing.now)
    owner.play(KETTLE, syncing.now)
    syncing.round(DAY)

    assert entry(syncing, GLOWMOOR)["hidden_at"] is not None
    assert entry(syncing, KETTLE)["removed_at"] is not None
    assert syncing.events() == []
    assert len(syncing.rows(LibraryEntry)) == 2


def test_a_game_that_igdb_does_not_list_waits_and_is_taken_in_when_it_does(syncing: Syncing, owner: SteamUser) -> None:
    owner.own(4321, "Wickhaven")
    syncing.round()
    (line,) = syncing.rows(ImportLine)
    assert (line["line"], line["written"], line["verdict"]) == (4321, "Wickhaven", "unknown")

    syncing.know({4321: "Wickhaven"})
    syncing.round(DAY)

    assert (syncing.games(), syncing.rows(ImportLine)) == ({"Glowmoor", "Kettle Bots", "Wickhaven"}, [])


def test_who_plays_is_asked_hourly_and_others_daily(syncing: Syncing, owner: SteamUser) -> None:
    syncing.round()
    assert syncing.account()["next_due_at"] == syncing.now + DAY
    assert [syncing.round(HOUR).items for _ in range(3)] == [0, 0, 0]
    assert syncing.source()["next_due_at"] == syncing.now + HOUR

    owner.play(GLOWMOOR, syncing.now)
    syncing.round(DAY)
    assert (syncing.account()["played_at"], syncing.account()["next_due_at"]) == (syncing.now - DAY, syncing.now + HOUR)
    assert [syncing.round(HOUR).items for _ in range(3)] == [2, 2, 2]
    syncing.round(DAY)
    assert syncing.account()["next_due_at"] == syncing.now + DAY


def test_a_moment_of_the_future_is_no_playing(syncing: Syncing, owner: SteamUser) -> None:
    owner.play(GLOWMOOR, syncing.now + timedelta(days=900))
    syncing.round()
    assert (syncing.account()["played_at"], syncing.account()["next_due_at"]) == (None, syncing.now + DAY)


def test_an_answer_that_lists_less_than_it_counts_shows_nothing_to_be_gone(syncing: Syncing, owner: SteamUser) -> None:
    syncing.round()
    part = '{"response":{"game_count":2,"games":[{"appid":10,"name":"Glowmoor","playtime_forever":95}]}}'
    for _ in range(4):
        syncing.shops.fail(200, part)
        syncing.round(DAY)

    assert (syncing.games(), entry(syncing, KETTLE)["absences"]) == ({"Glowmoor", "Kettle Bots"}, 0)
    assert entry(syncing, GLOWMOOR)["playtime_seconds"] == 95 * 60


def test_a_row_that_cannot_be_read_costs_no_other(syncing: Syncing, owner: SteamUser) -> None:
    syncing.round()
    owner.games[DRIFT] = {"appid": DRIFT, "name": NAMES[DRIFT], "playtime_forever": -5}
    owner.own(SPORES, "Sporeways")
    owner.lose(KETTLE)
    syncing.round(DAY)

    assert syncing.games() == {"Glowmoor", "Kettle Bots", "Sporeways"}
    assert entry(syncing, KETTLE)["absences"] == 0
    assert [(row["line"], row["verdict"]) for row in syncing.rows(ImportLine)] == [(DRIFT, "invalid")]
