"""Store drop campaigns, and build the events that follow."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from models.details import DropLine
from models.events import EventKind
from pipeline.catalogue.records import ChannelRecord
from pipeline.drops.compare import CampaignDiff, blanks_only, compare, with_known, with_known_parts
from pipeline.drops.compare import merged as _merged
from pipeline.drops.deadlines import (
    LAST_CHANCE,
    LastChance,
    deadlines,
    ends_at,
    event_kind,
    is_last_chance,
    is_late,
    is_pointless,
    last_chance,
)
from pipeline.drops.details import campaign_detail, channel_names, drop_lines
from pipeline.drops.records import CampaignRecord
from pipeline.drops.settling import CHANNEL, DROP, LISTED, changed_items, difference, values, with_values
from pipeline.drops.store import campaigns
from pipeline.drops.store.campaigns import Change, StoredCampaign
from pipeline.drops.store.deadlines import Due, outdated, renew, set_deadlines
from pipeline.drops.store.history import seen_before
from pipeline.drops.store.progress import store_links
from pipeline.events.append import NEWS_FOR, NewEvent
from pipeline.events.damping import HeldBack, next_due_at, take_due, take_due_now
from pipeline.ingest.judge import EMPTY_LISTS_TO_BELIEVE
from pipeline.ingest.subjects import Settled, Stored

_FAMILY = EventKind.CAMPAIGN_CHANGED.family


class CampaignSubjects:
    """Drop campaigns."""

    def __init__(self, connection: Connection, service: str) -> None:
        self._connection = connection
        self._service = service

    def known(self, external_ids: Sequence[str]) -> set[str]:
        """Return those of the ids that are stored already."""
        return campaigns.known_campaigns(self._connection, self._service, external_ids)

    def load_open(self, external_ids: Sequence[str]) -> Mapping[str, datetime | None]:
        """Return those that are neither ended nor withdrawn, with the end that the source gave."""
        return campaigns.load_open_campaigns(self._connection, self._service, external_ids)

    def store(
        self,
        records: Sequence[CampaignRecord],
        seen_at: datetime,
        *,
        now: datetime | None = None,
        outranked: Collection[str] = (),
        complete: bool = True,
    ) -> Stored:
        """Add what is new, apply what differs."""
        stored = campaigns.load_campaigns(self._connection, self._service, [r.external_id for r in records])
        new = [record for record in records if record.external_id not in stored]
        events = self._add(new, seen_at, now or seen_at) if new else []
        changes = [
            _change(stored[r.external_id], r, blanks=r.external_id in outranked, complete=complete)
            for r in records
            if r.external_id in stored
        ]
        changes = self._believe_channels(changes)
        changed = [change for change in changes if _settled(change.diff)]
        campaigns.apply_changes(self._connection, changed, seen_at=seen_at)
        self._move_deadlines(changed, seen_at)
        self._move_starts(changes, seen_at)
        for change in changes:
            events += self._return(change, seen_at)
        for change in changed:
            events += [] if _stays_over(change, seen_at) else change_events(change, seen_at)
        events += self._start_by_word(changes, seen_at)
        events += self._end_by_word(changes, seen_at) if complete else []
        # Before the events are matched, which may ask for it.
        linked = {r.external_id: r.is_account_linked for r in records if r.is_account_linked is not None}
        store_links(self._connection, self._service, linked, now or seen_at)
        unsettled = frozenset(c.record.external_id for c in changes if c.diff.channels_emptied or not complete)
        return Stored(len(new) + len(changed), events, unsettled)

    def _add(self, records: Sequence[CampaignRecord], seen_at: datetime, now: datetime) -> list[NewEvent]:
        ended = {r.external_id: end for r in records if (end := _own_end(r, seen_at, now)) is not None}
        added = campaigns.add_campaigns(self._connection, records, seen_at=seen_at, ended=ended)
        moments = {s.id: deadlines(s.record, seen_at) for s in added.values() if s.open}
        set_deadlines(self._connection, moments, replace=False)
        before = seen_before(self._connection, [stored.id for stored in added.values()])
        events = []
        for stored in added.values():
            if _is_over(stored.record, seen_at):
                continue  # History that the source still lists: recorded, but "new drops" would be a lie.
            event = _event(EventKind.CAMPAIGN_ADDED, stored, seen_at)
            events.append(_with(event, seen_before=before.get(stored.id, ())))
            if stored.ended_at is not None:
                events += self._start_before_end(stored, stored.ended_at)
                events.append(_event(EventKind.CAMPAIGN_ENDED, stored, stored.ended_at, identity=stored.ended_at))
        return events

    def _move_deadlines(self, changes: Sequence[Change], seen_at: datetime) -> None:
        """Set the deadlines anew of campaigns that have another start or end, or other drops."""
        moved = [c.stored.id for c in changes if c.diff.fields.keys() & {"start_at", "end_at"} or c.diff.drops_differ]
        self._set_deadlines(moved, seen_at)

    def _set_deadlines(self, campaign_ids: Sequence[int], at: datetime) -> None:
        # A source may list drops without the windows and the order that another one knows: what is stored counts.
        stored = campaigns.load_campaigns_by_id(self._connection, campaign_ids)
        set_deadlines(self._connection, {s.id: deadlines(s.record, at) for s in stored}, replace=True)

    def _move_starts(self, changes: Sequence[Change], seen_at: datetime) -> None:
        """Move the start of campaigns that had started: to another past moment, or back to "upcoming".

        One that its source lists as running has started, whatever start it gives; what it calls upcoming later, with
        the start that it gave by then, has not.
        """
        for change in changes:
            stored, record, moved = change.stored, change.record, "start_at" in change.diff.fields
            start_at = record.start_at or stored.record.start_at
            if start_at is None or stored.started_at is None:
                continue
            if moved and start_at <= seen_at:
                campaigns.set_state(self._connection, [stored.id], started_at=start_at)
            elif stored.open and start_at > seen_at and _is_put_off(record, moved=moved):
                campaigns.set_state(self._connection, [stored.id], started_at=None)

    def _start_before_end(
        self, stored: StoredCampaign, ended_at: datetime, record: CampaignRecord | None = None
    ) -> list[NewEvent]:
        """Start a campaign that was last seen upcoming and is over now; one that ended before its start never did."""
        start_at = _merged(stored.record, record).start_at if record else stored.record.start_at
        if stored.started_at is not None or start_at is None or start_at > ended_at:
            return []
        campaigns.set_state(self._connection, [stored.id], started_at=start_at)
        return [_event(EventKind.CAMPAIGN_STARTED, stored, start_at, identity=start_at, record=record)]

    def _believe_channels(self, changes: Sequence[Change]) -> list[Change]:
        """Count channel lists that came empty; believe the third in a row."""
        believed = []
        for change in changes:
            count = change.stored.channels_empty_count + 1 if change.diff.channels_emptied else 0
            diff = change.diff
            if count >= EMPTY_LISTS_TO_BELIEVE:
                gone = change.stored.record.channels or ()
                diff = msgspec.structs.replace(diff, channels_removed=gone, channels_emptied=False)
                count = 0
            if count != change.stored.channels_empty_count:
                campaigns.set_state(self._connection, [change.stored.id], channels_empty_count=count)
            believed.append(Change(stored=change.stored, record=change.record, diff=diff))
        return believed

    def _return(self, change: Change, at: datetime) -> list[NewEvent]:
        """Bring back a withdrawn campaign that is listed, and an ended one whose end has been moved past now."""
        stored = change.stored
        if not _is_back(change, at):
            return []
        campaigns.set_state(self._connection, [stored.id], withdrawn_at=None, ended_at=None, last_seen_at=None)
        self._set_deadlines([stored.id], at)
        return [_event(EventKind.CAMPAIGN_RETURNED, stored, at, damped=True, record=change.record)]

    def _start_by_word(self, changes: Sequence[Change], at: datetime) -> list[NewEvent]:
        """Start upcoming campaigns that their source lists as running: it may know better than the start it gave."""
        events = []
        for change in changes:
            if change.stored.started_at is None and change.stored.open and change.record.status == "active":
                start_at = min(change.record.start_at or at, at)
                campaigns.set_state(self._connection, [change.stored.id], started_at=start_at)
                events.append(
                    _event(EventKind.CAMPAIGN_STARTED, change.stored, start_at, identity=start_at, record=change.record)
                )
        return events

    def _end_by_word(self, changes: Sequence[Change], at: datetime) -> list[NewEvent]:
        """End campaigns that their source lists as over (Kick's `expired`)."""
        events = []
        for change in (c for c in changes if c.stored.open and _is_over(c.record, at)):
            ended_at = _ended_at(change.record, at)
            campaigns.set_state(self._connection, [change.stored.id], ended_at=ended_at)
            events += self._start_before_end(change.stored, ended_at, change.record)
            events.append(_ended_event(change.stored, ended_at, record=change.record))
        return events

    def end(self, external_ids: Sequence[str], at: datetime) -> tuple[list[str], list[NewEvent]]:
        """End campaigns whose own end has passed; the event happened at that end."""
        if not external_ids:
            return [], []
        stored = campaigns.load_campaigns(self._connection, self._service, external_ids)
        ending = [s for s in _by_age(stored) if s.open and s.record.end_at is not None and s.record.end_at <= at]
        return [s.record.external_id for s in ending], self.end_stored(ending)

    def end_stored(self, ending: Sequence[StoredCampaign]) -> list[NewEvent]:
        """End open campaigns at the end that they were given; one that was upcoming until then starts first."""
        campaigns.end_campaigns(self._connection, [stored.id for stored in ending])
        events = []
        for stored in ending:
            end_at = stored.record.end_at
            if end_at is not None:
                events += self._start_before_end(stored, end_at)
                events.append(_ended_event(stored, end_at))
        return events

    def start_stored(self, starting: Sequence[StoredCampaign]) -> list[NewEvent]:
        """Start upcoming campaigns at their own start."""
        events = []
        for stored in starting:
            start_at = stored.record.start_at
            if start_at is not None:
                campaigns.set_state(self._connection, [stored.id], started_at=start_at)
                events.append(_event(EventKind.CAMPAIGN_STARTED, stored, start_at, identity=start_at))
        return events

    def warn(self, due: Sequence[Due], now: datetime) -> list[NewEvent]:
        """Return the warnings of ends that come near, without those that have become pointless meanwhile."""
        campaign_ids = [deadline.campaign_id for deadline in due]
        stored = {s.id: s for s in campaigns.load_campaigns_by_id(self._connection, campaign_ids)}
        return [event for deadline in due if (event := _warning(stored[deadline.campaign_id], deadline, now))]

    def renew_deadlines(self, now: datetime) -> None:
        """Set the deadlines to come of campaigns whose deadlines were reckoned by older rules."""
        stored = campaigns.load_campaigns_by_id(self._connection, outdated(self._connection, self._service))
        if stored:
            renew(self._connection, {s.id: deadlines(s.record, s.record.start_at or now, now=now) for s in stored})

    def withdraw(self, external_ids: Sequence[str], at: datetime) -> tuple[list[str], list[NewEvent]]:
        """Withdraw campaigns that are gone before their end."""
        if not external_ids:
            return [], []
        stored = campaigns.load_campaigns(self._connection, self._service, external_ids)
        still_open = [campaign for campaign in _by_age(stored) if campaign.open]
        campaigns.set_state(self._connection, [s.id for s in still_open], withdrawn_at=at, last_seen_at=at)
        events = [_event(EventKind.CAMPAIGN_WITHDRAWN, campaign, at, damped=True) for campaign in still_open]
        return list(external_ids), events

    def settle_at(self) -> datetime | None:
        """Return when the next change that damping holds back is due."""
        return next_due_at(self._connection, _FAMILY, self._prefix)

    def settle(self, at: datetime, now: datetime, *, silent: bool) -> Iterator[Settled]:
        """Yield the events of what damping held back until a time of the history."""
        while due := take_due(self._connection, _FAMILY, self._prefix, at):
            yield from self._settle(due, now, silent=silent)

    def settle_now(self, now: datetime) -> Iterator[Settled]:
        """Yield the events of what damping held back until now."""
        while due := take_due_now(self._connection, _FAMILY, self._prefix, now):
            yield from self._settle(due, now, silent=False)

    def _settle(self, due: Sequence[HeldBack], now: datetime, *, silent: bool) -> Iterator[Settled]:
        external_ids = [some.subject.removeprefix(self._prefix) for some in due]
        stored = campaigns.load_campaigns(self._connection, self._service, external_ids)
        for external_id, some in zip(external_ids, due, strict=True):
            if external_id in stored:
                quiet = some.silent and (silent or some.due_at <= now - NEWS_FOR)
                yield from _settled_events(stored[external_id], some, silent=quiet)

    @property
    def _prefix(self) -> str:
        return f"{self._service}:"


def _by_age(stored: Mapping[str, StoredCampaign]) -> list[StoredCampaign]:
    """Return campaigns in the order in which they were stored, which an import in parts must not change."""
    return sorted(stored.values(), key=lambda campaign: campaign.id)


def _change(stored: StoredCampaign, record: CampaignRecord, *, blanks: bool, complete: bool) -> Change:
    record = with_known_parts(stored.record, record)
    record = blanks_only(stored.record, record) if blanks else record
    record = record if complete else with_known(stored.record, record)
    return Change(stored=stored, record=record, diff=compare(stored.record, record))


def change_events(change: Change, at: datetime, before: CampaignRecord | None = None) -> list[NewEvent]:
    """Return the events of a difference: one for its fields, one for new drops, one for channels.

    `before` is what the campaign differs from, where that is not what was stored.
    """
    diff, before = change.diff, before or change.stored.record
    events = []
    if diff.changes:
        event = _change_event(EventKind.CAMPAIGN_CHANGED, change, at, changed_items(before, diff), before, diff.changes)
        events.append(_with(event, changes=diff.changes))
    if diff.drops_added:
        identity = sorted(drop.external_id for drop in diff.drops_added)
        items = [DROP + external_id for external_id in identity]
        event = _change_event(EventKind.CAMPAIGN_DROP_ADDED, change, at, items, before, identity)
        events.append(_with(event, drops_added=drop_lines(diff.drops_added)))
    if diff.channels_added or diff.channels_removed:
        came, went = channel_names(diff.channels_added), channel_names(diff.channels_removed)
        items = [CHANNEL + channel.external_id for channel in (*diff.channels_added, *diff.channels_removed)]
        identity_of_channels = [sorted(came), sorted(went)]
        kind = EventKind.CAMPAIGN_CHANNELS_CHANGED
        event = _change_event(kind, change, at, items, before, identity_of_channels)
        events.append(_with(event, channels_added=came, channels_removed=went))
    return events


def _change_event(
    kind: EventKind,
    change: Change,
    at: datetime,
    items: Sequence[str],
    before: CampaignRecord,
    identity: object,
) -> NewEvent:
    """Return the event of some items that change; where the last event gave others than before, it begins at those."""
    # A list that became empty says so by having nothing in it, which is otherwise a list that did not come.
    stored = _without_channels(change.stored, change.diff.channels_removed)
    event = _event(kind, stored, at, identity=identity, damped=True, record=change.record)
    known = values(before, items)
    return msgspec.structs.replace(event, items=known, since=partial(_events_since, change, at, known))


def _events_since(
    change: Change, at: datetime, before: Mapping[str, Any], announced: Mapping[str, Any]
) -> list[NewEvent]:
    return _events_between(change.stored, change.record, {**before, **announced}, at)


def _events_between(
    stored: StoredCampaign, record: CampaignRecord, before: Mapping[str, Any], at: datetime
) -> list[NewEvent]:
    """Return the events of what is other than before, among these items."""
    diff = difference(record, before, values(record, before))
    return change_events(Change(stored=stored, record=record, diff=diff), at, with_values(record, before))


def _settled_events(stored: StoredCampaign, due: HeldBack, *, silent: bool) -> Iterator[Settled]:
    """Return the events of what the last ones said otherwise; details of a campaign that is over interest nobody."""
    announced = dict(due.announced)
    listed = announced.pop(LISTED, None)
    if listed is not None and listed is not stored.listed and stored.ended_at is None:
        kind = EventKind.CAMPAIGN_RETURNED if stored.listed else EventKind.CAMPAIGN_WITHDRAWN
        yield Settled([_event(kind, stored, due.due_at, damped=True)], silent=silent)
    over = not stored.open or (stored.record.end_at is not None and stored.record.end_at <= due.due_at)
    if events := _events_between(stored, stored.record, announced, due.due_at):
        yield Settled(events, silent=silent or over)


def _event(
    kind: EventKind,
    stored: StoredCampaign,
    at: datetime,
    *,
    identity: object = None,
    damped: bool = False,
    record: CampaignRecord | None = None,
) -> NewEvent:
    event = NewEvent(
        kind=kind,
        subject=f"{stored.record.service}:{stored.record.external_id}",
        identity=identity,
        damped=damped,
        occurred_at=at,
        service=stored.record.service,
        detail=campaign_detail(_merged(stored.record, record) if record else stored.record),
        campaign_id=stored.id,
        game_id=stored.game_id,
        organization_id=stored.organization_id,
    )
    return _listing_event(event) if kind in {EventKind.CAMPAIGN_RETURNED, EventKind.CAMPAIGN_WITHDRAWN} else event


def _ended_event(stored: StoredCampaign, at: datetime, *, record: CampaignRecord | None = None) -> NewEvent:
    """Return the event of an end: another one than before where the campaign was back after that very end."""
    again = stored.returned_at is not None and stored.returned_at >= at
    identity = [at, stored.returned_at] if again else at
    return _event(EventKind.CAMPAIGN_ENDED, stored, at, identity=identity, record=record)


def _listing_event(event: NewEvent) -> NewEvent:
    """Return an event that a campaign is listed, or is not, which says nothing where the last event said so too."""
    listed = event.kind is EventKind.CAMPAIGN_RETURNED
    return msgspec.structs.replace(event, items={LISTED: not listed}, since=partial(_listing_since, event))


def _listing_since(event: NewEvent, announced: Mapping[str, Any]) -> list[NewEvent]:
    said = announced[LISTED] is (event.kind is EventKind.CAMPAIGN_RETURNED)
    return [] if said else [_listing_event(event)]


def _warning(stored: StoredCampaign, deadline: Due, now: datetime) -> NewEvent | None:
    """Return the event of a deadline; None where it has become pointless."""
    if is_last_chance(deadline.kind):
        chance = last_chance(stored.record, deadline.kind, deadline.due_at)
        end_at = chance.end_at if chance else None
    else:
        chance, end_at = None, ends_at(stored.record)
    if is_pointless(deadline.kind, end_at, now, start_at=chance.start_at if chance else None):
        return None
    # The same end is not told twice, whether it was the campaign's own when it was told or that of some drops.
    identity = [LAST_CHANCE if chance else deadline.kind, end_at]
    event = _event(event_kind(deadline.kind), stored, deadline.due_at, identity=identity)
    return _with(
        event,
        late=is_late(deadline.due_at, now),
        drops_end_at=end_at if end_at != stored.record.end_at else None,
        **(_drops_to_start(stored.record, chance) if chance else {}),
    )


def _drops_to_start(record: CampaignRecord, chance: LastChance) -> dict[str, tuple[DropLine, ...]]:
    """Return the drops of a last chance, each with the last moment to begin, as the detail's field that holds them."""
    is_about_all = len(chance.drops) == len(record.drops or ())
    return {"drops" if is_about_all else "drops_ending": drop_lines(chance.drops, chance.starts_by)}


def _with(event: NewEvent, **fields: object) -> NewEvent:
    return msgspec.structs.replace(event, detail=msgspec.structs.replace(event.detail, **fields))


def _without_channels(stored: StoredCampaign, gone: Sequence[ChannelRecord]) -> StoredCampaign:
    """Return a campaign without channels that it no longer names."""
    ids = {channel.external_id for channel in gone}
    left = tuple(channel for channel in stored.record.channels or () if channel.external_id not in ids)
    return msgspec.structs.replace(stored, record=msgspec.structs.replace(stored.record, channels=left))


def _settled(diff: CampaignDiff) -> CampaignDiff:
    """Return the difference without the mark of an emptied list, which is counted already and nothing to store."""
    return msgspec.structs.replace(diff, channels_emptied=False)


def _is_back(change: Change, at: datetime) -> bool:
    """Whether a campaign that was withdrawn is listed, or the end of one that ended has been moved past now."""
    stored, end_at = change.stored, change.record.end_at
    extended = stored.ended_at is not None and end_at is not None and end_at > max(at, stored.ended_at)
    return (stored.withdrawn_at is not None or extended) and not _is_over(change.record, at)


def _stays_over(change: Change, at: datetime) -> bool:
    """Whether a campaign was over before and is now: its details are stored, and interest nobody."""
    return not change.stored.open and not _is_back(change, at)


def _is_put_off(record: CampaignRecord, *, moved: bool) -> bool:
    """Whether a source says that a campaign which had started has not, or gives another start and does not say."""
    return record.status == "upcoming" or (moved and record.status != "active")


def _is_over(record: CampaignRecord, at: datetime) -> bool:
    """Whether the source says that the campaign has ended; a listed active one has not, whatever its end time says."""
    if record.status is not None:
        return record.status == "ended"
    return record.end_at is not None and record.end_at <= at


def _ended_at(record: CampaignRecord, at: datetime) -> datetime:
    return min(record.end_at, at) if record.end_at else at


def _own_end(record: CampaignRecord, seen_at: datetime, now: datetime) -> datetime | None:
    """Return when a campaign that is new to us ended; None while it is open."""
    if _is_over(record, seen_at):
        return _ended_at(record, seen_at)
    if now > seen_at and record.end_at is not None and record.end_at <= now:
        return record.end_at
    return None
