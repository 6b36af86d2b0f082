"""When an extraction is tried again, by what kept it."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.sound.extracting.deciding import LIVE_PAUSE, LONGEST_PAUSE, MOST_ATTEMPTS, Again, judge, pause_after
from pipeline.sound.records import CURES, ErrorKind, MediaInfo, Trouble

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)


def verdict(kind: ErrorKind, *, attempts: int = 1, retry_after: float | None = None, **more: object) -> Again | None:
    trouble = Trouble(kind=kind, reason="so it is", retry_after=retry_after)
    fields = {"attempts": attempts, "added_at": NOW, "now": NOW} | more
    return judge(trouble, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [kind for kind, cure in CURES.items() if cure != "time"])
def test_what_time_does_not_cure_is_not_tried_again(kind: ErrorKind) -> None:
    assert verdict(kind) is None


def test_pauses_grow_up_to_an_hour() -> None:
    assert [pause_after(n).total_seconds() for n in (1, 2, 3, 8, 9, 10**6)] == [30, 60, 120, 3600, 3600, 3600]


def test_those_that_failed_together_come_again_one_after_the_other() -> None:
    assert verdict("network", fraction=0.0) == Again(NOW + timedelta(seconds=15))
    assert verdict("network", fraction=1.0) == Again(NOW + timedelta(seconds=30))


def test_what_is_asked_for_is_waited_and_the_whole_host_rests() -> None:
    assert verdict("server", retry_after=600) == Again(NOW + timedelta(minutes=10), host_rests=True)
    assert verdict("rate") == Again(NOW + timedelta(seconds=30), host_rests=True)


def test_after_three_days_of_pauses_it_is_given_up() -> None:
    assert verdict("network", attempts=MOST_ATTEMPTS - 1) is not None
    assert verdict("network", attempts=MOST_ATTEMPTS) is None
    assert timedelta(days=2) < sum(map(pause_after, range(1, MOST_ATTEMPTS)), timedelta()) < timedelta(days=4)


def test_a_live_stream_is_asked_after_until_its_end_however_often_that_is() -> None:
    assert verdict("live", attempts=500) == Again(NOW + LIVE_PAUSE)
    assert verdict("live", added_at=NOW - timedelta(days=8)) is None


def upcoming(starts_at: datetime | None) -> MediaInfo:
    return MediaInfo(service="youtube", external_id="x", title="Soon", starts_at=starts_at)


def test_an_upcoming_stream_is_tried_when_it_has_begun() -> None:
    begins = NOW + timedelta(days=3)
    assert verdict("upcoming", media=upcoming(begins)) == Again(begins + LIVE_PAUSE)


def test_an_upcoming_stream_without_a_time_is_asked_after_every_hour_for_two_months() -> None:
    assert verdict("upcoming") == Again(NOW + LONGEST_PAUSE)
    assert verdict("upcoming", added_at=NOW - timedelta(days=61)) is None
    # One that was to begin and has not yet.
    assert verdict("upcoming", media=upcoming(NOW - timedelta(hours=1))) == Again(NOW + LONGEST_PAUSE)
