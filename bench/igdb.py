"""A full mirror of IGDB through parse, compare and store, and the same again when nothing changed.

    uv run --frozen python bench/igdb.py [DOCUMENTS]

Made-up documents (bench/igdb_documents.py), in pages of 500 as IGDB sends them, each from its bytes to its commit: into
an empty database, again unchanged, and again with every game's rating changed. Making the pages is not counted.
Goals: at least 4,000 games a second into an empty database, at least 20,000 unchanged, and less than 400 MB of memory.
"""

import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Engine, text

from bench.databases import throw_away_server
from bench.igdb_documents import PAGE, page
from pipeline.games.store.games import store_games
from pipeline.services.igdb.documents import split_documents

ALL = 300_000
GOALS = {"empty": 4_000, "unchanged": 20_000}
MEMORY_GOAL = 400
T0 = datetime(2026, 10, 1, tzinfo=UTC)
_SIZES = text(
    "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
    " WHERE relkind = 'r' AND relname IN ('game_metadata', 'game_titles', 'external_games', 'release_dates')"
)


def pages(documents: int, revision: int = 0) -> Iterator[bytes]:
    for number in range(-(-documents // PAGE)):
        yield page(number, revision=revision)


def mirror(engine: Engine, documents: int, revision: int, asked_at: datetime) -> tuple[float, float, int]:
    """Return the seconds that all pages took, those of each of the last tenth, and how many games were written."""
    seconds: list[float] = []
    written = 0
    for payload in pages(documents, revision):
        began = time.perf_counter()
        with engine.begin() as connection:
            stored = store_games(connection, split_documents(payload).documents, asked_at)
        seconds.append(time.perf_counter() - began)
        written += len(stored.added) + len(stored.changed)
    last = seconds[-max(1, len(seconds) // 10) :]
    return sum(seconds), sum(last) / len(last), written


def main() -> int:
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else ALL
    reached: dict[str, float] = {}
    with throw_away_server() as server:
        engine = server.database()
        mirror(server.database(), PAGE, 0, T0)  # statements are compiled once in a worker's life
        print(f"{documents} documents of {len(page(0)) / PAGE / 1000:.1f} kB, pages of {PAGE}")
        print("              seconds  games/s  written  last tenth: games/s")
        for n, (name, revision) in enumerate((("empty", 0), ("unchanged", 0), ("changed", 1))):
            total, last, written = mirror(engine, documents, revision, T0 + timedelta(hours=n))
            reached[name] = documents / total
            print(f"{name:12} {total:8.1f} {documents / total:8.0f} {written:8} {PAGE / last:12.0f}")
        with engine.connect() as connection:
            sizes = {name: size / 1e6 for name, size in connection.execute(_SIZES)}
        print("on disk, MB: " + ", ".join(f"{name} {size:.0f}" for name, size in sorted(sizes.items())))
        engine.dispose()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, goal in GOALS.items():
        print(f"{name:12} {reached[name]:8.0f} games/s   goal: at least {goal}")
    print(f"{'memory':12} {memory:8.0f} MB peak   goal: less than {MEMORY_GOAL}")
    return 0 if memory < MEMORY_GOAL and all(reached[name] >= goal for name, goal in GOALS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
