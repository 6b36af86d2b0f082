"""A folder of small files on a real disk, its scans, and what is known of it afterwards."""

import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from models import Event, Rom, RomContent, RomFile, RomFolder, RomMember
from pipeline.roms.scanning.scan import ScanReport, scan_folder
from pipeline.roms.store.folders import FolderOptions, add_folder

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Collection:
    """A folder that was added, with a clock that goes on by an hour with each scan."""

    def __init__(self, engine: Engine, path: Path, **options: Any) -> None:
        path.mkdir(exist_ok=True)
        self.engine = engine
        self.path = path
        self.now = NOON
        self._ticks = 0
        with engine.begin() as connection:
            self.id = add_folder(connection, path, options=FolderOptions(**options), now=NOON).id

    def write(self, name: str | bytes, data: bytes | str = b"") -> Path:
        path = self.path / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        self._ticks += 1
        # Two writes within one tick of the file system's clock would leave the same time.
        os.utime(path, ns=(self._ticks * 1_000_000_000, self._ticks * 1_000_000_000))
        return path

    def move(self, name: str, to: str) -> None:
        (self.path / to).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).rename(self.path / to)

    def remove(self, name: str) -> None:
        path = self.path / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    def scan(self, engine: Engine | None = None, **options: Any) -> ScanReport:
        self.now += HOUR
        return scan_folder(engine or self.engine, self.id, now=self.now, **{"readers": 1, **options})

    def rows(self, model: Any) -> list[dict[str, Any]]:
        table = model.__table__
        with self.engine.connect() as connection:
            rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            return [dict(row) for row in rows]

    def row(self) -> Mapping[str, Any]:
        return next(row for row in self.rows(RomFolder) if row["id"] == self.id)

    def file(self, path: str | bytes) -> Mapping[str, Any]:
        return next(row for row in self.rows(RomFile) if row["path"] == os.fsencode(path))

    def rom(self, written: str) -> Mapping[str, Any]:
        return next(row for row in self.rows(Rom) if row["written"] == written)

    def events(self) -> list[tuple[str, list[str]]]:
        """The kinds of the events that make messages, in order, with the ROMs that each names."""
        return [
            (row["kind"], [game["name"] for game in row["detail"].get("games", [])])
            for row in self.rows(Event)
            if not row["silent"]
        ]

    def state(self) -> dict[str, Any]:
        """What is known of the files that are there, without what two collections of the same files may differ in."""
        files = {row["id"]: row for row in self.rows(RomFile) if row["folder_id"] == self.id}
        present = {id_: row for id_, row in files.items() if row["missing_since"] is None}
        contents: dict[bytes, list[Any]] = {row["path"]: [] for row in present.values()}
        for row in self.rows(RomContent):
            if row["file_id"] in present:
                values = {key: value for key, value in row.items() if key not in {"file_id", "position"}}
                contents[present[row["file_id"]]["path"]].append(values)
        members: dict[int, list[bytes]] = {}
        for row in self.rows(RomMember):
            members.setdefault(row["rom_id"], []).append(
                files[row["file_id"]]["path"] if row["file_id"] in files else b""
            )
        kept = ("kind", "written", "platform", "title", "year", "verdict")
        return {
            "files": {
                row["path"]: (
                    row["size"],
                    row["mtime_ns"],
                    row["inode"],
                    row["container"],
                    row["error"],
                    row["absences"],
                )
                for row in present.values()
            },
            "contents": contents,
            "roms": sorted(
                (members.get(row["id"], []), *(str(row[name]) for name in kept))
                for row in self.rows(Rom)
                if row["folder_id"] == self.id and row["missing_since"] is None
            ),
        }
