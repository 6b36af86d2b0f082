"""Imports that are repeated, split or killed come to the same end: campaigns, events and published feeds.

The short form imports an invented history of two days, the full one also a recorded quarter, 2.4 GB of JSON, where the
recordings lie beside the checkout (tests/paths.py).
"""

import gzip
import random
import signal
import tarfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, text

from feeds.publish import publish
from models import Event
from pipeline.export.reading import one_moment
from pipeline.export.tables import all_kinds
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from tests.campaigns.campaign import CannotRun, Claim, Size, Trial, at_least, exactly, figure, none_of
from tests.campaigns.own_servers import OwnDatabases, own_databases
from tests.campaigns.program import start
from tests.paths import RECORDINGS
from tests.pipeline.builders import NOON, campaign, channel, drop, drops, encode, kick, kick_campaign, quest
from tests.pipeline.world import SOURCES
from tests.waiting import wait_for

HOUR = timedelta(hours=1)
# Seconds for a share of a quarter, which begins with reading what is known already.
PATIENCE = 1800.0
# Before today, by the clock of the program that is killed: it takes no name at its word that tells of the future.
BEGAN = datetime(2025, 1, 5, 12, tzinfo=UTC)
NOW = NOON
ADDRESS = "http://127.0.0.1:8420"
SUNKWI = RECORDINGS / "sunkwi"
SEQUENCE = SUNKWI / "sequence"
QUARTER = SUNKWI / "quarter_2025-01.tar.xz"
# Stops an import in the midst of a transaction: an invented history is over before a look into the database is.
BRAKE = 4711
PUT_ON_BRAKE = """
CREATE FUNCTION brake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT count(*) FROM events) >= {events} THEN PERFORM pg_advisory_xact_lock({brake}); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER brake AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION brake();
"""
IS_STOPPED = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :brake AND NOT granted")
Outcome = tuple[dict[str, list[dict[str, Any]]], dict[str, bytes]]


@dataclass(frozen=True, kw_only=True)
class Imports(Size):
    """So many kills of the import of an invented history; `quarter` says whether a recorded one comes after that."""

    kills: int
    quarter: bool
    quarter_kills: int = 0


FULL = Imports(kills=6, quarter=True, quarter_kills=6)
SHORT = Imports(kills=3, quarter=False)


@dataclass
class Importing:
    """Makes databases, and imports into them in this process or in another that may be killed."""

    own: OwnDatabases
    folder: Path
    stack: ExitStack

    def database(self) -> Engine:
        return self.stack.enter_context(self.own.databases.new())

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
        process = start(engine, self.own.servers, self.folder, "import", str(path))

        def is_time() -> bool:
            return events(engine) >= already + after or process.poll() is not None

        wait_for(is_time, seconds=PATIENCE)
        process.kill()
        return process.wait() == -signal.SIGKILL

    def kill_within(self, engine: Engine, path: Path, after: int) -> bool:
        """Start an import, kill it in the transaction that appends so many more events; say whether it died of that."""
        with engine.begin() as connection:
            connection.exec_driver_sql(PUT_ON_BRAKE.format(events=events(engine) + after, brake=BRAKE))
        with engine.connect() as ours, engine.connect() as looking:
            ours.execute(select(func.pg_advisory_xact_lock(BRAKE)))
            process = start(engine, self.own.servers, self.folder, "import", str(path))

            def is_time() -> bool:
                return looking.scalar(IS_STOPPED, {"brake": BRAKE}) == 1 or process.poll() is not None

            wait_for(is_time, seconds=PATIENCE)
            process.kill()
            code = process.wait()
        # It waits for the session of the dead one, whose transaction ends here.
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION brake CASCADE")
        return code == -signal.SIGKILL


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
    """Unpack the recorded snapshots."""
    folder.mkdir(exist_ok=True)
    paths = []
    for path in sorted(SEQUENCE.glob("*.json.gz")):
        plain = folder / path.name.removesuffix(".gz")
        plain.write_bytes(gzip.decompress(path.read_bytes()))
        paths.append(plain)
    return paths


def run(size: Imports, trial: Trial) -> Sequence[Claim]:
    """Import each history at once, again, in halves and with kills, and compare what comes of it."""
    # Before anything takes its time.
    if size.quarter and not QUARTER.is_file():
        raise CannotRun(f"the recordings are not here: {QUARTER}")
    with own_databases() as own, ExitStack() as stack:
        importing = Importing(own, trial.folder, stack)
        invented = trial.folder / "invented"
        claims = _repeated(importing, "invented", invented, write_history(invented))
        claims += _killed(size.kills, trial, importing, invented)
        if SEQUENCE.is_dir():
            folder = trial.folder / "recorded"
            claims += _repeated(importing, "recorded", folder, recorded(folder))
        else:
            trial.say(f"without the recordings, which are not here: {SEQUENCE}")
        if size.quarter:
            claims += _quarter(size.quarter_kills, trial, importing)
    return claims


def _repeated(importing: Importing, name: str, folder: Path, files: Sequence[Path]) -> list[Claim]:
    once, twice, halves = importing.database(), importing.database(), importing.database()
    importing.run(once, folder)
    expected = importing.outcome(once, f"{name} once")
    importing.run(twice, folder)
    again = importing.run(twice, folder)
    importing.run(halves, *files[: len(files) // 2])
    importing.run(halves, *files[len(files) // 2 :])
    kinds = {event["kind"] for event in expected[0]["events"]}
    wanted = {"campaign.withdrawn", "campaign.returned", "source.changed"} if name == "invented" else set()
    return [
        at_least(f"{name}: events", len(expected[0]["events"]), 50),
        none_of(f"{name}: kinds of events that it was to have", sorted(wanted - kinds)),
        exactly(f"{name}: events of a second import", again.events.total(), 0),
        none_of(f"{name}, twice: differs in", differences(importing.outcome(twice, f"{name} twice"), expected)),
        none_of(f"{name}, in halves: differs in", differences(importing.outcome(halves, f"{name} halves"), expected)),
    ]


def _killed(kills: int, trial: Trial, importing: Importing, folder: Path) -> list[Claim]:
    undisturbed, killed = importing.database(), importing.database()
    importing.run(undisturbed, folder)
    expected = importing.outcome(undisturbed, "undisturbed")
    # Few events later each time, so that some are left for the last kill.
    most = max(3, 60 // kills)
    done = sum(importing.kill_within(killed, folder, trial.dice.randrange(2, most)) for _ in range(kills))
    importing.run(killed, folder)
    return [
        exactly("invented: kills in the midst of it", done, kills),
        none_of("invented, killed: differs in", differences(importing.outcome(killed, "killed"), expected)),
    ]


def _quarter(kills: int, trial: Trial, importing: Importing) -> list[Claim]:
    once, halves, killed = importing.database(), importing.database(), importing.database()
    began = time.monotonic()
    first = importing.run(once, QUARTER)
    seconds = time.monotonic() - began
    expected = importing.outcome(once, "quarter once")
    trial.say(f"a quarter in {seconds:.0f} s: {first.snapshots} snapshots, {first.events.total()} events")
    again = importing.run(once, QUARTER)
    claims = [
        exactly("a quarter: snapshots of a second import", again.snapshots, first.snapshots),
        exactly("a quarter: events of a second import", again.events.total(), 0),
        none_of("a quarter, twice: differs in", differences(importing.outcome(once, "quarter twice"), expected)),
    ]
    for half in in_halves(QUARTER, trial.folder):
        importing.run(halves, half)
    differing = differences(importing.outcome(halves, "quarter halves"), expected)
    claims.append(none_of("a quarter, in halves: differs in", differing))
    share = first.events.total() // kills
    struck = [importing.kill_midway(killed, QUARTER, trial.dice.randrange(share // 2, share)) for _ in range(kills)]
    left = first.events.total() - events(killed)
    importing.run(killed, QUARTER)
    return [
        *claims,
        exactly("a quarter: kills in the midst of it", sum(struck), kills),
        at_least("a quarter: events left after the kills", left, 1),
        none_of("a quarter, killed: differs in", differences(importing.outcome(killed, "q killed"), expected)),
        figure("a quarter: snapshots", first.snapshots),
        figure("a quarter: seconds of an import", seconds, "s"),
        figure("a quarter: published files", len(expected[1])),
    ]


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


def differences(outcome: Outcome, expected: Outcome) -> list[str]:
    """Say what differs, rather than show everything."""
    (tables, files), (expected_tables, expected_files) = outcome, expected
    differing = []
    for table, rows in expected_tables.items():
        pairs = [(a, b) for a, b in zip(tables[table], rows, strict=False) if a != b]
        if pairs:
            a, b = pairs[0]
            columns = {name: (a[name], b[name]) for name in b if a.get(name) != b[name]}
            differing.append(f"{len(pairs)} rows of {table}, the first in {columns}")
        elif len(tables[table]) != len(rows):
            differing.append(f"{len(tables[table])} rows of {table} for {len(rows)}")
    names = files.keys() | expected_files.keys()
    return differing + sorted(path for path in names if files.get(path) != expected_files.get(path))
