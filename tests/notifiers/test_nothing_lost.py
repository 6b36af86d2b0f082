"""No sequence of rules, events and clock loses an event that was due, or sends one twice."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from models import Delivery, DeliveryState, Event
from models.details import CampaignDetail
from models.vault import Vault
from notifiers.timing.deciding import Waiting
from notifiers.timing.holding import is_urgent
from notifiers.timing.rehearsing import PastEvent, PastMute, rehearse
from notifiers.timing.settings import DAYS, Digest, TargetSettings, Window
from tests.databases import Databases
from tests.examples import examples
from tests.notifiers.cases import phone
from tests.notifiers.stories import Story, new_story

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
KINDS = ("campaign.added", "campaign.last_chance", "campaign.ended", "stream.online", "stream.offline", "release.moved")
# The days before clocks change in Berlin, and one on which nothing does.
STARTS = ("03-28 12:00 UTC", "10-24 12:00 UTC", "11-20 12:00 UTC")
# None begins in an hour that is skipped somewhere: then it begins later, which `is_quiet` does not know.
WINDOWS = ("22:00-07:00", "23:30-02:30", "00:00-00:00 sat, sun", "12:00-13:00", "20:00-06:00 mon-fri")

TIMING = (
    "",
    *(f'quiet = "{window}"' for window in WINDOWS),
    'digest = "daily at 02:30"',
    'digest = "hourly at :15"',
    'digest = "weekly on sun at 09:00"',
    'digest = "daily at 23:00"\nquiet = "22:00-07:00"',
    'burst = "60s"\nburst_longest = "5min"',
    'urgent = []\nquiet = "22:00-07:00"',
    'urgent = "*"',
)
rules = st.builds(lambda lines, zone: phone(lines, zone=zone), st.sampled_from(TIMING), st.sampled_from(ZONES))
events = st.builds(
    lambda kind, hours, channel: (kind, hours, channel),
    st.sampled_from(KINDS),
    st.none() | st.integers(1, 30),
    st.sampled_from(["ann", "bob"]),
)
steps = st.one_of(
    events,
    st.integers(1, 12 * 60).map(lambda minutes: ("later", minutes, "")),
    rules.map(lambda text: ("rules", 0, text)),
    st.sampled_from(["mute phone 2h", "unmute phone", "pause phone", "resume phone", "refused 2", "dies 1"]).map(
        lambda what: ("do", 0, what)
    ),
    events,
)


@pytest.fixture(scope="module")
def shared(databases: Databases) -> Iterator[Engine]:
    """One database for all examples: each leaves it as it was."""
    with databases.new() as engine:
        yield engine


# Without shrinking: an example takes a tenth of a second, and to find the shortest five minutes.
@settings(
    max_examples=examples(30),
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=rules, start=st.sampled_from(STARTS), happens=st.lists(steps, min_size=4, max_size=14))
def test_every_event_is_sent_once_or_dropped_for_a_reason_that_is_true(
    shared: Engine,
    vault: Vault,
    tmp_path: Path,
    first: str,
    start: str,
    happens: list[tuple[str, int | None, str]],
) -> None:
    with new_story(shared, vault, tmp_path) as story:
        story.now = story.at(start)
        story.rules(first)
        expected = [title for step in happens if (title := _carry_out(story, step)) is not None]
        story.happen("unmute phone", {})
        story.happen("resume phone", {})
        # A message that is refused again and again waits for an hour at most.
        story.run_until(story.now + timedelta(days=20))
        _judge(story, expected)


def _carry_out(story: Story, step: tuple[str, int | None, str]) -> str | None:
    """Let a step happen; returns the title of an event that the target has to hear of."""
    word, number, text = step
    match word:
        case "later":
            story.run_until(story.now + timedelta(minutes=number or 0))
        case "rules":
            story.rules(text)
        case "do":
            story.happen(text, {})
        case _:
            title = f"event {story.connection.scalar(select(Event.id).order_by(Event.id.desc())) or 0}"
            ends = f' ends="{story.now + timedelta(hours=number):%m-%d %H:%M}"' if number else ""
            story.event(word, f"{title} channel={text}{ends}")
            story.send()
            is_due = story.connection.scalar(select(Delivery.id).join(Event).where(Event.title == title)) is not None
            return title if is_due else None
    story.send()
    return None


def _judge(story: Story, expected: list[str]) -> None:
    times = Counter(title for sent in story.sent for title in sent.titles)
    assert not [title for title, count in times.items() if count > 1], "sent twice"
    rows = story.connection.execute(select(Delivery, Event.title, Event.detail).join(Event)).all()
    dropped = {row.title: row for row in rows if row.state == DeliveryState.DROPPED}
    assert sorted(expected) == sorted([*times, *dropped]), "lost"
    for row in dropped.values():
        assert _is_true(row.last_error, row.detail), row.last_error
    assert {row.state for row in rows} <= {DeliveryState.SENT, DeliveryState.DROPPED}


def _is_true(reason: str, detail: dict[str, str]) -> bool:
    if reason.startswith("it had ended"):
        return "end_at" in detail
    return reason.startswith("muted until") or reason == "the stream was over before this could be sent"


windows = st.builds(
    Window,
    begins=st.sampled_from(["22:00", "23:30", "12:00", "00:30"]),
    ends=st.sampled_from(["07:00", "02:30", "13:00", "00:00"]),
    days=st.sampled_from([(), ("sat", "sun"), DAYS[:5]]),
)
target_settings = st.builds(
    TargetSettings,
    quiet=st.lists(windows, max_size=2).map(tuple),
    digest=st.none()
    | st.builds(
        Digest,
        every=st.sampled_from(["hour", "day", "week"]),
        at=st.sampled_from(["02:30", "18:00", "00:15"]),
        day=st.sampled_from(DAYS),
    ),
    urgent=st.sampled_from([(), ("campaign.last_chance",), ("*",)]),
    burst_seconds=st.sampled_from([0, 60]),
)
BEGINS = datetime(2026, 10, 23, 12, tzinfo=UTC)
past = st.tuples(st.sampled_from(KINDS), st.integers(0, 5 * 24 * 60), st.none() | st.integers(1, 30))


def is_quiet(wanted: TargetSettings, local: datetime) -> bool:
    """Return whether a clock shows a time of quiet hours: said in another way than the program says it."""
    return any(_is_in(window, local) for window in wanted.quiet)


def is_always_quiet(wanted: TargetSettings) -> bool:
    """Return whether quiet hours leave no time at all: what they hold goes when somebody changes them."""
    week = (BEGINS + timedelta(minutes=15 * number) for number in range(7 * 24 * 4))
    return all(is_quiet(wanted, moment) for moment in week)


def _is_in(window: Window, local: datetime) -> bool:
    at, today = f"{local:%H:%M}", DAYS[local.weekday()]
    yesterday = DAYS[local.weekday() - 1]
    if window.begins < window.ends:
        return window.begins <= at < window.ends and (not window.days or today in window.days)
    since = at >= window.begins and (not window.days or today in window.days)
    return since or (at < window.ends and (not window.days or yesterday in window.days))


@settings(max_examples=examples(300))
@given(
    wanted=target_settings,
    zone=st.sampled_from(ZONES[:4]),
    happened=st.lists(past, max_size=20),
    muted=st.none() | st.tuples(st.integers(0, 4000), st.integers(1, 600)),
)
def test_of_past_events_each_comes_once_in_time_and_never_in_a_quiet_hour(
    wanted: TargetSettings, zone: str, happened: list[tuple[str, int, int | None]], muted: tuple[int, int] | None
) -> None:
    where = ZoneInfo(zone)
    assume(not is_always_quiet(wanted))
    events = [_past(number, *event) for number, event in enumerate(happened)]
    mutes = [_mute(*muted)] if muted else []
    outcomes = rehearse(wanted, where, events, mutes, most=200, now=BEGINS + timedelta(days=40))
    assert [outcome.event_id for outcome in outcomes] == [event.event_id for event in events]
    for event, outcome in zip(events, outcomes, strict=True):
        assert (outcome.message is None) is (outcome.reason is not None), "neither sent nor dropped, or both"
        assert outcome.at >= event.due_at
        urgent = is_urgent(wanted, event.waiting.kind)
        if outcome.message is not None and not urgent:
            assert not is_quiet(wanted, outcome.at.astimezone(where))
        if urgent and outcome.message is not None:
            assert outcome.at == event.due_at
    # One message is of one moment.
    assert len({(outcome.message, outcome.at) for outcome in outcomes if outcome.message}) == len(
        {outcome.message for outcome in outcomes if outcome.message}
    )


def _past(number: int, kind: str, minutes: int, hours: int | None) -> PastEvent:
    at = BEGINS + timedelta(minutes=minutes)
    detail = CampaignDetail(end_at=at + timedelta(hours=hours) if hours else None)
    return PastEvent(event_id=number, waiting=Waiting(kind=kind, detail=detail, created_at=at), due_at=at)


def _mute(minutes: int, lasts: int) -> PastMute:
    begins_at = BEGINS + timedelta(minutes=minutes)
    return PastMute(game_key=None, begins_at=begins_at, until=begins_at + timedelta(minutes=lasts))
