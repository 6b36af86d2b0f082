"""Exports of a collection into a front end's file.

    uv run --frozen python bench/rom_exports.py [GAMES] [--tiny]

A gamelist.xml with so many games is written from the rows of a collection, to the disk and with what is remembered of
it; then again with nothing changed, then with every hundredth game's text changed and file renamed. Beside: the same
rows read in the same way, and lxml making the same elements of them and writing the same file. Goal: 3 times that.
Without goal: all that, beside lxml alone with values that are in memory already.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lxml import etree
from sqlalchemy import Connection, Engine, insert, text

from bench.databases import Servers
from bench.results import Result, as_long
from bench.running import Size, run_alone
from models import Game, GameMetadata, GameState, Rom, RomContent, RomFile, RomFolder, RomMember, Work
from models.people import OWNER_ID
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.roms.exports.exporting import export
from pipeline.roms.exports.games import load_games
from pipeline.roms.exports.records import Exported, Format

T0 = datetime(2026, 11, 1, tzinfo=UTC)
DESCRIPTION = "A town by the sea, a lamp that nobody lights & a keeper who is late. " * 6
COMPANIES = [
    {"company": {"name": "Tide Works"}, "developer": True, "publisher": False},
    {"company": {"name": "Pier Games"}, "developer": False, "publisher": True},
]
ONE_IN = 100


@dataclass(frozen=True)
class Shelf(Size):
    """How many games the collection has."""

    games: int


FULL, TINY = Shelf(20_000), Shelf(300)


def fill(engine: Engine, folder: Path, count: int) -> int:
    """Write the rows of a collection whose games IGDB all knows, and return its id."""
    numbers = range(1, count + 1)
    name = {number: f"Harbour Lights {number}" for number in numbers}
    with engine.begin() as connection:
        row = {"path": bytes(folder), "shown": str(folder), "platform": "psx", "added_at": T0, "next_due_at": T0}
        made = insert(RomFolder).values(person_id=OWNER_ID, **row).returning(RomFolder.id)
        folder_id: int = connection.execute(made).scalar_one()
        lists: dict[str, list[str]] = {"themes": [], "franchises": [], "collections": [], "platforms": []}
        put(connection, Work, [{"id": n, "name": name[n], "name_key": f"h{n}", "how": "igdb"} for n in numbers])
        games = [{"id": n, "name": name[n], "name_key": f"h{n}", "public_id": f"g{n}", "work_id": n} for n in numbers]
        put(connection, Game, games)
        for n in numbers:
            entry = {"igdb_id": n, "game_id": n, "name": name[n], "name_key": f"h{n}", "summary": DESCRIPTION}
            entry |= {
                "genres": ["Adventure", "Puzzle"],
                "modes": ["Single player"],
                "companies": ["Tide Works"],
                **lists,
            }
            entry |= {
                "first_release_at": T0,
                "synced_at": T0,
                "digest": "\\x00",
                "raw": {"involved_companies": COMPANIES},
            }
            games[n - 1] = entry
        put(connection, GameMetadata, games)
        states = [
            {"person_id": OWNER_ID, "work_id": n, "rating": 80.0, "is_favourite": n % 5 == 0, "updated_at": T0}
            for n in numbers
        ]
        put(connection, GameState, states)
        roms = [{"id": n, "folder_id": folder_id, "kind": "file", "written": f"{name[n]} (USA)"} for n in numbers]
        common = {"title_key": "h", "added_at": T0, "regions": ["USA"], "languages": ["en"]}
        put(
            connection,
            Rom,
            [
                {**rom, "title": name[n], "game_id": n, "igdb_id": n, **common}
                for n, rom in zip(numbers, roms, strict=True)
            ],
        )
        files = []
        for n in numbers:
            path = f"{name[n]} (USA).chd"
            file = {"id": n, "folder_id": folder_id, "path": "\\x" + path.encode().hex(), "shown": path, "size": n}
            files.append({**file, "mtime_ns": 0, "inode": n, "first_seen_at": T0, "read_at": T0})
        put(connection, RomFile, files)
        put(connection, RomMember, [{"rom_id": n, "position": 0, "file_id": n} for n in numbers])
        sha1 = ["\\x" + f"{n:040x}" for n in numbers]
        put(
            connection,
            RomContent,
            [{"file_id": n, "position": 0, "size": n, "crc32": n, "sha1": sha1[n - 1]} for n in numbers],
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return folder_id


def put(connection: Connection, model: Any, rows: Sequence[dict[str, Any]]) -> None:
    execute_rows(connection, insert_rows(model.__table__, tuple(rows[0])), rows)


def by_lxml(rows: Sequence[Sequence[tuple[str, str]]], to: Path) -> float:
    """Return the seconds that making the elements of a gamelist and writing it to the disk takes."""
    began = time.perf_counter()
    root = etree.Element("gameList")
    for row in rows:
        game = etree.SubElement(root, "game")
        for tag, value in row:
            etree.SubElement(game, tag).text = value
    etree.indent(root, "\t")
    with to.open("wb") as file:
        etree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
        file.flush()
        os.fsync(file.fileno())
    return time.perf_counter() - began


def timed(engine: Engine, folder_id: int, to: Path, form: Format = "gamelist") -> tuple[Exported, float]:
    began = time.perf_counter()
    with engine.begin() as connection:
        exported = export(connection, person_id=OWNER_ID, format=form, folder_id=folder_id, to=to, now=T0)
    return exported, time.perf_counter() - began


def reading(engine: Engine, folder_id: int) -> float:
    """Return the seconds that reading the rows takes."""
    began = time.perf_counter()
    with engine.connect() as connection:
        load_games(connection, OWNER_ID, folder_id=folder_id)
    return time.perf_counter() - began


def least(work: Callable[[], float], times: int = 3) -> float:
    return min(work() for _ in range(times))


def change(engine: Engine) -> None:
    """Change the text and rename the file of every hundredth game."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE game_metadata SET summary = 'Other.' WHERE igdb_id % :n = 0"), {"n": ONE_IN})
        renamed = text("UPDATE rom_files SET path = decode('6e65772f', 'hex') || path WHERE id % :n = 0")
        connection.execute(renamed, {"n": ONE_IN})


def run(servers: Servers, size: Shelf) -> list[Result]:
    engine = servers.database()
    folder = Path(tempfile.mkdtemp(prefix="lootwire-bench-"))
    try:
        folder_id = fill(engine, folder, size.games)
        to = folder / "gamelist.xml"

        def anew() -> float:
            to.unlink(missing_ok=True)
            exported, seconds = timed(engine, folder_id, to)
            assert exported.added == size.games, exported
            return seconds

        first = least(anew)
        games = etree.parse(str(to)).getroot()
        assert len(games) == size.games
        rows = [[(str(field.tag), field.text or "") for field in game] for game in games]
        alone = least(lambda: by_lxml(rows, folder / "lxml.xml"))
        beside = alone + least(lambda: reading(engine, folder_id))
        before = to.stat()

        def again() -> float:
            exported, seconds = timed(engine, folder_id, to)
            assert (exported.same, exported.files) == (size.games, ()), exported
            return seconds

        second = least(again)
        assert to.stat().st_mtime_ns == before.st_mtime_ns
        change(engine)
        exported, changed = timed(engine, folder_id, to)
        # Only once there is anything to change; the others are the best of three.
        assert (exported.changed, exported.added) == (size.games // ONE_IN, 0), exported
    finally:
        shutil.rmtree(folder)
    what = "the same rows by lxml"
    return [
        as_long(f"exports: {size.games:,} games, first, reading too", first, alone, "lxml alone, from memory"),
        as_long(f"exports: {size.games:,} games, first", first, beside, what, most=3),
        as_long("exports: nothing changed", second, beside, what, most=3),
        as_long("exports: one in a hundred changed and renamed", changed, beside, what, most=3),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
