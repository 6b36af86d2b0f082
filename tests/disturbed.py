"""A small installation that is disturbed, and its undisturbed twin, as the campaign `stateful` drives them."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DBAPIError

from models import Delivery, Event, Source, Target
from models.vault import Vault
from notifiers import targets
from notifiers.subscriptions import add_subscription
from pipeline import embedded
from pipeline.demo.local import QuietHandler, serving
from pipeline.drops import clock
from pipeline.drops.sources.mirror import TwitchDrops
from pipeline.embedded import ensure
from pipeline.ingest.fetching import due, fetch_source, register
from tests.crashing import Crashing, Died, Point, Way
from tests.databases import Databases
from tests.pipeline.builders import NOON, Json, campaign, drop, drops
from tests.pipeline.fetch.local_service import LocalService
from tests.sending import deliver_due

PATH = "/v2/drops"

_RUN = ("INSERT INTO fetch_runs",)
_EVENTS, _OUTBOX = ("INSERT INTO events",), ("INSERT INTO deliveries",)
_CLAIMED = ("UPDATE deliveries", "attempts=(deliveries.attempts")
_SENT = ("UPDATE deliveries", "sent_at=")
FETCHING = (
    Point("before a source is claimed", "before", ("UPDATE sources SET lease_until",)),
    Point("at the commit of a source's claim", "commit", ("UPDATE sources SET lease_until",)),
    Point("after a source is claimed", "committed", ("UPDATE sources SET lease_until",)),
    Point("before the turn to store", "before", ("FROM sources", "FOR UPDATE")),
    Point("before campaigns are written", "before", ("INSERT INTO drop_campaigns",)),
    Point("after campaigns are written", "after", ("INSERT INTO drop_campaigns",)),
    Point("before a snapshot's events", "before", _EVENTS),
    Point("after a snapshot's events, before their deliveries", "after", _EVENTS),
    Point("after a snapshot's deliveries", "after", _OUTBOX),
    Point("before its sightings are written", "before", ("INSERT INTO sightings",)),
    Point("before a fetch is written down", "before", _RUN),
    Point("at the commit of a snapshot", "commit", _RUN),
    Point("after the commit of a snapshot", "committed", _RUN),
)
ADVANCING = (
    Point("before deadlines are taken", "before", ("DELETE FROM campaign_deadlines",)),
    Point("after the clock's events, before their deliveries", "after", _EVENTS),
    Point("at the clock's commit", "commit", ("DELETE FROM campaign_deadlines",)),
    Point("after the clock's commit", "committed", ("DELETE FROM campaign_deadlines",)),
)
DELIVERING = (
    Point("before a message is claimed", "before", _CLAIMED),
    Point("at the commit of a message's claim", "commit", _CLAIMED),
    Point("after a message is claimed, before it is sent", "committed", _CLAIMED),
    Point("between a service's OK and its settlement", "before", _SENT),
    Point("at the commit of a settlement", "commit", _SENT),
    Point("after the commit of a settlement", "committed", _SENT),
)
# What a service does: takes a message and dies before it answers, or before it reads.
CUT, DEAF = "a service takes a message and dies", "a service dies before it reads"
POINTS = (*(point.name for point in (*FETCHING, *ADVANCING, *DELIVERING)), CUT, DEAF)
# Which events each target wants.
WISHES: dict[str, list[str] | None] = {"all": None, "added": ["campaign.added"], "endings": ["campaign.ended"]}
# A time as a person whose clock is in UTC reads it: "Thu 6 Mar, 12:00 UTC".
_READ = re.compile(r"[A-Z][a-z]{2} (\d{1,2}) ([A-Z][a-z]{2})(?: \d{4})?, (\d\d:\d\d UTC)")
Answer = Literal["taken", "cut", "deaf", "refused"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
Crash = tuple[Point, Way, int]


@dataclass
class Sink:
    """A service that takes messages; it keeps what it took, by the address that was called."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    bodies: dict[str, list[str]] = field(default_factory=dict)
    struck: Counter[str] = field(default_factory=Counter)

    def take(self, handler: "_Handler") -> None:
        """Do with a request as the next answer says."""
        answer = self.answers.pop(0) if self.answers else "taken"
        if answer == "deaf":
            self.struck[DEAF] += 1
            handler.close_connection = True
            return
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        if answer == "refused":
            handler.answer(503, {})
            return
        self.bodies.setdefault(handler.path, []).append(_in_figures(f"{body['title']}\n{body['message']}"))
        if answer == "cut":
            self.struck[CUT] += 1
            handler.close_connection = True
            return
        handler.answer(200, {}, b"{}")


class _Handler(QuietHandler):
    def __init__(self, sink: Sink, *connection: Any) -> None:
        self.sink = sink
        super().__init__(*connection)

    def do_POST(self) -> None:  # noqa: N802  the name that http.server calls
        self.sink.take(self)


@dataclass
class Surroundings:
    """What all examples share: servers, a service that lists campaigns, one that takes messages, and a key."""

    databases: Databases
    service: LocalService
    sink: Sink
    vault: Vault
    struck: Counter[str] = field(default_factory=Counter)


@contextmanager
def surroundings(folder: Path) -> Iterator[Surroundings]:
    """Start the servers in a folder, and stop them after the `with` block."""
    sink = Sink()
    with embedded_databases(folder) as databases, LocalService() as service, serving(partial(_Handler, sink)) as url:
        sink.url = url
        yield Surroundings(databases, service, sink, Vault.open(folder / "secret" / "key"))


@contextmanager
def embedded_databases(folder: Path) -> Iterator[Databases]:
    """Start PostgreSQL in a folder."""
    databases = Databases(ensure(folder).database_url)
    try:
        yield databases
    finally:
        databases.close()
        # What the end of this process would do: the servers stop when nobody holds this lock.
        for lock in embedded._held.values():
            os.close(lock)
        embedded._held.clear()


class Installation:
    """One database with a source and targets, at a time of its own."""

    def __init__(self, engine: Engine, around: Surroundings) -> None:
        self.engine = engine
        self._around = around
        self._source = TwitchDrops(around.service.url)
        with engine.begin() as connection:
            register(connection, [self._source], NOON)
            for name, kinds in WISHES.items():
                address = f"json{around.sink.url.removeprefix('http')}/{name}"
                targets.add_target(connection, around.vault, name, address, NOON, private=True)
                add_subscription(connection, name, NOON, kinds=kinds)

    def fetch(self, now: datetime) -> bool:
        """Fetch what the service lists; returns whether there was anything to do."""
        return fetch_source(self.engine, self._source, lambda: now) is not None

    def advance(self, now: datetime) -> int:
        """Let the clock do its part; returns how many events that made."""
        return clock.advance(self.engine, now).total()

    def send(self, now: datetime) -> int:
        """Send what is due; returns how many messages there were."""
        return deliver_due(self.engine, self._around.vault, lambda: now).messages

    def make_due(self, now: datetime) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(Source).values(next_due_at=now, lease_until=None))

    def events(self) -> set[tuple[Any, ...]]:
        """Return all events but those of the source itself: it may have failed where the twin's did not."""
        query = select(Event.event_key, Event.silent).where(Event.kind.not_like("source.%"))
        return self._rows(query)

    def deliveries(self) -> set[tuple[Any, ...]]:
        query = select(Event.event_key, Target.name).join(Delivery, Delivery.event_id == Event.id)
        query = query.join(Target, Target.id == Delivery.target_id).where(Event.kind.not_like("source.%"))
        return self._rows(query)

    def outbox(self) -> list[tuple[str, str, str]]:
        """Return target, title and state of each delivery."""
        query = select(Target.name, Event.title, Delivery.state).join(Event, Event.id == Delivery.event_id)
        with self.engine.connect() as connection:
            rows = connection.execute(query.join(Target, Target.id == Delivery.target_id))
            return [(row[0], row[1], row[2]) for row in rows]

    def is_due(self, now: datetime) -> bool:
        with self.engine.connect() as connection:
            return bool(due(connection, now))

    def _rows(self, query: Any) -> set[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return {tuple(row) for row in connection.execute(query)}


def machine(around: Surroundings) -> type[RuleBasedStateMachine]:
    """Return the machine that works in these surroundings."""

    class Disturbed(DisturbedInstallation):
        surroundings = around

    return Disturbed


def _crashes(points: Sequence[Point]) -> st.SearchStrategy[Crash | None]:
    ways: st.SearchStrategy[Way] = st.sampled_from(("dies", "loses the database"))
    crash = st.tuples(st.sampled_from(points), ways, st.sampled_from((1, 1, 1, 2)))
    return st.one_of(crash, crash, st.none())


def _listed(key: str, name: str, days: int, minutes: int) -> tuple[str, Json | None]:
    end = NOON + timedelta(days=days)
    return key, campaign(key, name=f"Quest {key} {name}.", end=end, drops=[drop(key, minutes, f"Hat {key}")])


# A campaign that is listed from now on, in one of its states, or that is listed no more.
_KEYS = st.sampled_from("abcdef")
_STATES = st.builds(_listed, _KEYS, st.sampled_from(("one", "two")), st.integers(2, 5), st.sampled_from((30, 60)))
CHANGES = st.one_of(_STATES, _STATES, st.tuples(_KEYS, st.none()))
MINUTES = st.sampled_from((1, 6, 45, 180))


class DisturbedInstallation(RuleBasedStateMachine):
    """Drives an installation that crashes, and its twin that does not."""

    surroundings: ClassVar[Surroundings]

    def __init__(self) -> None:
        super().__init__()
        around = self.surroundings
        self._open = ExitStack()
        self._now = NOON
        self._campaigns: dict[str, Json | None] = {}
        self._main = Installation(self._open.enter_context(around.databases.new()), around)
        self._twin = Installation(self._open.enter_context(around.databases.new()), around)
        self._crashing = Crashing(self._main.engine, self._twin.engine)
        around.sink.bodies.clear()
        around.sink.answers.clear()
        # Bodies that a crash left unsettled, which may come again.
        self._doubtful: list[tuple[str, str]] = []
        self._serve()
        for installation in (self._main, self._twin):
            assert installation.fetch(self._now)

    @rule(changes=st.lists(CHANGES, max_size=2), crash=_crashes(FETCHING), minutes=MINUTES)
    def fetch(self, changes: list[tuple[str, Json | None]], crash: Crash | None, minutes: int) -> None:
        """Fetch what the service lists after some changes."""
        self._now += timedelta(minutes=minutes)
        self._campaigns.update(changes)
        self._serve()
        done = self._disturbed(lambda: self._main.fetch(self._now), crash)
        if done is None:
            done = any("INSERT INTO fetch_runs" in statement for statement in self._crashing.committed)
        if done:
            self._twin.make_due(self._now)
            assert self._twin.fetch(self._now)
        self.each_change_has_one_event_and_each_target_its_delivery()

    @rule(crash=_crashes(ADVANCING), minutes=MINUTES)
    def advance(self, crash: Crash | None, minutes: int) -> None:
        """Let the clock do its part."""
        self._now += timedelta(minutes=minutes)
        crashed = self._disturbed(lambda: self._main.advance(self._now), crash) is None
        if not crashed or any("campaign_deadlines" in statement for statement in self._crashing.committed):
            self._twin.advance(self._now)
        self.each_change_has_one_event_and_each_target_its_delivery()

    @rule(crash=_crashes(DELIVERING), answers=st.lists(st.sampled_from(ANSWERS), max_size=3))
    def send(self, crash: Crash | None, answers: list[Answer]) -> None:
        """Send what is due to services that answer so, and well after that."""
        self._now += timedelta(minutes=1)
        bodies = self.surroundings.sink.bodies
        before = {path: len(taken) for path, taken in bodies.items()}
        self.surroundings.sink.answers[:] = answers
        crashed = self._disturbed(lambda: self._main.send(self._now), crash) is None
        if crashed or "cut" in answers:
            self._doubtful += [(path, body) for path, taken in bodies.items() for body in taken[before.get(path, 0) :]]
        self.surroundings.sink.answers.clear()

    def each_change_has_one_event_and_each_target_its_delivery(self) -> None:
        assert self._main.events() == self._twin.events()
        assert self._main.deliveries() == self._twin.deliveries()
        loud = {key for key, is_silent in self._main.events() if not is_silent}
        assert {key for key, target in self._main.deliveries() if target == "all"} == loud

    def teardown(self) -> None:
        try:
            self._settle()
            self._check_arrivals()
        finally:
            self.surroundings.struck.update(self._crashing.struck)
            self._open.close()

    def _serve(self) -> None:
        self.surroundings.service.answers(PATH, drops(*filter(None, self._campaigns.values())))

    def _disturbed(self, work: Callable[[], int | bool], crash: Crash | None) -> int | bool | None:
        """Do some work with a crash; returns None where it struck."""
        point, way, nth = crash or (None, "dies", 1)
        try:
            with self._crashing.at(point, way, nth):
                return work()
        except (Died, DBAPIError):
            assert self._crashing.has_struck
            return None

    def _settle(self) -> None:
        """Let time pass until all that was begun is over."""
        for hours in (2, 26, 26, 5 * 24, 26, 26):
            self._now += timedelta(hours=hours)
            assert self._main.is_due(self._now), "the source is asked no more"
            assert self._main.fetch(self._now)
            self._twin.make_due(self._now)
            self._twin.fetch(self._now)
            for installation in (self._main, self._twin):
                installation.advance(self._now)
            self.each_change_has_one_event_and_each_target_its_delivery()
            while self._main.send(self._now):
                pass
        assert not self._main.is_due(self._now), "a fetch is under way for ever"

    def _check_arrivals(self) -> None:
        outbox = self._main.outbox()
        assert {state for _, _, state in outbox} <= {"sent"}
        wanted = Counter((target, title) for target, title, _ in outbox)
        bodies = {path.removeprefix("/"): taken for path, taken in self.surroundings.sink.bodies.items()}
        for (target, title), count in wanted.items():
            arrived = sum(title in body for body in bodies.get(target, ()))
            doubtful = sum(title in body for path, body in self._doubtful if path == f"/{target}")
            assert arrived >= 1, f"{title!r} never reached {target}"
            assert arrived - doubtful <= count, f"{title!r} reached {target} {arrived} times"


def _in_figures(text: str) -> str:
    """Return a message with its times as headlines write them for everybody: "06 Mar 12:00 UTC"."""
    return _READ.sub(lambda time: f"{int(time[1]):02} {time[2]} {time[3]}", text)
