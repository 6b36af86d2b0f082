"""A collection in the database, as a scan leaves it: files with what is in them, and sets of them."""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sqlalchemy import Connection, Engine, insert, select, update

from models import DatGame, Rom, RomContent, RomFile, RomFolder, RomMember
from models.names import name_key
from pipeline.roms.importing import ImportedDats, import_dats
from pipeline.roms.records import Content, FileReading, Hashes
from pipeline.roms.store.identification import Identified, identify

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def hashes(data: bytes) -> Hashes:
    """Return all hashes of some bytes."""
    return Hashes(
        size=len(data),
        crc32=zlib.crc32(data),
        md5=hashlib.md5(data, usedforsecurity=False).digest(),
        sha1=hashlib.sha1(data, usedforsecurity=False).digest(),
    )


def weak(data: bytes) -> Hashes:
    """Return what the list of a zip says of some bytes."""
    return Hashes(size=len(data), crc32=zlib.crc32(data))


def plain(data: bytes, **more: Any) -> FileReading:
    """Return a file by itself."""
    return FileReading(container="plain", contents=(Content(member="", hashes=hashes(data), **more),))


def zipped(members: dict[str, bytes], *, itself: bytes = b"the bytes of a zip", deep: bool = False) -> FileReading:
    """Return a zip of these members, of which its list says CRC32 and size; all hashes where it was read deep."""
    of = hashes if deep else weak
    inside = [Content(member=name, hashes=of(data)) for name, data in members.items()]
    return FileReading(container="zip", contents=(Content(member="", hashes=of(itself)), *inside))


class Shelf:
    """Writes rows as the scan does, and asks what became of them."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self._files = 0

    def add_folder(self, name: str = "/roms", platform: str | None = None) -> int:
        """Add a folder and return its id."""
        row = {"path": name.encode(), "shown": name, "platform": platform, "added_at": NOW, "next_due_at": NOW}
        with self.engine.begin() as connection:
            return connection.execute(insert(RomFolder).values(row).returning(RomFolder.id)).scalar_one()

    def add(
        self,
        folder_id: int,
        written: str,
        files: dict[str, FileReading],
        *,
        kind: str = "file",
        platform: str | None = None,
        missing: Sequence[str] = (),
    ) -> int:
        """Add a set of these files, of which some may be missing, and return its id."""
        rom = {"folder_id": folder_id, "kind": kind, "written": written, "platform": platform, "title": written}
        rom |= {"title_key": name_key(written), "added_at": NOW}
        with self.engine.begin() as connection:
            rom_id = connection.execute(insert(Rom).values(rom).returning(Rom.id)).scalar_one()
            for place, (path, reading) in enumerate(files.items()):
                file_id = self._add_file(connection, folder_id, path, reading, is_missing=path in missing)
                connection.execute(insert(RomMember).values(rom_id=rom_id, position=place, file_id=file_id))
        return rom_id

    def _add_file(
        self, connection: Connection, folder_id: int, path: str, reading: FileReading, *, is_missing: bool
    ) -> int:
        self._files += 1
        row = {"folder_id": folder_id, "path": path.encode(), "shown": path, "size": reading.contents[0].hashes.size}
        row |= {"mtime_ns": 0, "inode": self._files, "container": reading.container, "sheet": list(reading.sheet)}
        row |= {"first_seen_at": NOW, "read_at": NOW, "error": reading.error}
        row |= {"missing_since": NOW if is_missing else None}
        file_id = connection.execute(insert(RomFile).values(row).returning(RomFile.id)).scalar_one()
        for position, content in enumerate(reading.contents):
            connection.execute(insert(RomContent).values(_content(file_id, position, content)))
        return file_id

    def write(self, name: str, data: str | bytes) -> Path:
        """Write a file to import."""
        path = self.folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def bring(self, *files: Path, platform: str | None = None) -> ImportedDats:
        """Import DATs."""
        return import_dats(self.engine, files, platform=platform, now=NOW)

    def dat(self, data: str, name: str = "a.dat") -> ImportedDats:
        """Import a DAT of this text, which nothing refuses."""
        imported = self.bring(self.write(name, data))
        assert [dat.problem for dat in imported.dats] == [None] * len(imported.dats)
        return imported

    def identify(self, folder_id: int | None = None) -> Identified:
        """Identify the sets of a folder, or all."""
        with self.engine.begin() as connection:
            return identify(connection, folder_id=folder_id, now=NOW)

    def verdict(self, rom_id: int) -> tuple[str | None, str, str | None, str | None]:
        """Return the name of a set's game, its verdict, by what it was identified, and its right name."""
        query = (
            select(DatGame.name, Rom.verdict, Rom.identified_by, Rom.right_name)
            .select_from(Rom)
            .outerjoin(DatGame, DatGame.id == Rom.dat_game_id)
            .where(Rom.id == rom_id)
        )
        with self.engine.connect() as connection:
            game, verdict, identified_by, right_name = connection.execute(query).one()
        return game, verdict, identified_by, right_name

    def platform(self, rom_id: int) -> str | None:
        """Return the platform of a set."""
        with self.engine.connect() as connection:
            return connection.execute(select(Rom.platform).where(Rom.id == rom_id)).scalar_one()

    def look_up(self, **pinned: datetime) -> None:
        """Note that all sets were matched with games, or `pinned_at` by a person, a day ago."""
        with self.engine.begin() as connection:
            connection.execute(update(Rom).values(matched_at=NOW - timedelta(days=1), **pinned))

    def due(self) -> list[int]:
        """Return the ids of sets that are due to be matched with games."""
        with self.engine.connect() as connection:
            return list(connection.scalars(select(Rom.id).where(Rom.matched_at.is_(None)).order_by(Rom.id)))

    def file_of(self, rom_id: int) -> int:
        """Return the id of a set's first file."""
        query = select(RomMember.file_id).where(RomMember.rom_id == rom_id, RomMember.position == 0)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar_one()


def _content(file_id: int, position: int, content: Content) -> dict[str, Any]:
    bare = content.headerless
    row = {"file_id": file_id, "position": position, "member": content.member, "header_bytes": content.header_bytes}
    row |= {name: getattr(content.hashes, name) for name in ("size", "crc32", "md5", "sha1")}
    row |= {f"{name}_headerless": bare and getattr(bare, name) for name in ("crc32", "md5", "sha1")}
    return row | {"disk_sha1": content.disk_sha1}


def rom_line(name: str, data: bytes, *, only: Sequence[str] = ("size", "crc", "md5", "sha1"), more: str = "") -> str:
    """Return the element of a DAT's file with these bytes, with all hashes or only some."""
    known = hashes(data)
    values = {"size": str(known.size), "crc": f"{known.crc32:08x}"}
    values |= {"md5": (known.md5 or b"").hex(), "sha1": (known.sha1 or b"").hex()}
    written = " ".join(f'{key}="{values[key]}"' for key in only)
    return f'<rom name="{name}" {written} {more}/>'


def game_of(name: str, *roms: str, more: str = "") -> str:
    """Return the element of a game."""
    return f"<game name={quoteattr(name)} {more}><description>{escape(name)}</description>{''.join(roms)}</game>"


def logiqx(*games: str, name: str = "Test", version: str = "1") -> str:
    """Return a DAT in Logiqx XML."""
    header = f"<header><name>{name}</name><version>{version}</version></header>"
    return f'<?xml version="1.0"?>\n<datafile>{header}{"".join(games)}</datafile>'
