"""Which games ROMs are: read with the titles that they are looked up by, and written many at once."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, Connection, Select, bindparam, func, or_, select, text

from models import DatFile, DatGame, Rom, RomFolder
from models.names import name_key
from models.platforms import PLATFORMS
from pipeline.database.bulk import execute_rows
from pipeline.roms.names.parsing import parse_name
from pipeline.roms.records import RomName

# Nothing of these is a game that somebody has.
_NO_GAMES = frozenset({"bios", "program", "dlc", "update"})
_ALL = (
    select(
        *(Rom.id, Rom.title, Rom.year, Rom.flags, Rom.game_id, Rom.igdb_id, Rom.how, Rom.pinned_at, Rom.matched_at),
        *(Rom.folder_id, Rom.missing_since),
        func.coalesce(Rom.platform, DatFile.platform).label("platform"),
        func.coalesce(DatGame.description, DatGame.name).label("dat_name"),
        *(DatGame.year.label("dat_year"), DatGame.role),
    )
    .join(RomFolder, RomFolder.id == Rom.folder_id)
    .outerjoin(DatGame, DatGame.id == Rom.dat_game_id)
    .outerjoin(DatFile, DatFile.id == DatGame.dat_id)
    .where(RomFolder.person_id == bindparam("person"), RomFolder.removed_at.is_(None))
    .order_by(Rom.id)
)
_UNMATCHED = _ALL.where(Rom.pinned_at.is_(None), or_(Rom.game_id.is_(None), Rom.matched_at.is_(None)))
_SOME = _ALL.where(Rom.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
_WRITE = text("""
    UPDATE roms SET game_id = r.game_id, igdb_id = r.igdb_id, how = r.how, confidence = r.confidence,
        pinned_at = r.pinned_at, matched_at = r.matched_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
        id bigint, game_id bigint, igdb_id bigint, how text, confidence real, pinned_at timestamptz,
        matched_at timestamptz
    )
    WHERE roms.id = r.id
""")


class TitledRom(NamedTuple):
    """A ROM with what it is looked up by: the title and the year of its DAT's game where that is known, else its own.

    `platform` is its name, empty where nobody knows it. `is_game` is false for a machine's own programs and the like.
    """

    id: int
    folder_id: int
    title: str
    year: int | None
    platform: str
    is_game: bool
    game_id: int | None
    igdb_id: int | None
    how: str | None
    pinned_at: datetime | None
    matched_at: datetime | None
    is_missing: bool

    @property
    def is_unmatched(self) -> bool:
        """Whether it has no game or was never looked up, and no person has pinned it."""
        return self.pinned_at is None and (self.game_id is None or self.matched_at is None)

    @property
    def key(self) -> "WorkKey":
        """What all files of one work share."""
        return WorkKey(name_key(self.title), self.platform, self.year)


class WorkKey(NamedTuple):
    """A title as it compares, a platform and a year."""

    title: str
    platform: str
    year: int | None


class Match(NamedTuple):
    """What a ROM was found to be, as it is written. With a `pinned_at` it is a person's word."""

    id: int
    game_id: int | None
    igdb_id: int | None
    how: str | None
    confidence: float | None
    pinned_at: datetime | None
    matched_at: datetime | None


def load_unmatched(connection: Connection, person_id: int, this_year: int) -> list[TitledRom]:
    """Return a person's ROMs that have no game or were never looked up, without those that the person has pinned."""
    return _load(connection, _UNMATCHED, {"person": person_id}, this_year)


def load_all(connection: Connection, person_id: int, this_year: int) -> list[TitledRom]:
    """Return all ROMs of a person's folders."""
    return _load(connection, _ALL, {"person": person_id}, this_year)


def load_some(connection: Connection, person_id: int, rom_ids: Collection[int], this_year: int) -> list[TitledRom]:
    """Return those of a person's ROMs that have these ids."""
    return _load(connection, _SOME, {"person": person_id, "ids": sorted(rom_ids)}, this_year)


def write_matches(connection: Connection, matches: Sequence[Match]) -> None:
    """Write what ROMs were found to be."""
    if matches:
        execute_rows(connection, _WRITE, [match._asdict() for match in matches])


def _load(
    connection: Connection, query: Select[*tuple[Any, ...]], parameters: dict[str, Any], this_year: int
) -> list[TitledRom]:
    return [_titled(row, this_year) for row in connection.execute(query, parameters)]


def _titled(row: Any, this_year: int) -> TitledRom:
    title, year, flags = row.title, row.year, row.flags
    if row.dat_name is not None:
        name = _parsed(row.dat_name, this_year)
        title, year, flags = name.title, row.dat_year or name.year or year, name.flags
    known = PLATFORMS.get(row.platform or "")
    return TitledRom(
        id=row.id,
        folder_id=row.folder_id,
        title=title,
        year=year,
        platform=known.name if known is not None else "",
        is_game=_is_game(flags, row.role),
        game_id=row.game_id,
        igdb_id=row.igdb_id,
        how=row.how,
        pinned_at=row.pinned_at,
        matched_at=row.matched_at,
        is_missing=row.missing_since is not None,
    )


def _is_game(flags: Iterable[str], role: str | None) -> bool:
    return (role or "game") == "game" and _NO_GAMES.isdisjoint(flags)


@lru_cache(maxsize=65_536)
def _parsed(name: str, this_year: int) -> RomName:
    return parse_name(name, this_year=this_year)
