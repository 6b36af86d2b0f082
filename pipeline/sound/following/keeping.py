"""Says which episodes a show lets go of, when, and why: by their number, their age and their bytes. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from models.words.units import counted
from pipeline.sound.records import Keep

# From the event that says so to the end: whoever wants an episode for longer has a day to put it on a playlist.
NOTICE = timedelta(days=1)
_MB = 1_000_000


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that a show has; `size` counts all of its files, `expiring_at` is when it was said that it goes."""

    id: int
    published_at: datetime
    size: int
    expiring_at: datetime | None


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that a show lets go of at a time, and why."""

    id: int
    at: datetime
    reason: str


def leaving(episodes: Sequence[Kept], keep: Keep, now: datetime) -> Sequence[Leaving]:
    """Return which of a show's episodes, the newest first, it lets go of, at least a day after that was said.

    The newest one always stays, however large or old it is.
    """
    plan = []
    size = 0
    for number, episode in enumerate(episodes, 1):
        size += episode.size
        if number == 1:
            continue
        reason = _reason(number, size, episode, keep, now)
        if reason is not None:
            at = episode.expiring_at or _at(episode, keep, now)
            plan.append(Leaving(id=episode.id, at=at, reason=reason))
    return plan


def _reason(number: int, size: int, episode: Kept, keep: Keep, now: datetime) -> str | None:
    if keep.count is not None and number > keep.count:
        return f"the show keeps {counted(keep.count, 'episode')}"
    if keep.mb is not None and size > keep.mb * _MB:
        return f"the show keeps {keep.mb:,} MB"
    if keep.days is not None and episode.published_at + timedelta(days=keep.days) <= now + NOTICE:
        return f"the show keeps episodes for {counted(keep.days, 'day')}"
    return None


def _at(episode: Kept, keep: Keep, now: datetime) -> datetime:
    """Return when it goes: a day from now, or at the end of its days if that is later."""
    if keep.days is None:
        return now + NOTICE
    ends_at = episode.published_at + timedelta(days=keep.days)
    return max(now + NOTICE, min(ends_at, now + 2 * NOTICE))
