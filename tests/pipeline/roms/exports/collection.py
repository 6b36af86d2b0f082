"""A person's collection for tests of exports: rows as a scan leaves them, and what is known of their games."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, text, update

from models import GameState, LibraryEntry, ReleaseDate, Rom, RomContent, RomFile, RomFolder, RomMember
from models.names import name_key
from models.people import OWNER_ID
from pipeline.games.store.games import store_games
from pipeline.library.journal.games import GameOfWork, game_of_entry, own_game
from pipeline.library.journal.turns import begin_writing, end_writing
from pipeline.roms.exports.exporting import export
from pipeline.roms.exports.records import Exported, GameToExport
from tests.pipeline.games.documents import doc

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Collection:
    """A folder of ROMs of the owner's; only rows, since exports read no ROM."""

    def __init__(self, engine: Engine, path: Path, platform: str | None = "psx") -> None:
        self.engine = engine
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        values = {"path": bytes(path), "shown": str(path), "platform": platform, "added_at": NOON, "next_due_at": NOON}
        with engine.begin() as connection:
            row = insert(RomFolder).values(person_id=OWNER_ID, **values).returning(RomFolder.id)
            self.folder_id: int = connection.execute(row).scalar_one()

    def rom(self, *paths: str | bytes, game: GameOfWork | None = None, sha1: bytes | None = None, **values: Any) -> int:
        """Add a ROM of these files, the first of which a front end opens."""
        names = [path.encode() if isinstance(path, str) else path for path in paths]
        written = names[0].decode(errors="replace").rpartition("/")[2].rpartition(".")[0]
        row: dict[str, Any] = {
            "folder_id": self.folder_id,
            "kind": "file",
            "written": written,
            "title": written.partition(" (")[0],
            "added_at": NOON,
            "game_id": game.game_id if game else None,
            "igdb_id": game.igdb_id if game else None,
            **values,
        }
        row.setdefault("title_key", name_key(row["title"]))
        with self.engine.begin() as connection:
            rom_id: int = connection.execute(insert(Rom).values(**row).returning(Rom.id)).scalar_one()
            for position, path in enumerate(names):
                file = {"folder_id": self.folder_id, "path": path, "shown": path.decode(errors="replace"), "size": 10}
                file |= {"mtime_ns": 0, "inode": 0, "first_seen_at": NOON, "read_at": NOON}
                file_id = connection.execute(insert(RomFile).values(**file).returning(RomFile.id)).scalar_one()
                connection.execute(insert(RomMember).values(rom_id=rom_id, position=position, file_id=file_id))
                content = {"file_id": file_id, "position": 0, "size": 10, "crc32": rom_id, "md5": b"m" * 16}
                connection.execute(insert(RomContent).values(**content, sha1=sha1 or b"%020d" % file_id))
        return rom_id

    def game(self, igdb_id: int, name: str, *, released: date | None = None, **fields: Any) -> GameOfWork:
        """Add an entry of IGDB, and the game that it is."""
        if released is not None:
            at = datetime(released.year, released.month, released.day, tzinfo=UTC)
            fields["first_release_date"] = int(at.timestamp())
        with self.engine.begin() as connection:
            begin_writing(connection)
            store_games(connection, [doc(igdb_id, name, **fields)], NOON)
            if released is not None:
                row = {
                    "game_igdb_id": igdb_id,
                    "igdb_id": 1,
                    "precision": "day",
                    "date": released,
                    "year": released.year,
                }
                connection.execute(insert(ReleaseDate).values(**row, first_seen_at=NOON))
            return game_of_entry(connection, igdb_id)

    def own_game(self, title: str) -> GameOfWork:
        """Add a game that IGDB lacks."""
        with self.engine.begin() as connection:
            begin_writing(connection)
            return own_game(connection, title, NOON)

    def entry(self, game: GameOfWork, rom_id: int, **values: Any) -> int:
        """Add the entry of the library that a ROM is."""
        row = {"person_id": OWNER_ID, "game_id": game.game_id, "igdb_id": game.igdb_id, "store": "rom"}
        row |= {"external_id": f"game/{rom_id}", "platform": "PlayStation", "title": game.name, "ownership": "owned"}
        with self.engine.begin() as connection:
            begin_writing(connection)
            made = insert(LibraryEntry).values(**row, first_seen_at=NOON, **values).returning(LibraryEntry.id)
            entry_id: int = connection.execute(made).scalar_one()
            end_writing(connection, OWNER_ID, [game.work_id], NOON)
        return entry_id

    def says(self, game: GameOfWork, **values: Any) -> None:
        """Have the owner say something of a game."""
        row = {"person_id": OWNER_ID, "work_id": game.work_id, "set_by": dict.fromkeys(values, "hand")}
        with self.engine.begin() as connection:
            connection.execute(insert(GameState).values(**row, updated_at=NOON, **values))

    def rename(self, old: str, new: str) -> None:
        """Have a scan know a file again that was renamed."""
        with self.engine.begin() as connection:
            renamed = update(RomFile).where(RomFile.path == old.encode(), RomFile.folder_id == self.folder_id)
            connection.execute(renamed.values(path=new.encode(), shown=new))

    def lose(self, rom_id: int) -> None:
        """Have a scan miss a ROM."""
        with self.engine.begin() as connection:
            connection.execute(update(Rom).where(Rom.id == rom_id).values(missing_since=NOON))

    def forget_exports(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("DELETE FROM rom_exports"))

    def export(self, to: Path, format_: Any = "gamelist", **options: Any) -> Exported:
        with self.engine.begin() as connection:
            usual: dict[str, Any] = {"folder_id": self.folder_id, "now": NOON}
            return export(connection, person_id=OWNER_ID, format=format_, to=to, **usual | options)


def game(rom_id: int = 1, path: str = "/roms/psx/Moss Runner (USA).chd", **values: Any) -> GameToExport:
    """A ROM as the query gives it."""
    usual: dict[str, Any] = {"title": "Moss Runner", "dat_name": "Moss Runner (USA)", "platform": "psx"}
    usual |= {"file_id": rom_id, "files": (path.encode(),)}
    return GameToExport(rom_id=rom_id, folder=b"/roms/psx", path=path.encode(), **usual | values)
