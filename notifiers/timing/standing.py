"""What a person has of a campaign already: whether a reminder is of use, and how much is left to watch. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.details import CampaignDetail
from models.events import EventKind

# What calls for something that was announced before: nobody wants it who has the thing, or wants it no more.
REMINDERS = frozenset({EventKind.CAMPAIGN_ENDING_SOON, EventKind.CAMPAIGN_LAST_CHANCE, EventKind.CAMPAIGN_WATCHABLE})
# So long before the last moment a last chance is told that waited because a part is watched already.
AHEAD = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class DropStanding:
    """A drop of a campaign, and what a person has of it; `settled` is `claimed` or `ignored`, None where it is wanted.

    `watched` are the minutes that the service counts, None where it says nothing of them.
    """

    key: str
    required_minutes: int | None
    requires: tuple[str, ...] = ()
    closes_at: datetime | None = None
    watched: int | None = None
    settled: str | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a person has of a campaign. `settled` is what is so of the campaign or its game as a whole.

    `is_linked` says whether the account is linked, None where nobody knows.
    """

    settled: str | None = None
    drops: tuple[DropStanding, ...] = ()
    is_linked: bool | None = None


NOTHING = Standing()


def settled_reason(kind: str, detail: CampaignDetail, standing: Standing, now: datetime) -> str | None:
    """Return why a reminder is of no use to a person, None where it is, or where the event is no reminder."""
    if kind not in REMINDERS:
        return None
    if standing.settled:
        return f"the campaign or its game is {standing.settled}"
    about = _about(kind, detail, standing, now)
    if about and all(drop.settled for drop in about):
        return f"all of it is {' or '.join(sorted({drop.settled or '' for drop in about}))} already"
    return None


def missing_minutes(kind: str, detail: CampaignDetail, standing: Standing, now: datetime) -> int | None:
    """Return how many minutes are left to watch for what an event is about; None where nothing is known of them.

    Drops run side by side, and one that requires others comes after them.
    """
    if kind not in REMINDERS or not _is_begun(standing):
        return None
    by_key = {drop.key: drop for drop in standing.drops}
    about = _about(kind, detail, standing, now)
    in_time = [drop for drop in about if _has_time(drop, by_key, now, frozenset())]
    return max((_missing(drop, by_key, frozenset()) for drop in in_time or about), default=None)


def has_time(kind: str, detail: CampaignDetail, standing: Standing, now: datetime) -> bool | None:
    """Return whether any of what an event is about can still be earned; None where a person has nothing of it."""
    about = [drop for drop in _about(kind, detail, standing, now) if not drop.settled]
    if not about or not _is_begun(standing):
        return None
    by_key = {drop.key: drop for drop in standing.drops}
    return any(_has_time(drop, by_key, now, frozenset()) for drop in about)


def waits_until(kind: str, detail: CampaignDetail, standing: Standing, now: datetime) -> datetime | None:
    """Return until when a last chance can wait because a part is watched already; None where it cannot.

    The event is due at the last moment for somebody who has nothing.
    """
    end_at = detail.drops_end_at or detail.end_at
    missing = missing_minutes(kind, detail, standing, now)
    if kind != EventKind.CAMPAIGN_LAST_CHANCE or end_at is None or missing is None:
        return None
    at = end_at - timedelta(minutes=missing) - AHEAD
    return at if at > now else None


def _about(kind: str, detail: CampaignDetail, standing: Standing, now: datetime) -> list[DropStanding]:
    """Return the drops that an event is about: those that are open still, of a last chance those that end with it."""
    is_last = kind == EventKind.CAMPAIGN_LAST_CHANCE
    end_at = (detail.drops_end_at or detail.end_at) if is_last else None
    return [drop for drop in standing.drops if _is_meant(drop, now, end_at) and (drop.required_minutes or not is_last)]


def _is_meant(drop: DropStanding, now: datetime, end_at: datetime | None) -> bool:
    closes_at = drop.closes_at
    return closes_at is None or (closes_at > now and (end_at is None or closes_at <= end_at))


def _is_begun(standing: Standing) -> bool:
    return any(drop.watched is not None or drop.settled for drop in standing.drops)


def _has_time(drop: DropStanding, by_key: Mapping[str, DropStanding], now: datetime, seen: frozenset[str]) -> bool:
    """Return whether a drop, and all that it requires, can still be earned until it closes."""
    if drop.settled:
        return True
    if drop.closes_at is not None and drop.closes_at - now < timedelta(minutes=_missing(drop, by_key, frozenset())):
        return False
    before = (key for key in drop.requires if key in by_key and key not in seen)
    return all(_has_time(by_key[key], by_key, now, seen | {drop.key}) for key in before)


def _missing(drop: DropStanding, by_key: Mapping[str, DropStanding], seen: frozenset[str]) -> int:
    if drop.settled:
        return 0
    own = max((drop.required_minutes or 0) - (drop.watched or 0), 0)
    # Drops that wait for each other in a circle are nobody's.
    before: Iterable[str] = (key for key in drop.requires if key in by_key and key not in seen)
    return own + max((_missing(by_key[key], by_key, seen | {drop.key}) for key in before), default=0)
