"""Take one snapshot into the database: judge it, compare it, store what differs, append what happened.

Everything here runs inside the caller's transaction: state, events, deliveries and marks on feeds land together
or not at all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from models.events import EventKind
from pipeline.errors import InvalidItem
from pipeline.events.append import NewEvent, append_events
from pipeline.ingest.judge import OpenItem, Verdict, judge
from pipeline.ingest.patience import (
    ABSENCES_TO_BELIEVE,
    EMPTY_FOR,
    LEAST,
    MOST,
    add_returns,
    count_absence,
    is_watched,
    patience_for_losses,
)
from pipeline.ingest.precedence import HAS_A_SAY_FOR, outranked
from pipeline.ingest.quarantine import keep_aside
from pipeline.ingest.sightings import OpenSighting
from pipeline.ingest.source import Ingested, Item, ListSource, Outcome, Snapshot
from pipeline.ingest.staleness import source_event
from pipeline.ingest.subjects import Record, Subjects
from pipeline.ingest.turn import Turn, take_turn

# The digest of something that must be decoded next time whatever its bytes are: no item has it.
UNSETTLED = b""
# So many unreadable items of a snapshot are evidence enough: keeping each of a million would take minutes, in which no
# other source can be stored.
MOST_KEPT = 100
# Where more is new at once, so much is stored in one transaction: each is a delivery for everybody who wants it, and
# all workers that store wait until it is over.
PART = 100
State = dict[str, datetime | str | Mapping[str, float] | None]


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot on its way in. `taken_at` is when it was true, `now` when we store it.

    `silent` events make no deliveries; `origin` names where the payload came from (an address or a path).
    """

    connection: Connection
    adapter: ListSource
    source: Mapping[Any, Any]
    payload: bytes
    taken_at: datetime
    now: datetime
    silent: bool
    origin: str

    @property
    def subjects(self) -> Subjects[Any]:
        """How this source's kind of thing is loaded, stored and announced."""
        return self.adapter.subjects(self.connection, self.adapter.service)

    def append(self, events: Sequence[NewEvent], *, silent: bool | None = None) -> Counter[str]:
        """Append events under this snapshot's terms, or with another silence."""
        silent = self.silent if silent is None else silent
        return append_events(self.connection, events, source_id=self.source["id"], silent=silent, now=self.now)

    def keep(self, payload: bytes, reason: str, detail: str) -> tuple[str, str]:
        """Keep a payload aside; returns what the summary says of it."""
        keep_aside(
            self.connection,
            self.source["id"],
            payload,
            reason=reason,
            detail=detail,
            origin=self.origin,
            now=self.now,
        )
        return reason, detail


def ingest(context: Context, snapshot: Snapshot, turn: Turn | None = None) -> Ingested:
    """Take a snapshot in; an old one (not newer than the last) only adds what was never seen.

    With a `turn` that others share its caller ends that; else the snapshot has one of its own, and one with a flood of
    news comes in parts: the caller commits each, so that other sources get their turn, and calls again until it is no
    part any more.
    """
    if turn is not None:
        return _take_in(context, snapshot, turn)
    turn = Turn(context.connection, take_turn(context.connection))
    ingested = _take_part(context, snapshot, turn) or _take_in(context, snapshot, turn)
    turn.end()
    return ingested


def ingest_unchanged(context: Context) -> Ingested:
    """Take in the answer "nothing changed": what was listed is listed still, and what was missing still is."""
    turn = Turn(context.connection, take_turn(context.connection))
    items = [Item(s.digest, b"") for s in turn.sightings(context.adapter.name).open() if not s.absent_count]
    ingested = _take_in(context, Snapshot(items=items), turn)
    turn.end()
    return ingested


class _Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot lists: what is new or changed, by external id, and the ids of everything that is still there.

    `known` is what its source listed before; `items` counts all that is listed, `invalid` what of it could not be read.
    That makes `total` different things, of which `unread` could not be read wherever they are listed.
    """

    known: Sequence[OpenSighting]
    fresh: Mapping[str, tuple[Item, Record]]
    seen: set[str]
    items: int
    invalid: int
    total: int
    unread: int
    quarantined: list[tuple[str, str]]

    def ingested(self, outcome: Outcome, events: Counter[str], changed: int = 0) -> Ingested:
        """Return what became of it."""
        return Ingested(
            outcome=outcome,
            items=self.items,
            changed=changed,
            invalid=self.invalid,
            events=events,
            quarantined=self.quarantined,
        )


class _Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """How far a snapshot is believed, what is missing from it, and which of its source's items are not over.

    What is not over is asked for only where something is missing.
    """

    verdict: Verdict
    absent: Sequence[OpenSighting]
    open_items: Mapping[str, OpenItem]

    def goes_on(self, external_id: str, at: datetime) -> bool:
        """Whether something is not over, also by its own end."""
        item = self.open_items.get(external_id)
        return item is not None and (item.end_at is None or item.end_at > at)


def _take_in(context: Context, snapshot: Snapshot, turn: Turn) -> Ingested:
    last, late = context.source["last_snapshot_at"], _is_late(context)
    listing = _read(context, snapshot, turn.sightings(context.adapter.name).open(), late=late)
    if late:
        return _take_late(context, turn, listing, last)
    settled = _settle(context, turn)
    ingested = _take_newest(context, snapshot, turn, listing)
    return msgspec.structs.replace(ingested, events=ingested.events + settled)


def _take_part(context: Context, snapshot: Snapshot, turn: Turn) -> Ingested | None:
    """Store some of what a snapshot lists that was never seen, where that is much; None where the rest can be judged.

    What is added does not depend on how far a snapshot is believed. So only the last part judges, and it sees all.
    """
    known = {sighting.digest for sighting in turn.sightings(context.adapter.name).open()}
    new_items = [item for item in snapshot.items if item.digest not in known]
    if len(new_items) <= PART or context.silent or _is_late(context):
        return None
    never_seen = _never_seen(context, new_items)
    parsed, _, _ = _parse(context, never_seen[:PART] if len(never_seen) > PART else ())
    if not parsed:
        return None
    settled = _settle(context, turn)
    changed, events = _store(context, turn, parsed, complete=snapshot.complete)
    counted = settled + context.append(events)
    return Ingested(outcome="ok", items=len(parsed), changed=changed, events=counted, is_part=True)


def _is_late(context: Context) -> bool:
    last = context.source["last_snapshot_at"]
    return last is not None and context.taken_at <= last


def _settle(context: Context, turn: Turn) -> Counter[str]:
    """Append what damping held back until this snapshot: as things stood before it."""
    settle_at = turn.settle_at(context.adapter.name, context.subjects.settle_at)
    counted: Counter[str] = Counter()
    if settle_at is None or settle_at > context.taken_at:
        return counted
    for settled in context.subjects.settle(context.taken_at, context.now, silent=context.silent):
        counted += context.append(settled.events, silent=settled.silent)
    turn.forget_settle_at()
    return counted


def _take_newest(context: Context, snapshot: Snapshot, turn: Turn, listing: _Listing) -> Ingested:
    judgement = _judge(context, snapshot, listing)
    return _take_on_time(context, turn, listing, judgement, complete=snapshot.complete)


def _read(context: Context, snapshot: Snapshot, known: Sequence[OpenSighting], *, late: bool) -> _Listing:
    """Decode what is new or changed, and keep aside what cannot be read; of a `late` one, only what was never seen."""
    by_digest = {sighting.digest: sighting for sighting in known}
    unchanged = {by_digest[item.digest].external_id for item in snapshot.items if item.digest in by_digest}
    new_items = [item for item in snapshot.items if item.digest not in by_digest]
    parsed, refused, unreadable = _parse(context, _never_seen(context, new_items) if late else new_items)
    unreadable |= {raw for raw, _ in snapshot.broken}
    refused += snapshot.broken
    readable = unchanged | parsed.keys()
    # A payload may list one thing twice and differently: what it listed before is what it lists.
    fresh = {key: item_and_record for key, item_and_record in parsed.items() if key not in unchanged}
    unread = unreadable - readable
    return _Listing(
        known=known,
        fresh=fresh,
        seen=readable | {key for key in unread if isinstance(key, str)},
        items=len(snapshot.items) + len(snapshot.broken),
        invalid=len(refused),
        total=len(readable) + len(unread),
        unread=len(unread),
        quarantined=_keep_refused(context, refused),
    )


def _keep_refused(context: Context, refused: Sequence[tuple[bytes, str]]) -> list[tuple[str, str]]:
    """Keep aside what cannot be read, as (raw bytes, reason); of very many only some."""
    kept = [context.keep(raw, "invalid_item", reason) for raw, reason in refused[:MOST_KEPT]]
    more = len(refused) - len(kept)
    return [*kept, ("invalid_item", f"{more:,} more could not be read, and were not kept")] if more else kept


def _take_late(context: Context, turn: Turn, listing: _Listing, last: datetime) -> Ingested:
    """Take in an old snapshot: it adds what nothing newer ever listed, and cannot say what is true now."""
    changed, events = _store_late(context, turn, listing.fresh, last)
    return listing.ingested("late", context.append(events), changed)


def _take_on_time(
    context: Context, turn: Turn, listing: _Listing, judgement: _Judgement, *, complete: bool
) -> Ingested:
    """Store what a snapshot lists, and that what it lists no more is gone, as far as that is believed."""
    returns = _note_returns(context, turn, listing)
    # Before what is listed again is stored.
    recovering = any(sighting.doubted for sighting in _back(listing))
    changed, events = _store(context, turn, listing.fresh, complete=complete)
    turn.sightings(context.adapter.name).back(_unchanged(listing))
    patience = patience_for_losses(returns, context.taken_at)
    believed, losses = _take_losses(context, turn, listing, judgement, patience, recovering=recovering)
    verdict = judgement.verdict
    events_of_source, state = _surprise(context, listing, verdict, believed=believed)
    state |= _state_after(context, verdict, returns, believed=believed)
    turn.set_source(context.adapter.name, **state)
    fresh_events = [*events, *losses, *events_of_source]
    appended = context.append(fresh_events)
    if appended != Counter(event.kind for event in fresh_events):
        # Something is held back, or no more.
        turn.forget_settle_at()
    if verdict.outcome == "suspect" and not believed:
        return listing.ingested("quarantined", appended, changed)
    return listing.ingested("ok" if changed or appended else "unchanged", appended, changed)


def _take_losses(
    context: Context,
    turn: Turn,
    listing: _Listing,
    judgement: _Judgement,
    patience: timedelta,
    *,
    recovering: bool,
) -> tuple[bool, list[NewEvent]]:
    """Return whether a snapshot is believed in all that it lists no more, and the events of what is lost."""
    verdict = judgement.verdict
    if verdict.outcome == "partial":
        return False, []
    if verdict.outcome == "sound":
        return True, _store_losses(context, turn, judgement, _count_losses(context, turn, judgement, patience))
    lost = _doubt_losses(context, turn, listing, verdict, patience, recovering=recovering)
    if verdict.reason == "empty" and not lost:
        return False, []
    return bool(lost), _store_losses(context, turn, judgement, lost)


def _state_after(context: Context, verdict: Verdict, returns: Mapping[str, float], *, believed: bool) -> State:
    """Return what the source's row says after a snapshot, as far as that differs."""
    state: State = {}
    if context.source["last_snapshot_at"] is None and context.source["known_since"] is None:
        state["known_since"] = context.taken_at
    if returns != context.source["returns"]:
        state["returns"] = returns
    if believed or verdict.reason != "empty":
        # An empty answer that is doubted changes nothing, and its time may be a guess: older ones may still come.
        state["last_snapshot_at"] = context.taken_at
    return state


def _parse(
    context: Context, items: Sequence[Item]
) -> tuple[dict[str, tuple[Item, Record]], list[tuple[bytes, str]], set[str | bytes]]:
    """Decode items; returns also those that cannot be with the reasons, and their ids, or bytes without one."""
    fresh: dict[str, tuple[Item, Record]] = {}
    refused = []
    unreadable = set[str | bytes]()
    for item in items:
        try:
            record = context.adapter.parse(item)
        except InvalidItem as error:
            refused.append((bytes(item.raw), str(error)))
            unreadable.add(context.adapter.peek_id(item) or bytes(item.raw))
        else:
            fresh.setdefault(record.external_id, (item, record))
    return fresh, refused, unreadable


def _never_seen(context: Context, items: Sequence[Item]) -> list[Item]:
    """Return the items whose id is not stored; decoding only the ids keeps a repeated import cheap."""
    ids = [context.adapter.peek_id(item) for item in items]
    known = context.subjects.known([key for key in ids if key is not None])
    return [item for item, key in zip(items, ids, strict=True) if key is None or key not in known]


def _in_scope(sighting: OpenSighting, snapshot: Snapshot) -> bool:
    in_scope = snapshot.scope is None or sighting.external_id in snapshot.scope
    return in_scope and sighting.group_id not in snapshot.empty_groups


def _judge(context: Context, snapshot: Snapshot, listing: _Listing) -> _Judgement:
    absent = [s for s in listing.known if s.external_id not in listing.seen and _in_scope(s, snapshot)]
    open_items = _load_open_items(context, listing.known) if absent or not listing.seen else {}
    verdict = judge(
        open_items,
        listing.seen,
        taken_at=context.taken_at,
        scope=snapshot.scope,
        empty_groups=snapshot.empty_groups,
        invalid=listing.unread,
        total=listing.total,
        complete=snapshot.complete,
    )
    return _Judgement(verdict=verdict, absent=absent, open_items=open_items)


def _load_open_items(context: Context, sightings: Sequence[OpenSighting]) -> dict[str, OpenItem]:
    """Return those of the sightings whose subject is not over."""
    if not sightings:
        return {}
    by_id = {sighting.external_id: sighting for sighting in sightings}
    return {
        key: OpenItem(by_id[key].group_id, end_at, missed=_is_missed_for_long(by_id[key], context.taken_at))
        for key, end_at in context.subjects.load_open(list(by_id)).items()
    }


def _is_missed_for_long(sighting: OpenSighting, at: datetime) -> bool:
    return sighting.missed and sighting.missing_since is not None and at - sighting.missing_since >= LEAST


def _store(
    context: Context, turn: Turn, fresh: Mapping[str, tuple[Item, Record]], *, complete: bool
) -> tuple[int, list[NewEvent]]:
    """Store new and changed records; returns how many rows differ and the events that makes."""
    if not fresh:
        return 0, []
    elsewhere = _listed_elsewhere(context, turn, list(fresh))
    stored = context.subjects.store(
        [record for _, record in fresh.values()],
        context.taken_at,
        outranked=outranked(elsewhere, context.adapter.outranked_by),
        complete=complete,
    )
    digests = {
        key: (UNSETTLED if key in stored.unsettled else item.digest, item.group_id) for key, (item, _) in fresh.items()
    }
    turn.sightings(context.adapter.name).seen(digests, at=context.taken_at)
    return stored.changed, list(stored.events)


def _listed_elsewhere(context: Context, turn: Turn, external_ids: Sequence[str]) -> dict[str, set[str]]:
    return turn.listed_by_others(context.adapter.name, external_ids, since=context.taken_at - HAS_A_SAY_FOR)


def _store_late(
    context: Context, turn: Turn, fresh: Mapping[str, tuple[Item, Record]], last: datetime
) -> tuple[int, list[NewEvent]]:
    """Add what an old snapshot lists and nothing newer ever did; it cannot say what is true now."""
    if not fresh:
        return 0, []
    over = {key for key, (_, record) in fresh.items() if record.end_at and record.end_at <= last}
    for is_over in (True, False):
        digests = {key: (item.digest, item.group_id) for key, (item, _) in fresh.items() if (key in over) is is_over}
        closed_at = context.taken_at if is_over else None
        turn.sightings(context.adapter.name).seen(digests, at=context.taken_at, closed_at=closed_at)
    stored = context.subjects.store([record for _, record in fresh.values()], context.taken_at, now=last)
    return stored.changed, list(stored.events)


def _back(listing: _Listing) -> list[OpenSighting]:
    """Return what was missing and is listed again."""
    return [s for s in listing.known if s.absent_count and s.external_id in listing.seen]


def _unchanged(listing: _Listing) -> list[str]:
    return [s.external_id for s in _back(listing) if s.external_id not in listing.fresh]


def _note_returns(context: Context, turn: Turn, listing: _Listing) -> Mapping[str, float]:
    """Return what came back to the source by day, with what was missed or given up and is listed now.

    What only doubted answers missed does not count: it has a guard of its own.
    """
    at = context.taken_at
    since = [sighting.missing_since for sighting in _back(listing) if sighting.missed]
    since += turn.sightings(context.adapter.name).given_up(listing.fresh.keys())
    missing_for = sum((min(at - moment, MOST) for moment in since if moment is not None), timedelta(0))
    returns: Mapping[str, float] = context.source["returns"]
    return add_returns(returns, missing_for, at) if missing_for else returns


def _count_losses(context: Context, turn: Turn, judgement: _Judgement, patience: timedelta) -> list[str]:
    """Count absences before their end; returns what was missed often and long enough."""
    sightings, at = turn.sightings(context.adapter.name), context.taken_at
    watched = is_watched(context.source["known_since"], at)
    lost = []
    for sighting in judgement.absent:
        if not judgement.goes_on(sighting.external_id, at):
            continue
        count, since = 1, at
        if sighting.missed:
            count = count_absence(sighting.absent_count, sighting.absent_counted_at, at)
            since = sighting.missing_since or at
        if count != sighting.absent_count or not sighting.missed:
            last_seen_at = sighting.missing_since or context.source["last_snapshot_at"] or at
            sightings.miss(sighting, count, since=since, last_seen_at=sighting.last_seen_at or last_seen_at, at=at)
        if count >= ABSENCES_TO_BELIEVE and at - since >= patience and not watched:
            lost.append(sighting.external_id)
    return lost


def _doubt_losses(
    context: Context, turn: Turn, listing: _Listing, verdict: Verdict, patience: timedelta, *, recovering: bool
) -> list[str]:
    """Count how often the same is missing from answers that are doubted; returns it once that is believed.

    When more is missing, or something came back, it is another answer and counting begins anew.
    """
    sightings, at = turn.sightings(context.adapter.name), context.taken_at
    doubted = [s for s in listing.known if s.external_id in verdict.absent and not s.missed]
    if any(s.doubted and s.absent_counted_at is not None and s.absent_counted_at >= at for s in doubted):
        return []  # An empty answer that comes again.
    same = not recovering and all(sighting.doubted for sighting in doubted)
    if verdict.reason == "empty":
        patience = max(patience, EMPTY_FOR)
    lost = []
    for sighting in doubted:
        count = min(sighting.absent_count + 1, ABSENCES_TO_BELIEVE) if same else 1
        since = (sighting.absent_since or at) if same else at
        if (count, since) != (sighting.absent_count, sighting.absent_since):
            sightings.doubt(sighting, count, since=since, at=at)
        if count >= ABSENCES_TO_BELIEVE and at - since >= patience:
            sightings.miss(sighting, count, since=since, last_seen_at=since, at=at)
            lost.append(sighting.external_id)
    return lost


def _store_losses(context: Context, turn: Turn, judgement: _Judgement, lost: Sequence[str]) -> list[NewEvent]:
    """End what is missing and past its own end, and withdraw what is believed to be lost before.

    What another source lists is gone by the word of this one alone; the others decide whether it is.
    """
    sightings, at = turn.sightings(context.adapter.name), context.taken_at
    missing = dict.fromkeys([*(sighting.external_id for sighting in judgement.absent), *lost])
    over = [key for key in missing if not judgement.goes_on(key, at)]
    before_end = [key for key in lost if judgement.goes_on(key, at)]
    held = _listed_elsewhere(context, turn, [*over, *before_end])
    ending = [key for key in over if key in judgement.open_items and key not in held]
    ended, events_of_end = context.subjects.end(ending, at)
    withdrawn, events_of_withdrawal = context.subjects.withdraw([key for key in before_end if key not in held], at)
    sightings.close({*over, *ended, *withdrawn, *(key for key in before_end if key in held)}, at=at)
    return [*events_of_end, *events_of_withdrawal]


def _surprise(context: Context, listing: _Listing, verdict: Verdict, *, believed: bool) -> tuple[list[NewEvent], State]:
    """Keep an answer that is a surprise aside; returns the event of an incident, and what the row says of it."""
    if believed:
        return _expected_again(context, verdict.detail if verdict.outcome == "suspect" else None)
    if verdict.reason is None:
        return [], {}
    reason, detail = verdict.reason, verdict.detail or ""
    # "Nothing changed" has no payload of its own.
    listing.quarantined.append(context.keep(context.payload, reason, detail) if context.payload else (reason, detail))
    return _unexpected(context, detail)


def _unexpected(context: Context, reason: str) -> tuple[list[NewEvent], State]:
    """Return the event, one per incident, that a source's answers are not believed, and the row's new values."""
    if context.source["changed_since"] is not None:
        return [], {}
    event = source_event(EventKind.SOURCE_CHANGED, context.source, context.taken_at, reason=reason)
    return [event], {"changed_since": context.taken_at, "last_error": reason}


def _expected_again(context: Context, stayed: str | None) -> tuple[list[NewEvent], State]:
    """Return the event that a source's answers are believed again, and the row's new values.

    `stayed` is the reason for which they were doubted, where it has stayed until it was believed.
    """
    since = context.source["changed_since"]
    if since is None:
        return [], {}
    reason = f"{stayed}; that has stayed, and is believed now" if stayed else None
    event = source_event(EventKind.SOURCE_RECOVERED, context.source, context.taken_at, since=since, reason=reason)
    return [event], {"changed_since": None, "last_error": None}
