"""Identifying a collection by DATs: hashes of 100,000 files, and DATs of 500,000 ROMs.

    uv run --frozen python bench/rom_dats.py [FILES] [ROMS] [--tiny]

The DATs, ten of them, are written as Logiqx XML and imported as the command does, platform by platform, with a clone to
each fourth game. Of the files nine in ten are in them: most by SHA-1, a fifth as members of zips, of which only CRC32
and size are known, some with a copier's header, and some by MD5. Then all are identified at once, which reads no file
and writes a verdict for each; and again, when nothing is written. Beside: the bare hash join of the same hashes, which
counts what has a SHA-1, an MD5 or a CRC32 with its size in common. Goal: 3 seconds for the first, whatever the join
takes.
"""

import hashlib
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

# A script's own folder comes first on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Connection, Engine, Table, insert, text

from bench.databases import Servers
from bench.results import Result, as_long, bounded, spoken
from bench.running import Size, run_alone
from models import Rom, RomContent, RomFile, RomFolder, RomMember
from pipeline.database.copying import copy_rows
from pipeline.roms.importing import import_dats
from pipeline.roms.store.identification import identify, needs_deep

T0 = datetime(2026, 11, 1, tzinfo=UTC)
GOAL = 3
DATS = 10
_JOIN = text("""
SELECT count(*) FROM (
    SELECT c.file_id FROM rom_contents AS c JOIN dat_roms AS d ON d.sha1 = c.sha1
    UNION ALL SELECT c.file_id FROM rom_contents AS c JOIN dat_roms AS d ON d.md5 = c.md5
    UNION ALL SELECT c.file_id FROM rom_contents AS c JOIN dat_roms AS d ON d.crc32 = c.crc32 AND d.size = c.size
) AS pairs
""")


@dataclass(frozen=True)
class Collection(Size):
    """How many files the collection has, and the DATs."""

    files: int
    roms: int


FULL, TINY = Collection(100_000, 500_000), Collection(300, 1_000)


@dataclass(frozen=True)
class Dump:
    """A file that a DAT knows."""

    name: str
    size: int
    crc32: int
    md5: bytes
    sha1: bytes


def dump(number: int) -> Dump:
    """Return what a DAT says of the file of this number."""
    digest = hashlib.sha1(b"%d" % number, usedforsecurity=False).digest()
    size = 2 ** (13 + digest[4] % 9)
    return Dump(f"Game {number} (Europe)", size, int.from_bytes(digest[:4]), digest[2:18], digest)


def dat_lines(first: int, last: int, name: str) -> Iterator[str]:
    """Yield the parts of a DAT of these files."""
    yield f'<?xml version="1.0"?>\n<datafile><header><name>{name}</name><version>20261101</version></header>\n'
    for number in range(first, last):
        rom = dump(number)
        parent = f' cloneof="Game {number - 1} (Europe)"' if number % 4 == 1 else ""
        yield (
            f'<game name="{rom.name}"{parent}><description>{rom.name}</description><rom name="{rom.name}.bin"'
            f' size="{rom.size}" crc="{rom.crc32:08x}" md5="{rom.md5.hex()}" sha1="{rom.sha1.hex()}"/></game>\n'
        )
    yield "</datafile>\n"


def write_dats(folder: Path, roms: int) -> list[Path]:
    """Write the DATs and return their files."""
    each = roms // DATS
    paths = []
    for number in range(DATS):
        paths.append(folder / f"{number}.dat")
        with paths[-1].open("w") as file:
            file.writelines(dat_lines(number * each, (number + 1) * each, f"Platform {number}"))
    return paths


def write_collection(connection: Connection, size: Collection) -> None:
    """Write files with their contents, and a set for each, as a scan leaves them."""
    dice = random.Random(5)
    known = dice.sample(range(size.roms), size.files * 9 // 10)
    numbers = [*known, *range(size.roms, size.roms + size.files - len(known))]
    dice.shuffle(numbers)
    row = {"path": b"/roms", "shown": "/roms", "added_at": T0, "next_due_at": T0}
    folder = connection.execute(insert(RomFolder).values(row).returning(RomFolder.id)).scalar_one()
    files, contents, roms = [], [], []
    for at, number in enumerate(numbers, 1):
        rom = dump(number)
        is_zip = at % 5 == 0
        path = f"{rom.name}.{'zip' if is_zip else 'bin'}"
        container = "zip" if is_zip else "plain"
        files.append((at, folder, path.encode(), path, rom.size, 0, at, container, T0, T0))
        roms.append((at, folder, "archive" if is_zip else "file", rom.name, rom.name, rom.name, T0))
        contents += _contents(at, rom, is_zip=is_zip)
    columns = ("id", "folder_id", "path", "shown", "size", "mtime_ns", "inode", "container", "first_seen_at", "read_at")
    copy_rows(connection, _table(RomFile), columns, files)
    copy_rows(
        connection,
        _table(RomContent),
        (
            *("file_id", "position", "member", "size", "crc32", "md5", "sha1", "header_bytes"),
            *("crc32_headerless", "md5_headerless", "sha1_headerless"),
        ),
        contents,
    )
    names = ("id", "folder_id", "kind", "written", "title", "title_key", "added_at")
    copy_rows(connection, _table(Rom), names, roms)
    members = [(at, 0, at) for at in range(1, len(roms) + 1)]
    copy_rows(connection, _table(RomMember), ("rom_id", "position", "file_id"), members)
    connection.execute(text("ANALYZE rom_files, rom_contents, roms, rom_members"))


def _contents(at: int, rom: Dump, *, is_zip: bool) -> list[tuple[object, ...]]:
    nothing = (0, None, None, None)
    if is_zip:
        # The zip itself, and what its list of contents says.
        digest = hashlib.sha1(b"zip %d" % at, usedforsecurity=False).digest()
        itself = (at, 0, "", rom.size // 2, int.from_bytes(digest[:4]), digest[:16], digest, *nothing)
        return [itself, (at, 1, f"{rom.name}.bin", rom.size, rom.crc32, None, None, *nothing)]
    if at % 20 == 1:
        other = hashlib.sha1(b"with header %d" % at, usedforsecurity=False).digest()
        bare = (16, rom.crc32, rom.md5, rom.sha1)
        return [(at, 0, "", rom.size + 16, int.from_bytes(other[:4]), other[:16], other, *bare)]
    sha1 = None if at % 20 == 2 else rom.sha1
    return [(at, 0, "", rom.size, rom.crc32, rom.md5, sha1, *nothing)]


def _table(model: type) -> Table:
    return cast("Table", getattr(model, "__table__"))  # noqa: B009 - models of all kinds have it


def run(servers: Servers, size: Collection) -> list[Result]:
    """Import the DATs, write the collection, and identify it."""
    engine = servers.database()
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        paths = write_dats(Path(folder), size.roms)
        began = time.perf_counter()
        imported = import_dats(engine, paths, now=T0)
        importing = time.perf_counter() - began
    assert [dat.outcome for dat in imported.dats] == ["new"] * DATS, imported.dats
    with engine.begin() as connection:
        write_collection(connection, size)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{DATS} DATs of {size.roms:,} ROMs imported in {spoken(importing)}, with {memory:,.0f} MB at most")
    return [*identified(engine, size), bounded("rom_dats: ROMs imported", size.roms / importing, "a second")]


def identified(engine: Engine, size: Collection) -> list[Result]:
    """Identify all, and again, beside the bare join."""
    joins = []
    for _ in range(2):
        with engine.begin() as connection:
            connection.execute(text("SELECT set_config('work_mem', '48MB', true)"))
            began = time.perf_counter()
            pairs = connection.execute(_JOIN).scalar_one()
            joins.append(time.perf_counter() - began)
    began = time.perf_counter()
    with engine.begin() as connection:
        first = identify(connection, now=T0)
    seconds = time.perf_counter() - began
    known = size.files * 9 // 10
    assert pairs >= known, pairs
    assert (first.roms, first.changed, first.verified) == (size.files, known, known), first
    began = time.perf_counter()
    with engine.begin() as connection:
        again = identify(connection, now=T0)
    unchanged = time.perf_counter() - began
    assert (again.changed, again.verified) == (0, known), again
    with engine.begin() as connection:
        began = time.perf_counter()
        deep = needs_deep(connection, 1)
        deciding = time.perf_counter() - began
    assert not deep, len(deep)
    name = f"rom_dats: {size.files:,} files, {size.roms:,} ROMs"
    beside = f"{spoken(min(joins))} a bare hash join"
    return [
        bounded(name, seconds, "s", most=GOAL, beside=beside),
        as_long("rom_dats: again, nothing changed", unchanged, min(joins), "a bare hash join"),
        bounded("rom_dats: which archives to read deep", deciding, "s"),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
