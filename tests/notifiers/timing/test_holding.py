"""When a message may go: digests, quiet hours and bursts together."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifiers.timing.digests import digest_after
from notifiers.timing.holding import HeldFor, Hold, hold
from notifiers.timing.settings import Digest, TargetSettings, Window

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Window(begins="22:00", ends="07:00")
DAILY, HOURLY, WEEKLY = (
    Digest(at="08:00"),
    Digest(every="hour", at="00:15"),
    Digest(every="week", day="fri", at="18:00"),
)


def at(written: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("digest", "moment", "expected"),
    [
        pytest.param(DAILY, at("2026-11-29 07:59"), at("2026-11-29 08:00"), id="today"),
        pytest.param(DAILY, at("2026-11-29 08:00"), at("2026-11-29 08:00"), id="just now"),
        pytest.param(DAILY, at("2026-11-29 08:01"), at("2026-11-30 08:00"), id="tomorrow"),
        pytest.param(DAILY, at("2026-03-28 12:00"), at("2026-03-29 08:00"), id="after the short night"),
        pytest.param(Digest(at="02:30"), at("2026-03-28 12:00"), at("2026-03-29 03:30"), id="in the skipped hour"),
        pytest.param(Digest(at="02:30"), at("2026-10-24 12:00"), at("2026-10-25 02:30"), id="in the repeated hour"),
        pytest.param(Digest(at="02:30"), at("2026-10-25 02:31"), at("2026-10-26 02:30"), id="once in that night"),
        pytest.param(HOURLY, at("2026-11-29 12:10"), at("2026-11-29 12:15"), id="this hour"),
        pytest.param(HOURLY, at("2026-11-29 12:20"), at("2026-11-29 13:15"), id="the next hour"),
        pytest.param(HOURLY, at("2026-10-25 02:20"), at("2026-10-25 02:15", fold=1), id="the hour that comes again"),
        pytest.param(WEEKLY, at("2026-11-29 12:00"), at("2026-12-04 18:00"), id="this week"),
        pytest.param(WEEKLY, at("2026-11-27 18:01"), at("2026-12-04 18:00"), id="a week ahead"),
    ],
)
def test_a_digest_comes_at_its_time_by_the_clock_of_the_place(
    digest: Digest, moment: datetime, expected: datetime
) -> None:
    assert digest_after(digest, moment, BERLIN) == expected


def test_an_hourly_digest_keeps_its_minute_where_clocks_change_by_half_an_hour() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    digest = Digest(every="hour", at="00:45")
    # At 15:00 UTC clocks go from 02:00 to 01:30, so that it is 01:45 twice.
    times = [datetime(2026, 4, 4, 14, 0, tzinfo=UTC)]
    while len(times) < 5:
        times.append(digest_after(digest, times[-1] + timedelta(minutes=1), lord_howe))
    assert [f"{time:%H:%M}" for time in times[1:]] == ["14:45", "15:15", "16:15", "17:15"]
    assert {time.astimezone(lord_howe).minute for time in times[1:]} == {45}


QUIET = TargetSettings(quiet=(NIGHT,))
BURST = TargetSettings(burst_seconds=60, burst_longest_seconds=300)
NOON, MIDNIGHT = at("2026-11-29 12:00"), at("2026-11-29 23:59")
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("settings", "now", "kind", "created_at", "burst", "expected"),
    [
        pytest.param(TargetSettings(), MIDNIGHT, "campaign.added", MIDNIGHT, [], None, id="nothing is set"),
        pytest.param(QUIET, NOON, "campaign.added", NOON, [], None, id="at noon"),
        pytest.param(
            QUIET, MIDNIGHT, "campaign.added", MIDNIGHT, [], Hold(at("2026-11-30 07:00"), HeldFor.QUIET), id="at night"
        ),
        pytest.param(QUIET, MIDNIGHT, "campaign.last_chance", MIDNIGHT, [], None, id="what is urgent pierces"),
        pytest.param(
            TargetSettings(quiet=(NIGHT,), urgent=("stream.online",)),
            MIDNIGHT,
            "campaign.last_chance",
            MIDNIGHT,
            [],
            Hold(at("2026-11-30 07:00"), HeldFor.QUIET),
            id="what is urgent is chosen",
        ),
        pytest.param(
            TargetSettings(digest=DAILY),
            NOON,
            "campaign.added",
            NOON,
            [],
            Hold(at("2026-11-30 08:00"), HeldFor.DIGEST),
            id="a daily digest",
        ),
        pytest.param(
            TargetSettings(digest=DAILY), at("2026-11-30 08:00"), "campaign.added", NOON, [], None, id="a due digest"
        ),
        pytest.param(
            TargetSettings(digest=Digest(at="06:00"), quiet=(NIGHT,)),
            at("2026-11-30 06:00"),
            "campaign.added",
            NOON,
            [],
            Hold(at("2026-11-30 07:00"), HeldFor.QUIET),
            id="a digest in quiet hours waits for their end",
        ),
        pytest.param(
            BURST,
            NOON,
            "campaign.added",
            NOON,
            [NOON],
            Hold(NOON + timedelta(seconds=60), HeldFor.BURST),
            id="the first of a burst",
        ),
        pytest.param(
            BURST,
            NOON + timedelta(seconds=50),
            "campaign.added",
            NOON,
            [NOON, NOON + timedelta(seconds=50)],
            Hold(NOON + timedelta(seconds=110), HeldFor.BURST),
            id="another that joins it",
        ),
        pytest.param(
            BURST,
            NOON + timedelta(seconds=290),
            "campaign.added",
            NOON,
            [NOON, NOON + timedelta(seconds=290)],
            Hold(NOON + timedelta(seconds=300), HeldFor.BURST),
            id="the longest wait",
        ),
        pytest.param(
            BURST, NOON + timedelta(seconds=60), "campaign.added", NOON, [NOON], None, id="nothing came for a minute"
        ),
    ],
)
def test_a_message_waits_for_what_its_target_wants(
    settings: TargetSettings,
    now: datetime,
    kind: str,
    created_at: datetime,
    burst: list[datetime],
    expected: Hold | None,
) -> None:
    assert hold(settings, BERLIN, now, kind=kind, created_at=created_at, burst=burst) == expected
