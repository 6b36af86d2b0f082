"""A day after whatever history, a campaign's events say what is stored of it, and none came twice within a day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Row, select

from models import AllowedChannel, Channel, DropCampaign, Event, HeldChange, TimeBasedDrop
from pipeline.drops.campaigns import CampaignSubjects
from pipeline.events.append import append_events
from pipeline.events.damping import DAMPING_WINDOW
from pipeline.ingest.fetching import register
from tests.examples import examples
from tests.pipeline.builders import NOON, campaign, drop, drops
from tests.pipeline.world import SOURCES, take_in

NAMES = ("Sunrise", "Nightfall", "Low Tide")
Said = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A campaign some minutes later; the clock ticks before it, or the snapshot has to do what it did not."""

    minutes: int
    name: str
    channels: frozenset[int]
    minutes_of_drops: dict[str, int]
    ticks: bool

    def payload(self) -> bytes:
        listed = [drop(key, minutes) for key, minutes in sorted(self.minutes_of_drops.items())]
        # One of each that never goes: a list that is empty is not believed at once.
        listed.append(drop("z", 600))
        return drops(campaign(name=self.name, channels=[300, *sorted(self.channels)], drops=listed))


STEPS = st.lists(
    st.builds(
        Step,
        minutes=st.one_of(st.integers(1, 90), st.integers(600, 1500)),
        name=st.sampled_from(NAMES),
        channels=st.frozensets(st.sampled_from([301, 302])),
        minutes_of_drops=st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from([30, 60]), max_size=2),
        ticks=st.booleans(),
    ),
    min_size=3,
    max_size=10,
)


def tick(connection: Connection, now: datetime) -> None:
    """Do the clock's part in a transaction that is not the clock's."""
    for settled in CampaignSubjects(connection, "twitch").settle_now(now):
        append_events(connection, settled.events, source_id=None, silent=settled.silent, now=now)


def stored(connection: Connection) -> Said:
    """What is stored of the campaign."""
    channels = (
        select(Channel.login)
        .join(AllowedChannel, AllowedChannel.channel_id == Channel.id)
        .where(AllowedChannel.last_seen_at.is_(None))
    )
    listed = select(TimeBasedDrop.name, TimeBasedDrop.required_minutes).where(TimeBasedDrop.last_seen_at.is_(None))
    return {
        "name": connection.scalar(select(DropCampaign.name)),
        **{f"channel {login}": True for login in connection.scalars(channels)},
        **{f"drop {name}": minutes for name, minutes in connection.execute(listed)},
    }


def said(events: Sequence[Row[Any]], first: Said) -> Said:
    """What a reader of all events takes for true; each must begin where the last one left him."""
    known = dict(first)
    for event in events:
        for item, old, new in differences(event.detail):
            assert old is ... or old == known.get(item)
            assert new != known.get(item)
            known[item] = new
    return {item: value for item, value in known.items() if value is not None}


def differences(detail: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The items of an event with their old and new values; old is `...` where the event does not give it."""
    for change in detail.get("changes", ()):
        if change["field"] == "drop":
            yield f"drop {change['about']}", ..., None
        else:
            item = f"drop {change['about']}" if change.get("about") else change["field"]
            yield item, change["old"], change["new"]
    for added in detail.get("drops_added", ()):
        yield f"drop {added['name']}", None, added["required_minutes"]
    for login in detail.get("channels_added", ()):
        yield f"channel {login}", None, True
    for login in detail.get("channels_removed", ()):
        yield f"channel {login}", True, None


def assert_none_came_twice_in_a_day(events: Sequence[Row[Any]]) -> None:
    last: dict[str, datetime] = {}
    for event in sorted(events, key=lambda event: event.occurred_at):
        if event.change_key is not None:
            before = last.get(event.change_key)
            assert before is None or event.occurred_at - before >= DAMPING_WINDOW
            last[event.change_key] = event.occurred_at


def history(connection: Connection, steps: Sequence[Step], *, ticks: bool) -> Iterator[datetime]:
    """Take in a history and yield the time of its rest, when the clock or a snapshot has told what was held back."""
    at = NOON - timedelta(days=2)
    for step in steps:
        at += timedelta(minutes=step.minutes)
        if ticks and step.ticks:
            tick(connection, at)
        take_in(connection, step.payload(), at, silent=False)
        yield at
    at += DAMPING_WINDOW
    if ticks:
        tick(connection, at)
    else:
        take_in(connection, steps[-1].payload(), at, silent=False)
    yield at


@settings(
    max_examples=examples(30),
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_a_day_after_any_history_its_events_say_what_is_stored_with_a_clock_and_without(
    engine: Engine, steps: list[Step]
) -> None:
    logs = []
    for ticks in (True, False):
        with engine.connect() as connection, connection.begin() as transaction:
            register(connection, SOURCES, NOON)
            moments = history(connection, steps, ticks=ticks)
            next(moments)
            first = stored(connection)
            for _ in moments:
                pass
            events = connection.execute(select(*Event.__table__.c).order_by(Event.id)).all()

            assert said(events, first) == stored(connection)
            assert connection.execute(select(HeldChange.item)).all() == []
            assert_none_came_twice_in_a_day(events)
            logs.append([(event.event_key, event.title) for event in events])
            transaction.rollback()
    assert logs[0] == logs[1]
