"""Which drops can still be earned, and until when: checked against watching minute by minute."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.drops.earning import Course
from pipeline.drops.records import DropRecord
from tests.examples import examples

START = datetime(2031, 3, 4, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LASTS = 40
KEYS = "abcde"


def drop(
    key: str, minutes: int | None, *after: str, window: tuple[int, int] | None = None, subs: int = 0
) -> DropRecord:
    """A drop; its window is in hours after the campaign's start."""
    opens, closes = (START + hours * HOUR for hours in window) if window else (None, None)
    return DropRecord(
        external_id=key,
        required_minutes=minutes,
        required_subs=subs,
        precondition_drop_ids=after or None,
        start_at=opens,
        end_at=closes,
    )


def course(*drops: DropRecord, hours: int = 96) -> Course:
    return Course(drops, start_at=START, end_at=START + hours * HOUR)


def hours(latest: Course) -> dict[str, float]:
    return {key: (chance.start_at - START) / HOUR for key, chance in latest.latest_starts().items()}


def test_each_day_of_daily_drops_has_a_last_start_of_its_own() -> None:
    daily = course(*(drop(f"d{day}", 60, window=(24 * day, 24 * day + 24)) for day in range(3)))

    assert hours(daily) == {"d0": 23, "d1": 47, "d2": 71}


def test_a_chain_takes_the_minutes_of_all_that_come_before() -> None:
    assert hours(course(drop("c", 240, "b"), drop("b", 120, "a"), drop("a", 120))) == {"a": 94, "b": 92, "c": 88}


def test_a_drop_that_requires_one_of_several_groups_of_rewards_waits_for_all_of_them() -> None:
    grouped = course(drop("a/short", 60), drop("a/long", 240), drop("b", 60, "a"))

    assert hours(grouped) == {"a/short": 95, "a/long": 92, "b": 91}
    assert [counting.external_id for counting in grouped.count_now(START)] == ["a/short", "a/long"]


def test_what_two_drops_require_is_watched_once_and_side_by_side() -> None:
    rhombus = course(
        drop("root", 60), drop("left", 30, "root"), drop("right", 90, "root"), drop("top", 60, "left", "right")
    )

    assert hours(rhombus)["top"] == 96 - 3.5


def test_a_drop_that_requires_one_of_an_earlier_day_must_be_begun_on_that_day() -> None:
    chained = course(drop("a", 60, window=(0, 24)), drop("b", 60, "a", window=(24, 48)))

    assert hours(chained) == {"a": 23, "b": 23}
    assert chained.earned_at(START + 23 * HOUR) == {"a": START + 24 * HOUR, "b": START + 25 * HOUR}


def test_subscriptions_take_no_time_but_more_than_watching() -> None:
    both = course(drop("gift", 60, subs=3), drop("only", 0, subs=3), drop("after", 60, "only"))

    assert hours(both) == {"gift": 95, "only": 96, "after": 95}
    assert both.count_now(START) == []


def test_a_drop_that_is_required_but_not_listed_takes_no_time_and_a_circle_is_never_earned() -> None:
    odd = course(
        drop("a", 60, "elsewhere"), drop("b", 30, "c"), drop("c", 30, "b"), drop("d", 10, "d"), drop("e", 5, "c")
    )

    assert hours(odd) == {"a": 95}
    assert [counting.external_id for counting in odd.count_now(START)] == ["a"]


def test_more_minutes_than_any_calendar_has_are_never_earned_before_an_end() -> None:
    assert hours(course(drop("a", 2**31 - 1), drop("b", 2**31 - 1, "a"))) == {}


def test_a_drop_that_is_too_long_for_its_window_is_never_earned_nor_is_what_requires_it() -> None:
    assert hours(course(drop("a", 61, window=(0, 1)), drop("b", 10, "a"))) == {}


def test_a_campaign_without_an_end_can_be_begun_at_any_time() -> None:
    open_ended = Course([drop("a", 60)], start_at=None, end_at=None)

    assert open_ended.count_now(START) == [drop("a", 60)]


def test_minutes_count_for_what_is_open_and_waits_for_nothing() -> None:
    drops = (drop("a", 60), drop("b", 60, "a"), drop("c", 60, window=(5, 9)), drop("d", 60, window=(0, 1)))
    counting = course(*drops)

    assert [
        [record.external_id for record in counting.count_now(START + at * HOUR)] for at in (-1, 0, 1, 5, 9, 95, 96)
    ] == [
        [],
        ["a", "d"],
        ["a"],
        ["a", "c"],
        ["a"],
        ["a"],
        [],
    ]


@st.composite
def campaigns(draw: st.DrawFn) -> Sequence[DropRecord]:
    """Draw up to five drops of a campaign of forty minutes, with windows, in any order and with any requirements."""
    moment = st.integers(-5, LASTS + 5)
    drops = []
    for key in draw(st.permutations(KEYS))[: draw(st.integers(1, 5))]:
        opens, closes = draw(st.none() | moment), draw(st.none() | moment)
        record = drop(
            key, draw(st.none() | st.integers(0, 20)), *draw(st.sets(st.sampled_from([*KEYS, "elsewhere"]), max_size=2))
        )
        drops.append(
            replace(
                record,
                start_at=None if opens is None else START + opens * MINUTE,
                end_at=None if closes is None else START + closes * MINUTE,
            )
        )
    return drops


def watch(drops: Sequence[DropRecord], begin: int) -> dict[str, int]:
    """Watch minute by minute from one on, and return in which minute each drop is earned."""
    listed = {record.external_id for record in drops}
    earned: dict[str, int] = {}
    watched = dict.fromkeys(listed, 0)
    for minute in range(begin, LASTS + 1):
        for record in [*drops] * len(drops):
            opens, closes = _window(record)
            waits = any(key in listed and key not in earned for key in record.precondition_drop_ids or ())
            if record.external_id in earned or waits or not opens <= minute <= closes:
                continue
            if watched[record.external_id] >= (record.required_minutes or 0):
                earned[record.external_id] = minute
        for record in _counting(drops, earned, minute):
            watched[record.external_id] += 1
    return earned


def _window(record: DropRecord) -> tuple[int, int]:
    opens = 0 if record.start_at is None else max(0, (record.start_at - START) // MINUTE)
    closes = LASTS if record.end_at is None else min(LASTS, (record.end_at - START) // MINUTE)
    return opens, closes


def _counting(drops: Sequence[DropRecord], earned: dict[str, int], minute: int) -> Iterator[DropRecord]:
    listed = {record.external_id for record in drops}
    for record in drops:
        opens, closes = _window(record)
        waits = any(key in listed and key not in earned for key in record.precondition_drop_ids or ())
        if opens <= minute < closes and not waits and record.external_id not in earned:
            yield record


@given(campaigns(), st.integers(-3, LASTS + 3))
def test_what_is_reckoned_is_what_watching_minute_by_minute_brings(drops: Sequence[DropRecord], begin: int) -> None:
    reckoned = Course(drops, start_at=START, end_at=START + LASTS * MINUTE)

    earned = {key: (at - START) // MINUTE for key, at in reckoned.earned_at(START + begin * MINUTE).items()}
    assert earned == watch(drops, begin)


@settings(max_examples=examples(40))
@given(campaigns())
def test_the_latest_start_is_the_last_minute_from_which_a_drop_is_earned(drops: Sequence[DropRecord]) -> None:
    latest = Course(drops, start_at=START, end_at=START + LASTS * MINUTE).latest_starts()

    begins = {key: (chance.start_at - START) // MINUTE for key, chance in latest.items()}
    last: dict[str, int] = {}
    for begin in range(-20, LASTS + 1):
        last |= dict.fromkeys(watch(drops, begin), begin)
    assert begins == last
