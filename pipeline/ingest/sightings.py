"""Remember what each source lists: digests of what is listed, counts of what is missing."""

import functools
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec
from msgspec.structs import asdict, replace
from sqlalchemy import ARRAY, Connection, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import Insert

from models import Sighting
from pipeline.database.bulk import as_bytea, execute_rows, insert_rows
from pipeline.ingest.patience import ABSENCES_TO_BELIEVE

SIGHTINGS: Table = Sighting.__table__  # type: ignore[assignment]


class OpenSighting(msgspec.Struct, frozen=True):
    """Something that a source lists, or listed until lately."""

    external_id: str
    digest: bytes
    group_id: str | None
    first_seen_at: datetime
    last_seen_at: datetime | None = None
    absent_count: int = 0
    absent_since: datetime | None = None
    absent_counted_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def missed(self) -> bool:
        """Whether answers that are believed list it no more."""
        return self.absent_count > 0 and self.last_seen_at is not None

    @property
    def doubted(self) -> bool:
        """Whether only answers that are doubted list it no more; so far it counts as listed."""
        return self.absent_count > 0 and self.last_seen_at is None

    @property
    def missing_since(self) -> datetime | None:
        """The first answer that missed it; rows of older versions know the last one that had it."""
        return self.absent_since or self.last_seen_at


_NAMES = OpenSighting.__struct_fields__
_OPEN = select(*[SIGHTINGS.c[name] for name in _NAMES]).where(
    SIGHTINGS.c.source_id == bindparam("source_id"), SIGHTINGS.c.closed_at.is_(None)
)
_GIVEN_UP = select(SIGHTINGS.c.absent_since).where(
    SIGHTINGS.c.source_id == bindparam("source_id"),
    SIGHTINGS.c.external_id == func.any(bindparam("external_ids", type_=ARRAY(Text))),
    SIGHTINGS.c.closed_at.is_not(None),
    SIGHTINGS.c.absent_count >= bindparam("count"),
    SIGHTINGS.c.absent_since.is_not(None),
    SIGHTINGS.c.last_seen_at.is_not(None),
)


class Sightings:
    """What one source lists: read once, changed in memory, written at the end of a turn (`pipeline.ingest.turn`)."""

    def __init__(self, connection: Connection, source_id: int) -> None:
        self._connection = connection
        self._source_id = source_id
        rows = connection.execute(_OPEN, {"source_id": source_id}).all()
        self._open = {sighting.external_id: sighting for sighting in (OpenSighting(*row) for row in rows)}
        self._changed: dict[str, OpenSighting] = {}

    def open(self) -> list[OpenSighting]:
        """Return what the source lists or listed until lately."""
        return list(self._open.values())

    def listed(self, external_ids: Collection[str], *, since: datetime) -> set[str]:
        """Return those of the ids that the source lists now, or that only answers later than `since` miss and doubt."""
        sightings = ((key, self._open.get(key)) for key in external_ids)
        return {key for key, sighting in sightings if sighting is not None and _is_listed(sighting, since)}

    def given_up(self, external_ids: Collection[str]) -> list[datetime]:
        """Return since when those of the ids were missing that the source was believed to list no more."""
        unknown = [key for key in external_ids if key not in self._open]
        closed = [self._changed[key] for key in unknown if key in self._changed]
        written = [key for key in unknown if key not in self._changed]
        times = [
            s.absent_since for s in closed if s.missed and s.absent_count >= ABSENCES_TO_BELIEVE and s.absent_since
        ]
        if not written:
            return times
        parameters = {"source_id": self._source_id, "external_ids": written, "count": ABSENCES_TO_BELIEVE}
        return [*times, *self._connection.scalars(_GIVEN_UP, parameters)]

    def seen(
        self, digests: Mapping[str, tuple[bytes, str | None]], *, at: datetime, closed_at: datetime | None = None
    ) -> None:
        """Note new or changed items by external id as listed (or, from an old snapshot, as long gone)."""
        for key, (digest, group_id) in digests.items():
            known = self._changed.get(key) or self._open.get(key)
            first_seen_at = known.first_seen_at if known else at
            last_seen_at = at if closed_at else None
            self._set(OpenSighting(key, digest, group_id, first_seen_at, last_seen_at, closed_at=closed_at))

    def back(self, external_ids: Iterable[str]) -> None:
        """Forget the absence of items that are listed again, unchanged."""
        for key in external_ids:
            listed = {"last_seen_at": None, "absent_count": 0, "absent_since": None, "absent_counted_at": None}
            self._set(replace(self._open[key], **listed))

    def miss(
        self, sighting: OpenSighting, count: int, *, since: datetime, last_seen_at: datetime, at: datetime
    ) -> None:
        """Note that an item was missed `count` times `since` an answer, and was last listed at `last_seen_at`."""
        self._set(
            replace(sighting, last_seen_at=last_seen_at, absent_count=count, absent_since=since, absent_counted_at=at)
        )

    def doubt(self, sighting: OpenSighting, count: int, *, since: datetime, at: datetime) -> None:
        """Note that an item was missed `count` times `since` an answer, but only by answers that are doubted."""
        self._set(replace(sighting, last_seen_at=None, absent_count=count, absent_since=since, absent_counted_at=at))

    def close(self, external_ids: Iterable[str], *, at: datetime) -> None:
        """Stop looking for items that are ended or withdrawn."""
        for key in external_ids:
            self._set(replace(self._open[key], closed_at=at))

    def write(self) -> None:
        """Write what has changed."""
        if not self._changed:
            return
        rows = [
            {"source_id": self._source_id, **asdict(sighting), "digest": as_bytea(sighting.digest)}
            for _, sighting in sorted(self._changed.items())
        ]
        execute_rows(self._connection, _upserted(), rows)
        self._changed.clear()

    def _set(self, sighting: OpenSighting) -> None:
        self._open[sighting.external_id] = self._changed[sighting.external_id] = sighting
        if sighting.closed_at is not None:
            del self._open[sighting.external_id]


def _is_listed(sighting: OpenSighting, since: datetime) -> bool:
    return sighting.last_seen_at is None and (sighting.absent_since is None or sighting.absent_since >= since)


@functools.cache
def _upserted() -> Insert:
    statement = insert_rows(SIGHTINGS, ("source_id", *_NAMES))
    replaced = {name: statement.excluded[name] for name in _NAMES if name not in {"external_id", "first_seen_at"}}
    return statement.on_conflict_do_update(
        index_elements=[SIGHTINGS.c.source_id, SIGHTINGS.c.external_id], set_=replaced
    )
