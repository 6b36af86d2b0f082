"""Decides when a message that is due may go. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from notifiers.conditions.kinds import takes_kind
from notifiers.timing.digests import digest_after
from notifiers.timing.quiet import quiet_until
from notifiers.timing.settings import TargetSettings


class HeldFor(StrEnum):
    """What a message waits for."""

    DAY = "day"
    QUIET = "quiet"
    DIGEST = "digest"
    BURST = "burst"
    PROGRESS = "progress"
    MUTE = "mute"
    # Its person has no credits left for it.
    QUOTA = "quota"


@dataclass(frozen=True)
class Hold:
    """A message waits until a time, for a reason."""

    until: datetime
    reason: HeldFor


def hold(
    settings: TargetSettings, zone: tzinfo, now: datetime, *, kind: str, created_at: datetime, burst: Sequence[datetime]
) -> Hold | None:
    """Return until when the message of an event has to wait, None where it may go now.

    `burst` are the times of the events that wait with it, its own among them. A later look may hold it for longer:
    quiet hours may have begun when its digest is due.
    """
    if is_urgent(settings, kind):
        return None
    if settings.digest and (due_at := digest_after(settings.digest, created_at, zone)) > now:
        return Hold(due_at, HeldFor.DIGEST)
    if settings.quiet and (until := quiet_until(settings.quiet, now, zone)):
        return Hold(until, HeldFor.QUIET)
    if settings.burst_seconds and not settings.digest:
        over_at = min(max(burst) + settings.burst, min(burst) + settings.longest_burst)
        return Hold(over_at, HeldFor.BURST) if over_at > now else None
    return None


def is_urgent(settings: TargetSettings, kind: str) -> bool:
    """Return whether a kind waits for nothing at a target."""
    return bool(settings.urgent) and takes_kind(settings.urgent, kind)
