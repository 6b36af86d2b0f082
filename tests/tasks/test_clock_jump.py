"""A clock that is set back, by hours or from next year: what lies further ahead than it can be is due now."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import DateTime, func, insert, select, update

from models import (
    Base,
    Channel,
    Delivery,
    DropCampaign,
    Event,
    Follow,
    GameMetadata,
    Heartbeat,
    Picture,
    Sighting,
    Source,
    WantedGame,
)
from models.due import CLOCK_TOLERANCE, NEVER, is_due
from notifiers import outbox
from pipeline.channels.eventsub.source_row import load_memory, open_source, remember
from pipeline.demo.sinks import WebhookSink
from pipeline.games.store.wanted import due_games
from pipeline.ingest.fetching import due
from pipeline.programs import clock_jump
from pipeline.programs.pictures import _CLAIM
from pipeline.runtime import heartbeat
from pipeline.runtime.runtime import utc_now
from tasks import fetch, send, ticks
from tests.tasks.installation import AtWork

TWO_HOURS, YEAR, MINUTE = timedelta(hours=2), timedelta(days=365), timedelta(minutes=1)
JUMPS = [pytest.param(TWO_HOURS, id="two hours"), pytest.param(YEAR, id="a year")]
NOON = datetime.fromisoformat("2026-03-01T12:00:00+00:00")


def shift(installation: AtWork, jump: timedelta) -> None:
    """Let everything have been written by a clock that ran ahead by so much."""
    with installation.engine.begin() as connection:
        for name, rules in clock_jump.RULES.items():
            table = Base.metadata.tables[name]
            # The start and the end of a campaign are its service's word, whenever they are believed.
            given = {"started_at", "ended_at", "last_seen_at"} if name.endswith("_campaigns") else set()
            ours = [table.c[c] for c, rule in rules.items() if rule != clock_jump.Rule.STAYS and c not in given]
            if ours:
                connection.execute(update(table).values({time: time + jump for time in ours}))


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (-MINUTE, True),
        (timedelta(0), True),
        (MINUTE, False),
        (TWO_HOURS, False),
        (TWO_HOURS + CLOCK_TOLERANCE, False),
        (TWO_HOURS + CLOCK_TOLERANCE + MINUTE, True),
        (YEAR, True),
        (NEVER - NOON, False),
    ],
)
def test_a_time_is_due_once_it_has_come_or_where_it_is_further_ahead_than_it_can_be(
    ahead: timedelta, expected: bool
) -> None:
    assert is_due(NOON + ahead, NOON, TWO_HOURS) is expected


def test_the_condition_in_the_database_says_the_same(installation: AtWork) -> None:
    times = [-MINUTE, timedelta(0), MINUTE, TWO_HOURS, TWO_HOURS + CLOCK_TOLERANCE, YEAR, NEVER - NOON]
    with installation.engine.begin() as connection:
        for number, ahead in enumerate(times):
            row = {"igdb_id": number, "reasons": ["list"], "wanted_at": NOON, "next_due_at": NOON + ahead}
            connection.execute(insert(WantedGame).values(row))
        due = due_games(connection, NOON, 99)
    thirty_days = timedelta(days=30)
    assert sorted(due) == [number for number, ahead in enumerate(times) if is_due(NOON + ahead, NOON, thirty_days)]


@pytest.mark.parametrize("jump", JUMPS)
def test_sources_are_fetched_again_whatever_time_they_were_to_be_fetched_at(
    installation: AtWork, jump: timedelta
) -> None:
    ticks.fetch_due()
    fetch.source("kick.drops")
    fetch.source("kick.drops")
    assert installation.count(Source, Source.lease_until.is_not(None)) == 0
    with installation.engine.begin() as connection:
        of_kick = update(Source).where(Source.name == "kick.drops")
        later = {"next_due_at": Source.next_due_at + jump, "lease_until": utc_now() + jump}
        connection.execute(of_kick.values(later | {"last_snapshot_at": Source.last_snapshot_at + jump}))
    fetch.source("kick.drops")
    with installation.engine.connect() as connection:
        row = connection.execute(select(Source).where(Source.name == "kick.drops")).one()
        assert "kick.drops" not in due(connection, utc_now())
    assert row.lease_until is None
    assert row.next_due_at < utc_now() + timedelta(hours=1)
    assert row.last_snapshot_at <= utc_now()
    assert row.consecutive_failures == 0


def test_a_source_that_is_never_due_stays_so(installation: AtWork) -> None:
    open_source(installation.engine, utc_now())
    with installation.engine.connect() as connection:
        assert "twitch.eventsub" not in due(connection, utc_now())


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("state", ["pending", "sending", "tried"])
def test_messages_go_out_whatever_time_they_were_to_go_out_at(
    installation: AtWork, hook: WebhookSink, jump: timedelta, state: str
) -> None:
    installation.subscribe(hook)
    ticks.fetch_due()
    fetch.source("kick.drops")
    with installation.engine.begin() as connection:
        connection.execute(update(Event).values(silent=False))
        event_id = connection.scalar(select(func.min(Event.id)))
        ahead = utc_now() + jump
        row = {"event_id": event_id, "target_id": 1, "subscription_ids": [1], "state": "pending", "created_at": ahead}
        row |= {"next_attempt_at": ahead, "attempts": 0}
        if state != "pending":
            row |= {"attempts": 1, "first_attempt_at": ahead}
        if state == "sending":
            row |= {"state": "sending", "lease_until": ahead, "lease_token": "of a worker that is dead"}
        connection.execute(insert(Delivery).values(row))
    send.due()
    assert installation.count(Delivery, Delivery.state == "sent") == 1
    assert installation.count(Delivery, Delivery.first_attempt_at > utc_now()) == 0


def test_a_message_that_waits_for_the_day_of_its_release_still_does(installation: AtWork, hook: WebhookSink) -> None:
    installation.subscribe(hook)
    ticks.fetch_due()
    fetch.source("kick.drops")
    now = utc_now()
    with installation.engine.begin() as connection:
        event_id = connection.scalar(select(func.min(Event.id)))
        row = {"event_id": event_id, "target_id": 1, "subscription_ids": [1], "created_at": now}
        connection.execute(insert(Delivery).values(row | {"next_attempt_at": now + timedelta(hours=25)}))
        assert outbox.claim(connection, now) == []


def test_a_picture_is_copied_whatever_time_it_was_to_be_copied_at(installation: AtWork) -> None:
    now = utc_now()
    with installation.engine.begin() as connection:
        rows = [("a", YEAR, 0), ("b", TWO_HOURS, 0), ("c", MINUTE, 0), ("d", TWO_HOURS, 5)]
        for address, ahead, attempts in rows:
            row = {"address": address, "last_wanted_at": now, "next_due_at": now + ahead, "attempts": attempts}
            connection.execute(insert(Picture).values(row))
        claimed = [connection.execute(_CLAIM, {"now": now}).one_or_none() for _ in rows]
    assert sorted(row.address for row in claimed if row is not None) == ["a", "b"]


def test_every_time_of_every_table_has_a_rule() -> None:
    times = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, DateTime)
    }
    assert {(table, column) for table, rules in clock_jump.RULES.items() for column in rules} == times


@pytest.mark.parametrize("jump", JUMPS)
def test_after_a_jump_no_time_that_our_clock_wrote_lies_in_the_future(
    installation: AtWork, hook: WebhookSink, jump: timedelta
) -> None:
    installation.subscribe(hook)
    ticks.fetch_due()
    for name in ("kick.drops", "twitch.drops"):
        fetch.source(name)
    with installation.engine.begin() as connection:
        channel_id = connection.scalar(select(func.min(Channel.id)))
        connection.execute(insert(Follow).values(kind="channel", channel_id=channel_id, created_at=utc_now()))
        game = {"igdb_id": 7, "name": "Rust", "name_key": "rust", "synced_at": utc_now(), "digest": b"", "raw": {}}
        lists = ("genres", "themes", "modes", "franchises", "collections", "companies", "platforms")
        connection.execute(insert(GameMetadata).values(game | {key: [] for key in lists}))
    ticks.advance_clock()
    before = installation.event_keys()
    shift(installation, jump)

    ticks.advance_clock()

    later = utc_now() + CLOCK_TOLERANCE
    for name, rules in clock_jump.RULES.items():
        table = Base.metadata.tables[name]
        for column, rule in rules.items():
            if rule not in {clock_jump.Rule.STAYS, clock_jump.Rule.DUE}:
                with installation.engine.connect() as connection:
                    ahead = connection.scalar(select(func.count()).where(table.c[column] > later))
                assert ahead == 0, f"{name}.{column}"
    # Nothing but the jump itself is news for it, and the next tick has nothing left to set right.
    assert [key for key in installation.event_keys() if not key.startswith("operator.clock_jumped:")] == before
    assert clock_jump.put_right(installation.engine, utc_now()) is None
    assert heartbeat.last_beat(installation.engine, heartbeat.CLOCK_SINCE) <= utc_now()  # type: ignore[operator]


@pytest.mark.parametrize("jump", JUMPS)
def test_an_installation_that_ran_ahead_asks_its_sources_and_believes_what_they_say(
    installation: AtWork, jump: timedelta
) -> None:
    ticks.fetch_due()
    fetch.source("kick.drops")
    ticks.advance_clock()
    listed = installation.count(Sighting, Sighting.last_seen_at.is_(None))
    shift(installation, jump)
    installation.forget_hints()

    ticks.advance_clock()
    ticks.fetch_due()
    assert "kick.drops" in {hint.args[0] for hint in installation.hints("fetch.source")}
    fetch.source("kick.drops")

    with installation.engine.connect() as connection:
        source = connection.execute(select(Source).where(Source.name == "kick.drops")).one()
    assert source.last_success_at <= utc_now()
    assert source.consecutive_failures == 0
    assert installation.count(Sighting, Sighting.last_seen_at.is_(None)) == listed


def test_a_campaign_that_a_clock_has_ended_before_its_time_is_open_again(installation: AtWork) -> None:
    ticks.fetch_due()
    fetch.source("kick.drops")
    ticks.advance_clock()
    now = utc_now()
    with installation.engine.begin() as connection:
        end = {"end_at": now + YEAR, "ended_at": now + YEAR, "last_seen_at": now + YEAR}
        connection.execute(update(DropCampaign).values(end))
        connection.execute(update(Sighting).values(closed_at=now + YEAR, last_seen_at=now + YEAR))
        connection.execute(update(Heartbeat).values(at=now + YEAR))
    ticks.advance_clock()
    assert installation.count(DropCampaign, DropCampaign.ended_at.is_not(None)) == 0
    assert installation.count(Sighting, Sighting.closed_at.is_not(None)) == 0


def test_a_look_at_subscriptions_that_was_asked_for_in_the_future_is_forgotten(installation: AtWork) -> None:
    now = utc_now()
    open_source(installation.engine, now)
    with installation.engine.begin() as connection:
        remember(connection, wanted=3, asked_at=now + YEAR, reconciled_at=now + YEAR)
    heartbeat.beat(installation.engine, now + YEAR, heartbeat.CLOCK)
    clock_jump.put_right(installation.engine, now)
    with installation.engine.connect() as connection:
        memory = load_memory(connection)
    assert (memory.wanted, memory.asked_at, memory.reconciled_at) == (3, None, None)


def test_sources_are_fetched_at_once_after_a_clock_was_set_back_by_minutes(installation: AtWork) -> None:
    ticks.fetch_due()
    now = utc_now()
    heartbeat.beat(installation.engine, now + 3 * MINUTE, heartbeat.CLOCK)
    with installation.engine.begin() as connection:
        connection.execute(
            update(Source).where(Source.name == "kick.drops").values(next_due_at=now + 3 * MINUTE, lease_until=None)
        )

    assert clock_jump.put_right(installation.engine, now) is None
    assert clock_jump.put_right(installation.engine, now, was_set_back=True) == 3 * MINUTE
    with installation.engine.connect() as connection:
        assert "kick.drops" in due(connection, now)


def test_two_machines_whose_clocks_differ_by_a_little_do_not_set_each_other_right(installation: AtWork) -> None:
    now = utc_now()
    heartbeat.beat(installation.engine, now + timedelta(minutes=4), heartbeat.CLOCK)
    assert clock_jump.put_right(installation.engine, now) is None
