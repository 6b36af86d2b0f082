"""Gives every moment of the demo as a distance from one `now`, so that the same `now` is the same history."""

from datetime import UTC, datetime, timedelta, timezone

STEPS = 9
"""How many snapshots the mirror's history has; the first is step 0, the last is `STEPS - 1`."""

STEP_LENGTH = timedelta(hours=1)

# Korea has had no daylight saving time since 1988, so a fixed offset is the whole zone.
KOREA = timezone(timedelta(hours=9), "KST")


def snapshot_time(now: datetime, step: int) -> datetime:
    """When the snapshot of a step was taken: aware UTC in whole seconds, one hour apart, the last at `now`.

    Raises:
        ValueError: `now` is naive, or there is no such step.
    """
    if now.tzinfo is None:
        raise ValueError("The demo's now must be an aware time")
    if not 0 <= step < STEPS:
        raise ValueError(f"The demo's history has steps 0 to {STEPS - 1}, not {step}")
    return now.astimezone(UTC).replace(microsecond=0) - STEP_LENGTH * (STEPS - 1 - step)


def moment(now: datetime, hours: float) -> datetime:
    """The whole minute that lies so many hours after `now` (before it, if negative), in aware UTC."""
    return snapshot_time(now, STEPS - 1).replace(second=0) + timedelta(hours=hours)


def closing(now: datetime, hours: float) -> datetime:
    """The last millisecond before `moment`, which is how Twitch writes the end of a campaign."""
    return moment(now, hours) - timedelta(milliseconds=1)


def plain_stamp(at: datetime) -> str:
    """A time as `2031-05-04T03:02:01Z`."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def exact_stamp(at: datetime) -> str:
    """A time as `2031-05-04T03:02:01.999Z`, with the milliseconds that JavaScript's clocks print."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def korean_stamp(at: datetime) -> str:
    """A time as CHZZK writes it: Korea's wall clock `2031-05-04 12:02:01`, with no word about the zone."""
    return f"{at.astimezone(KOREA):%Y-%m-%d %H:%M:%S}"
