"""Matching events to subscriptions of which half ask for a library: what that costs beside the same without.

    uv run --frozen python bench/library_fanout.py [EVENTS] [SUBSCRIPTIONS] [--people N] [--entries N] [--tiny]

The events are of 20,000 games, each a work of its own; each of the people owns 5,000 of them, and has finished some.
Half of the subscriptions ask for games that somebody owns, a tenth of them but for finished ones; the others ask for a
game. Measured is `fan_out` of all events in one transaction, beside two others of the same events: where the same
subscriptions ask for no library, so that they are told of everything, and where they ask for an organization instead
that a quarter of the events are of, so that as much is delivered. Goal: 1.5 times as long as either.
"""

import random
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Connection, Engine, select, text

from bench.databases import Servers
from bench.results import Result, as_long
from bench.running import Size, run_alone
from models import Event, Game, Organization, Person, PersonWork, Subscription, Target, Work
from models.names import name_key
from notifiers.conditions.conditions import Conditions
from notifiers.match import fan_out
from notifiers.subscriptions import store_conditions
from pipeline.database.copying import Json, copy_rows

T0 = datetime(2026, 10, 1, tzinfo=UTC)
GAMES, ORGANIZATIONS = 20_000, 4
TIMES = 5
LIBRARY, NOTHING, ORGANIZATION = "a library", "no library", "an organization"


@dataclass(frozen=True)
class Households(Size):
    """How many events come at once, how many subscriptions there are, of how many people, who have so many games."""

    events: int
    subscriptions: int
    _: KW_ONLY
    people: int
    entries: int


FULL, TINY = Households(1_000, 1_000, people=20, entries=5_000), Households(50, 40, people=4, entries=200)


def fill(engine: Engine, variant: str, size: Households) -> list[int]:
    """Write everything; half of the subscriptions ask for a variant. Returns the numbers of the events."""
    dice = random.Random(7)
    people = range(2, size.people + 2)
    with engine.begin() as connection:
        _copy(connection, Person, ("id", "name", "created_at"), ((n, f"p{n}", T0) for n in people))
        _copy(connection, Work, ("id", "name", "name_key", "how"), ((n, f"g{n}", f"g{n}", "igdb") for n in _numbers()))
        games = ((f"Game {n}", name_key(f"Game {n}"), f"g{n}", n) for n in _numbers())
        _copy(connection, Game, ("name", "name_key", "public_id", "work_id"), games)
        organizations = (("twitch", str(n), f"O {n}", f"o{n}", f"o{n}") for n in range(1, ORGANIZATIONS + 1))
        _copy(
            connection,
            Organization,
            ("service", "external_id", "name", "name_key", "public_id"),
            organizations,
        )
        columns = ("work_id", "person_id", "words", "stores", "platforms")
        for person_id in people:
            owned = dice.sample(_numbers(), size.entries)
            _copy(connection, PersonWork, columns, (_owned(work, person_id, dice) for work in owned))
        _subscribe(connection, size, people)
        ask(connection, variant, size.people)
        events = (
            (
                "campaign.added",
                f"e{n}",
                T0,
                T0,
                "news",
                "twitch",
                dice.choice(_numbers()),
                1 + n % 4,
                False,
                Json(b"{}"),
            )
            for n in range(size.events)
        )
        names = ("kind", "event_key", "occurred_at", "recorded_at", "title", "service", "game_id", "organization_id")
        _copy(connection, Event, (*names, "silent", "detail"), events)
        ids = list(connection.scalars(select(Event.id).order_by(Event.id)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return ids


def _numbers() -> range:
    return range(1, GAMES + 1)


def _owned(work_id: int, person_id: int, dice: random.Random) -> tuple[Any, ...]:
    words = ("owned", "finished") if dice.random() < 0.1 else ("owned",)
    return work_id, person_id, words, ("steam",), ("PC",)


def _subscribe(connection: Connection, size: Households, people: range) -> None:
    """Add targets, five of each of the people, and the subscriptions without their conditions."""
    columns = ("id", "name", "person_id", "url_encrypted", "label", "created_at")
    count = 5 * len(people)
    targets = ((n, f"t{n}", people[n % len(people)], b"", "", T0) for n in range(1, count + 1))
    _copy(connection, Target, columns, targets)
    rows = (
        (1 + n % count, people[(1 + n % count) % len(people)], f"s{n}", Json(b"{}"), False, T0)
        for n in range(size.subscriptions)
    )
    _copy(connection, Subscription, ("target_id", "person_id", "name", "conditions", "is_exact", "created_at"), rows)


def ask(connection: Connection, variant: str, people: int) -> None:
    """Give the subscriptions their conditions, of which half are of a variant."""
    dice = random.Random(11)
    for number, subscription_id in enumerate(
        connection.scalars(select(Subscription.id).order_by(Subscription.id)).all()
    ):
        kinds = ("campaign.*",) if number % 4 < 2 else ()
        game = f"Game {1 + int(GAMES * dice.random() ** 2)}"
        conditions = Conditions(kinds=kinds, games=(game,)) if number % 2 else _asking(variant, kinds, number, people)
        store_conditions(connection, subscription_id, conditions)


def _asking(variant: str, kinds: tuple[str, ...], number: int, people: int) -> Conditions:
    if variant == LIBRARY:
        excepted: tuple[Literal["finished"], ...] = ("finished",) if number % 20 == 0 else ()
        return Conditions(kinds=kinds, library=("owned", "playing"), library_except=excepted)
    # All subscriptions of a person ask for the same one, as they do for the same library.
    organizations = (f"O {1 + number % people % ORGANIZATIONS}",) if variant == ORGANIZATION else ()
    return Conditions(kinds=kinds, organizations=organizations)


def _copy(connection: Connection, model: Any, columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> None:
    copy_rows(connection, model.__table__, columns, rows)


def timed(engine: Engine, ids: list[int]) -> tuple[float, int]:
    """Return the seconds of a fan-out that is rolled back, and how many deliveries it made."""
    with engine.connect() as connection:
        began = time.perf_counter()
        deliveries = fan_out(connection, ids, T0)
        seconds = time.perf_counter() - began
        connection.rollback()
    return seconds, deliveries


def run(servers: Servers, size: Households) -> list[Result]:
    """Match the same events in three databases, in turns."""
    engines = {variant: servers.database() for variant in (LIBRARY, NOTHING, ORGANIZATION)}
    ids = {variant: fill(engine, variant, size) for variant, engine in engines.items()}
    taken: dict[str, list[float]] = {variant: [] for variant in engines}
    deliveries = dict.fromkeys(engines, 0)
    for _ in range(TIMES):
        for variant, engine in engines.items():
            seconds, deliveries[variant] = timed(engine, ids[variant])
            taken[variant].append(seconds)
    assert 0 < deliveries[LIBRARY] < deliveries[NOTHING]
    ours = statistics.median(taken[LIBRARY])
    name = f"{size.events:,} events, {size.subscriptions:,} subscriptions, {deliveries[LIBRARY]:,} deliveries"
    return [
        as_long(
            f"{name}, {size.people} people with {size.entries:,} games",
            ours,
            statistics.median(taken[variant]),
            f"where half ask for {variant} ({deliveries[variant]:,} deliveries)",
            most=1.5,
        )
        for variant in (NOTHING, ORGANIZATION)
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
