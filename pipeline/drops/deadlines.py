"""Say when the end of a campaign, or of some of its drops, is worth a message. Pure: values in, values out."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from models.events import EventKind
from notifiers.timing.standing import AHEAD
from pipeline.drops.earning import EVER_AFTER, EVER_BEFORE, Course, Latest
from pipeline.drops.records import CampaignRecord, DropRecord

ENDING_SOON: Mapping[str, timedelta] = {
    "ending_soon:24h": timedelta(hours=24),
    "ending_soon:3h": timedelta(hours=3),
}
LAST_CHANCE = "last_chance"
# A warning within the first hour only repeats the announcement.
AFTER_THE_START = timedelta(hours=1)
# Ticks come every 20 seconds: a deadline announced later than this was missed, by a stop or an outage.
LATE = timedelta(minutes=10)
_MOMENT = timedelta(microseconds=1)


class LastChance(msgspec.Struct, frozen=True, kw_only=True):
    """The last moment to begin with drops that must be earned until `end_at`, for somebody who has none of them.

    It is told at `due_at`, so that a reader has time to begin until `start_at`. The kind of its deadline is
    `last_chance` where the campaign itself ends then, else it names the end as well. `starts_by` has the last moment to
    begin with each drop by its id.
    """

    kind: str
    due_at: datetime
    start_at: datetime
    end_at: datetime
    drops: tuple[DropRecord, ...]
    starts_by: Mapping[str, datetime]


def deadlines(campaign: CampaignRecord, seen_at: datetime, *, now: datetime = EVER_BEFORE) -> dict[str, datetime]:
    """Return the moments worth a message, by kind; none for ends that are not known, or for what is past by `now`.

    A last chance comes ten minutes before the latest start from which all drops of one end can still be earned, as far
    as they can be earned at all when the campaign is seen; later where the campaign is seen, or they begin, later.
    """
    first = max(campaign.start_at or seen_at, seen_at)
    moments: dict[str, datetime] = {}
    if (end_at := ends_at(campaign)) is not None:
        soon = {kind: end_at - before for kind, before in ENDING_SOON.items()}
        moments = {kind: at for kind, at in soon.items() if at > max(first + AFTER_THE_START, now)}
    return moments | {c.kind: c.due_at for c in last_chances(campaign, first) if c.start_at > now}


def ends_at(campaign: CampaignRecord) -> datetime | None:
    """Return when nothing of a campaign can be earned any more: its own end, or that of its last drop before."""
    closings = [_course(campaign).closes_at(drop) for drop in campaign.drops or ()]
    end_at = max(closings, default=campaign.end_at or EVER_AFTER)
    return None if end_at == EVER_AFTER else end_at


def last_chances(campaign: CampaignRecord, after: datetime) -> list[LastChance]:
    """Return the last chances that begin after a moment, the earliest first; one for each end, and for each moment."""
    drops_of: dict[datetime, list[DropRecord]] = {}
    start_of: dict[datetime, datetime] = {}
    latest_starts = _course(campaign).latest_starts()
    for drop in campaign.drops or ():
        latest = latest_starts.get(drop.external_id)
        if drop.required_minutes and latest is not None and latest.end_at != EVER_AFTER and latest.start_at > after:
            drops_of.setdefault(latest.end_at, []).append(drop)
            start_of[latest.end_at] = min(start_of.get(latest.end_at, EVER_AFTER), latest.start_at)
    # Two messages of one moment would be one too many.
    ends_of: dict[datetime, list[datetime]] = {}
    for end_at in sorted(start_of):
        ends_of.setdefault(start_of[end_at], []).append(end_at)
    chances = []
    for end_ats in ends_of.values():
        drops = [drop for end_at in end_ats for drop in drops_of[end_at]]
        chances.append(_last_chance(campaign, end_ats[0], drops, latest_starts, after))
    return sorted(chances, key=lambda chance: chance.start_at)


def _last_chance(
    campaign: CampaignRecord,
    end_at: datetime,
    drops: Sequence[DropRecord],
    latest_starts: Mapping[str, Latest],
    after: datetime,
) -> LastChance:
    latest = [latest_starts[drop.external_id] for drop in drops]
    start_at = min(each.start_at for each in latest)
    # Before they begin to count, or before the campaign is announced, nobody can start.
    opens_at = min(each.opens_at for each in latest if each.start_at == start_at)
    return LastChance(
        kind=LAST_CHANCE if end_at == campaign.end_at else f"{LAST_CHANCE}:{end_at.astimezone(UTC).isoformat()}",
        due_at=max(start_at - AHEAD, opens_at, after + _MOMENT),
        start_at=start_at,
        end_at=end_at,
        drops=tuple(drops),
        starts_by={drop.external_id: each.start_at for drop, each in zip(drops, latest, strict=True)},
    )


def last_chance(campaign: CampaignRecord, kind: str, due_at: datetime) -> LastChance | None:
    """Return the last chance that a stored deadline stands for; None where nothing can be earned from then on.

    A deadline of an older version may lie later than the campaign's drops leave time for.
    """
    chances = last_chances(campaign, due_at - _MOMENT)
    # Several may be due at once, where there is no time to tell them apart.
    meant = [chance for chance in chances if chance.kind == kind] or [c for c in chances if c.due_at == due_at]
    return meant[0] if meant else None


def event_kind(kind: str) -> EventKind:
    """Return the event that a deadline makes."""
    return EventKind.CAMPAIGN_LAST_CHANCE if is_last_chance(kind) else EventKind.CAMPAIGN_ENDING_SOON


def is_last_chance(kind: str) -> bool:
    """Whether a deadline is a last chance, of whatever end."""
    return kind.partition(":")[0] == LAST_CHANCE


def is_pointless(kind: str, end_at: datetime | None, now: datetime, *, start_at: datetime | None = None) -> bool:
    """Whether the message of a deadline would be of no use any more; `end_at` is the end that it warns of.

    A last chance is none after `start_at`, the last moment to begin; the warning of three hours makes that of a day
    pointless.
    """
    if end_at is None or now >= end_at:
        return True
    if is_last_chance(kind):
        return start_at is None or now > start_at
    return any(before < ENDING_SOON[kind] and now >= end_at - before for before in ENDING_SOON.values())


def is_late(due_at: datetime, now: datetime) -> bool:
    """Whether a deadline is announced so long after its time that the message should say so."""
    return now - due_at > LATE


def _course(campaign: CampaignRecord) -> Course:
    return Course(campaign.drops or (), start_at=campaign.start_at, end_at=campaign.end_at)
