"""Scanning a collection: a first time, again, and with one new file, beside the tools that list and hash files.

    uv run --frozen python bench/roms.py [FILES] [LARGE_MB] [--tiny]

As many files of 16 KiB are scanned into an empty database, beside `find -type f -print0 | xargs -0 -P2 sha1sum`; then
again with nothing changed, beside `find -printf '%p %s %T@'`; then with one new file. And large files of so many
megabytes in all with two processes, beside the same two sha1sum. Files are made anew, and read once before anything is
measured, so that all of them lie in memory. Where Node and igir are there (`igir` on the path), `igir report` has the
same small files, first with an empty cache and then again.
Goals: 2 times xargs, 3 times find, 1.3 times xargs for large files, and 300 MB in all processes.
"""

import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Engine, func, select

from bench.databases import Servers
from bench.results import Result, as_long, bounded, faster
from bench.running import Size, run_alone
from models import Rom, RomContent, RomFile
from pipeline.roms.scanning.scan import ScanReport, scan_folder
from pipeline.roms.store.folders import add_folder

T0 = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SMALL = 16 * 2**10
PLATFORMS = (("snes", "sfc"), ("nes", "nes"), ("gb", "gb"), ("megadrive", "md"))
IN_A_FOLDER = 500


@dataclass(frozen=True)
class Files(Size):
    """How many small files there are, and how many megabytes large ones have in all."""

    files: int
    large_mb: int


FULL, TINY = Files(100_000, 8192), Files(400, 24)


def make_small(root: Path, count: int) -> None:
    """Write files that differ, in folders of platforms."""
    dice = random.Random(23)
    noise = dice.randbytes(2**20)
    for number in range(count):
        slug, ending = PLATFORMS[number % len(PLATFORMS)]
        folder = root / slug / f"{number // IN_A_FOLDER // len(PLATFORMS):03d}"
        if number % (IN_A_FOLDER * len(PLATFORMS)) < len(PLATFORMS):
            folder.mkdir(parents=True)
        begin = dice.randrange(len(noise) - SMALL)
        data = number.to_bytes(8) + noise[begin : begin + SMALL - 8]
        (folder / f"Game of Number {number:06d} (USA) (Rev {number % 7}).{ending}").write_bytes(data)


def make_large(root: Path, megabytes: int) -> None:
    """Write eight files, which have so many megabytes in all."""
    noise = random.Random(29).randbytes(2**20)
    root.mkdir()
    for number in range(8):
        with (root / f"Disc {number} (Europe).iso").open("wb") as file:
            for block in range(megabytes // 8):
                file.write(number.to_bytes(8) + block.to_bytes(8) + noise[16:])


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def hash_by_xargs(root: Path) -> float:
    """Return the seconds of two sha1sum at once."""
    return timed(lambda: _shell("find . -type f -print0 | xargs -0 -P2 sha1sum >/dev/null", root))


def list_by_find(root: Path) -> float:
    """Return the seconds of a bare listing; the best of three."""
    return min(timed(lambda: _shell("find . -printf '%p %s %T@\\n' >/dev/null", root)) for _ in range(3))


def scan(
    engine: Engine, folder_id: int, hours: int, on_read: Callable[[int], object] = lambda _: None
) -> tuple[float, ScanReport]:
    """Scan a folder, and return the seconds and the report."""
    began = time.perf_counter()
    # Titles are matched with games afterwards, which bench/rom_titles.py measures.
    report = scan_folder(engine, folder_id, now=T0 + hours * HOUR, readers=2, match=False, on_read=on_read)
    seconds = time.perf_counter() - began
    assert report.outcome == "ended", report
    return seconds, report


def run(servers: Servers, size: Files) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-roms-") as name:
        small, large = Path(name) / "small", Path(name) / "large"
        make_small(small, size.files)
        make_large(large, size.large_mb)
        hash_by_xargs(small)
        return [*of_small(servers.database(), small, size.files), *of_large(servers.database(), large, size.large_mb)]


def of_small(engine: Engine, root: Path, count: int) -> list[Result]:
    """Scan small files: first, again, and with one that is new."""
    with engine.begin() as connection:
        folder_id = add_folder(connection, root, now=T0).id
    memory = Memory()
    first, report = scan(engine, folder_id, 1, memory.look)
    assert (report.listed, report.read, report.unread) == (count, count, 0), report
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    hashing = hash_by_xargs(root)
    with engine.connect() as connection:
        counts = [connection.scalar(select(func.count()).select_from(model)) for model in (RomFile, RomContent, Rom)]
    assert counts == [count] * 3, counts
    again = min(_again(engine, folder_id, count, hours) for hours in (2, 3, 4))
    listing = list_by_find(root)
    (root / "snes" / "One More Game (Japan).sfc").write_bytes(b"new" * 1000)
    seconds, report = scan(engine, folder_id, 5)
    assert (report.read, report.added) == (1, 1), report
    return [
        as_long(f"roms: {count:,} files of 16 KiB, first", first, hashing, "find | xargs -P2 sha1sum", most=2),
        as_long("roms: again, nothing changed", again, listing, "find -printf", most=3),
        bounded("roms: one new file", seconds, "s", beside=f"{report.read} file read"),
        bounded("roms: memory of all three processes", own + memory.readers_mb, "MB", most=300),
        *_beside_igir(root, first, again),
    ]


def of_large(engine: Engine, root: Path, megabytes: int) -> list[Result]:
    """Scan large files with two processes."""
    with engine.begin() as connection:
        folder_id = add_folder(connection, root, now=T0).id
    hash_by_xargs(root)
    seconds, report = scan(engine, folder_id, 1)
    assert report.read == 8, report
    hashing = hash_by_xargs(root)
    return [as_long(f"roms: {megabytes:,} MB in 8 files", seconds, hashing, "find | xargs -P2 sha1sum", most=1.3)]


def _again(engine: Engine, folder_id: int, count: int, hours: int) -> float:
    seconds, report = scan(engine, folder_id, hours)
    assert (report.listed, report.read, report.added) == (count, 0, 0), report
    return seconds


def _beside_igir(root: Path, first: float, again: float) -> Sequence[Result]:
    if (igir := shutil.which("igir")) is None:
        print("igir is not there, and left out")
        return ()
    with tempfile.TemporaryDirectory() as cache:
        command = [igir, "report", "--input", str(root), "--input-checksum-min", "SHA1", "--disable-cache"]
        kept = [*command[:-1], "--cache-path", os.path.join(cache, "igir.cache")]  # noqa: PTH118
        theirs = timed(lambda: subprocess.run(kept, check=True, stdout=subprocess.DEVNULL))
        theirs_again = timed(lambda: subprocess.run(kept, check=True, stdout=subprocess.DEVNULL))
    return (
        faster("roms: first, beside igir", first, theirs, "igir report", least=1),
        faster("roms: again, beside igir", again, theirs_again, "igir report", least=5),
    )


class Memory:
    """The most that the reading processes took together, looked at as they read."""

    def __init__(self) -> None:
        self.readers_mb = 0.0

    def look(self, _: int) -> None:
        peaks = [_peak_kb(int(pid)) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
        self.readers_mb = max(self.readers_mb, sum(peaks) / 1024)


def _peak_kb(pid: int) -> int:
    """Return the most that a reader took so far; other processes are none of ours."""
    folder = Path("/proc") / str(pid)
    if b"scanning.reader" not in (folder / "cmdline").read_bytes():
        return 0
    lines = (folder / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _shell(command: str, root: Path) -> None:
    subprocess.run(["bash", "-c", command], check=True, cwd=root)


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
