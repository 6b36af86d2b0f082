"""Processes that die, two that sync at once, clocks that jump: the rows of one whole sync, and each event once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from models import Event, LibraryEntry, LibraryImport, PersonWork, PlaySession
from pipeline.database.connecting import connect
from pipeline.ingest.fetching import fetch_source
from tests.crashing import Crashing, Died, Point
from tests.pipeline.library.sources.syncing import DAY, GLOWMOOR, HOUR, KETTLE, SPORES, Syncing, snapshot
from tests.shops import SteamUser

STORED = (LibraryEntry, LibraryImport, PersonWork, PlaySession)
POINTS = [
    Point("before the entries", "before", ("INSERT INTO library_entries",)),
    Point("after the entries", "after", ("INSERT INTO library_entries",)),
    Point("after the sessions", "after", ("INSERT INTO play_sessions",)),
    Point("after the events", "after", ("INSERT INTO events",)),
    Point("at the account", "after", ("UPDATE library_accounts",)),
    Point("at the commit", "commit", ("INSERT INTO library_entries",)),
    Point("after the commit", "committed", ("INSERT INTO library_entries",)),
]


@pytest.fixture
def owner(syncing: Syncing, user: SteamUser) -> SteamUser:
    """An account that was synced once; since then a game came, and another was played for the first time."""
    user.own(GLOWMOOR, "Glowmoor", minutes=90)
    user.own(KETTLE, "Kettle Bots")
    syncing.round()
    user.own(SPORES, "Sporeways")
    user.play(KETTLE, syncing.now + HOUR)
    return user


def told(syncing: Syncing) -> list[tuple[str, Any]]:
    rows = [row for row in syncing.rows(Event) if not row["silent"] and not row["kind"].startswith("source.")]
    return [(row["kind"], row["title"]) for row in rows]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_process_that_dies_leaves_all_or_nothing_and_the_next_one_goes_on(
    syncing: Syncing, owner: SteamUser, engine: Engine, point: Point
) -> None:
    others = connect(engine.url.render_as_string(hide_password=False))
    crashing = Crashing(engine, others)
    with suppress(Died), crashing.at(point):
        syncing.round(DAY)
    others.dispose()
    assert crashing.has_struck

    while syncing.account()["next_due_at"] <= syncing.now or syncing.source()["lease_until"] is not None:
        syncing.round(timedelta(minutes=1))
    syncing.round(HOUR)

    assert sorted(kind for kind, _ in told(syncing)) == ["library.added", "play.started"]
    assert [row["seconds"] for row in syncing.rows(PlaySession)] == [3600]
    assert syncing.games() == {"Glowmoor", "Kettle Bots", "Sporeways"}


def test_of_two_that_sync_at_once_one_does(syncing: Syncing, owner: SteamUser) -> None:
    syncing.wait(DAY)
    syncing.make_due()
    asked = len(syncing.shops.requests)
    with ThreadPoolExecutor(2) as pool:
        fetches = [pool.submit(fetch_source, syncing.engine, syncing.sources["steam"], syncing.clock) for _ in range(2)]
        outcomes = sorted(str(fetch.result(60) and fetch.result(60).outcome) for fetch in fetches)  # type: ignore[union-attr]

    assert outcomes == ["None", "ok"]
    assert len(syncing.shops.requests) == asked + 1
    assert sorted(kind for kind, _ in told(syncing)) == ["library.added", "play.started"]


def test_the_answer_of_one_round_is_stored_once(syncing: Syncing, owner: SteamUser) -> None:
    syncing.round(DAY)
    before = snapshot(syncing, (*STORED, Event))
    assert syncing.round().items == 0
    assert snapshot(syncing, (*STORED, Event)) == before


@pytest.mark.parametrize("jump", [-timedelta(days=400), -3 * DAY, timedelta(days=4000)])
def test_a_clock_that_jumps_and_is_set_right_makes_nothing_twice(
    syncing: Syncing, owner: SteamUser, jump: timedelta
) -> None:
    syncing.round(DAY)
    before = told(syncing)
    for step in (jump, HOUR, -jump, DAY):
        # Only our clock: the shop's goes on.
        syncing.now += step
        syncing.make_due()
        assert fetch_source(syncing.engine, syncing.sources["steam"], syncing.clock) is not None
    owner.play(KETTLE, syncing.now)
    syncing.round(DAY)

    assert told(syncing) == before
    assert [row["seconds"] for row in syncing.rows(PlaySession)] == [3600, 3600]
    assert all(row["since_at"] <= row["until_at"] for row in syncing.rows(PlaySession))


def test_an_account_is_due_at_once_when_the_clock_was_set_back(syncing: Syncing, owner: SteamUser) -> None:
    syncing.round(DAY)
    assert syncing.round(-timedelta(days=300)).items == 3
    assert syncing.account()["next_due_at"] <= syncing.now + DAY
