"""Decides what becomes of an extraction that met a trouble: tried again, and when, or ended. Pure."""

from datetime import datetime, timedelta

import msgspec

from pipeline.sound.records import MediaInfo, Trouble

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
# With these pauses, what nothing cures is given up after three days. Claims that died count, too.
MOST_ATTEMPTS = 80
# A stream that is live is asked after again, and its recording is there some minutes after its end.
LIVE_PAUSE = timedelta(minutes=10)
# A stream may go on for two days, and one may be announced two months before.
LIVE_FOR = timedelta(days=7)
UPCOMING_FOR = timedelta(days=60)


class Again(msgspec.Struct, frozen=True):
    """It is tried again at a time; with `host_rests` its host is left alone until then."""

    due_at: datetime
    host_rests: bool = False


def judge(
    trouble: Trouble,
    *,
    attempts: int,
    added_at: datetime,
    now: datetime,
    media: MediaInfo | None = None,
    fraction: float = 1.0,
) -> Again | None:
    """Say when an extraction is tried again; None where time will not cure it, or has not for three days.

    `fraction`, from 0 to 1, spreads those that failed together: of each pause, at least half is waited.
    """
    if trouble.cure != "time":
        return None
    if trouble.kind in {"live", "upcoming"}:
        return _after_the_end(trouble, added_at, now, media)
    if attempts >= MOST_ATTEMPTS:
        return None
    pause = pause_after(attempts) * (0.5 + fraction / 2)
    asked = timedelta(seconds=trouble.retry_after or 0)
    return Again(now + max(pause, asked), host_rests=trouble.kind == "rate" or asked > timedelta(0))


def _after_the_end(trouble: Trouble, added_at: datetime, now: datetime, media: MediaInfo | None) -> Again | None:
    starts_at = None if media is None else media.starts_at
    if trouble.kind == "upcoming" and starts_at is not None and now < starts_at < now + UPCOMING_FOR:
        return Again(starts_at + LIVE_PAUSE)
    patience = UPCOMING_FOR if trouble.kind == "upcoming" else LIVE_FOR
    since = max(added_at, starts_at) if starts_at is not None and starts_at <= now else added_at
    if now - since > patience:
        return None
    return Again(now + (LONGEST_PAUSE if trouble.kind == "upcoming" else LIVE_PAUSE))


def pause_after(attempts: int) -> timedelta:
    """Return the pause after so many attempts: 30 seconds, then twice as long, up to an hour."""
    return min(FIRST_PAUSE * (1 << min(max(attempts - 1, 0), 20)), LONGEST_PAUSE)
