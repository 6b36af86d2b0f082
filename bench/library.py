"""Importing a library: a table whose ids IGDB's mirror knows, and a list of titles without ids.

    uv run --frozen python bench/library.py [ROWS] [TITLES] [ENTRIES] [--tiny]

The catalogue is that of bench/search.py. The table is a CSV of as many different games of it, each with IGDB's id,
hours, a rating and a status, imported into an empty library. Beside: the bare COPY of all rows that result (games,
links, works, entries, states, playthroughs, what works are, what is wanted) into an empty database with the same
indexes. Then the same file again, beside only parsing it. And per-row get-or-create by an ORM, so for one more row in a
hundred: the entry of the catalogue is read by its id, then each row that an import leaves of the line is looked for
and, where it is missing, committed, as Django's `get_or_create` does; an import of the same lines then finds nothing
to add or change. Yamtrack does so for its item (`Item.objects.update_or_create`), and knows no more of a line than
that and one row of a game, which it writes 500 at a time; the rival here does row by row what this import does.
Then titles without ids, as an import resolves them, beside a hundred of them one by one with `match_title`, with the
same answers. Goals: 5 times the COPY, 1.5 times parsing, 50 times faster than per row, 5 times faster than one by one.
"""

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Engine, Table, func, insert, select
from sqlalchemy.orm import Session

from bench import search
from bench.databases import Servers, bare_copy
from bench.results import Result, as_long, faster
from bench.running import Size, run_alone
from models import (
    Base,
    Game,
    GameExternalId,
    GameMetadata,
    GameState,
    LibraryEntry,
    LibraryImport,
    PersonWork,
    Playthrough,
    Source,
    WantedGame,
    Work,
)
from models.names import name_key, public_id
from models.people import OWNER_ID
from pipeline.games.matching.matching import match_title
from pipeline.games.matching.records import wanted
from pipeline.games.mirror.state import MIRROR, MirrorState
from pipeline.games.store.decisions import load_decisions
from pipeline.library.formats import recognise
from pipeline.library.importing.asking import Asking
from pipeline.library.importing.files import Imported, digest_of, import_reading
from pipeline.library.lines import key_of_through
from pipeline.library.records import Reading, ReadOptions, Record
from pipeline.library.resolving import resolve
from pipeline.services.igdb.client import Igdb

Row = TypeVar("Row", bound=Base)
T0 = datetime(2026, 11, 1, tzinfo=UTC)
ONE_IN = 100
ONE_BY_ONE = 100
OPTIONS = ReadOptions(store="other")
# In the order in which one refers to another.
WRITTEN: Sequence[type[Base]] = (
    *(Work, Game, GameExternalId, LibraryImport, LibraryEntry, GameState, Playthrough, PersonWork, WantedGame),
)


@dataclass(frozen=True)
class Collection(Size):
    """How many rows the table has, how many titles the list, and how many entries the catalogue."""

    rows: int
    titles: int
    entries: int


FULL, TINY = Collection(50_000, 10_000, 300_000), Collection(400, 300, 2_000)


def _not_asked() -> Igdb:
    raise AssertionError("a mirror knows all these ids")


ASKING = Asking(open_igdb=_not_asked, register=lambda _: None, clock=lambda: T0)


def table_of(known: Sequence[str], numbers: Sequence[int]) -> bytes:
    """Return a CSV of games of the catalogue."""
    dice = random.Random(17)
    lines = ["title,igdb_id,platform,hours,rating,status"]
    for number in numbers:
        title = known[number].replace('"', "'")
        status = dice.choice(("backlog", "playing", "finished", ""))
        lines.append(f'"{title}",{number + 1},PC,{dice.randrange(200)},{dice.choice((60, 75, 90))},{status}')
    return "\n".join(lines).encode()


def bring(engine: Engine, data: bytes) -> Imported:
    """Import a file as the command does."""
    reading = recognise(data, "games.csv", OPTIONS)
    digest = digest_of(data, OPTIONS)
    return import_reading(engine, reading, digest, "games.csv", ASKING, person_id=OWNER_ID, now=T0)


def by_orm(engine: Engine, reading: Reading) -> float:
    """Return the seconds that getting or creating the rows of these lines takes, one after the other."""
    began = time.perf_counter()
    for record in reading.records:
        with Session(engine) as session:
            _put_line(session, reading.format, record)
    return time.perf_counter() - began


def _put_line(session: Session, format_: str, record: Record) -> None:
    """Get or create all that an import leaves of a line, whose work is its game's alone."""
    entry = session.scalars(select(GameMetadata).where(GameMetadata.igdb_id == record.igdb_id)).one()
    key, ours, person = name_key(entry.name), str(record.igdb_id), {"person_id": OWNER_ID}
    shown = {"name": entry.name, "name_key": key}
    work = _get_or_create(session, Work, {"root_igdb_id": record.igdb_id}, {**shown, "how": "igdb"})
    identity = public_id("igdb", ours)
    game = _get_or_create(session, Game, {"public_id": identity}, {**shown, "work_id": work.id})
    link = {"game_id": game.id, "how": "igdb_id", "confidence": 1.0}
    _get_or_create(session, GameExternalId, {"service": "igdb", "external_id": ours}, link)
    seconds, of_game = record.playtime_seconds, {"game_id": game.id, "igdb_id": record.igdb_id}
    its = {**person, "store": "other", "external_id": f"game/{identity}", "platform": "PC"}
    owned = {**of_game, "title": record.written, "ownership": "owned", "playtime_seconds": seconds}
    _get_or_create(session, LibraryEntry, its, {**owned, "first_seen_at": T0, "import_line": record.line})
    status, rated = record.status, {"rating": record.rating, "rating_scale": record.rating_scale}
    said = {"status": status, **rated, "set_by": {"status": "import", "rating": "import"}, "updated_at": T0}
    _get_or_create(session, GameState, {**person, "work_id": work.id}, said)
    for through in record.playthroughs:
        played = {**of_game, "platform": "PC", "status": through.status, "seconds": through.seconds, "created_at": T0}
        _get_or_create(session, Playthrough, {**person, "import_key": key_of_through(format_, record, through)}, played)
    words = ["owned", *([status] if status is not None else [])]
    standing = {"words": words, "status": status, "stores": ["other"], "platforms": ["PC"], "seconds": seconds}
    _get_or_create(session, PersonWork, {**person, "work_id": work.id}, standing)
    due = {"reasons": ["library"], "wanted_at": T0, "next_due_at": T0}
    _get_or_create(session, WantedGame, {"igdb_id": record.igdb_id}, due)


def _get_or_create(session: Session, model: type[Row], keys: dict[str, Any], others: dict[str, Any]) -> Row:
    """Return the row with these keys; a missing one is committed at once, as Django's `get_or_create` does."""
    row = session.scalars(select(model).filter_by(**keys)).one_or_none()
    if row is None:
        row = model(**keys, **others)
        session.add(row)
        session.commit()
    return row


def _counted(engine: Engine) -> dict[str, int]:
    """Return how many rows there are of each kind that an import of lines leaves, but for the import's own."""
    with engine.connect() as connection:
        return {
            model.__tablename__: connection.execute(select(func.count()).select_from(model)).scalar_one()
            for model in WRITTEN
            if model is not LibraryImport
        }


def _of_own_works(engine: Engine) -> Sequence[int]:
    """Return the numbers of the games that are nobody's edition, port or addition, so that each is a work."""
    is_own = (GameMetadata.parent_igdb_id.is_(None), GameMetadata.version_parent_igdb_id.is_(None))
    with engine.connect() as connection:
        ids = connection.scalars(select(GameMetadata.igdb_id).where(*is_own).order_by(GameMetadata.igdb_id))
        return [igdb_id - 1 for igdb_id in ids]


def a_table(servers: Servers, engine: Engine, known: Sequence[str], count: int) -> list[Result]:
    """Import a table whose ids are known, and again, beside COPY, parsing, and an ORM."""
    numbers = random.Random(11).sample(_of_own_works(engine), count + count // ONE_IN)
    data = table_of(known, numbers[:count])
    began = time.perf_counter()
    recognise(data, "games.csv", OPTIONS)
    parsing = time.perf_counter() - began
    began = time.perf_counter()
    imported = bring(engine, data)
    seconds = time.perf_counter() - began
    assert imported.counts == {"new": count}, imported.counts
    began = time.perf_counter()
    again = bring(engine, data)
    unchanged = time.perf_counter() - began
    assert (again.counts, again.is_known) == ({"same": count}, True)
    copy = bare_copy(engine, servers.database(), [_table(model) for model in WRITTEN])
    lines_of_others = table_of(known, numbers[count:])
    others = recognise(lines_of_others, "games.csv", OPTIONS)
    orm = by_orm(engine, others) / len(others.records)
    # All that an import leaves is there: of the same lines it has nothing to add and nothing to change.
    left = _counted(engine)
    # But that another edition was finished before, for which the ORM does not look.
    of_others = [change for line in bring(engine, lines_of_others).lines for change in line.changes]
    assert {change.field for change in of_others} <= {"is_replay"}, of_others
    assert _counted(engine) == left
    print(f"{count:,} rows: parsed in {parsing:.2f} s, imported in {seconds:.2f} s")
    return [
        as_long(f"library: {count:,} rows with ids", seconds, copy, "the COPY of what results", most=5),
        as_long("library: the same file again", unchanged, parsing, "parsing it", most=1.5),
        faster("library: a row with an id", seconds / count, orm, "get or create by an ORM", least=50),
    ]


def a_list(engine: Engine, known: Sequence[str], count: int) -> list[Result]:
    """Resolve titles at once, beside a part of them one by one."""
    dice = random.Random(19)
    # Those of recordings are the first; what was made up are 70 words in ever other order, as no list has them.
    titles = dice.choices(known[: search.RECORDED], k=count)
    records = [Record(line=number, written=title) for number, title in enumerate(titles, 1)]
    with engine.connect() as connection:
        began = time.perf_counter()
        resolved = resolve(connection, records, load_decisions(connection, OWNER_ID))
        together = (time.perf_counter() - began) / count
        places = range(0, count, max(1, count // ONE_BY_ONE))
        began = time.perf_counter()
        alone = [match_title(connection, wanted(titles[place])) for place in places]
        one_by_one = (time.perf_counter() - began) / len(alone)
    for place, decision in zip(places, alone, strict=True):
        assert resolved[place].igdb_id == decision.igdb_id, (titles[place], resolved[place], decision)
        assert (resolved[place].verdict == "unknown") == (decision.verdict == "none")
    return [faster(f"library: {count:,} titles without ids", together, one_by_one, "one by one", least=5)]


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


def run(servers: Servers, size: Collection) -> list[Result]:
    engine = servers.database()
    is_full = size.entries > TINY.entries
    known = search.fill(engine, search.Catalogue(size.entries, 0, 0, recorded=is_full))
    with engine.begin() as connection:
        cursor = MirrorState(completed_at=T0, total=size.entries).cursor()
        row = {"name": MIRROR, "service": "igdb", "next_due_at": T0, "cursor": cursor}
        connection.execute(insert(Source).values(row))
    return a_table(servers, engine, known, size.rows) + a_list(engine, known, size.titles)


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
