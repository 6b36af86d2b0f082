"""Title matching alone against recorded truth: Twitch's top games with their IGDB ids hidden.

    uv run --frozen python bench/matching.py [--all] [--tiny]

What is asked: the names of helix/real/games_top100_2023_with_igdb_id.json that have an igdb_id.
The catalogue that is asked, in a real database, stored by the pipeline's own store:
  1. every game of which any recording under igdb/ tells id and name (bench/recorded_games.py: about 8,000, of them
     5,000 of all types, DLC, ports, bundles and editions, and 3,000 of all fame), under the names that IGDB gives them;
  2. of the true games that no recording holds, an entry with Twitch's name and nothing else (they are counted apart,
     since for them only the rest of the catalogue can mislead);
  3. distractors: for each true game made-up sequels, DLC, editions, a bundle and a mod, by the same rules for all;
  4. distractors: the 61,000 names of Twitch's categories in 2019 but those that share a key with an entry of 1 or 2
     or a name that is asked for, which would be the same game twice.
Made-up entries have ids from 10^9 on. Used is the name alone, and that a service spelled it (`official`, as linking
says of every category); not used are years, platforms and Twitch's ids. Goal: 97 % right, at most 0.5 % wrong. The
same is asked once more as if a person had written the names, for comparison. Beside: the best of all the catalogue's
names by rapidfuzz's WRatio of 90 and more, which is what people reach for.

Then, as a measure without goal: 2,000 of the recorded games asked for under their own names written otherwise
(numerals, "&", capitals, an edition, without punctuation, with a letter wrong), where only what is sure but wrong is
bad. `--all` names those.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
from rapidfuzz import fuzz, process, utils
from sqlalchemy import Connection, Engine, text

from bench.databases import Servers
from bench.igdb_documents import document
from bench.recorded_games import Category, category_names, recorded_games, top_games
from bench.results import Result, bounded, faster
from bench.running import Size, run_alone
from models.names import name_key
from pipeline.games.matching.matching import match_title
from pipeline.games.matching.normalise import read_title
from pipeline.games.matching.records import Decision, wanted
from pipeline.games.matching.words import arabic, roman
from pipeline.games.store.games import store_games
from pipeline.services.igdb.documents import split_documents

MADE_UP = 10**9
RIGHT, WRONG = 97, 0.5
# WRatio's own default for what is worth a look, and the one that recipes name.
SURE_ENOUGH = 90
DLC, BUNDLE, MOD, MAIN, PORT, PACK = 1, 3, 5, 0, 11, 13
OTHERS = (
    ("{} 2", MAIN),
    ("{} II", MAIN),
    ("{} III", MAIN),
    ("{} Online", MAIN),
    ("Super {}", MAIN),
    ("{}: Origins", MAIN),
    ("{}: The Lost Chapter", DLC),
    ("{} - Season Pass", DLC),
    ("{}: Deluxe Edition", BUNDLE),
    ("{} Game of the Year Edition", BUNDLE),
    ("{} Collection", BUNDLE),
    ("{} Soundtrack", PACK),
    ("{} Overhaul", MOD),
    ("{} VR", PORT),
    ("{} Remastered", 9),
)


@dataclass(frozen=True)
class Names(Size):
    """How many games are made up, none where recordings are asked; and whether every answer is shown."""

    made_up: int = field(kw_only=True, default=0)
    all: bool = field(kw_only=True, default=False)


FULL, TINY = Names(), Names(made_up=60)


@dataclass(frozen=True)
class Truth:
    """The categories that are wished for, the games that are known, and names of categories that mislead."""

    wishes: Sequence[Category]
    games: dict[int, dict[str, Any]]
    categories: Sequence[str]


def recorded() -> Truth:
    return Truth(top_games(), recorded_games(), category_names())


def made_up(count: int) -> Truth:
    """Return games of which each third is asked for, and as many misleading names."""
    by_words = {read_title(game["name"]).words: game for game in map(document, range(1, count + 1))}
    games = {game["id"]: game | {"game_type": MAIN} for game in by_words.values()}
    wishes = [Category(game["name"], game["id"]) for game in list(games.values())[::3]]
    return Truth(wishes, games, [document(count + n)["name"] for n in range(1, count + 1)])


def catalogue(truth: Truth) -> tuple[list[dict[str, Any]], set[int]]:
    """Return the documents of the catalogue, and the true games among them that no recording holds."""
    wishes, games = truth.wishes, dict(truth.games)
    lacking = {category.igdb_id for category in wishes} - games.keys()
    games |= {c.igdb_id: {"id": c.igdb_id, "name": c.name} for c in wishes if c.igdb_id in lacking}
    ids = count(MADE_UP)
    taken = {name_key(game["name"]) for game in games.values()} | {name_key(category.name) for category in wishes}
    others: list[dict[str, Any]] = []
    for category in wishes:
        for pattern, kind in OTHERS:
            name = pattern.format(category.name)
            if name_key(name) not in taken:
                others.append({"id": next(ids), "name": name, "game_type": kind})
    for name in truth.categories:
        key = name_key(name)
        if key and key not in taken:
            taken.add(key)
            others.append({"id": next(ids), "name": name})
    return [*games.values(), *others], lacking


def store(engine: Engine, documents: Iterable[dict[str, Any]]) -> None:
    rows = iter(documents)
    while page := list(islice(rows, 500)):
        with engine.begin() as connection:
            store_games(
                connection, split_documents(msgspec.json.encode(page)).documents, datetime(2026, 10, 1, tzinfo=UTC)
            )
    with engine.begin() as connection:
        connection.execute(text("ANALYZE game_titles"))


def outcome(decision: Decision, igdb_id: int) -> str:
    if decision.verdict != "sure":
        return "unsure"
    return "right" if decision.igdb_id == igdb_id else "wrong"


def ask(
    connection: Connection, wishes: Iterable[Category], *, official: bool
) -> Iterator[tuple[Category, Decision, str]]:
    for category in wishes:
        decision = match_title(connection, wanted(category.name, official=official))
        yield category, decision, outcome(decision, category.igdb_id)


def report(counts: Counter[str]) -> str:
    total = counts.total() or 1
    return ", ".join(f"{counts[key]} {key} ({counts[key] / total:.1%})" for key in ("right", "unsure", "wrong"))


def top_games_found(
    connection: Connection, wishes: Sequence[Category], lacking: set[int], *, every: bool
) -> Counter[str]:
    """Return how often matching was right, unsure and wrong, and print it by where the true game stands."""
    known, added = Counter[str](), Counter[str]()
    for category, decision, how in ask(connection, wishes, official=True):
        (added if category.igdb_id in lacking else known)[how] += 1
        if how != "right" or every:
            print(f"  {how}: {category.name} ({category.igdb_id}) -> {decision.verdict}: {decision.why}")
    print(f"true game recorded:   {report(known)}")
    print(f"true game added:      {report(added)}")
    by_hand = Counter(how for *_, how in ask(connection, wishes, official=False))
    print(f"as if by a person:    {report(by_hand)}")
    return known + added


def best_by_likeness(documents: Sequence[dict[str, Any]], wishes: Sequence[Category]) -> tuple[Counter[str], float]:
    """Return the outcomes of rapidfuzz alone, and its seconds; the catalogue's names are prepared beforehand."""
    names = {document["id"]: utils.default_process(document["name"]) for document in documents}
    counts = Counter[str]()
    began = time.perf_counter()
    for category in wishes:
        wish = utils.default_process(category.name)
        best = process.extractOne(wish, names, scorer=fuzz.WRatio, score_cutoff=SURE_ENOUGH)
        counts["unsure" if best is None else "right" if best[2] == category.igdb_id else "wrong"] += 1
    return counts, time.perf_counter() - began


def spellings(name: str, dice: random.Random) -> dict[str, str]:
    """Return other ways to write a title."""
    words = name.split()
    place = dice.randrange(1, max(2, len(name) - 2))
    return {
        "as it is": name,
        "capitals": name.upper(),
        "without punctuation": "".join(c for c in name if c.isalnum() or c.isspace()),
        "numerals in digits": " ".join([*words[:1], *((arabic(w.lower()) or w) for w in words[1:])]),
        "Roman numerals": " ".join([*words[:1], *((roman(w) or w).upper() if w.isdigit() else w for w in words[1:])]),
        "and for &": name.replace("&", "and"),
        "an edition": f"{name} - Deluxe Edition",
        "a letter left out": name[:place] + name[place + 1 :],
        "two letters swapped": name[: place - 1] + name[place : place + 1] + name[place - 1] + name[place + 1 :],
    }


def spelled_otherwise(connection: Connection, games: Sequence[dict[str, Any]], *, every: bool) -> None:
    """Ask for games that no other entry shares its words with, in many spellings."""
    dice = random.Random(20261001)
    shared = Counter(read_title(game["name"]).words for game in games)
    alone = [g for g in games if shared[read_title(g["name"]).words] == 1 and g.get("game_type", 0) == MAIN]
    counts: dict[str, Counter[str]] = {}
    ranked_first: Counter[str] = Counter()
    for game in dice.sample(alone, min(len(alone), 2000)):
        for way, written in spellings(game["name"], dice).items():
            if way != "as it is" and written == game["name"]:
                continue
            decision = match_title(connection, wanted(written))
            how = outcome(decision, game["id"])
            if how == "wrong" and every:
                print(f"  wrong: {written} ({game['name']}) -> {decision.why}")
            counts.setdefault(way, Counter())[how] += 1
            ranked_first[way] += decision.best is not None and decision.best.candidate.igdb_id == game["id"]
    for way, outcomes in counts.items():
        print(f"{way:22} {report(outcomes)}; first of all in {ranked_first[way] / outcomes.total():.1%}")


def run(servers: Servers, size: Names) -> list[Result]:
    truth = made_up(size.made_up) if size.made_up else recorded()
    wishes = truth.wishes
    documents, lacking = catalogue(truth)
    print(f"{len(wishes)} names, {len(lacking)} of them added to the catalogue; {len(documents)} entries")
    engine = servers.database()
    store(engine, documents)
    with engine.connect() as connection:
        began = time.perf_counter()
        for _ in ask(connection, wishes, official=True):
            pass
        seconds = time.perf_counter() - began
        counts = top_games_found(connection, wishes, lacking, every=size.all)
        print()
        spelled_otherwise(connection, list(truth.games.values()), every=size.all)
    assert counts.total() == len(wishes)
    assert counts["right"] > counts["wrong"], counts
    alike, by_likeness = best_by_likeness(documents, wishes)
    right, wrong, right_alike, wrong_alike = (
        100 * outcomes[how] / len(wishes) for outcomes in (counts, alike) for how in ("right", "wrong")
    )
    rival = "rapidfuzz over all names"
    return [
        bounded("matching: right", right, "%", least=RIGHT, beside=f"{right_alike:.1f} % {rival}"),
        bounded("matching: wrong", wrong, "%", most=WRONG, beside=f"{wrong_alike:.1f} % {rival}"),
        faster("matching: a name", seconds / len(wishes), by_likeness / len(wishes), rival),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
