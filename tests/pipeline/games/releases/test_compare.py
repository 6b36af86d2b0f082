"""Which changes of release dates are news, decided from the rows before and after."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import EventKind
from models.periods import Period, in_words, read_period
from models.release_numbers import CANCELLED, OFFLINE
from pipeline.games.records import StoredRelease
from pipeline.games.releases.compare import (
    GONE_FOR,
    Change,
    compare,
    days_between,
    is_delay,
    is_withdrawn,
    period_of,
)
from pipeline.services.igdb.dates import release_records
from pipeline.services.igdb.records import Precision, ReleaseRecord
from pipeline.services.igdb.shapes import WireReleaseDate

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANNOUNCED, PRECISED, MOVED = EventKind.RELEASE_ANNOUNCED, EventKind.RELEASE_PRECISED, EventKind.RELEASE_MOVED
OFF = EventKind.RELEASE_CANCELLED
PC, PS5 = 6, 167


def release(
    when: str, igdb_id: int = 1, *, platform: int | None = PC, region: int | None = 8, status: int | None = 6
) -> ReleaseRecord:
    """A release date as IGDB's rows are read, its period written as events keep it."""
    period = read_period(when) or Period()
    precision: Precision = "tbd" if period == Period() else "day" if period.day else "year"
    precision = "quarter" if period.quarter else "month" if period.month and not period.day else precision
    return ReleaseRecord(
        igdb_id, platform, region, status, precision, period.last, period.year, period.quarter, period.month
    )


def listed(*releases: ReleaseRecord) -> tuple[StoredRelease, ...]:
    return tuple(StoredRelease(record, NOW - timedelta(days=90)) for record in releases)


def gone(record: ReleaseRecord, at: datetime = NOW) -> StoredRelease:
    return StoredRelease(record, NOW - timedelta(days=90), at)


def kinds(before: Sequence[StoredRelease], after: Sequence[StoredRelease], now: datetime = NOW) -> list[EventKind]:
    return [change.kind for change in compare(before, after, now)]


def changed(old: str, new: str) -> Change | None:
    changes = compare(listed(release(old)), listed(release(new)), NOW)
    return changes[0] if changes else None


@pytest.mark.parametrize(
    ("old", "new", "kind", "days", "delay"),
    [
        ("tbd", "2027", PRECISED, None, False),
        ("tbd", "2027-03-01", PRECISED, None, False),
        ("2027", "2027-Q1", PRECISED, -275, False),
        ("2027-Q1", "2027-03", PRECISED, 0, False),
        ("2027-Q1", "2027-03-01", PRECISED, -30, False),
        ("2027-03", "2027-03-01", PRECISED, -30, False),
        ("2027", "2027-12-31", PRECISED, 0, False),
        ("2026-12-01", "2026-12-08", MOVED, 7, False),
        ("2026-12-01", "2026-12-09", MOVED, 8, True),
        ("2026-12-01", "2026-11-25", MOVED, -6, False),
        ("2026-Q4", "2027-Q1", MOVED, 90, True),
        ("2026-Q4", "2027", MOVED, 365, True),
        ("2027-Q2", "2027-03", MOVED, -91, False),
        ("2026-Q4", "2027-01-05", MOVED, 5, False),
        # Less precise than before: the move is measured from end to end of the periods.
        ("2026-12-31", "2026-Q4", MOVED, 0, False),
        ("2026-12-01", "2026-Q4", MOVED, 30, True),
        ("2027", "tbd", MOVED, None, True),
        # The old date has passed: it was wrong.
        ("2026-11-01", "2026-12-24", MOVED, 53, True),
        ("2026-12-24", "2026-11-01", MOVED, -53, False),
    ],
)
def test_a_date_that_changes_is_made_precise_or_moved(
    old: str, new: str, kind: EventKind, days: int | None, delay: bool
) -> None:
    change = changed(old, new)

    assert change is not None
    assert change.kind == kind
    assert (str(change.old), str(change.new)) == (old, new)
    assert days_between(change.old or Period(), change.new or Period()) == days
    assert (kind == MOVED and is_delay(change.old or Period(), change.new or Period())) is delay


@pytest.mark.parametrize(
    ("old", "new"), [("1998", "1999-03-01"), ("2026-11-10", "2026-11-18"), ("2020-01-01", "tbd"), ("tbd", "2001-Q2")]
)
def test_a_date_that_is_put_right_long_after_is_no_news(old: str, new: str) -> None:
    assert changed(old, new) is None


def test_a_day_is_not_over_before_it_is_over_everywhere() -> None:
    new = listed(release("2026-11-20"))

    assert kinds((), new, datetime(2026, 11, 21, 11, 59, tzinfo=UTC)) == [ANNOUNCED]
    assert kinds((), new, datetime(2026, 11, 21, 12, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize("when", ["tbd", "2026", "2026-Q4", "2026-12", "2026-11-20", "2031-01-01"])
def test_a_date_that_was_not_listed_is_announced_unless_it_has_passed(when: str) -> None:
    assert kinds((), listed(release(when))) == [ANNOUNCED]
    assert kinds((), listed(release(when)), NOW.replace(year=2032)) == ([ANNOUNCED] if when == "tbd" else [])


def test_a_row_that_is_written_anew_continues_the_one_on_its_platform_and_in_its_region() -> None:
    old, other = release("2026-Q4", 1), release("2026-Q4", 2, platform=PS5)
    new = release("2027-02-03", 3, region=None)

    (change,) = compare(listed(old, other), (gone(old), *listed(other, new)), NOW)

    assert (change.kind, change.old, change.replaced) == (MOVED, Period(2026, quarter=4), 1)
    assert kinds(listed(old), (gone(old), *listed(release("2026-Q4", 3)))) == []
    elsewhere = release("2027-02-03", 3, region=5)
    assert kinds(listed(old), (gone(old), *listed(elsewhere))) == [ANNOUNCED]


def test_a_row_that_is_deleted_first_and_written_anew_later_is_no_announcement() -> None:
    old, new = release("2026-Q4", 1), release("2026-12-01", 2)
    hours = [timedelta(hours=1), GONE_FOR]

    for away, kind in zip(hours, (PRECISED, ANNOUNCED), strict=True):
        before = gone(old, NOW - away)
        assert kinds((before,), (before, *listed(new))) == [kind]
    # A third row does not continue the first once the second did.
    before = gone(old, NOW - hours[0])
    assert kinds((before, *listed(new)), (before, *listed(new, release("2027", 3)))) == [ANNOUNCED]


def test_a_row_that_is_back_within_a_day_was_never_away() -> None:
    old = release("2026-Q4")

    assert kinds((gone(old, NOW - timedelta(hours=23)),), listed(old)) == []
    assert kinds((gone(old, NOW - timedelta(hours=23)),), listed(release("2026-12-01"))) == [PRECISED]
    assert kinds((gone(old, NOW - timedelta(hours=25)),), listed(old)) == [ANNOUNCED]


def test_a_release_is_cancelled_by_its_status() -> None:
    planned, off = release("2026-Q4"), release("2026-Q4", status=CANCELLED)

    (change,) = compare(listed(planned), listed(off), NOW)

    assert (change.kind, change.old, change.new) == (OFF, Period(2026, quarter=4), None)
    assert kinds((), listed(off)) == [OFF]
    assert kinds(listed(off), listed(release("2027", status=CANCELLED))) == []
    assert kinds(listed(off), listed(planned)) == [ANNOUNCED]
    assert kinds(listed(release("2020")), listed(release("2020", status=CANCELLED))) == []


def test_the_end_of_a_games_servers_is_no_release() -> None:
    offline = release("2027-01-01", status=OFFLINE)

    assert kinds((), listed(offline)) == []
    assert kinds(listed(offline), listed(release("2027-02-01", status=OFFLINE))) == []


def test_a_release_is_withdrawn_when_its_platform_has_no_date_any_more() -> None:
    planned = gone(release("2026-Q4", 1), NOW - timedelta(days=2))
    same_platform, other_platform = listed(release("2027", 2, region=5)), listed(release("2027", 2, platform=PS5))

    assert is_withdrawn(planned, (planned, *other_platform), NOW)
    assert not is_withdrawn(planned, (planned, *same_platform), NOW)
    for kept in (release("2020"), release("2026-Q4", status=CANCELLED), release("2027", status=OFFLINE)):
        assert not is_withdrawn(gone(kept), (gone(kept),), NOW)
    assert is_withdrawn(gone(release("tbd")), (gone(release("tbd")),), NOW)


WRITTEN = st.one_of(
    st.just("tbd"),
    st.integers(2020, 2035).map(str),
    st.builds("{}-Q{}".format, st.integers(2020, 2035), st.integers(1, 4)),
    st.builds("{}-{:02}".format, st.integers(2020, 2035), st.integers(1, 12)),
    st.dates(date(2020, 1, 1), date(2035, 12, 31)).map(str),
)


@given(WRITTEN)
def test_a_period_is_read_as_it_was_written(written: str) -> None:
    period = read_period(written)

    assert period is not None
    assert str(period) == written
    assert period_of(release(written)) == period


@given(WRITTEN, WRITTEN)
def test_a_date_that_changes_there_and_back_is_made_precise_once_at_most(first: str, second: str) -> None:
    kinds = [change.kind for change in (changed(first, second), changed(second, first)) if change]

    assert kinds.count(PRECISED) <= 1
    if first == second:
        assert kinds == []


@given(st.lists(WRITTEN, max_size=6), st.lists(WRITTEN, max_size=6))
def test_every_row_is_told_once_at_most_and_nothing_without_a_change(before: list[str], after: list[str]) -> None:
    old = listed(*[release(when, key, platform=key % 2) for key, when in enumerate(before)])
    new = listed(*[release(when, key, platform=key % 2) for key, when in enumerate(after)])
    stored = new + tuple(gone(stored.release) for stored in old[len(new) :])

    changes = compare(old, stored, NOW)

    assert len({change.release.igdb_id for change in changes}) == len(changes)
    assert compare(stored, stored, NOW) == ()


def test_a_day_a_quarter_and_a_year_that_share_one_date_are_told_as_three_things() -> None:
    shared = int(datetime(2026, 12, 31, tzinfo=UTC).timestamp())
    wires = [WireReleaseDate(id=key, date=shared, date_format=key, platform=PC) for key in (0, 6, 2, 1, 7)]

    periods = [period_of(record) for record in release_records(1, wires)]

    assert [period.words for period in periods] == [
        "31 December 2026",
        "Q4 2026",
        "2026",
        "December 2026",
        "to be determined",
    ]


@pytest.mark.parametrize("written", ["", "soon", "2026-13", "2026-02-30", "2026-Q5", None, "26"])
def test_what_is_no_period_has_no_words(written: str | None) -> None:
    assert in_words(written) is None


def test_a_year_that_no_calendar_has_is_no_date() -> None:
    assert period_of(msgspec.structs.replace(release("2026"), year=0)) == Period()
    assert period_of(msgspec.structs.replace(release("2026"), year=20260)) == Period()
