"""Looks once more at what was held: what became pointless meanwhile is dropped. Pure."""

from datetime import datetime, timedelta

from models.details import CampaignDetail, EventDetail
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
    kind: str, detail: EventDetail, now: datetime, *, is_over: bool, missing_minutes: int | None = None
) -> str | None:
    """Return why nobody wants to hear of an event any more, None where somebody may.

    `is_over` says that the stream which it is about has ended, `missing_minutes` what is left to watch for somebody who
    has watched a part.
    """
    if is_over and kind in _WHILE_IT_LASTS:
        return "the stream was over before this could be sent"
    if not isinstance(detail, CampaignDetail) or kind not in _BEFORE_THE_END or detail.end_at is None:
        return None
    end_at = detail.drops_end_at or detail.end_at
    if end_at <= now:
        return f"it had ended ({moment_in_figures(end_at)}) before this could be sent"
    minutes = detail.required_minutes if missing_minutes is None else missing_minutes
    if kind == EventKind.CAMPAIGN_LAST_CHANCE and minutes:
        starts_by = end_at - timedelta(minutes=minutes)
        if starts_by < now:
            return "there was no time left to earn it before this could be sent"
    return None
