"""A person's ROMs for tests, as scans and DATs write their rows."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from models import (
    DatFile,
    DatGame,
    Event,
    Game,
    ImportLine,
    LibraryEntry,
    PersonWork,
    Rom,
    RomFolder,
    Source,
    WantedGame,
)
from models.names import name_key
from models.people import OWNER_ID
from pipeline.games.mirror.state import MIRROR, MirrorState
from pipeline.games.store.games import store_games
from pipeline.ingest.turn import take_turn
from pipeline.roms.names.parsing import parse_name
from pipeline.roms.resolving import (
    ResolvedRoms,
    Said,
    Settled,
    apply_decisions,
    drop_lines,
    due_roms,
    parts_of,
    resolve_roms,
    settle,
    unmatch,
)
from tests.pipeline.games.documents import doc

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HARBOUR, HARBOUR_LATER, MOSS, TWIN_A, TWIN_B = 11, 12, 13, 14, 15
_GAMES = {
    HARBOUR: ("Harbour of Lanterns", 1991),
    HARBOUR_LATER: ("Another Harbour", 1999),
    MOSS: ("The Song of Moss: A Path to the Sea", 1994),
    TWIN_A: ("Twin Kites", 1990),
    TWIN_B: ("Twin Kites", 1990),
}


class Roms:
    """The owner's ROMs; each call is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with engine.begin() as connection:
            take_turn(connection)
            store_games(connection, [_document(igdb_id) for igdb_id in _GAMES], NOON - DAY)

    def catalogue(self, igdb_id: int, name: str, year: int, at: datetime) -> None:
        """Have the mirror bring a game, and be fresh from that moment on."""
        with self.engine.begin() as connection:
            take_turn(connection)
            store_games(connection, [_of(igdb_id, name, year)], at)
            cursor = MirrorState(completed_at=at, swept_to=at).cursor()
            row = {"name": MIRROR, "service": "igdb", "next_due_at": at, "cursor": cursor}
            connection.execute(insert(Source).values(row))

    def folder(self, name: str = "dos", platform: str | None = "dos", **values: Any) -> int:
        row = {
            "path": name.encode(),
            "shown": name,
            "platform": platform,
            "added_at": NOON,
            "next_due_at": NOON,
            "person_id": OWNER_ID,
            **values,
        }
        with self.engine.begin() as connection:
            return connection.execute(insert(RomFolder).values(row).returning(RomFolder.id)).scalar_one()

    def rom(self, folder_id: int, written: str, platform: str | None = "dos", **values: Any) -> int:
        """Add a ROM as a scan does that reads its name."""
        name = parse_name(written, this_year=2026)
        row = {
            "folder_id": folder_id,
            "kind": "file",
            "written": written,
            "platform": platform,
            "title": name.title,
            "title_key": name_key(name.title),
            "year": name.year,
            "flags": list(name.flags),
            "added_at": NOON,
            **values,
        }
        with self.engine.begin() as connection:
            return connection.execute(insert(Rom).values(row).returning(Rom.id)).scalar_one()

    def dat_game(self, name: str, platform: str | None = "dos", **values: Any) -> int:
        """Add a DAT with one game."""
        dat = {
            "kind": "logiqx",
            "name": "Some DAT",
            "platform": platform,
            "digest": name.encode(),
            "file_name": "some.dat",
            "games": 1,
            "roms": 1,
            "imported_at": NOON,
        }
        with self.engine.begin() as connection:
            dat_id = connection.execute(insert(DatFile).values(dat).returning(DatFile.id)).scalar_one()
            game = {"dat_id": dat_id, "position": 1, "name": name, **values}
            return connection.execute(insert(DatGame).values(game).returning(DatGame.id)).scalar_one()

    def change(self, rom_id: int, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(Rom).where(Rom.id == rom_id).values(values))

    def resolve(self, now: datetime = NOON, folder_id: int | None = None) -> ResolvedRoms:
        with self.engine.connect() as connection:
            due = due_roms(connection, person_id=OWNER_ID, now=now, folder_id=folder_id)
        with self.engine.begin() as connection:
            resolved = resolve_roms(connection, due, now=now)
            drop_lines(connection, OWNER_ID, now)
        return resolved

    def resolve_first(self, works: int) -> int:
        """Look up so many works of those that are due, and return how many ROMs are left."""
        with self.engine.begin() as connection:
            due = due_roms(connection, person_id=OWNER_ID, now=NOON)
            first = next(parts_of(due, works))
            resolve_roms(connection, first, now=NOON)
        return len(due.roms) - len(first.roms)

    def settle(self, rom_ids: Collection[int], said: int | Said, now: datetime = NOON) -> Settled:
        with self.engine.begin() as connection:
            return settle(connection, OWNER_ID, rom_ids, said, now)

    def unmatch(self, rom_id: int, now: datetime = NOON) -> Settled:
        with self.engine.begin() as connection:
            return unmatch(connection, OWNER_ID, [rom_id], now)

    def apply(self, now: datetime = NOON) -> Settled:
        with self.engine.begin() as connection:
            take_turn(connection)
            return apply_decisions(connection, OWNER_ID, now)

    def row(self, rom_id: int) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(select(*Rom.__table__.c).where(Rom.id == rom_id)).one()

    def of(self, *rom_ids: int) -> list[int | None]:
        """Return the entries of IGDB that ROMs are."""
        return [self.row(rom_id).igdb_id for rom_id in rom_ids]

    def entries(self) -> list[tuple[str, str, str, bool]]:
        """Return the library's entries: title, platform, ownership, and whether they are there."""
        query = select(LibraryEntry).order_by(LibraryEntry.title, LibraryEntry.platform)
        with self.engine.connect() as connection:
            return [
                (row.title, row.platform, row.ownership, row.last_seen_at is None) for row in connection.execute(query)
            ]

    def words(self) -> list[list[str]]:
        with self.engine.connect() as connection:
            return list(connection.scalars(select(PersonWork.words)))

    def wanted(self) -> list[int]:
        query = select(WantedGame.igdb_id).where(WantedGame.reasons.contains(["library"]))
        with self.engine.connect() as connection:
            return list(connection.scalars(query.order_by(WantedGame.igdb_id)))

    def waiting(self) -> list[str]:
        query = select(ImportLine.written).where(ImportLine.settled_at.is_(None)).order_by(ImportLine.written)
        with self.engine.connect() as connection:
            return list(connection.scalars(query))

    def line_ids(self) -> list[int]:
        with self.engine.connect() as connection:
            return list(connection.scalars(select(ImportLine.id).where(ImportLine.settled_at.is_(None))))

    def events(self) -> int:
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(Event)).scalar_one()

    def game(self, rom_id: int) -> str | None:
        query = select(Game.name).join(Rom, Rom.game_id == Game.id).where(Rom.id == rom_id)
        with self.engine.connect() as connection:
            return connection.scalar(query)

    def connection(self) -> Connection:
        return self.engine.connect()


def _document(igdb_id: int) -> Any:
    return _of(igdb_id, *_GAMES[igdb_id])


def _of(igdb_id: int, name: str, year: int) -> Any:
    released = int(datetime(year, 6, 1, tzinfo=UTC).timestamp())
    return doc(igdb_id, name, first_release_date=released, game_type=0)
