"""Matching events to subscriptions, as every transaction that appends events does.

    uv run --frozen python bench/match.py [SUBSCRIPTIONS] [EVENTS] [--tiny]

Subscriptions of a hundred thousand targets, skewed as interest is: six in ten ask for a game (the most wanted of 20,000
games by many, most by few), the others for a channel, an organization, a list, a platform, or a kind on a service; a
third of all name kinds, a twentieth have conditions that no key says. The events are of the same games, skewed alike.
Measured is `fan_out` of all events in one transaction. Beside: the COPY of the deliveries that result into the same
table, with its indexes, foreign keys and triggers, and a bare join of prepared tables of keys that inserts them. Then
the same events beside a hundredth and a tenth of the subscriptions, and one event that nobody wants. Goals: 3 s and the
COPY; 1.5 times the bare join; 1 ms for the event that nobody wants.
"""

import itertools
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
from sqlalchemy import Connection, Engine, Table, text

from bench.databases import Servers
from bench.results import Result, as_long, bounded
from bench.running import Size, run_alone
from models import Channel, Delivery, Event, Game, Organization, Subscription, SubscriptionKey, Target
from models.names import name_key
from models.people import OWNER_ID
from notifiers.conditions.conditions import Conditions, conditions_to_json
from notifiers.conditions.keys import event_keys, subscription_keys
from notifiers.conditions.reading import load_facts
from notifiers.match import fan_out
from pipeline.database.copying import Json, copy_rows

T0 = datetime(2026, 10, 1, tzinfo=UTC)
GAMES, CHANNELS, ORGANIZATIONS = 20_000, 50_000, 5_000
KINDS = ("campaign.added", "campaign.changed", "campaign.ended", "stream.online", "stream.offline", "release.moved")
PART = 50_000


@dataclass(frozen=True)
class Interest(Size):
    """How many subscriptions there are, of a tenth as many targets, and how many events come at once."""

    subscriptions: int
    events: int


FULL, TINY = Interest(1_000_000, 10_000), Interest(3_000, 200)


class World:
    """Invented games, channels and organizations, of which a few are wanted by many."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def one_of(self, count: int) -> int:
        """Return a number from 1, the lower the likelier."""
        return 1 + int(count * self.dice.random() ** 2)

    def conditions(self) -> Conditions:
        """Return what somebody may want."""
        chance = self.dice.random()
        kinds = (self.dice.choice(KINDS),) if self.dice.random() < 0.3 else ()
        rest: dict[str, Any] = {"min_minutes": 60} if self.dice.random() < 0.05 else {}
        if chance < 0.6:
            rest["games"] = (f"Game {self.one_of(GAMES)}",)
        elif chance < 0.8:
            rest["channels"] = (f"channel{self.one_of(CHANNELS)}",)
        elif chance < 0.95:
            rest["organizations"] = (f"Organization {self.one_of(ORGANIZATIONS)}",)
        elif chance < 0.98:
            rest["lists"] = (f"List {self.dice.randint(1, 10_000)}",)
        elif chance < 0.9999:
            rest["platforms"] = (f"Platform {self.dice.randint(1, 500)}",)
        else:
            rest["services"], kinds = ("twitch",), ("badge.added",)
        return Conditions(kinds=kinds, **rest)


def fill(engine: Engine, size: Interest) -> None:
    """Write everything but events."""
    world = World(7)
    targets = max(size.subscriptions // 10, 1)
    _copy(
        engine,
        Target.__table__,
        ("name", "url_encrypted", "label", "created_at"),
        ((f"t{n}", b"", "", T0) for n in range(targets)),
    )
    games = ((f"Game {n}", name_key(f"Game {n}"), f"g{n}") for n in range(1, GAMES + 1))
    _copy(engine, Game.__table__, ("name", "name_key", "public_id"), games)
    channels = (("twitch", str(n), f"channel{n}", T0) for n in range(1, CHANNELS + 1))
    _copy(engine, Channel.__table__, ("service", "external_id", "login", "first_seen_at"), channels)
    names = ("service", "external_id", "name", "name_key", "public_id")
    made = (("twitch", str(n), f"Organization {n}", f"organization{n}", f"o{n}") for n in range(1, ORGANIZATIONS + 1))
    _copy(engine, Organization.__table__, names, made)
    subscribe(engine, world, targets, 0, size.subscriptions)


def subscribe(engine: Engine, world: World, targets: int, begin: int, end: int) -> None:
    """Add subscriptions with numbers from one to another."""
    keys: list[tuple[str, int]] = []

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(begin + 1, end + 1):
            conditions = world.conditions()
            standing = subscription_keys(conditions, OWNER_ID)
            keys.extend((key, number) for key in standing.keys)
            yield (
                world.dice.randint(1, targets),
                f"s{number}",
                Json(msgspec.json.encode(conditions_to_json(conditions))),
                standing.is_exact,
                T0,
            )

    _copy(engine, Subscription.__table__, ("target_id", "name", "conditions", "is_exact", "created_at"), rows())
    _copy(engine, SubscriptionKey.__table__, ("key", "subscription_id"), keys)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE subscriptions, subscription_keys, targets"))


def _copy(engine: Engine, table: Any, columns: tuple[str, ...], rows: Any) -> None:
    rows = iter(rows)
    while part := list(itertools.islice(rows, PART)):
        with engine.begin() as connection:
            copy_rows(connection, table, columns, part)


def append(connection: Connection, world: World, count: int) -> list[int]:
    """Append events, and return their numbers."""
    rows = []
    for number in range(count):
        kind = world.dice.choice(KINDS)
        channel = world.one_of(CHANNELS) if kind.startswith("stream") else None
        organization = world.one_of(ORGANIZATIONS) if kind.startswith("campaign") else None
        about = (world.one_of(GAMES), organization, channel)
        rows.append((kind, f"{kind}{number}", T0, T0, "news", "twitch", *about, False, Json(b"{}")))
    columns = ("kind", "event_key", "occurred_at", "recorded_at", "title", "service", "game_id")
    copy_rows(connection, _table(Event), (*columns, "organization_id", "channel_id", "silent", "detail"), rows)
    return [row.id for row in connection.execute(text("SELECT id FROM events ORDER BY id"))]


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


class Matched(NamedTuple):
    """The seconds of a fan-out, of the COPY of its deliveries, and of a bare join that inserts as many."""

    seconds: float
    deliveries: int
    copy: float
    bare: float


def matched(engine: Engine, count: int) -> Matched:
    """Match new events, then write what came of it again in the two other ways, all in one transaction."""
    with engine.connect() as connection:
        ids = append(connection, World(11), count)
        began = time.perf_counter()
        deliveries = fan_out(connection, ids, T0)
        seconds = time.perf_counter() - began
        columns = "event_id, target_id, subscription_ids, created_at, next_attempt_at"
        rows = [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM deliveries"))]  # noqa: S608
        assert deliveries == len(rows) > 0
        _empty(connection)
        copy = _copied(connection, rows)
        _empty(connection)
        bare = _bare(connection, ids)
        connection.rollback()
    return Matched(seconds, deliveries, copy, bare)


def _empty(connection: Connection) -> None:
    connection.execute(text("TRUNCATE deliveries, wakes"))


def _bare(connection: Connection, ids: list[int]) -> float:
    """Return the seconds of the join alone, its keys being prepared, and all subscriptions taken for exact."""
    connection.execute(text("CREATE TEMPORARY TABLE wanted (event_id bigint, key text) ON COMMIT DROP"))
    pairs = [(facts.event_id, key) for facts in load_facts(connection, ids) for key in event_keys(facts)]
    values = {"ids": [event for event, _ in pairs], "keys": [key for _, key in pairs]}
    unnested = "unnest(cast(:ids AS bigint[]), cast(:keys AS text[]))"
    connection.execute(text(f"INSERT INTO wanted SELECT * FROM {unnested}"), values)  # noqa: S608
    connection.execute(text("ANALYZE wanted"))
    began = time.perf_counter()
    connection.execute(
        text(
            "INSERT INTO deliveries (event_id, target_id, subscription_ids, created_at, next_attempt_at) "
            "SELECT w.event_id, s.target_id, array_agg(s.id), now(), now() FROM wanted w "
            "JOIN subscription_keys k USING (key) JOIN subscriptions s ON s.id = k.subscription_id "
            "GROUP BY w.event_id, s.target_id"
        )
    )
    return time.perf_counter() - began


def _copied(connection: Connection, rows: list[tuple[Any, ...]]) -> float:
    """Return the seconds of the COPY of deliveries."""
    columns = ("event_id", "target_id", "subscription_ids", "created_at", "next_attempt_at")
    lines = [(event, target, tuple(map(str, ids)), *times) for event, target, ids, *times in rows]
    began = time.perf_counter()
    copy_rows(connection, _table(Delivery), columns, lines)
    return time.perf_counter() - began


def unwanted(engine: Engine) -> float:
    """Return the least seconds that matching takes of an event that nobody wants, of twenty."""
    with engine.connect() as connection:
        row = ("badge.added", "x", T0, T0, "news", "chzzk", False, Json(b"{}"))
        columns = ("kind", "event_key", "occurred_at", "recorded_at", "title", "service", "silent", "detail")
        copy_rows(connection, _table(Event), columns, [row])
        [number] = [each.id for each in connection.execute(text("SELECT id FROM events"))]
        least = min(_timed(connection, number) for _ in range(20))
        connection.rollback()
    return least


def _timed(connection: Connection, event_id: int) -> float:
    began = time.perf_counter()
    assert fan_out(connection, [event_id], T0) == 0
    return time.perf_counter() - began


def run(servers: Servers, size: Interest) -> list[Result]:
    """Match the events beside ever more subscriptions."""
    results = []
    for share in (100, 10, 1):
        part = Interest(max(size.subscriptions // share, 10), size.events)
        engine = servers.database()
        fill(engine, part)
        seen = matched(engine, part.events)
        print(f"{part.subscriptions:,} subscriptions: {seen.deliveries:,} deliveries in {seen.seconds:.2f} s")
        if share > 1:
            name = f"{part.events:,} events, {part.subscriptions:,} subscriptions"
            results.append(bounded(name, seen.seconds, "s", beside=f"{seen.deliveries:,} deliveries"))
            continue
        beyond, floor = seen.seconds - seen.copy, f"the COPY {seen.copy:.2f} s"
        name = f"{part.events:,} events, {part.subscriptions:,} subscriptions, {seen.deliveries:,} deliveries"
        results += [
            bounded(f"{name}, without their COPY", beyond, "s", most=3, beside=floor),
            as_long(name, seen.seconds, seen.bare, "a bare join", most=1.5),
            bounded("an event that nobody wants", 1000 * unwanted(engine), "ms", most=1),
        ]
    return results


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
