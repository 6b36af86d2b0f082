"""Take one snapshot into the database: judge it, compare it, store what differs, append what happened.

Everything here runs inside the caller's transaction: state, events, deliveries and marks on feeds land together
or not at all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, RowMapping, func, select
from sqlalchemy.dialects.postgresql import insert

from models import Source
from models.details import SourceDetail
from models.events import EventKind
from pipeline.badges import BadgeSubjects
from pipeline.errors import InvalidItem
from pipeline.judge import ABSENCES_TO_BELIEVE, OpenItem, Verdict, count_absence, judge
from pipeline.placing import HAS_A_SAY_FOR, outranks
from pipeline.records import CampaignRecord, Item, RewardCampaignRecord, Snapshot, clean
from pipeline.sources.base import UNREADABLE, DropSource
from pipeline.store.events import NewEvent, append_events
from pipeline.store.quarantine import keep_aside, was_refused
from pipeline.store.sightings import OpenSighting, load_open_items
from pipeline.streams.records import BadgeRecord
from pipeline.subjects import CampaignSubjects, RewardSubjects, Subjects
from pipeline.turn import Turn

# The lock is on the rows of all sources, so taking it is also the one read of the source's own row.
_LOCKED = select(*Source.__table__.c).order_by(Source.id).with_for_update()

# The digest of something that must be decoded next time whatever its bytes are: no item has it.
UNSETTLED = b""

Record = CampaignRecord | RewardCampaignRecord | BadgeRecord
Outcome = Literal["ok", "unchanged", "late", "quarantined", "failed"]


class Ingested(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a snapshot. `quarantined` lists what was set aside as (reason, detail)."""

    outcome: Outcome
    items: int = 0
    changed: int = 0
    invalid: int = 0
    events: Counter[str] = Counter()
    quarantined: Sequence[tuple[str, str]] = ()


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot on its way in. `taken_at` is when it was true, `now` when we store it.

    `silent` events notify nobody; `origin` names where the payload came from (an address or a path).
    """

    connection: Connection
    adapter: DropSource
    source: Mapping[Any, Any]
    payload: bytes
    taken_at: datetime
    now: datetime
    silent: bool
    origin: str

    @property
    def subjects(self) -> Subjects[Any]:
        """How this source's kind of thing is loaded, stored and told."""
        kinds: dict[str, type[Subjects[Any]]] = {
            "campaign": CampaignSubjects,
            "reward": RewardSubjects,
            "badge": BadgeSubjects,
        }
        return kinds[self.adapter.kind](self.connection, self.adapter.service)

    def append(self, events: Sequence[NewEvent]) -> Counter[str]:
        """Append events under this snapshot's terms."""
        return append_events(self.connection, events, source_id=self.source["id"], silent=self.silent, now=self.now)

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


def take_turn(connection: Connection) -> list[RowMapping]:
    """Wait until no other transaction stores what sources told, and return the sources' rows, locked."""
    return list(connection.execute(_LOCKED).mappings())


def lock_source(connection: Connection, name: str) -> RowMapping:
    """Wait for this process's turn to store, and return the source's row.

    A source that only files tell of gets its row here: one that is off, so that nobody tries to fetch it.
    """
    for row in take_turn(connection):
        if row["name"] == name:
            return row
    told = {"name": name, "service": name.partition(".")[0], "enabled": False, "next_due_at": func.now()}
    connection.execute(insert(Source).values(told).on_conflict_do_nothing())
    return lock_source(connection, name)


def ingest(context: Context, snapshot: Snapshot, turn: Turn | None = None) -> Ingested:
    """Take a snapshot in; an old one (not newer than the last) only adds what was never seen.

    With a `turn` that others share its caller ends that; else the snapshot has one of its own.
    """
    if turn is not None:
        return _take_in(context, snapshot, turn)
    turn = Turn(context.connection, take_turn(context.connection))
    ingested = _take_in(context, snapshot, turn)
    turn.end()
    return ingested


def ingest_unchanged(context: Context) -> Ingested:
    """Take in the answer "nothing changed": what was listed is listed still, and what was missing still is."""
    turn = Turn(context.connection, take_turn(context.connection))
    items = [Item(s.digest, b"") for s in turn.sightings(context.adapter.name).open() if not s.absent_count]
    ingested = _take_in(context, Snapshot(items=items), turn)
    turn.end()
    return ingested


def _take_in(context: Context, snapshot: Snapshot, turn: Turn) -> Ingested:
    known = turn.sightings(context.adapter.name).open()
    by_digest = {sighting.digest: sighting for sighting in known}
    seen = {by_digest[item.digest].external_id for item in snapshot.items if item.digest in by_digest}
    last = context.source["last_snapshot_at"]
    late = last is not None and context.taken_at <= last
    new_items = [item for item in snapshot.items if item.digest not in by_digest]
    fresh, quarantined, unreadable_ids = _parse(context, _never_seen(context, new_items) if late else new_items)
    quarantined += [context.keep(raw, "invalid_item", reason) for raw, reason in snapshot.broken]
    # A payload may list one thing twice and differently: what it listed before is what it lists.
    fresh = {key: found for key, found in fresh.items() if key not in seen}
    seen |= fresh.keys() | unreadable_ids
    invalid = len(quarantined)
    counted = {"items": len(snapshot.items) + len(snapshot.broken), "invalid": invalid}

    if late:
        if fresh and was_refused(context.connection, context.source["id"], context.payload):
            # An import that is repeated must not believe what it did not believe the first time.
            fresh = {}
        changed, told = _store_late(context, turn, fresh, last)
        return Ingested(
            outcome="late", changed=changed, events=context.append(told), quarantined=quarantined, **counted
        )

    absent = [s for s in known if s.external_id not in seen and _in_scope(s, snapshot)]
    verdict, open_items = _judge(context, snapshot, seen, known, absent, invalid)
    if verdict.reason is not None:
        quarantined.append(context.keep(context.payload, verdict.reason, verdict.detail or ""))
    if verdict.outcome == "suspect":
        told, state = _unexpected(context, verdict.detail or "")
        turn.set_source(context.adapter.name, **state)
        return Ingested(outcome="quarantined", events=context.append(told), quarantined=quarantined, **counted)

    told_of_source, state = list[NewEvent](), dict[str, datetime | str | None]()
    changed, told = _store(context, turn, fresh, complete=snapshot.complete)
    _forget_absences(context, turn, known, seen)
    if verdict.outcome == "sound":
        told += _store_absences(context, turn, absent, open_items)
        told_of_source, state = _expected_again(context)
    elif verdict.reason is not None:
        told_of_source, state = _unexpected(context, verdict.detail or "")
    turn.set_source(context.adapter.name, last_snapshot_at=context.taken_at, **state)
    events = context.append([*told, *told_of_source])
    outcome: Outcome = "ok" if changed or events else "unchanged"
    return Ingested(outcome=outcome, changed=changed, events=events, quarantined=quarantined, **counted)


def _parse(
    context: Context, items: Sequence[Item]
) -> tuple[dict[str, tuple[Item, Record]], list[tuple[str, str]], set[str]]:
    """Decode items; those that cannot be are kept aside, but count as listed where their id can still be read."""
    fresh: dict[str, tuple[Item, Record]] = {}
    quarantined = []
    unreadable_ids = set()
    for item in items:
        try:
            record = context.adapter.parse(item)
        except InvalidItem as error:
            quarantined.append(context.keep(bytes(item.raw), "invalid_item", str(error)))
            unreadable_ids |= _peek_id(item)
        else:
            fresh.setdefault(record.external_id, (item, record))
    return fresh, quarantined, unreadable_ids


def _never_seen(context: Context, items: Sequence[Item]) -> list[Item]:
    """Return the items whose id is not stored; decoding only the ids keeps a repeated import cheap."""
    ids = [_peek_id(item) for item in items]
    known = context.subjects.known([key for found in ids for key in found])
    return [item for item, found in zip(items, ids, strict=True) if not found & known]


class _Identified(msgspec.Struct):
    id: str | int = ""
    campaignNo: str | int = ""  # noqa: N815 - CHZZK's spelling


def _peek_id(item: Item) -> set[str]:
    try:
        found = msgspec.json.decode(item.raw, type=_Identified)
    except UNREADABLE:
        return set()
    external_id = clean(str(found.id or found.campaignNo))
    return {external_id} if external_id else set()


def _in_scope(sighting: OpenSighting, snapshot: Snapshot) -> bool:
    asked = snapshot.scope is None or sighting.external_id in snapshot.scope
    return asked and sighting.group_id not in snapshot.empty_groups


def _judge(
    context: Context,
    snapshot: Snapshot,
    seen: set[str],
    known: Sequence[OpenSighting],
    absent: Sequence[OpenSighting],
    invalid: int,
) -> tuple[Verdict, Mapping[str, OpenItem]]:
    """Judge the snapshot; what is open is only asked where something is missing."""
    open_items: Mapping[str, OpenItem] = {}
    if absent or not seen:
        open_items = load_open_items(context.connection, context.adapter.kind, context.adapter.service, known)
    verdict = judge(
        open_items,
        seen,
        taken_at=context.taken_at,
        scope=snapshot.scope,
        empty_groups=snapshot.empty_groups,
        invalid=invalid,
        complete=snapshot.complete,
    )
    return verdict, open_items


def _store(
    context: Context, turn: Turn, fresh: Mapping[str, tuple[Item, Record]], *, complete: bool
) -> tuple[int, list[NewEvent]]:
    """Store new and changed records; returns how many rows differ and the events that makes."""
    if not fresh:
        return 0, []
    elsewhere = _listed_elsewhere(context, turn, list(fresh))
    outranked = {key for key, names in elsewhere.items() if outranks(names, context.adapter.name)}
    records = [record for _, record in fresh.values()]
    stored = context.subjects.store(records, context.taken_at, outranked=outranked, complete=complete)
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


def _forget_absences(context: Context, turn: Turn, known: Sequence[OpenSighting], seen: set[str]) -> None:
    back = [s.external_id for s in known if s.absent_count and s.external_id in seen]
    turn.sightings(context.adapter.name).back(back)


def _store_absences(
    context: Context, turn: Turn, absent: Sequence[OpenSighting], open_items: Mapping[str, OpenItem]
) -> list[NewEvent]:
    """Count absences; end what is past its own end, withdraw what was missed often enough."""
    sightings, taken_at = turn.sightings(context.adapter.name), context.taken_at
    held = _listed_elsewhere(context, turn, [sighting.external_id for sighting in absent])
    over: list[str] = []
    missing: dict[str, int] = {}
    for sighting in absent:
        item = open_items.get(sighting.external_id)
        if item is None or (item.end_at is not None and item.end_at <= taken_at):
            over.append(sighting.external_id)
            continue
        count = count_absence(sighting.absent_count, sighting.absent_counted_at, taken_at)
        if count != sighting.absent_count:
            last_seen_at = context.source["last_snapshot_at"] or taken_at
            sightings.absent(sighting, count, last_seen_at=last_seen_at, at=taken_at)
        if sighting.external_id not in held:
            missing[sighting.external_id] = count
        elif count >= ABSENCES_TO_BELIEVE:
            # Gone as far as this source tells; the others decide whether the campaign is.
            over.append(sighting.external_id)
    ending = [key for key in over if key in open_items and key not in held]
    ended, events_of_end = context.subjects.end(ending, taken_at)
    withdrawn, events_of_withdrawal = context.subjects.withdraw(missing, taken_at)
    sightings.close({*over, *ended, *withdrawn}, at=taken_at)
    return [*events_of_end, *events_of_withdrawal]


def _unexpected(context: Context, reason: str) -> tuple[list[NewEvent], dict[str, datetime | str | None]]:
    """Return what tells the operator, once per incident, that a source's answers are not believed."""
    if context.source["changed_since"] is not None:
        return [], {}
    event = source_event(EventKind.SOURCE_CHANGED, context.source, context.taken_at, reason=reason)
    return [event], {"changed_since": context.taken_at, "last_error": reason}


def _expected_again(context: Context) -> tuple[list[NewEvent], dict[str, datetime | str | None]]:
    since = context.source["changed_since"]
    if since is None:
        return [], {}
    event = source_event(EventKind.SOURCE_RECOVERED, context.source, context.taken_at, since=since)
    return [event], {"changed_since": None, "last_error": None}


def source_event(
    kind: EventKind,
    source: Mapping[Any, Any],
    at: datetime,
    *,
    reason: str | None = None,
    since: datetime | None = None,
    next_attempt_at: datetime | None = None,
) -> NewEvent:
    """Return an event of the pipeline's own health; one per source, kind and moment."""
    name = source["name"]
    return NewEvent(
        kind=kind,
        subject=name,
        identity=at.isoformat(),
        occurred_at=at,
        service=source["service"],
        detail=SourceDetail(name=name, reason=reason, since=since, next_attempt_at=next_attempt_at),
    )
