"""How long a replay of real history takes, beside only reading and decoding the same files.

    uv run --frozen python bench/replay.py ../shared/recordings/sunkwi/week_2025-09-20.tar.xz

Replay means everything: judging, comparing, rows, events, fan-out to one subscription, marks on feeds. Goal: at most
4 times the decoding (orjson), memory under 300 MB. The two alternate, and the best of each counts.
"""

import resource
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


from bench.databases import Server, throw_away_server
from pipeline.drops.sources.mirror import TwitchDrops, TwitchRewards
from pipeline.importer.run import import_paths
from pipeline.importer.times import time_parser
from pipeline.runtime.runtime import utc_now

GOAL = 4.0
ROUNDS = 3


DECODE = """
import sys, tarfile, time, orjson
began = time.perf_counter()
with tarfile.open(sys.argv[1]) as tar:
    for member in tar:
        if (stream := tar.extractfile(member)) is not None:
            orjson.loads(stream.read())
print(time.perf_counter() - began)
"""


def decode_only(archive: Path) -> float:
    """Return the seconds that only reading and decoding takes, in a fresh process.

    Among our many objects the garbage collector would make it nearly twice as slow, and us look good.
    """
    done = subprocess.run([sys.executable, "-c", DECODE, archive], check=True, capture_output=True, text=True)
    return float(done.stdout)


def replay(server: Server, archive: Path) -> tuple[float, int, int]:
    engine = server.database()
    sources = (TwitchDrops("http://mirror.invalid"), TwitchRewards("http://mirror.invalid"))
    began = time.perf_counter()
    steps = import_paths(engine, sources, [archive], parse_time=time_parser(), now=utc_now)
    summary = deque(steps, maxlen=1)[0]
    seconds = time.perf_counter() - began
    engine.dispose()
    return seconds, summary.snapshots, summary.events.total()


def main() -> int:
    archive = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/recordings/sunkwi/week_2025-09-20.tar.xz")
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    with throw_away_server() as server:
        decodings, replays = [], []
        for _ in range(rounds):
            decodings.append(decode_only(archive))
            replays.append(replay(server, archive))
    decoding, (seconds, snapshots, events) = min(decodings), min(replays)
    ratio = seconds / decoding
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{archive.name}: {snapshots} snapshots, {events} events, best of {rounds}")
    print(f"  decode only {decoding:7.2f} s")
    print(f"  replay      {seconds:7.2f} s   {ratio:.2f} times the decoding (goal: at most {GOAL:.0f})")
    print(f"  memory      {memory:7.0f} MB peak")
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
