"""A source that neither fails nor brings anything new is reported once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from models import Event, Source
from pipeline.ingest.staleness import stale_because, watch
from pipeline.runtime import heartbeat

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=9)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def source(**values: Any) -> dict[str, Any]:
    healthy = {
        "name": "twitch.drops",
        "service": "twitch",
        "enabled": True,
        "next_due_at": NOW + minutes(1),
        "lease_until": None,
        "refresh_seconds": 60,
        "failing_since": None,
        "changed_since": None,
        "last_snapshot_at": NOW - minutes(1),
    }
    return healthy | values


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, None),
        ({"next_due_at": NOW - minutes(29)}, None),
        ({"next_due_at": NOW - minutes(31)}, "nobody has asked it since it was due at 2026-05-01 11:29 UTC"),
        ({"next_due_at": NOW - minutes(31), "lease_until": NOW - minutes(1)}, None),
        ({"last_snapshot_at": NOW - timedelta(hours=5.9)}, None),
        ({"last_snapshot_at": NOW - timedelta(hours=6.1)}, "it answers, but with what was true at 2026-05-01 05:54"),
        ({"last_snapshot_at": NOW - timedelta(hours=6.1), "refresh_seconds": 10800}, None),
        ({"last_snapshot_at": None}, None),
        ({"last_snapshot_at": LONG_AGO, "failing_since": NOW}, None),
        ({"last_snapshot_at": LONG_AGO, "changed_since": NOW}, None),
        ({"next_due_at": LONG_AGO, "enabled": False}, None),
    ],
)
def test_a_source_is_stale_when_it_is_not_asked_or_tells_nothing_new(
    values: dict[str, Any], reason: str | None
) -> None:
    because = stale_because(source(**values), NOW, ticking_since=LONG_AGO)
    assert because == reason or (reason is not None and because is not None and because.startswith(reason))


def test_an_installation_that_was_off_for_days_calls_nothing_stale() -> None:
    off = source(next_due_at=LONG_AGO, last_snapshot_at=LONG_AGO)
    assert stale_because(off, NOW, ticking_since=NOW - minutes(1)) is None


def event_kinds(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(select(Event.kind).order_by(Event.id)))


def change(engine: Engine, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(update(Source).values(values))


def test_staleness_and_its_end_are_told_once_each(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(Source).values(source()))
    watch(engine, NOW, ticking_since=LONG_AGO)
    assert event_kinds(engine) == []

    change(engine, last_snapshot_at=LONG_AGO)
    for later in range(3):
        watch(engine, NOW + minutes(later), ticking_since=LONG_AGO)
    assert event_kinds(engine) == ["source.stale"]

    change(engine, last_snapshot_at=NOW)
    for later in range(3):
        watch(engine, NOW + minutes(later), ticking_since=LONG_AGO)
    assert event_kinds(engine) == ["source.stale", "source.recovered"]


def test_a_stale_source_that_begins_to_fail_has_not_recovered(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(Source).values(source(last_snapshot_at=LONG_AGO)))
    watch(engine, NOW, ticking_since=LONG_AGO)
    change(engine, failing_since=NOW)
    watch(engine, NOW + minutes(1), ticking_since=LONG_AGO)
    assert event_kinds(engine) == ["source.stale"]


def test_the_clock_knows_since_when_it_ticks_without_a_pause(engine: Engine) -> None:
    assert heartbeat.beat_clock(engine, NOW) == NOW
    assert heartbeat.beat_clock(engine, NOW + minutes(1)) == NOW
    assert heartbeat.beat_clock(engine, NOW + minutes(2)) == NOW
    assert heartbeat.beat_clock(engine, NOW + minutes(9)) == NOW + minutes(9)
