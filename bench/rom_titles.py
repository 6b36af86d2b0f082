"""Which games ROMs are: eXoDOS's titles against a catalogue that spells them otherwise, lacks some, or has other years.

    uv run --frozen python bench/rom_titles.py [ENTRIES] [--tiny]

The catalogue is that of bench/search.py with games for DOS, made of eXoDOS's own titles: six in ten are there in
another list's spelling (articles behind or left out, numerals, "&", capitals, signs, accents), one in ten with a year
that is 1 to 15 years off, one in ten with a subtitle or without one, and two in ten are not there at all, though other
parts of their series are. Titles that several of eXoDOS's games bear are all there, and count apart. Real titles of
other platforms and of another list of DOS games stand between them. The tiny size makes its own titles. All go the way
of ROMs: names are read, rows written, and `resolve_roms` looks them up.
Goals (of the titles that share name and year, 98 % sure; of those that are not there, 0.5 %; of those of another year
none that is over 3 years off), 500 titles a second with all that is stored, and 5 times one by one with `match_title`,
same answers.
"""

import csv
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Connection, Engine, Table, insert, select, text

from bench import search
from bench.databases import Servers
from bench.recordings import RECORDINGS, existing
from bench.results import Result, bounded, faster
from bench.running import Size, run_alone
from models import Rom, RomFolder
from models.names import name_key, slug
from models.people import OWNER_ID
from pipeline.database.copying import Json, copy_rows
from pipeline.games.matching.matching import match_title
from pipeline.games.matching.normalise import read_title
from pipeline.games.matching.records import wanted
from pipeline.games.matching.words import arabic, roman
from pipeline.games.platforms import called_all
from pipeline.games.store.decisions import load_decisions
from pipeline.games.store.games import GAMES as METADATA
from pipeline.games.store.parts import TITLES
from pipeline.library.records import Record
from pipeline.library.resolving import resolve
from pipeline.roms.names.parsing import parse_name
from pipeline.roms.records import RomName
from pipeline.roms.resolving import due_roms, resolve_roms
from pipeline.services.igdb.titles import title_key, title_record

T0 = datetime(2026, 11, 1, tzinfo=UTC)
THIS_YEAR = T0.year
ONE_BY_ONE = 100
FIRST_ID = 1_000_001
YEARS_OFF = 3
ROMS = RECORDINGS / "roms"
Kind = Literal["same", "absent", "other year", "alike", "namesakes"]
KINDS: Sequence[Kind] = ("same", "absent", "other year", "alike")
_ARTICLE = re.compile(r"^(The|A|An|Le|La|Les|Der|Die|Das) (.+)$")


@dataclass(frozen=True)
class Collection(Size):
    """How many entries the catalogue has, and whether the titles are those of recordings."""

    entries: int
    recorded: bool = field(kw_only=True)


FULL, TINY = Collection(300_000, recorded=True), Collection(2_000, recorded=False)


class Entry(NamedTuple):
    """A game of the catalogue; one without a year has none there either."""

    name: str
    year: int | None
    platform: str


class Case(NamedTuple):
    """A title with what the catalogue has of it: the number of its entry, or None."""

    written: str
    name: RomName
    kind: Kind
    igdb_id: int | None
    year: int | None


def respelled(title: str, dice: random.Random) -> str:
    """Return a title as another list may write it."""
    ways: Sequence[Callable[[str], str]] = (
        str.upper,
        lambda name: name.replace(" - ", ": "),
        lambda name: name.replace(" - ", "- "),
        lambda name: _ARTICLE.sub(r"\2, \1", name),
        lambda name: name.replace(" & ", " and ") if "&" in name else name.replace(" and ", " & "),
        lambda name: re.sub(r"[!?'.,]", "", name),
        lambda name: name.replace("'", "\u2019"),
        lambda name: name.replace("e", "é", 1),
        lambda name: " ".join(_numeral(word) if n else word for n, word in enumerate(name.split(" "))),
        lambda name: f"{name}  ",
    )
    for way in dice.sample(ways, 2):
        title = way(title)
    return title


def _numeral(word: str) -> str:
    # "X" and "I" alone may be letters.
    if word.lower() in {"i", "x", "v", "c", "d", "l", "m"}:
        return word
    in_letters = roman(word)
    return in_letters.upper() if in_letters is not None else arabic(word.lower()) or word


def same_key(title: str) -> str:
    """Return what all spellings of one title share: that of another list is the same game, not another one."""
    return "".join(word for word in read_title(title).words if word != "and")


def alike(title: str, dice: random.Random) -> str:
    """Return a title with a subtitle more or less."""
    head = title.rpartition(" - ")[0]
    return head or f"{title}: {dice.choice(('The Adventure', 'Gold', 'Special Edition', 'The Game'))}"


def cases_of(written: Iterable[str], dice: random.Random) -> tuple[list[Case], list[Entry]]:
    """Return titles with what the catalogue has of each, and the entries that it has for that."""
    names = {each: parse_name(each, this_year=THIS_YEAR) for each in dict.fromkeys(written)}
    bearers = Counter(same_key(name.title) for name in names.values())
    cases: list[Case] = []
    entries: list[Entry] = []
    for each, name in names.items():
        is_alone = bearers[same_key(name.title)] == 1 and name.year is not None
        kind: Kind = dice.choices(KINDS, (60, 18, 11, 11))[0] if is_alone else "namesakes"
        year = name.year
        if kind == "other year" and year is not None:
            year = max(
                1950, year + dice.choice((-1, 1)) * dice.choices((1, 2, 3, dice.randrange(4, 16)), (6, 2, 1, 2))[0]
            )
        if kind == "absent":
            cases.append(Case(each, name, "absent", None, None))
            continue
        spelled = alike(name.title, dice) if kind == "alike" else respelled(name.title, dice)
        cases.append(Case(each, name, kind, FIRST_ID + len(entries), year))
        entries.append(Entry(spelled, year, "DOS"))
    # Without its subtitle one may be called as another is.
    there = {same_key(entry.name) for entry in entries}
    return [case for case in cases if case.kind != "absent" or same_key(case.name.title) not in there], entries


def recorded() -> tuple[list[str], list[Entry]]:
    """Return eXoDOS's names, and games of other lists that stand beside them."""
    titles = _first_columns(existing(ROMS / "exodos" / "eXoDOSv6.csv"))
    keys = {same_key(parse_name(each, this_year=THIS_YEAR).title) for each in titles}
    others: list[Entry] = []
    for file, platform in (("C64Dreams.csv", "Commodore C64/128/MAX"), ("eXoWin3xv2.csv", "PC (Microsoft Windows)")):
        for each in _first_columns(ROMS / "exodos" / file):
            name = parse_name(each, this_year=THIS_YEAR)
            others.append(Entry(name.title, name.year, platform))
    with (ROMS / "libretro_dos_every_50th.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            name = parse_name(row["name"], this_year=THIS_YEAR)
            others.append(Entry(name.title, name.year, "DOS"))
    return titles, [entry for entry in others if same_key(entry.name) not in keys]


def _first_columns(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return [line.split(";")[0] for line in lines if line.split(";")[0].strip()]


def made_up(dice: random.Random) -> Iterator[str]:
    """Yield names as eXoDOS writes them, of words that no other list has."""
    words = [
        f"{first}{last}" for first in ("Brim", "Cal", "Dor", "Fen", "Gal", "Hol") for last in ("dak", "ven", "mir")
    ]
    for number in range(300):
        title = " ".join(dice.sample(words, 3))
        form = ("{}, The", "{} II", "{} - The Quest", "{}'s & Sons", "{}")[number % 5]
        yield f"{form.format(title)} ({1985 + number % 12})"


def write_entries(engine: Engine, entries: Sequence[Entry]) -> None:
    """Add games to the catalogue, as `bench.search` writes its own."""
    none: tuple[str, ...] = ()
    lists = dict.fromkeys(("genres", "themes", "modes", "franchises", "collections", "companies"), none)
    rows, titles = [], []
    for igdb_id, entry in enumerate(entries, FIRST_ID):
        row: dict[str, Any] = {
            "igdb_id": igdb_id,
            "name": entry.name,
            "name_key": title_key(entry.name),
            "game_type": 0,
            "first_release_at": datetime(entry.year, 6, 1, tzinfo=UTC) if entry.year is not None else None,
            "rating_count": 0,
            **lists,
            "platforms": (entry.platform,),
            "synced_at": T0,
            "digest": b"0" * 16,
            "raw": Json(b"{}"),
        }
        rows.append(row)
        by_key = {
            record.key: record for record in (title_record(slug(entry.name), "slug"), title_record(entry.name, "name"))
        }
        titles += [(igdb_id, each.key, each.title, each.kind, each.words) for each in by_key.values() if each.key]
    with engine.begin() as connection:
        copy_rows(connection, METADATA, tuple(rows[0]), [tuple(row.values()) for row in rows])
        copy_rows(connection, TITLES, ("igdb_id", "key", "title", "kind", "words"), titles)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE game_titles, game_metadata"))


def write_roms(connection: Connection, cases: Sequence[Case]) -> None:
    """Write the rows that a scan would write of a folder of these games."""
    folder = {"path": b"/games/dos", "shown": "/games/dos", "platform": "dos", "added_at": T0, "next_due_at": T0}
    made = insert(RomFolder).values(folder | {"person_id": OWNER_ID}).returning(RomFolder.id)
    folder_id = connection.execute(made).scalar_one()
    roms: Table = Rom.__table__  # type: ignore[assignment]
    columns = ("folder_id", "kind", "written", "platform", "title", "title_key", "year", "added_at")
    rows = [
        (folder_id, "archive", case.written, "dos", case.name.title, name_key(case.name.title), case.name.year, T0)
        for case in cases
    ]
    copy_rows(connection, roms, columns, rows)


def judge(cases: Sequence[Case], sure: dict[str, int | None], entries: Sequence[Entry]) -> list[Result]:
    """Return how many of each kind are sure, and print what is wrong."""
    shown = dict(enumerate(entries, FIRST_ID))
    of_kind: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        of_kind[case.kind].append(case)
    right = [case for case in of_kind["same"] if sure[case.written] == case.igdb_id]
    wrong = [case for case in cases if sure[case.written] not in {None, case.igdb_id}]
    absent = [case for case in of_kind["absent"] if sure[case.written] is not None]
    far = [
        case
        for case in of_kind["other year"]
        if sure[case.written] is not None and abs((case.year or 0) - (case.name.year or 0)) > YEARS_OFF
    ]
    for case in of_kind["same"]:
        if case not in right:
            print(f"not sure: {case.written}, in the catalogue {shown[case.igdb_id or 0]}")
    for case in wrong:
        said = sure[case.written] or 0
        print(f"wrong ({case.kind}): {case.written} is said to be {shown.get(said, said)}")
    for kind, some in sorted(of_kind.items()):
        print(f"{kind}: {sum(sure[case.written] is not None for case in some):,} of {len(some):,} sure")
    return [
        bounded("ROM titles: sure, of those there", 100 * len(right) / len(of_kind["same"]), "%", least=98),
        bounded("ROM titles: sure, of those not there", 100 * len(absent) / len(of_kind["absent"]), "%", most=0.5),
        bounded("ROM titles: sure and over 3 years off", len(far), "titles", most=0),
        bounded("ROM titles: sure and wrong", len(wrong), "titles"),
    ]


def beside_one_by_one(connection: Connection, cases: Sequence[Case]) -> Result:
    """Look titles up at once, beside a part of them one by one, with the same answers."""
    names = list({(case.name.title, case.name.year): case.name for case in cases}.values())
    records = [
        Record(line=number, written=name.title, year=name.year, store="rom", platforms=("DOS",))
        for number, name in enumerate(names, 1)
    ]
    connection.execute(text("SET synchronize_seqscans = off"))
    began = time.perf_counter()
    resolved = resolve(connection, records, load_decisions(connection, OWNER_ID))
    together = (time.perf_counter() - began) / len(records)
    places = range(0, len(records), max(1, len(records) // ONE_BY_ONE))
    began = time.perf_counter()
    alone = [
        match_title(
            connection,
            wanted(names[place].title, year=names[place].year, platforms=called_all(("DOS",)), whole=True),
        )
        for place in places
    ]
    one_by_one = (time.perf_counter() - began) / len(alone)
    for place, decision in zip(places, alone, strict=True):
        assert resolved[place].igdb_id == decision.igdb_id, (names[place], resolved[place], decision)
    return faster(f"ROM titles: {len(records):,} at once", together, one_by_one, "one by one", least=5)


def run(servers: Servers, size: Collection) -> list[Result]:
    engine, dice = servers.database(), random.Random(29)
    written, others = recorded() if size.recorded else (list(made_up(dice)), [])
    cases, entries = cases_of(written, dice)
    beside = size.entries - len(entries) - len(others)
    search.fill(engine, search.Catalogue(beside, 0, 0, recorded=size.recorded))
    write_entries(engine, [*entries, *others])
    with engine.connect() as connection:
        at_once = beside_one_by_one(connection, cases)
    with engine.begin() as connection:
        write_roms(connection, cases)
    began = time.perf_counter()
    with engine.begin() as connection:
        resolved = resolve_roms(connection, due_roms(connection, person_id=OWNER_ID, now=T0), now=T0)
    seconds = time.perf_counter() - began
    assert resolved.sure + resolved.unsure + resolved.unknown == len(cases), resolved
    with engine.connect() as connection:
        sure = {row.written: row.igdb_id for row in connection.execute(select(Rom.written, Rom.igdb_id))}
    results = judge(cases, sure, [*entries, *others])
    assert size.recorded or all(result.ok is not False for result in results), results
    began = time.perf_counter()
    for case in cases:
        parse_name(case.written, this_year=THIS_YEAR)
    names = len(cases) / (time.perf_counter() - began)
    return [
        *results,
        bounded("ROM titles: looked up, stored and shelved", len(cases) / seconds, "titles/s", least=500),
        at_once,
        bounded("ROM titles: names read", names, "names/s", least=20_000),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
