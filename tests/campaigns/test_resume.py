"""Imports that are repeated, split or killed come to the same end: campaigns, events and published feeds.

The short form imports two days, the long one (LOOTWIRE_CAMPAIGN=long) also a recorded quarter: 2.4 GB of JSON.
"""

import gzip
import os
import random
import signal
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from feeds.publish import publish
from models import Event
from pipeline.embedded import Servers
from pipeline.export.reading import one_moment
from pipeline.export.tables import all_kinds
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from tests.campaigns.program import start
from tests.databases import Databases
from tests.paths import RECORDINGS
from tests.pipeline.builders import NOON, campaign, channel, drop, drops, encode, kick, kick_campaign, quest
from tests.pipeline.world import SOURCES
from tests.waiting import wait_for

pytestmark = pytest.mark.long

HOUR = timedelta(hours=1)
# Before today, by the clock of the program that is killed: it takes no name at its word that tells of the future.
BEGAN = datetime(2025, 1, 5, 12, tzinfo=UTC)
NOW = NOON
ADDRESS = "http://127.0.0.1:8420"
LONG = os.environ.get("LOOTWIRE_CAMPAIGN") == "long"
SUNKWI = RECORDINGS / "sunkwi"
SEQUENCE = SUNKWI / "sequence"
QUARTER = SUNKWI / "quarter_2025-01.tar.xz"
KILLS = 6
Outcome = tuple[dict[str, list[dict[str, Any]]], dict[str, bytes]]


@dataclass
class Importing:
    """Makes databases, and imports into them in this process or in another that may be killed."""

    databases: Databases
    servers: Servers
    folder: Path
    stack: ExitStack

    def database(self) -> Engine:
        return self.stack.enter_context(self.databases.new())

    def run(self, engine: Engine, *paths: Path) -> Summary:
        steps = import_paths(engine, SOURCES, paths, parse_time=time_parser(), now=lambda: NOW)
        return [Summary(), *steps][-1]

    def outcome(self, engine: Engine, name: str) -> Outcome:
        """Return all rows and the published folder, without the times at which something was recorded."""
        root = self.folder / f"published {name}"
        assert publish(engine, root, ADDRESS, NOW).failures == []
        files = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        return known(engine), files

    def kill_midway(self, engine: Engine, path: Path, after: int) -> bool:
        """Start an import, kill it once it has made so many more events, and say whether it died of that."""
        already = events(engine)
        process = start(engine, self.servers, self.folder, "import", str(path))
        wait_for(lambda: events(engine) >= already + after or process.poll() is not None, seconds=60)
        process.kill()
        return process.wait() == -signal.SIGKILL


@pytest.fixture
def importing(databases: Databases, servers: Servers, tmp_path: Path) -> Iterator[Importing]:
    with ExitStack() as stack:
        yield Importing(databases, servers, tmp_path, stack)


def known(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    with one_moment(engine) as moment:
        rows = {kind.table.name: [line.fields for line in moment.rows(kind, above)] for kind, above in all_kinds()}
    for event in rows["events"]:
        del event["recorded_at"], event["silent"]
    for change in rows["held_changes"]:
        del change["held_at"]
    return rows


def events(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Event)) or 0


def write_history(folder: Path, snapshots: int = 40, seed: int = 3) -> list[Path]:
    """Write an invented history with all that judging knows: outages, gaps, vanishing, returning, flapping."""
    dice = random.Random(seed)  # noqa: S311 - the same history each time
    names = [f"c{number}" for number in range(14)]
    # Days before, so that the source is known for long enough to be believed.
    files = [(f"drops/{BEGAN - 100 * HOUR:%Y-%m-%dT%H%M%SZ}.json", drops(_campaign("c0", 0, dice)))]
    for number in range(snapshots):
        at = BEGAN + number * HOUR
        listed = [_campaign(name, number, dice) for name in names if _is_listed(name, number, dice)]
        if number in {10, 31}:
            # An outage that names something new is believed in that alone, whenever it is read.
            listed = [_campaign(f"only in an outage {number}", number, dice)] if number == 31 else []
        if 33 <= number <= 37:
            # It lists less and stays so, but for one that comes and goes.
            listed = listed[number % 2 : 3]
        files.append((f"drops/{at:%Y-%m-%dT%H%M%SZ}.json", drops(*listed, empty_groups=["7009"])))
        if number % 7 == 0:
            quests = [quest(f"q{n}", end=BEGAN + (10 + 9 * n) * HOUR) for n in range(number // 7, number // 7 + 3)]
            files.append((f"rewards/{at:%Y-%m-%dT%H%M%SZ}.json", encode(quests)))
        if number % 11 == 0:
            files.append((f"kick/{at:%Y-%m-%dT%H%M%SZ}.json", kick(kick_campaign(f"k{number}", end=at + 20 * HOUR))))
        if number % 17 == 5:
            files.append((f"broken/{at:%Y-%m-%dT%H%M%SZ}.json", drops(*listed)[: 900 + number]))
    written = []
    for name, payload in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(payload)
        written.append(path)
    return sorted(written, key=lambda path: path.name)


def _is_listed(name: str, number: int, dice: random.Random) -> bool:
    first = int(name[1:]) * 3
    gone_for_a_while = first + 8 <= number < first + 12 and first % 2
    # At first its source is well, so that what is gone is believed to be.
    flickers = number > 16 and dice.random() < 0.02
    return first <= number < first + 30 and not gone_for_a_while and not flickers


def _campaign(name: str, number: int, dice: random.Random) -> dict[str, Any]:
    first = sum(map(ord, name)) % 40
    logins = [channel(n, None, dice.choice(["", None])) for n in range(1, 3 + number % 5)]
    return campaign(
        name,
        name=f"Campaign {name}" + (" again" if (number + first) % 13 == 0 else ""),
        channels=[] if number % 19 == 4 else logins,
        drops=[drop(f"{name}-{n}", 30 * (n + 1)) for n in range(1 + number // 20)],
        game_id=str(7001 + first % 3),
        end=BEGAN + (first + 25 + number // 30) * HOUR,
        startAt=(BEGAN - HOUR).isoformat(),
    )


def recorded(folder: Path) -> list[Path]:
    if not SEQUENCE.is_dir():
        pytest.skip(f"the recordings are not here: {SEQUENCE}")
    paths = []
    for path in sorted(SEQUENCE.glob("*.json.gz")):
        plain = folder / path.name.removesuffix(".gz")
        folder.mkdir(exist_ok=True)
        plain.write_bytes(gzip.decompress(path.read_bytes()))
        paths.append(plain)
    return paths


HISTORIES: Sequence[Any] = [
    pytest.param(write_history, id="invented"),
    pytest.param(recorded, id="recorded", marks=pytest.mark.recordings),
]


@pytest.mark.parametrize("write", HISTORIES)
def test_an_import_that_is_repeated_or_split_gives_the_same_as_one(
    write: Callable[[Path], list[Path]], importing: Importing, tmp_path: Path
) -> None:
    folder = tmp_path / "history"
    files = write(folder)
    once, twice, halves = importing.database(), importing.database(), importing.database()
    importing.run(once, folder)
    expected = importing.outcome(once, "once")
    assert len(expected[0]["events"]) > 50
    if write is write_history:
        assert {"campaign.withdrawn", "campaign.returned", "source.changed"} <= {
            e["kind"] for e in expected[0]["events"]
        }

    importing.run(twice, folder)
    again = importing.run(twice, folder)
    importing.run(halves, *files[: len(files) // 2])
    importing.run(halves, *files[len(files) // 2 :])

    assert again.events.total() == 0
    assert_same(importing.outcome(twice, "twice"), expected)
    assert_same(importing.outcome(halves, "halves"), expected)


@pytest.mark.parametrize("seed", [1, 2])
def test_an_import_that_is_killed_again_and_again_gives_the_same_in_the_end(
    seed: int, importing: Importing, tmp_path: Path
) -> None:
    folder = tmp_path / "history"
    write_history(folder)
    undisturbed, killed = importing.database(), importing.database()
    importing.run(undisturbed, folder)
    expected = importing.outcome(undisturbed, "undisturbed")
    dice = random.Random(seed)  # noqa: S311 - a failure must come again

    kills = sum(importing.kill_midway(killed, folder, dice.randrange(2, 40)) for _ in range(3))
    importing.run(killed, folder)

    assert kills >= 2, "the imports were over before they could be killed"
    assert_same(importing.outcome(killed, "killed"), expected)


@pytest.mark.skipif(not LONG, reason="LOOTWIRE_CAMPAIGN=long runs it")
@pytest.mark.recordings
def test_a_recorded_quarter_gives_the_same_whether_repeated_split_or_killed(
    importing: Importing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not QUARTER.is_file():
        pytest.skip(f"the recordings are not here: {QUARTER}")
    once, halves, killed = importing.database(), importing.database(), importing.database()
    timings = Timings()
    first = timings.of("once", lambda: importing.run(once, QUARTER))
    expected = importing.outcome(once, "once")

    again = timings.of("the same again", lambda: importing.run(once, QUARTER))
    assert (again.snapshots, again.events.total()) == (first.snapshots, 0)
    assert_same(importing.outcome(once, "twice"), expected)

    for number, half in enumerate(in_halves(QUARTER, tmp_path), start=1):
        timings.of(f"half {number}", lambda: importing.run(halves, half))  # noqa: B023 - called at once
    assert_same(importing.outcome(halves, "halves"), expected)

    dice = random.Random(2025)  # noqa: S311 - a failure must come again
    share = first.events.total() // KILLS
    kills = [importing.kill_midway(killed, QUARTER, dice.randrange(share // 2, share)) for _ in range(KILLS)]
    assert all(kills), "the imports were over before they could be killed"
    assert events(killed) < first.events.total()
    timings.of(f"after {KILLS} kills", lambda: importing.run(killed, QUARTER))
    assert_same(importing.outcome(killed, "killed"), expected)
    counts = {table: len(rows) for table, rows in expected[0].items()}
    with capsys.disabled():
        sys.stdout.write(f"\n{timings}\n{counts}; {len(expected[1])} published files\n")


class Timings:
    """The figures of each import, for a person who runs the long form: what came in, and in how many seconds."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def of(self, what: str, run: Callable[[], Summary]) -> Summary:
        began = time.monotonic()
        summary = run()
        seconds = time.monotonic() - began
        self._lines.append(f"{what}: {summary.snapshots} snapshots, {summary.events.total()} events, {seconds:.1f} s")
        return summary

    def __str__(self) -> str:
        return "\n".join(self._lines)


def in_halves(archive: Path, folder: Path) -> list[Path]:
    """Write the members of an archive into two, the first half and the rest."""
    with tarfile.open(archive) as counted:
        half = sum(1 for _ in counted) // 2
    paths = [folder / "first.tar.gz", folder / "rest.tar.gz"]
    with ExitStack() as stack:
        first, rest = (stack.enter_context(tarfile.open(path, "w:gz", compresslevel=1)) for path in paths)
        whole = stack.enter_context(tarfile.open(archive))
        for number, member in enumerate(whole):
            (first if number < half else rest).addfile(member, whole.extractfile(member))
    return paths


def assert_same(outcome: Outcome, expected: Outcome) -> None:
    """Say what differs, rather than show everything."""
    (tables, files), (expected_tables, expected_files) = outcome, expected
    for table, rows in expected_tables.items():
        differing = [(table, a, b) for a, b in zip(tables[table], rows, strict=False) if a != b]
        if differing:
            _, a, b = differing[0]
            what = {name: (a[name], b[name]) for name in b if a.get(name) != b[name]}
            pytest.fail(f"{len(differing)} rows of {table} differ, the first in {what}: {a}")
        assert len(tables[table]) == len(rows), table
    assert [path for path, data in expected_files.items() if files.get(path) != data] == []
    assert files.keys() == expected_files.keys()
