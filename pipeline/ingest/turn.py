"""A turn to store: no other transaction stores snapshots until it ends.

Snapshots are stored one at a time: two sources may create the same game, and event ids keep the order of commits. What
a turn has read therefore holds until its end, and several snapshots of an import share one: sources and sightings are
read once and written once.
"""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Update, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models import Source
from pipeline.ingest.sightings import Sightings

# The lock is on the rows of all sources, so taking it is also the one read of the source's own row.
_LOCKED = select(*Source.__table__.c).order_by(Source.id).with_for_update()


class Turn:
    """One turn, which is the caller's transaction; `rows` are the locked rows of all sources (`take_turn`)."""

    def __init__(self, connection: Connection, rows: Sequence[RowMapping]) -> None:
        self.connection = connection
        self._sources: dict[str, dict[Any, Any]] = {}
        self._changed: dict[str, dict[str, Any]] = {}
        self._sightings: dict[str, Sightings] = {}
        self._settle_at: dict[str, datetime | None] = {}
        for row in rows:
            self.add(row)

    def add(self, row: RowMapping) -> None:
        """Add the row of a source that had none when the turn began."""
        self._sources[row["name"]] = dict(row)

    def __contains__(self, name: str) -> bool:
        return name in self._sources

    def source(self, name: str) -> Mapping[Any, Any]:
        """Return a source's row as it is now; raises `KeyError` for one that has none."""
        return self._sources[name]

    def set_source(self, name: str, **values: datetime | str | Mapping[str, float] | None) -> None:
        """Change a source's row; it is written at the end."""
        if values:
            self._sources[name] = self._sources[name] | values
            self._changed.setdefault(name, {}).update(values)

    def sightings(self, name: str) -> Sightings:
        """Return what a source lists."""
        if name not in self._sightings:
            self._sightings[name] = Sightings(self.connection, self._sources[name]["id"])
        return self._sightings[name]

    def listed_by_others(self, name: str, external_ids: Collection[str], *, since: datetime) -> dict[str, set[str]]:
        """Return which of the ids other sources of the same service list now, with those sources' names.

        A source whose last snapshot is older than `since` has no say, nor has one in what it has missed for longer.
        """
        names: dict[str, set[str]] = {}
        for other in self._others(name, since) if external_ids else ():
            for external_id in self.sightings(other).listed(external_ids, since=since):
                names.setdefault(external_id, set()).add(other)
        return names

    def settle_at(self, name: str, load: Callable[[], datetime | None]) -> datetime | None:
        """Return when the next change of a source's subjects that damping holds back is due; loads it once."""
        if name not in self._settle_at:
            self._settle_at[name] = load()
        return self._settle_at[name]

    def forget_settle_at(self) -> None:
        """Have that loaded again: something more may be held back now, or something less."""
        self._settle_at.clear()

    def end(self) -> None:
        """Write what has changed; belongs before the commit."""
        for sightings in self._sightings.values():
            sightings.write()
        for name, values in self._changed.items():
            self.connection.execute(_update_of(tuple(values)), {"source_id": self._sources[name]["id"], **values})

    def _others(self, name: str, since: datetime) -> list[str]:
        service = self._sources[name]["service"]
        return [
            row["name"]
            for row in self._sources.values()
            if row["service"] == service and row["name"] != name and _has_a_say(row, since)
        ]


def _has_a_say(row: Mapping[Any, Any], since: datetime) -> bool:
    return row["last_snapshot_at"] is not None and row["last_snapshot_at"] >= since


@functools.cache
def _update_of(names: tuple[str, ...]) -> Update:
    values = {name: bindparam(name, type_=Source.__table__.c[name].type) for name in names}
    return update(Source).where(Source.id == bindparam("source_id")).values(values)


def take_turn(connection: Connection) -> list[RowMapping]:
    """Wait until no other transaction stores snapshots, and return the sources' rows, locked."""
    return list(connection.execute(_LOCKED).mappings())


def lock_source(connection: Connection, name: str) -> RowMapping:
    """Wait for this process's turn to store, and return the source's row.

    A source that is read from files alone gets its row here, one that is off, so that no worker fetches it.
    """
    for known in take_turn(connection):
        if known["name"] == name:
            return known
    row = {"name": name, "service": name.partition(".")[0], "enabled": False, "next_due_at": func.now()}
    connection.execute(insert(Source).values(row).on_conflict_do_nothing())
    return lock_source(connection, name)
