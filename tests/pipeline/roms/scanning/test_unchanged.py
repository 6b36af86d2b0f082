"""A scan of a folder in which nothing changed opens no file of it, and writes no row but the folder's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from models import RomFile
from tests.pipeline.roms.scanning.collection import Collection

TABLES = ("rom_files", "rom_contents", "roms", "rom_members", "events", "library_entries", "deliveries", "sources")
SCAN = """
import sys
from datetime import datetime, UTC
from pathlib import Path
opened = []
# It hears of each file that Python opens, whichever way; a descriptor instead of a path is an open directory.
sys.addaudithook(lambda event, arguments: opened.append(arguments[0]) if event == "open" else None)
from pipeline.database.connecting import connect
from pipeline.roms.scanning.scan import scan_folder
report = scan_folder(connect(sys.argv[1]), int(sys.argv[2]), now=datetime.fromisoformat(sys.argv[3]))
names = {name.encode() for name in sys.argv[4:]}
of_it = [path for path in opened if isinstance(path, bytes) and path.split(b"/")[-1] in names]
print(report.outcome, report.listed, report.read, *of_it)
"""


@pytest.fixture
def collection(engine: Engine, tmp_path: Path) -> Collection:
    """A folder with subfolders and odd names, scanned until nothing is new."""
    collection = Collection(engine, tmp_path / "roms")
    for name in (
        "a.sfc",
        "snes/b.sfc",
        "snes/usa/c.sfc",
        "snes/\\d.sfc",
        "ü/é.nes",
        b"latin/\xe9\xff.bin",
        "x y/z'z.bin",
    ):
        collection.write(name, os.fsencode(name))
    collection.scan()
    collection.scan()
    return collection


def versions(engine: Engine) -> dict[str, list[tuple[str, str]]]:
    """Each row's place and the transaction that wrote it: an update that changes nothing shows too."""
    with engine.connect() as connection:
        queries = {table: f"SELECT ctid::text, xmin::text FROM {table} ORDER BY ctid" for table in TABLES}  # noqa: S608
        return {table: [tuple(row) for row in connection.execute(text(query))] for table, query in queries.items()}


def run(collection: Collection, *before: str) -> str:
    url = collection.engine.url.render_as_string(hide_password=False)
    names = [path.name for path in collection.path.rglob("*") if path.is_file() and path.name.isprintable()]
    arguments = [url, str(collection.id), collection.now.isoformat(), *names]
    done = subprocess.run(
        [*before, sys.executable, "-c", SCAN, *arguments], check=True, capture_output=True, timeout=120
    )
    return os.fsdecode(done.stdout).strip()


def test_it_writes_no_row_but_the_folders(collection: Collection, engine: Engine) -> None:
    before = versions(engine)
    report = collection.scan()
    assert (report.outcome, report.listed, report.read) == ("ended", 7, 0)
    assert versions(engine) == before


def test_it_opens_no_file(collection: Collection) -> None:
    assert run(collection) == "ended 7 0"


def test_the_hook_hears_of_a_file_that_is_opened(collection: Collection, tmp_path: Path) -> None:
    script = SCAN.replace("names = {", "open(Path(sys.argv[4]).resolve(), 'rb')\nopen(b'a.sfc', 'wb')\nnames = {", 1)
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            f"import sys; sys.path.insert(0, {str(Path.cwd())!r})\n" + script,
            collection.engine.url.render_as_string(hide_password=False),
            str(collection.id),
            collection.now.isoformat(),
            "a.sfc",
        ],
        check=False,
        capture_output=True,
        timeout=120,
        cwd=collection.path,
    )
    assert b"a.sfc" in done.stdout, done.stderr


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_strace_shows_no_open_of_a_file_of_the_collection(collection: Collection, tmp_path: Path) -> None:
    log = tmp_path / "strace"
    said = run(collection, "strace", "-f", "-y", "-e", "trace=open,openat,openat2,creat", "-o", str(log))
    assert said == "ended 7 0"
    lines = [line for line in log.read_text(errors="replace").splitlines() if "O_DIRECTORY" not in line]
    assert [line for line in lines if str(collection.path) in line] == []
    # Its directories show, so it was watched.
    assert str(collection.path) in log.read_text(errors="replace")


def test_a_new_file_is_the_only_one_that_is_read(collection: Collection) -> None:
    before = {row["id"]: row["read_at"] for row in collection.rows(RomFile)}
    collection.write("snes/new.sfc", "new")
    report = collection.scan()
    assert (report.read, report.added) == (1, 1)
    assert {
        id_: at for id_, at in ((row["id"], row["read_at"]) for row in collection.rows(RomFile)) if id_ in before
    } == before
