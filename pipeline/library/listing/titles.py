"""Find the works that a person means: by a title, by IGDB's id, or by a work's own number."""

from collections.abc import Sequence
from shlex import quote
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from models.errors import UnknownThing, UsageError
from models.names import name_key, nearest
from models.printable import NAME_LENGTH, on_a_line
from pipeline.games.finding.names import read_name

NAMED_AT_MOST = 6
# All works that a person has or had anything of: what is hidden or forgotten has its name still.
_NAMES = text("""
    WITH mine AS (
        SELECT games.work_id, entry.title AS also FROM library_entries AS entry JOIN games ON games.id = entry.game_id
        WHERE entry.person_id = :person
        UNION SELECT games.work_id, games.name FROM library_entries AS entry JOIN games ON games.id = entry.game_id
        WHERE entry.person_id = :person
        UNION SELECT games.work_id, games.name FROM playthroughs AS through JOIN games ON games.id = through.game_id
        WHERE through.person_id = :person
        UNION SELECT work_id, name FROM game_states WHERE person_id = :person
    )
    SELECT work.id, coalesce(state.name, work.name) AS name, work.name AS plain, work.root_igdb_id,
        array_agg(mine.also) AS also, CAST(extract(year FROM entry.first_release_at) AS integer) AS year
    FROM mine JOIN works AS work ON work.id = mine.work_id
    LEFT JOIN game_states AS state ON state.work_id = work.id AND state.person_id = :person
    LEFT JOIN game_metadata AS entry ON entry.igdb_id = work.root_igdb_id
    WHERE CAST(:work AS bigint) IS NULL OR work.id = :work
    GROUP BY work.id, state.name, entry.first_release_at
    ORDER BY work.id
""")
_OF_ENTRY = text("""
    SELECT games.work_id FROM game_external_ids AS link JOIN games ON games.id = link.game_id
    WHERE link.service = 'igdb' AND split_part(link.external_id, '/', 1) = :igdb_id AND games.work_id IS NOT NULL
    UNION SELECT id FROM works WHERE root_igdb_id = CAST(:igdb_id AS bigint)
""")


class UnknownWork(UnknownThing):
    """Nothing in the person's library is called so, or has that number."""


class NamedWork(msgspec.Struct, frozen=True):
    """A work of a person's library, by the name that they gave it or else IGDB's."""

    work_id: int
    name: str
    igdb_id: int | None
    year: int | None

    @property
    def shown(self) -> str:
        """How to tell it from its namesakes: `Doom (2016) is igdb:7351`."""
        year = f" ({self.year})" if self.year is not None else ""
        number = self.work_id if self.igdb_id is None else f"igdb:{self.igdb_id}"
        return f"{on_a_line(self.name, NAME_LENGTH)}{year} is {number}"


def work_named(connection: Connection, person_id: int, written: str) -> NamedWork | None:
    """Return the work of a person's library that they mean; None where nothing there is called so.

    A title goes before a number: "1942" is a game. Raises `UsageError` where several bear the name, and lists them.
    """
    rows = _names(connection, person_id)
    wish = read_name(written)
    if wish.igdb_id is not None:
        ids = set(connection.scalars(_OF_ENTRY, {"igdb_id": str(wish.igdb_id)}))
        return next((_named(row) for row in rows if row.id in ids), None)
    meant = _of_name(rows, written)
    if not meant and written.isascii() and written.isdigit():
        meant = [row for row in rows if row.id == int(written[:18])]
    if len(meant) > 1:
        several = "; ".join(_named(row).shown for row in meant[:NAMED_AT_MOST])
        raise UsageError(f"{on_a_line(written, NAME_LENGTH)!r} may be several games of the library: {several}")
    return _named(meant[0]) if meant else None


def work_numbered(connection: Connection, person_id: int, work_id: int) -> NamedWork | None:
    """Return the work of a person's library that has this number; None where it is nothing to them."""
    return next((_named(row) for row in _names(connection, person_id, work_id)), None)


def missing(connection: Connection, person_id: int, written: str) -> UnknownWork:
    """Return the error of a title that nothing in a person's library is called by, with the nearest names.

    What they had it forget keeps its name: of that it says how to bring it back.
    """
    forgotten = _of_name(_names(connection, person_id), written)
    if forgotten:
        work = _named(forgotten[0])
        again = work.name if work.igdb_id is None else f"igdb:{work.igdb_id}"
        return UnknownWork(
            f"{on_a_line(work.name, NAME_LENGTH)!r} was taken out of the library;"
            f" `lootwire library add {quote(on_a_line(again, NAME_LENGTH))}` brings it back"
        )
    near = near_names(connection, person_id, written)
    hint = f"did you mean {' or '.join(near)}?" if near else "`lootwire library list` shows what is there"
    return UnknownWork(f"{on_a_line(written, NAME_LENGTH)!r} is not in the library; {hint}")


def near_names(connection: Connection, person_id: int, written: str) -> list[str]:
    """Return the names in a person's library that they may have meant by one that nothing there has."""
    return nearest(written, {row.name for row in _names(connection, person_id)})


def _names(connection: Connection, person_id: int, work_id: int | None = None) -> Sequence[Any]:
    return connection.execute(_NAMES, {"person": person_id, "work": work_id}).all()


def _of_name(rows: Sequence[Any], written: str) -> list[Any]:
    """Return the works with the very name, or else those that were called so by a shop, a file or IGDB."""
    key = name_key(written)
    exact = [row for row in rows if name_key(row.name) == key]
    return exact or [row for row in rows if key in {name_key(name) for name in (row.plain, *row.also) if name}]


def _named(row: Any) -> NamedWork:
    return NamedWork(row.id, row.name, row.root_igdb_id, row.year)
