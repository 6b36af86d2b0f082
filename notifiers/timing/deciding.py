"""Decides what becomes of a delivery that is due: it goes, it is held, or it is dropped. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from models.details import CampaignDetail, EventDetail
from models.words.units import moment_in_figures
from notifiers.timing.holding import HeldFor, Hold, hold
from notifiers.timing.reconsidering import pointless, too_late
from notifiers.timing.settings import TargetSettings
from notifiers.timing.standing import NOTHING, Standing, has_time, settled_reason, waits_until

# A mute may last for years; what is due much later than anything can be is taken for a fault of the clock.
_LONGEST_HOLD = timedelta(days=7)


@dataclass(frozen=True)
class Muted:
    """A mute that lasts: of what happened since it began nobody is told, and what waited before waits for its end."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Drop:
    """A message that nobody wants any more, and why."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A delivery that is due, with all that decides what becomes of it.

    `is_over` tells whether the stream that it is about has ended; it counts only for what was held.
    """

    kind: str
    detail: EventDetail
    created_at: datetime
    game_key: str | None = None
    held_for: str | None = None
    attempts: int = 0
    standing: Standing = NOTHING
    is_over: bool = False


def decide(
    settings: TargetSettings,
    zone: tzinfo,
    now: datetime,
    waiting: Waiting,
    *,
    muted: Mapping[str | None, Muted],
    burst: Sequence[datetime],
) -> Hold | Drop | None:
    """Return what becomes of a delivery, None where it may go now.

    `muted` says which games are muted, None standing for everything; `burst` are the times of the events
    that wait with it. What is claimed or ignored is asked after what holds it: a word of the last minute counts.
    """
    if (silenced := _silenced(waiting, muted, now)) is not None:
        return silenced
    together = [*burst, waiting.created_at]
    held = hold(settings, zone, now, kind=waiting.kind, created_at=waiting.created_at, burst=together)
    if held is not None:
        return held
    if (reason := _of_no_use(waiting, now)) is not None:
        return Drop(reason)
    detail, standing = waiting.detail, waiting.standing
    if standing is NOTHING or waiting.attempts or not isinstance(detail, CampaignDetail):
        return None
    until = waits_until(waiting.kind, detail, standing, now)
    return None if until is None else Hold(until, HeldFor.PROGRESS)


def _silenced(waiting: Waiting, muted: Mapping[str | None, Muted], now: datetime) -> Hold | Drop | None:
    mutes = [muted[key] for key in {None, waiting.game_key} if key in muted]
    never_until = [mute.until for mute in mutes if mute.since <= waiting.created_at]
    if never_until:
        return Drop(f"muted until {moment_in_figures(max(never_until))}")
    until = max((mute.until for mute in mutes), default=now)
    return Hold(min(until, now + _LONGEST_HOLD), HeldFor.MUTE) if mutes else None


def _of_no_use(waiting: Waiting, now: datetime) -> str | None:
    """Return why nobody wants to hear of it: the person has it, or it waited for too long."""
    detail, standing = waiting.detail, waiting.standing
    in_time = None
    if isinstance(detail, CampaignDetail) and standing is not NOTHING:
        if (reason := settled_reason(waiting.kind, detail, standing, now)) is not None:
            return reason
        in_time = has_time(waiting.kind, detail, standing, now)
    if not waiting.held_for:
        # A service that was away holds as well.
        return too_late(waiting.kind, detail, now, has_time=in_time)
    return pointless(waiting.kind, detail, now, is_over=waiting.is_over, has_time=in_time)
