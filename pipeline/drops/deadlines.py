"""Say when a campaign's end is worth a message. Pure: values in, values out."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from models.events import EventKind
from pipeline.drops.records import CampaignRecord

ENDING_SOON: Mapping[str, timedelta] = {
    "ending_soon:24h": timedelta(hours=24),
    "ending_soon:3h": timedelta(hours=3),
}
LAST_CHANCE = "last_chance"
# A warning within the first hour only repeats the announcement.
AFTER_THE_START = timedelta(hours=1)
# Ticks come every 20 seconds: a deadline announced later than this was missed, by a stop or an outage.
LATE = timedelta(minutes=10)


def deadlines(campaign: CampaignRecord, seen_at: datetime) -> dict[str, datetime]:
    """Return the moments worth a message, by kind; none for a campaign whose end is not known.

    The last chance is the latest start from which the longest drop still fits: the end less its minutes.
    """
    end_at = campaign.end_at
    if end_at is None:
        return {}
    first = max(campaign.start_at or seen_at, seen_at)
    soon = {kind: end_at - before for kind, before in ENDING_SOON.items()}
    moments = {kind: at for kind, at in soon.items() if at > first + AFTER_THE_START}
    minutes = max((drop.required_minutes or 0 for drop in campaign.drops or ()), default=0)
    latest_start = end_at - timedelta(minutes=minutes)
    if minutes and latest_start > first:
        moments[LAST_CHANCE] = latest_start
    return moments


def event_kind(kind: str) -> EventKind:
    """Return the event that a deadline makes."""
    return EventKind.CAMPAIGN_LAST_CHANCE if kind == LAST_CHANCE else EventKind.CAMPAIGN_ENDING_SOON


def is_pointless(kind: str, due_at: datetime, end_at: datetime | None, now: datetime) -> bool:
    """Whether the message of a deadline would be of no use any more.

    A last chance that was missed is none, and the warning of three hours makes that of a day pointless.
    """
    if end_at is None or now >= end_at:
        return True
    if kind == LAST_CHANCE:
        return now - due_at > LATE
    return any(before < ENDING_SOON[kind] and now >= end_at - before for before in ENDING_SOON.values())


def is_late(due_at: datetime, now: datetime) -> bool:
    """Whether a deadline is announced so long after its time that the message should say so."""
    return now - due_at > LATE
