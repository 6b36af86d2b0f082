"""Remember what each source lists: digests for the steady state, absences on their way to being believed."""

import functools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ARRAY, Connection, DateTime, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.orm import aliased

from models import DropCampaign, RewardCampaign, Sighting, Source
from pipeline.bulk import as_bytea, execute_rows, insert_rows
from pipeline.judge import OpenItem

SIGHTINGS: Table = Sighting.__table__  # type: ignore[assignment]
_SUBJECTS: Mapping[str, type[DropCampaign | RewardCampaign]] = {"campaign": DropCampaign, "reward": RewardCampaign}


class OpenSighting(msgspec.Struct, frozen=True):
    """Something that a source lists, or listed until lately."""

    external_id: str
    digest: bytes
    group_id: str | None
    last_seen_at: datetime | None
    absent_count: int
    absent_counted_at: datetime | None


_OPEN = select(*[SIGHTINGS.c[name] for name in OpenSighting.__struct_fields__]).where(
    SIGHTINGS.c.source_id == bindparam("source_id"), SIGHTINGS.c.closed_at.is_(None)
)

_THIS, _OTHER = aliased(Source), aliased(Source)
_LISTED_BY_OTHERS = (
    select(SIGHTINGS.c.external_id, _OTHER.name)
    .join(_OTHER, _OTHER.id == SIGHTINGS.c.source_id)
    .join(_THIS, (_THIS.service == _OTHER.service) & (_THIS.id != _OTHER.id))
    .where(
        _THIS.id == bindparam("source_id"),
        _OTHER.last_snapshot_at >= bindparam("since", type_=DateTime(timezone=True)),
        SIGHTINGS.c.external_id == func.any(bindparam("external_ids", type_=ARRAY(Text))),
        SIGHTINGS.c.closed_at.is_(None),
        SIGHTINGS.c.last_seen_at.is_(None),
    )
)


def load_open(connection: Connection, source_id: int) -> list[OpenSighting]:
    """Return what the source lists or listed until lately: the one read of the steady state."""
    return [OpenSighting(*row) for row in connection.execute(_OPEN, {"source_id": source_id}).all()]


def load_open_items(
    connection: Connection, kind: str, service: str, sightings: Sequence[OpenSighting]
) -> dict[str, OpenItem]:
    """Return those of the sightings whose subject has not ended, with the end that the source gave."""
    subject = _SUBJECTS[kind]
    groups = {sighting.external_id: sighting.group_id for sighting in sightings}
    query = select(subject.external_id, subject.end_at).where(
        subject.service == service, subject.external_id == func.any(list(groups)), subject.ended_at.is_(None)
    )
    if kind == "campaign":
        query = query.where(DropCampaign.withdrawn_at.is_(None))
    return {key: OpenItem(groups[key], end_at) for key, end_at in connection.execute(query).all()}


def listed_by_others(
    connection: Connection, source_id: int, external_ids: Collection[str], *, since: datetime
) -> dict[str, set[str]]:
    """Return which of the ids other sources of the same service list now, with those sources' names.

    A source whose last sound snapshot is older than `since` has no say.
    """
    if not external_ids:
        return {}
    parameters = {"source_id": source_id, "external_ids": list(external_ids), "since": since}
    found: dict[str, set[str]] = {}
    for external_id, name in connection.execute(_LISTED_BY_OTHERS, parameters):
        found.setdefault(external_id, set()).add(name)
    return found


def record_seen(
    connection: Connection,
    source_id: int,
    digests: Mapping[str, tuple[bytes, str | None]],
    *,
    seen_at: datetime,
    closed_at: datetime | None = None,
) -> None:
    """Record new or changed items by external id as listed (or, from an old snapshot, as long gone)."""
    rows = [
        {
            "source_id": source_id,
            "external_id": external_id,
            "digest": as_bytea(digest),
            "group_id": group_id,
            "first_seen_at": seen_at,
            "last_seen_at": seen_at if closed_at else None,
            "closed_at": closed_at,
        }
        for external_id, (digest, group_id) in sorted(digests.items())
    ]
    if not rows:
        return
    execute_rows(connection, _upserted(tuple(rows[0])), rows)


@functools.cache
def _upserted(names: tuple[str, ...]) -> Insert:
    statement = insert_rows(SIGHTINGS, names)
    told = {name: statement.excluded[name] for name in ("digest", "group_id", "last_seen_at", "closed_at")}
    return statement.on_conflict_do_update(
        index_elements=[SIGHTINGS.c.source_id, SIGHTINGS.c.external_id],
        set_={**told, "absent_count": 0, "absent_counted_at": None},
    )


def record_back(connection: Connection, source_id: int, external_ids: Collection[str]) -> None:
    """Forget the absence of items that are listed again, unchanged."""
    _update(connection, source_id, external_ids, last_seen_at=None, absent_count=0, absent_counted_at=None)


def record_absent(
    connection: Connection, source_id: int, sighting: OpenSighting, count: int, *, last_seen_at: datetime, at: datetime
) -> None:
    """Record that an item was missed once more; it was last listed at `last_seen_at`."""
    _update(
        connection,
        source_id,
        [sighting.external_id],
        last_seen_at=sighting.last_seen_at or last_seen_at,
        absent_count=count,
        absent_counted_at=at,
    )


def close(connection: Connection, source_id: int, external_ids: Collection[str], *, at: datetime) -> None:
    """Stop looking for items that are ended or withdrawn."""
    _update(connection, source_id, external_ids, closed_at=at)


def _update(
    connection: Connection, source_id: int, external_ids: Collection[str], **values: datetime | int | None
) -> None:
    if external_ids:
        connection.execute(
            SIGHTINGS.update()
            .values(values)
            .where(SIGHTINGS.c.source_id == source_id, SIGHTINGS.c.external_id == func.any(list(external_ids)))
        )
