"""A full mirror of IGDB through parse, compare and store, and the same again when nothing changed.

    uv run --frozen python bench/igdb.py [DOCUMENTS] [--tiny]

Made-up documents (bench/igdb_documents.py), in pages of 500 as IGDB sends them, each from its bytes to its commit: into
an empty database, again unchanged, and again with every game's rating changed. Making the pages is not counted.
The first is measured beside a bare COPY of the same rows into the same tables, the second beside only decoding the same
pages. Goals: at most 3 times the COPY, less than the decoding, and less than 400 MB of memory.
"""

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import orjson
from sqlalchemy import Engine, text

from bench.databases import Servers, bare_copy
from bench.igdb_documents import PAGE, page
from bench.results import Result, as_long, bounded
from bench.running import Size, run_alone
from models import Base
from pipeline.games.store.games import store_games
from pipeline.services.igdb.documents import split_documents

MEMORY_GOAL = 400
TABLES = ("platforms", "game_metadata", "game_titles", "external_games", "release_dates")
T0 = datetime(2026, 10, 1, tzinfo=UTC)
_SIZES = text(
    "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
    " WHERE relkind = 'r' AND relname IN ('game_metadata', 'game_titles', 'external_games', 'release_dates')"
)


@dataclass(frozen=True)
class Catalogue(Size):
    """How many games IGDB has."""

    documents: int


FULL, TINY = Catalogue(300_000), Catalogue(PAGE)


@dataclass(frozen=True)
class Pass:
    """What one pass took: all pages in seconds, and only decoding them; how many games were written."""

    seconds: float
    decoding: float
    written: int


def pages(documents: int, revision: int = 0) -> Iterator[bytes]:
    for number in range(-(-documents // PAGE)):
        yield page(number, revision=revision)


def mirror(engine: Engine, documents: int, revision: int, asked_at: datetime) -> Pass:
    """Store all pages, as they are in a revision, and print how fast that was."""
    seconds: list[float] = []
    decoding, written = 0.0, 0
    for payload in pages(documents, revision):
        began = time.perf_counter()
        with engine.begin() as connection:
            stored = store_games(connection, split_documents(payload).documents, asked_at)
        stored_at = time.perf_counter()
        orjson.loads(payload)
        seconds.append(stored_at - began)
        decoding += time.perf_counter() - stored_at
        written += len(stored.added) + len(stored.changed)
    last = seconds[-max(1, len(seconds) // 10) :]
    total, games = sum(seconds), PAGE * len(seconds)
    at_the_end = PAGE * len(last) / sum(last)
    print(f"{total:8.1f} s {games / total:8.0f} games/s, {at_the_end:.0f} at the end, {written} written")
    return Pass(total, decoding, written)


def run(servers: Servers, size: Catalogue) -> list[Result]:
    games = PAGE * -(-size.documents // PAGE)
    engine = servers.database()
    mirror(servers.database(), PAGE, 0, T0)  # statements are compiled once in a worker's life
    print(f"{games} documents of {len(page(0)) / PAGE / 1000:.1f} kB, pages of {PAGE}: new, unchanged, changed")
    empty = mirror(engine, games, 0, T0)
    copied = bare_copy(engine, servers.database(), [Base.metadata.tables[name] for name in TABLES])
    unchanged = mirror(engine, games, 0, T0 + timedelta(hours=1))
    changed = mirror(engine, games, 1, T0 + timedelta(hours=2))
    assert (empty.written, unchanged.written, changed.written) == (games, 0, games)
    with engine.connect() as connection:
        sizes = {name: size / 1e6 for name, size in connection.execute(_SIZES)}
    print("on disk, MB: " + ", ".join(f"{name} {megabytes:.0f}" for name, megabytes in sorted(sizes.items())))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        as_long("igdb: empty database", empty.seconds, copied, "bare COPY of the same rows", most=3),
        as_long(
            "igdb: unchanged",
            unchanged.seconds,
            unchanged.decoding,
            "decoding the same pages (orjson)",
            most=1,
        ),
        as_long("igdb: changed", changed.seconds, empty.seconds, "into an empty database"),
        bounded("igdb: memory", memory, "MB", most=MEMORY_GOAL),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
