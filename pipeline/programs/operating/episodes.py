"""Decides when a trouble is told, when it is over, and when it is forgotten. Pure.

What comes and goes is one trouble: it is over when it was away for ten minutes, and each time that it comes again
within a day it has to be away for six times as long.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, auto

import msgspec

from models.events import EventKind

CALM = timedelta(minutes=10)
CALMER, CALMEST = 6, timedelta(days=1)
REPEAT = timedelta(days=1)
# One that is over is remembered for so long.
REMEMBERED = timedelta(days=1)
# What may be a moment of somebody else's network.
PATIENCE: Mapping[str, timedelta] = {EventKind.OPERATOR_PING_FAILED: timedelta(minutes=15)}


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """A trouble from when it began to when it is over, as a row of `incidents` has it."""

    since: datetime
    seen_at: datetime
    times: int = 1
    told_at: datetime | None = None
    recovered_at: datetime | None = None
    flaps: int = 0


class Step(Enum):
    """What becomes of an episode whose trouble is not seen."""

    GOES_ON = auto()
    IS_OVER = auto()
    IS_FORGOTTEN = auto()


def calm_for(flaps: int) -> timedelta:
    """Return how long a trouble has to be away to be over, after it came again so many times."""
    calm: timedelta = CALM * CALMER ** min(flaps, 9)
    return min(calm, CALMEST)


def seen(episode: Episode | None, now: datetime, since: datetime | None = None) -> Episode:
    """Return an episode after its trouble was seen: one that is new, or that comes again, begins now, or `since`."""
    if episode is None or episode.recovered_at is not None:
        flaps = 0 if episode is None else episode.flaps + 1
        return Episode(since=since or now, seen_at=now, flaps=flaps)
    return msgspec.structs.replace(episode, seen_at=now, times=episode.times + 1)


def is_to_be_told(kind: str, episode: Episode, now: datetime) -> bool:
    """Return whether a trouble is to be told now: when it begins, and once a day while it lasts."""
    if episode.told_at is None:
        return now - episode.since >= PATIENCE.get(kind, timedelta(0))
    return now - episode.told_at >= REPEAT


def away(episode: Episode, now: datetime, ticking_since: datetime) -> Step:
    """Return what becomes of an episode whose trouble is not seen now; before `ticking_since` nobody could see it."""
    if episode.recovered_at is not None:
        return Step.IS_FORGOTTEN if now - episode.recovered_at >= REMEMBERED else Step.GOES_ON
    if now - max(episode.seen_at, ticking_since) < calm_for(episode.flaps):
        return Step.GOES_ON
    # Of what was never told nobody wants to hear that it is over.
    return Step.IS_FORGOTTEN if episode.told_at is None else Step.IS_OVER
