"""How long a replay of real history takes, beside only reading and decoding the same files.

    uv run --frozen python bench/replay.py [ARCHIVE] [ROUNDS] [--tiny]

Replay means everything: judging, comparing, rows, events, fan-out, marks on feeds. Goal: at most 4 times the decoding
(orjson), memory under 300 MB; beside 100,000 subscriptions of all sorts (bench/match.py) at most 1.2 times as long as
without any. The best of each counts.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import match
from bench.databases import Servers
from bench.recordings import RECORDINGS, existing
from bench.results import Result, as_long, bounded
from bench.running import Size, run_alone
from bench.snapshots import archive
from pipeline.drops.sources.mirror import TwitchDrops, TwitchRewards
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from pipeline.runtime.runtime import utc_now

GOAL, MEMORY_GOAL, CROWD_GOAL = 4, 300, 1.2


@dataclass(frozen=True)
class History(Size):
    """An archive, or else so many made-up snapshots; how often it is replayed, and beside how many subscriptions."""

    archive: Path | None
    rounds: int
    snapshots: int = field(default=0, kw_only=True)
    subscriptions: int = field(default=100_000, kw_only=True)


FULL = History(RECORDINGS / "sunkwi" / "week_2025-09-20.tar.xz", 3)
TINY = History(None, 1, snapshots=5, subscriptions=300)

DECODE = """
import sys, tarfile, time, orjson
began = time.perf_counter()
with tarfile.open(sys.argv[1]) as tar:
    for member in tar:
        if (stream := tar.extractfile(member)) is not None:
            orjson.loads(stream.read())
print(time.perf_counter() - began)
"""


def decode_only(path: Path) -> float:
    """Return the seconds that only reading and decoding takes, in a fresh process.

    Among our many objects the garbage collector would make it nearly twice as slow, and us look good.
    """
    done = subprocess.run([sys.executable, "-c", DECODE, path], check=True, capture_output=True, text=True)
    return float(done.stdout)


def replay(servers: Servers, path: Path, subscriptions: int) -> tuple[float, Summary]:
    engine = servers.database()
    if subscriptions:
        match.fill(engine, match.Interest(subscriptions, 0))
    sources = (TwitchDrops("http://mirror.invalid"), TwitchRewards("http://mirror.invalid"))
    began = time.perf_counter()
    steps = import_paths(engine, sources, [path], parse_time=time_parser(), now=utc_now)
    summary = deque(steps, maxlen=1)[0]
    seconds = time.perf_counter() - began
    engine.dispose()
    assert summary.snapshots, "the archive holds snapshots"
    assert summary.events, "something happened in it"
    assert not summary.quarantined, summary.quarantined
    return seconds, summary


def run(servers: Servers, size: History) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        path = existing(size.archive) if size.archive else archive(Path(folder), size.snapshots, campaigns=20)
        decodings, replays = [], []
        for _ in range(size.rounds):
            decodings.append(decode_only(path))
            replays.append(replay(servers, path, 0))
        # Before those who write the subscriptions make it more.
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        crowded = min(replay(servers, path, size.subscriptions)[0] for _ in range(size.rounds))
    seconds, summary = min(replays, key=lambda timed: timed[0])
    print(f"{path.name}: {summary.snapshots} snapshots, {summary.events.total()} events, best of {size.rounds}")
    return [
        as_long("replay", seconds, min(decodings), "decoding the same files (orjson)", most=GOAL),
        as_long(f"replay: beside {size.subscriptions:,} subscriptions", crowded, seconds, "none", most=CROWD_GOAL),
        bounded("replay: memory", memory, "MB", most=MEMORY_GOAL),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
