"""Extractions: added, claimed with a lease and a fence, carried on, ended.

Whoever claims one counts its fence up. Every later write names that number: where another has claimed it meanwhile,
or a person has cancelled it, the write changes nothing and raises `ExtractionLost`.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, get_args

import msgspec
from sqlalchemy import Connection, and_, case, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from models import Episode, Extraction, Sound, SoundHost
from models.due import due, holds
from models.errors import LootwireError, UnknownThing, UsageError
from models.people import OWNER_ID
from pipeline.sound.records import ErrorKind, MediaInfo, SoundKind, Stage, State, Trouble
from pipeline.sound.store.charges import refund_extraction
from pipeline.sound.store.hosts import LONGEST_REST, host_of, take_turn

LEASE = timedelta(seconds=30)
# How often within its length a lease is renewed, each time with the seconds that were spent so far.
RENEWALS = 4
# The furthest that the next try can be set: an upcoming stream is announced weeks before.
LONGEST_WAIT = timedelta(days=60)
FETCHING: Sequence[Stage] = ("probe", "download")
UNFINISHED: Sequence[State] = ("pending", "processing")
ENDED_BADLY: Sequence[State] = ("failed", "cancelled")
STATES: Sequence[State] = get_args(State)
# So many are looked at for one that may begin: the hosts of the others are busy.
LOOKED_AT = 100
# That of files and pages that no extractor is for.
NO_SERVICE = "generic"
_DECODER = msgspec.json.Decoder(MediaInfo)


class ExtractionLost(LootwireError):
    """Another process has the extraction by now, or a person cancelled it: what this one does counts no more."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """An extraction that this process has until `lease_until`, with what is known of it."""

    id: int
    person_id: int
    url: str
    host: str
    service: str | None
    external_id: str | None
    video_id: int | None
    kind: SoundKind
    profile: str
    stage: Stage
    title: str | None
    info: MediaInfo | None
    attempts: int
    spent_seconds: float
    added_at: datetime
    expires_at: datetime | None
    sound_id: int | None
    fence: int
    lease_until: datetime


class ExtractionRow(msgspec.Struct, frozen=True, kw_only=True):
    """An extraction as commands show it."""

    id: int
    person_id: int
    url: str
    host: str
    service: str | None
    external_id: str | None
    kind: str
    profile: str
    state: State
    stage: Stage
    progress: float
    bytes: int | None
    title: str | None
    error_kind: ErrorKind | None
    error: str | None
    is_permanent: bool
    attempts: int
    added_at: datetime
    next_due_at: datetime
    expires_at: datetime | None
    sound_id: int | None
    finished_at: datetime | None


class Added(msgspec.Struct, frozen=True):
    """The extraction of an address, and whether it is new: the same is never fetched twice."""

    id: int
    is_new: bool


def add_extraction(
    connection: Connection,
    url: str,
    *,
    now: datetime,
    person_id: int = OWNER_ID,
    kind: SoundKind = "track",
    profile: str = "podcast",
    service: str | None = None,
    external_id: str | None = None,
    video_id: int | None = None,
    title: str | None = None,
    info: MediaInfo | None = None,
    expires_at: datetime | None = None,
    due_at: datetime | None = None,
) -> Added:
    """Have an address fetched, at once or from `due_at` on; returns the person's extraction that is there, if one is.

    That is one of the same service and id, or of the same address, that did not fail and was not cancelled. Where its
    sound was removed meanwhile it is fetched again. `info` is what a list says of it, for `keep_info`. Raises
    `UsageError` where the address is none of http or https.
    """
    row = {
        "person_id": person_id,
        "url": url,
        "host": host_of(url),
        "service": service,
        "external_id": external_id,
        "video_id": video_id,
        "kind": kind,
        "profile": profile,
        "title": title,
        "info": None if info is None else msgspec.to_builtins(info, builtin_types=()),
        "added_at": now,
        "next_due_at": due_at or now,
        "expires_at": expires_at,
    }
    known = _known(connection, person_id, url, service, external_id)
    if known is None:
        statement = insert(Extraction).values(row).on_conflict_do_nothing().returning(Extraction.id)
        new_id = connection.scalar(statement)
        if new_id is not None:
            return Added(new_id, is_new=True)
        known = _known(connection, person_id, url, service, external_id)
        if known is None:
            raise ExtractionLost("another process ended the same extraction just now; add it again")
    if known.removed_at is not None:
        _begin_anew(connection, known.id, now, kind=kind, profile=profile)
        return Added(known.id, is_new=True)
    return Added(known.id, is_new=False)


def _known(connection: Connection, person_id: int, url: str, service: str | None, external_id: str | None) -> Any:
    same = Extraction.url == url
    if service is not None and external_id is not None:
        same = or_(same, and_(Extraction.service == service, Extraction.external_id == external_id))
    return connection.execute(
        select(Extraction.id, Sound.removed_at)
        .outerjoin(Sound, Sound.id == Extraction.sound_id)
        .where(same, Extraction.person_id == person_id, Extraction.state.not_in(ENDED_BADLY))
        .order_by(Extraction.id)
        .limit(1)
    ).one_or_none()


def count_under_way(connection: Connection) -> int:
    """Return how many extractions some process has, or had when it died."""
    return connection.scalar(select(func.count()).where(Extraction.state == "processing")) or 0


def count_due(connection: Connection, now: datetime) -> int:
    """Return how many extractions could be claimed now, at most one for each host that must be asked."""
    rows = connection.execute(_candidates(now).with_only_columns(Extraction.host, Extraction.stage)).all()
    local = sum(row.stage not in FETCHING for row in rows)
    return local + len({row.host for row in rows if row.stage in FETCHING})


def claim_next(
    connection: Connection, now: datetime, *, pause: timedelta, lease: timedelta = LEASE, only: int | None = None
) -> Claimed | None:
    """Claim the extraction that is due and comes first; None where none may begin now. With `only`, that one alone.

    One that must be asked of its host waits for its turn there: one at a time, a `pause` between them, none while the
    host rests. Those that their service deletes first come first.
    """
    query = _candidates(now).with_only_columns(Extraction.id, Extraction.host, Extraction.stage)
    if only is not None:
        query = query.where(Extraction.id == only)
    for row in connection.execute(query).all():
        if row.stage in FETCHING and not (
            take_turn(connection, row.host, now, pause=pause) and not _is_asked(connection, row.host, row.id, now)
        ):
            continue
        claimed = _claim(connection, row.id, now, lease)
        if claimed is not None:
            return claimed
    return None


def _candidates(now: datetime) -> Any:
    other = aliased(Extraction)
    busy = select(other.host).where(
        other.state == "processing", other.stage.in_(FETCHING), holds(other.lease_until, now, LEASE * 20)
    )
    is_free = or_(Extraction.stage.not_in(FETCHING), and_(_may_ask(now), Extraction.host.not_in(busy)))
    return (
        select(Extraction)
        .where(_is_claimable(now), is_free)
        .order_by(Extraction.expires_at.asc().nulls_last(), Extraction.next_due_at, Extraction.id)
        .limit(LOOKED_AT)
    )


def _may_ask(now: datetime) -> ColumnElement[bool]:
    resting = select(SoundHost.host).where(holds(SoundHost.until, now, LONGEST_REST))
    return or_(Extraction.stage.not_in(FETCHING), Extraction.host.not_in(resting))


def _is_due(now: datetime) -> ColumnElement[bool]:
    return due(Extraction.next_due_at, now, LONGEST_WAIT)


def _is_claimable(now: datetime) -> ColumnElement[bool]:
    is_left = and_(
        Extraction.state == "processing", ~func.coalesce(holds(Extraction.lease_until, now, LEASE * 20), False)
    )
    return or_(and_(Extraction.state == "pending", _is_due(now)), is_left)


def _is_asked(connection: Connection, host: str, but_for: int, now: datetime) -> bool:
    asking = select(Extraction.id).where(
        Extraction.host == host,
        Extraction.id != but_for,
        Extraction.state == "processing",
        Extraction.stage.in_(FETCHING),
        holds(Extraction.lease_until, now, LEASE * 20),
    )
    return bool(connection.scalar(select(asking.exists())))


def _claim(connection: Connection, extraction_id: int, now: datetime, lease: timedelta) -> Claimed | None:
    locked = (
        select(Extraction.id)
        .where(Extraction.id == extraction_id, _is_claimable(now))
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    # What a killed one spent since it last said so: no more than this, since it renews four times within its lease.
    was_killed = and_(Extraction.state == "processing", Extraction.stage == "download")
    spent = Extraction.spent_seconds + case((was_killed, lease.total_seconds() / RENEWALS), else_=0.0)
    row = (
        connection.execute(
            update(Extraction)
            .where(Extraction.id == locked)
            .values(
                spent_seconds=spent,
                state="processing",
                attempts=Extraction.attempts + 1,
                fence=Extraction.fence + 1,
                lease_until=now + lease,
                lease_token=str(uuid.uuid4()),
                error_kind=None,
                error=None,
            )
            .returning(Extraction)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _claimed(row)


def _claimed(row: Mapping[Any, Any]) -> Claimed:
    fields = {name: row[name] for name in Claimed.__struct_fields__}
    if fields["info"] is not None:
        fields["info"] = info_of(fields["info"])
    return Claimed(**fields)


def info_of(stored: Mapping[str, Any]) -> MediaInfo:
    """Return what a probe said, as it is stored."""
    return _DECODER.decode(msgspec.json.encode(stored))


def renew(
    connection: Connection,
    claimed: Claimed,
    now: datetime,
    *,
    lease: timedelta = LEASE,
    progress: float | None = None,
    size: int | None = None,
    spent: float | None = None,
) -> None:
    """Have an extraction for longer, and note how far it is; raises `ExtractionLost` where it is another's."""
    values: dict[str, Any] = {"lease_until": now + lease}
    if progress is not None:
        values["progress"] = min(max(progress, 0.0), 1.0)
    if size is not None:
        values["bytes"] = size
    if spent is not None:
        values["spent_seconds"] = spent
    _write(connection, claimed, values)


def begin_stage(connection: Connection, claimed: Claimed, stage: Stage, **values: Any) -> Claimed:
    """Go on to a stage, with what the one before brought; returns the extraction as it is now.

    Each stage has its own tries: what took many to be downloaded is not late for its rendering.
    """
    written = {"stage": stage, "progress": 0.0, "attempts": 1, **values}
    _write(connection, claimed, written)
    known = {name: value for name, value in written.items() if name in Claimed.__struct_fields__}
    if isinstance(known.get("info"), Mapping):
        known["info"] = info_of(known["info"])
    return msgspec.structs.replace(claimed, **known)


def keep_info(connection: Connection, claimed: Claimed, info: MediaInfo) -> Claimed | None:
    """Note what the probe said and go on to the download; None where another extraction is of the same already.

    Then the shows that wanted this one want the other, and this one is cancelled.
    """
    info = with_listed(info, claimed.info)
    other = connection.scalar(
        select(Extraction.id).where(
            Extraction.person_id == claimed.person_id,
            Extraction.service == info.service,
            Extraction.external_id == info.external_id,
            Extraction.id != claimed.id,
            Extraction.state.not_in(ENDED_BADLY),
        )
    )
    if other is not None:
        _give_way(connection, claimed, other, info)
        return None
    return begin_stage(
        connection,
        claimed,
        "download",
        service=info.service,
        external_id=info.external_id,
        title=info.title,
        info=msgspec.to_builtins(info, builtin_types=()),
    )


def with_listed(info: MediaInfo, listed: MediaInfo | None) -> MediaInfo:
    """Return what a probe said with the title and date of the list that named a bare file: it has its name alone."""
    if listed is None or (info.service, listed.service) != (NO_SERVICE, NO_SERVICE):
        return info
    return msgspec.structs.replace(info, title=listed.title, published_at=listed.published_at or info.published_at)


def _give_way(connection: Connection, claimed: Claimed, other: int, info: MediaInfo) -> None:
    wanted = select(Episode.show_id, literal(other), Episode.sound_id, Episode.added_at).where(
        Episode.extraction_id == claimed.id
    )
    moved = insert(Episode).from_select(["show_id", "extraction_id", "sound_id", "added_at"], wanted)
    connection.execute(moved.on_conflict_do_nothing())
    connection.execute(delete(Episode).where(Episode.extraction_id == claimed.id))
    _end(connection, claimed, state="cancelled", title=info.title, error=f"it is extraction {other} already")


def is_fetched_for_another(connection: Connection, claimed: Claimed) -> bool:
    """Return whether another person's extraction of the same is under way: it began first, or has bytes already."""
    others = select(Extraction.id).where(
        Extraction.service == claimed.service,
        Extraction.external_id == claimed.external_id,
        Extraction.id != claimed.id,
        Extraction.state == "processing",
        or_(Extraction.id < claimed.id, Extraction.bytes.is_not(None)),
    )
    return claimed.external_id is not None and bool(connection.scalar(select(others.exists())))


def release(
    connection: Connection, claimed: Claimed, due_at: datetime, *, is_try: bool = True, spent: float | None = None
) -> None:
    """Give an extraction back, to be gone on with at a time; without `is_try` the attempt is not counted.

    `spent` are the seconds that its downloads have taken in all.
    """
    attempts = claimed.attempts if is_try else claimed.attempts - 1
    _give_back(connection, claimed, due_at, spent, attempts=attempts)


def postpone(
    connection: Connection, claimed: Claimed, trouble: Trouble, due_at: datetime, *, spent: float | None = None
) -> None:
    """Give an extraction back because of a trouble that time cures; `spent` as for `release`."""
    _give_back(connection, claimed, due_at, spent, error_kind=trouble.kind, error=trouble.sentence)


def _give_back(connection: Connection, claimed: Claimed, due_at: datetime, spent: float | None, **values: Any) -> None:
    taken = {} if spent is None else {"spent_seconds": spent}
    common = {"state": "pending", "next_due_at": due_at, "lease_until": None, "lease_token": None}
    _write(connection, claimed, {**common, **taken, **values})


def fail(connection: Connection, claimed: Claimed, trouble: Trouble, now: datetime) -> None:
    """End an extraction that time will not cure; `retry_extraction` tries it again."""
    _end(
        connection,
        claimed,
        state="failed",
        error_kind=trouble.kind,
        error=trouble.sentence,
        is_permanent=trouble.cure == "never",
        finished_at=now,
    )


def complete(connection: Connection, claimed: Claimed, now: datetime) -> None:
    """End an extraction whose sound is there."""
    _end(connection, claimed, state="completed", progress=1.0, finished_at=now)


def _end(connection: Connection, claimed: Claimed, **values: Any) -> None:
    _write(connection, claimed, {"lease_until": None, "lease_token": None, **values})


def _write(connection: Connection, claimed: Claimed, values: Mapping[str, Any]) -> None:
    is_ours = and_(Extraction.id == claimed.id, Extraction.fence == claimed.fence, Extraction.state == "processing")
    if not connection.execute(update(Extraction).where(is_ours).values(values)).rowcount:
        raise ExtractionLost(f"extraction {claimed.id} is no longer this process's")


def cancel_extraction(
    connection: Connection, extraction_id: int, now: datetime, *, person_id: int | None = None
) -> None:
    """Cancel an extraction, or a person's; the process that has it ends within seconds.

    Raises `UsageError` where it is over, `UnknownThing` where there is none.
    """
    row = load_extraction(connection, extraction_id, person_id=person_id)
    cancelled = connection.execute(
        update(Extraction)
        .where(Extraction.id == extraction_id, Extraction.state.in_(UNFINISHED))
        .values(state="cancelled", fence=Extraction.fence + 1, lease_until=None, lease_token=None, finished_at=now)
    ).rowcount
    if not cancelled:
        raise UsageError(f"extraction {extraction_id} is {row.state}: only one that goes on can be cancelled")
    refund_extraction(connection, extraction_id, now)


def retry_extraction(
    connection: Connection, extraction_id: int, now: datetime, *, person_id: int | None = None
) -> None:
    """Try an extraction, or a person's, again that failed or was cancelled; one that waits is due at once.

    Raises `UsageError` where it is completed, or the same is fetched by another one, `UnknownThing` where there is
    none.
    """
    row = load_extraction(connection, extraction_id, person_id=person_id)
    if row.state == "completed":
        raise UsageError(f"extraction {extraction_id} is completed: its sound is {row.sound_id}")
    if row.state in ENDED_BADLY and row.service is not None and row.external_id is not None:
        other = connection.scalar(
            select(Extraction.id).where(
                Extraction.person_id == row.person_id,
                Extraction.service == row.service,
                Extraction.external_id == row.external_id,
                Extraction.state.not_in(ENDED_BADLY),
            )
        )
        if other is not None:
            raise UsageError(f"extraction {other} fetches the same as {extraction_id}")
    if row.state == "processing":
        return
    if row.state == "pending":
        connection.execute(update(Extraction).where(Extraction.id == extraction_id).values(next_due_at=now))
        return
    values = {"state": "pending", "next_due_at": now, "attempts": 0, "spent_seconds": 0.0, "finished_at": None}
    again = {"error_kind": None, "error": None, "is_permanent": False, "fence": Extraction.fence + 1}
    connection.execute(update(Extraction).where(Extraction.id == extraction_id).values(values | again))


def retry_failed(connection: Connection, now: datetime, *, person_id: int | None = None) -> Sequence[int]:
    """Try all again that failed and whose like nobody fetches; returns their ids."""
    query = select(Extraction.id).where(Extraction.state == "failed").order_by(Extraction.id)
    if person_id is not None:
        query = query.where(Extraction.person_id == person_id)
    retried = []
    for extraction_id in connection.scalars(query).all():
        try:
            retry_extraction(connection, extraction_id, now)
        except UsageError:
            continue
        retried.append(extraction_id)
    return retried


def _begin_anew(connection: Connection, extraction_id: int, now: datetime, *, kind: SoundKind, profile: str) -> None:
    connection.execute(
        update(Extraction)
        .where(Extraction.id == extraction_id)
        .values(
            state="pending",
            kind=kind,
            profile=profile,
            stage="probe",
            progress=0.0,
            info=None,
            attempts=0,
            spent_seconds=0.0,
            next_due_at=now,
            finished_at=None,
            fence=Extraction.fence + 1,
        )
    )


def load_extraction(connection: Connection, extraction_id: int, *, person_id: int | None = None) -> ExtractionRow:
    """Return an extraction, or a person's; raises `UnknownThing` where there is none of this number."""
    query = _rows().where(Extraction.id == extraction_id)
    if person_id is not None:
        query = query.where(Extraction.person_id == person_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownThing(f"there is no extraction {extraction_id}: `lootwire extractions` lists them")
    return ExtractionRow(**row)


def list_extractions(
    connection: Connection,
    *,
    states: Sequence[State] = (),
    person_id: int | None = None,
    limit: int | None = None,
    before_id: int | None = None,
) -> Sequence[ExtractionRow]:
    """Return extractions, the newest first: all of them, or those in these states, or of a person."""
    query = _rows().order_by(Extraction.id.desc()).limit(limit)
    if states:
        query = query.where(Extraction.state.in_(states))
    if person_id is not None:
        query = query.where(Extraction.person_id == person_id)
    if before_id is not None:
        query = query.where(Extraction.id < before_id)
    return [ExtractionRow(**row) for row in connection.execute(query).mappings()]


def _rows() -> Any:
    return select(*(getattr(Extraction, name) for name in ExtractionRow.__struct_fields__))


def with_workspaces(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Return which of some extractions may need their workspaces still: those that go on, and failed ones to retry."""
    keeps = or_(
        Extraction.state.in_(UNFINISHED),
        and_(Extraction.state == "failed", ~Extraction.is_permanent, Extraction.error_kind.not_in(["disk", "quota"])),
    )
    return set(connection.scalars(select(Extraction.id).where(Extraction.id.in_(ids), keeps)))


def is_fetched(url: str) -> ColumnElement[bool]:
    """Return the condition that some extraction is of an address, whatever became of it."""
    return exists(select(Extraction.id).where(Extraction.url == url))
