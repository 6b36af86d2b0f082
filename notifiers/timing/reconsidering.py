"""Looks once more at what had to wait: what became pointless meanwhile is dropped. Pure."""

from datetime import datetime, timedelta

import msgspec

from models.details import CampaignDetail, DropLine, EventDetail
from models.events import EventKind
from models.words.units import moment_in_figures

# What calls for something to be done before a campaign's end.
_BEFORE_THE_END = frozenset(
    {
        EventKind.CAMPAIGN_ADDED,
        EventKind.CAMPAIGN_STARTED,
        EventKind.CAMPAIGN_CHANGED,
        EventKind.CAMPAIGN_DROP_ADDED,
        EventKind.CAMPAIGN_CHANNELS_CHANGED,
        EventKind.CAMPAIGN_ENDING_SOON,
        EventKind.CAMPAIGN_LAST_CHANCE,
        EventKind.CAMPAIGN_RETURNED,
        EventKind.CAMPAIGN_WATCHABLE,
        EventKind.REWARD_ADDED,
    }
)
# Of a stream that is over, or of a source that is well again.
_WHILE_IT_LASTS = frozenset(
    {
        EventKind.STREAM_ONLINE,
        EventKind.STREAM_RERUN,
        EventKind.STREAM_TITLE_CHANGED,
        EventKind.STREAM_CATEGORY_CHANGED,
        EventKind.CAMPAIGN_WATCHABLE,
    }
)


def pointless(
    kind: str, detail: EventDetail, now: datetime, *, is_over: bool, has_time: bool | None = None
) -> str | None:
    """Return why nobody wants to hear of an event that was held any more, None where somebody may.

    `is_over` says that the stream which it is about has ended, `has_time` whether somebody who has watched a part can
    still earn the rest: None for somebody who has nothing.
    """
    if is_over and kind in _WHILE_IT_LASTS:
        return "the stream was over before this could be sent"
    if not isinstance(detail, CampaignDetail) or kind not in _BEFORE_THE_END or detail.end_at is None:
        return None
    end_at = detail.drops_end_at or detail.end_at
    if end_at <= now:
        return f"it had ended ({moment_in_figures(end_at)}) before this could be sent"
    return too_late(kind, detail, now, has_time=has_time)


def too_late(kind: str, detail: EventDetail, now: datetime, *, has_time: bool | None = None) -> str | None:
    """Return why a last chance, for whatever reason it waited, would be a lie by now; None where it is true."""
    if kind != EventKind.CAMPAIGN_LAST_CHANCE or not isinstance(detail, CampaignDetail):
        return None
    about = _about(detail)
    if has_time is None:
        has_time = not about or any(_can_be_begun(drop, detail, now) for drop in about)
    return None if has_time else "there was no time left to earn it before this could be sent"


def with_what_can_be_begun(detail: CampaignDetail, now: datetime) -> CampaignDetail:
    """Return the detail of a last chance about those of its drops that somebody who has nothing can still earn."""
    about = _about(detail)
    left = tuple(drop for drop in about if _can_be_begun(drop, detail, now))
    return detail if len(left) == len(about) else msgspec.structs.replace(detail, drops_ending=left)


def _about(detail: CampaignDetail) -> tuple[DropLine, ...]:
    return detail.drops_ending or detail.drops


def _can_be_begun(drop: DropLine, detail: CampaignDetail, now: datetime) -> bool:
    start_by, end_at = drop.start_by, detail.drops_end_at or detail.end_at
    if start_by is None and end_at is not None:
        # Older events do not say it: whatever else the drop asks for, its minutes must fit.
        start_by = end_at - timedelta(minutes=drop.required_minutes or 0)
    return start_by is None or now <= start_by
