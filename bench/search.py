"""Searching titles in a catalogue of 300,000 games, as `games search` and linking do.

    uv run --frozen python bench/search.py [GAMES] [QUERIES] [TITLES] [--tiny]

The catalogue: the games that recordings hold, 61,000 names of Twitch's categories (where the recordings are) and
made-up games up to 300,000: nine tenths as bench/igdb_documents.py makes them, whose 70 words are all common, which is
the worst that words can be, and one tenth with words of their own. All have slugs, a third have other names. They are
written as rows, not through documents, which bench/igdb.py measures.
Queries, each once: a title as it is, in capitals, with other numerals, with an edition; its words in another order;
with one letter wrong; its first letters; two common words; words that nobody has. Goal: p99 at most 50 ms. Beside:
ILIKE for the text anywhere in a name, for one query in fifty. Then lists of 20,000 titles, all at once as an import
matches them, beside a hundred of them one by one, with the same answers: titles as they are and with one letter wrong,
of real games and of the made-up ones, and such as five games or more bear. Goal: 1,000 titles a second, but for the
made-up ones.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Connection, Engine, text

from bench.databases import Servers
from bench.igdb_documents import document
from bench.recorded_games import category_names, recorded_games
from bench.recordings import RECORDINGS
from bench.results import Result, bounded, faster, percentile
from bench.running import Size, run_alone
from models.names import slug
from pipeline.database.copying import Json, copy_rows
from pipeline.games.matching.foremost import FOREMOST
from pipeline.games.matching.matching import match_title, search_titles
from pipeline.games.matching.records import Decision, Wanted, wanted
from pipeline.games.matching.several import match_titles
from pipeline.games.store.games import GAMES as METADATA
from pipeline.games.store.parts import TITLES
from pipeline.services.igdb.records import TitleRecord
from pipeline.services.igdb.titles import title_key, title_record

GOAL = 50
ONE_IN = 50
AT_LEAST = 1000
ONE_BY_ONE = 100
# About as many names are real ones.
RECORDED = 60_000
FEW_WORDS = ", of few words"
# How many games bear a title of the list of namesakes at least.
NAMESAKES = 5
PART = 20_000
SYLLABLES = ("ka", "ro", "mi", "ten", "lu", "sha", "vor", "ne", "gri", "zul", "ban", "del", "fo", "qui", "sto", "yr")
T0 = datetime(2026, 10, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Catalogue(Size):
    """How many games, queries and titles of each list, and whether the games that recordings hold are among them."""

    games: int
    queries: int
    titles: int
    recorded: bool = field(kw_only=True)


FULL, TINY = Catalogue(300_000, 2_000, 20_000, recorded=True), Catalogue(2_000, 100, 1_000, recorded=False)


def names(size: Catalogue, dice: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Yield names with other names."""
    listed = 0
    if size.recorded and RECORDINGS.is_dir():
        for game in recorded_games().values():
            yield game["name"], [other["name"] for other in game.get("alternative_names", ()) if other.get("name")]
            listed += 1
        for name in category_names():
            yield name, []
            listed += 1
    for number in range(max(0, size.games - listed)):
        if number % 10 == 0:
            yield " ".join(_word(dice) for _ in range(dice.randrange(1, 4))), []
        else:
            made = document(number + 1)
            yield made["name"], [other["name"] for other in made.get("alternative_names", ())]


def _word(dice: random.Random) -> str:
    return "".join(dice.choice(SYLLABLES) for _ in range(dice.randrange(2, 5))).capitalize()


def fill(engine: Engine, size: Catalogue) -> list[str]:
    """Write the catalogue, and return the games' names."""
    dice = random.Random(7)
    source = enumerate(islice(names(size, dice), size.games), 1)
    kept: list[str] = []
    while part := list(islice(source, PART)):
        kept += [name for _, (name, _) in part]
        titles = [
            (igdb_id, title.key, title.title, title.kind, title.words)
            for igdb_id, (name, others) in part
            for title in _titles(name, others)
        ]
        with engine.begin() as connection:
            copy_rows(
                connection,
                METADATA,
                tuple(_entry(1, "", dice)),
                [tuple(_entry(n, x[0], dice).values()) for n, x in part],
            )
            copy_rows(connection, TITLES, ("igdb_id", "key", "title", "kind", "words"), titles)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE game_titles, game_metadata"))
    return kept


def _titles(name: str, others: list[str]) -> list[TitleRecord]:
    listed = [title_record(name, "name"), title_record(slug(name), "slug")]
    listed += [title_record(other, "alternative") for other in others]
    by_key: dict[str, TitleRecord] = {}
    for title in listed:
        if title.key:
            by_key.setdefault(title.key, title)
    return list(by_key.values())


def _entry(igdb_id: int, name: str, dice: random.Random) -> dict[str, Any]:
    none: tuple[str, ...] = ()
    lists = dict.fromkeys(("genres", "themes", "modes", "franchises", "collections", "companies"), none)
    return {
        "igdb_id": igdb_id,
        "name": name,
        "name_key": title_key(name),
        "game_type": dice.choices((0, 1, 3, 11), (85, 8, 4, 3))[0],
        "first_release_at": T0,
        "rating_count": int(dice.paretovariate(0.8)) % 5000,
        **lists,
        "platforms": ("PC (Microsoft Windows)", "Linux"),
        "synced_at": T0,
        "digest": b"0" * 16,
        "raw": Json(b"{}"),
    }


def queries(known: list[str], count: int) -> Iterator[tuple[str, str]]:
    """Yield kinds of queries, and queries."""
    dice = random.Random(11)
    for name in dice.choices(known, k=count):
        kind = dice.choice(("as it is", "capitals", "edition", "order", "letter", "beginning", "common", "unknown"))
        place = dice.randrange(max(1, len(name) - 1))
        words = name.split()
        yield (
            kind,
            {
                "as it is": name,
                "capitals": name.upper(),
                "edition": f"{name}: Definitive Edition",
                "order": " ".join(dice.sample(words, len(words))),
                "letter": name[:place] + dice.choice("aeiostr") + name[place + 1 :],
                "beginning": name[: dice.randrange(2, 8)],
                "common": " ".join(word for other in dice.choices(known, k=2) for word in other.split()[:1]),
                "unknown": f"{_word(dice)}x {_word(dice)}q",
            }[kind],
        )


def report(what: str, seconds: list[float]) -> None:
    p50, p99 = (1000 * percentile(seconds, percent) for percent in (50, 99))
    print(f"{what:20} p50 {p50:6.1f}  p99 {p99:6.1f}  max {max(seconds) * 1000:6.1f} ms")


def by_ilike(connection: Connection, known: list[str], count: int) -> list[float]:
    """Return the seconds that looking for the text anywhere in the names takes, for each of some queries."""
    statement = text("SELECT igdb_id, name FROM game_metadata WHERE name ILIKE '%' || :text || '%' LIMIT 10")
    seconds: list[float] = []
    for _, query in islice(queries(known, count), None, None, ONE_IN):
        began = time.perf_counter()
        connection.execute(statement, {"text": query}).all()
        seconds.append(time.perf_counter() - began)
    return seconds


def mistyped(name: str, dice: random.Random) -> str:
    """Return a name with a letter left out, one too many or two swapped."""
    place = dice.randrange(1, max(2, len(name) - 2))
    before, after = name[:place], name[place:]
    swapped = before[:-1] + after[:1] + before[-1:] + after[1:]
    return dice.choice((before + after[1:], before + dice.choice("aeiostr") + after, swapped))


def lists(known: list[str], count: int) -> Iterator[tuple[str, list[str]]]:
    """Yield kinds of lists, and the titles of each: at random, mistyped, and such as several games bear."""
    dice = random.Random(13)
    bearers = Counter(map(title_key, known))
    # Those of recordings are the first. What was made up are 70 words in ever other order, as no list has them.
    for of, names in (("", known[:RECORDED]), (FEW_WORDS, known[RECORDED:])):
        yield f"as written{of}", dice.choices(names or known, k=count)
        yield f"typos{of}", [mistyped(name, dice) for name in dice.choices(names or known, k=count)]
    yield "namesakes", dice.choices([name for name in known if bearers[title_key(name)] >= NAMESAKES], k=count)


def together(connection: Connection, kind: str, titles: list[str]) -> list[Result]:
    """Match many titles at once, as an import of a list does, beside a part of them one by one; the answers agree."""
    asked = [wanted(title) for title in titles]
    some = set(range(0, len(asked), max(1, len(asked) // ONE_BY_ONE)))
    kept = []
    began = time.perf_counter()
    for place, decision in enumerate(match_titles(connection, asked)):
        if place in some:
            kept.append(decision)
    seconds = (time.perf_counter() - began) / len(asked)
    began = time.perf_counter()
    alone = [match_title(connection, asked[place]) for place in sorted(some)]
    alone_seconds = (time.perf_counter() - began) / len(alone)
    for decision, other in zip(kept, alone, strict=True):
        assert answer(decision) == answer(other), (answer(decision), answer(other))
    return [
        faster(f"search: a list {kind}", seconds, alone_seconds, "one by one"),
        bounded(
            f"search: a list {kind}", 1 / seconds, "titles a second", least=None if FEW_WORDS in kind else AT_LEAST
        ),
    ]


def answer(decision: Decision) -> tuple[object, ...]:
    """Return all that a decision says; of a sure one not what is behind it, of another not what is far behind."""
    best = decision.best
    if decision.verdict == "sure":
        return decision.verdict, decision.igdb_id, decision.why
    ranked = [(scored.candidate.igdb_id, scored.title, scored.parts) for scored in decision.ranked[:FOREMOST]]
    return decision.verdict, decision.igdb_id, decision.why, best and best.candidate.igdb_id, decision.margin, ranked


def run(servers: Servers, size: Catalogue) -> list[Result]:
    engine = servers.database()
    began = time.perf_counter()
    known = fill(engine, size)
    assert len(known) == size.games
    results: list[Result] = []
    with engine.connect() as connection:
        titles = connection.scalar(text("SELECT count(*) FROM game_titles"))
        print(f"{len(known)} games, {titles} titles, in {time.perf_counter() - began:.0f} s")
        search: Callable[[Connection, Wanted], Any]
        rival = percentile(by_ilike(connection, known, size.queries), 50)
        for what, search in (("search", search_titles), ("match", match_title)):
            took: dict[str, list[float]] = {}
            empty = 0
            for kind, query in queries(known, size.queries):
                began = time.perf_counter()
                answer = search(connection, wanted(query))
                took.setdefault(kind, []).append(time.perf_counter() - began)
                empty += kind == "as it is" and not answer
            # Some real names are nothing but signs, which are no words to search by.
            assert empty <= len(took["as it is"]) / 20, "what is in the catalogue is found by its name"
            for kind, seconds in sorted(took.items()):
                report(f"  {what} {kind}", seconds)
            every = [second for seconds in took.values() for second in seconds]
            report(what, every)
            results += [
                faster(f"search: {what}, p50", percentile(every, 50), rival, "ILIKE over all names"),
                bounded(f"search: {what}, p99", 1000 * percentile(every, 99), "ms", most=GOAL),
            ]
        # Of more titles than a step brings, one by one gives the first: else a scan begins where the last one ended.
        connection.execute(text("SET synchronize_seqscans = off"))
        for kind, titles in lists(known, size.titles):
            results += together(connection, kind, titles)
    return results


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
