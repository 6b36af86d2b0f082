"""Targets of every kind of badness beside good ones: what was taken is not sent again, and nothing else comes late.

Each of five services (mail, a web hook, Discord, ntfy, Telegram) is played in each of the ways of `WAYS`, all at once,
to an installation that runs as a user's does; Discord and Telegram are reached through a proxy that plays them. Then
three days of the same are gone through with a clock that jumps from one attempt to the next.
"""

import logging
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from threading import Event

from sqlalchemy import Engine, select

from models import Delivery, Heartbeat, Target
from models.vault import Vault
from notifiers.hearing import PATIENCE, Patience
from notifiers.subscriptions import add_subscription
from notifiers.targets import add_target
from pipeline.demo.local import LOOPBACK
from pipeline.demo.services import DemoServices
from pipeline.embedded import ensure
from pipeline.runtime.celery_app import hint, make_app
from pipeline.runtime.heartbeat import CLOCK
from pipeline.runtime.runtime import KEY_FILE, utc_now
from pipeline.runtime.watchdog import WORKER
from tests.campaigns.campaign import Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.campaigns.installation import UpAsProcess, hurried
from tests.databases import Databases
from tests.notifiers import stubborn
from tests.notifiers.authority import authority
from tests.notifiers.stubborn import Conduct, Stubborn, answers, drips, hangs, hangs_up, repeats, says
from tests.notifiers.world import Notifying
from tests.processes import free_port, living
from tests.sending import deliver_due
from tests.waiting import wait_for

HOSTS = ("discord.com", "api.telegram.org")
SERVICES = ("mail", "hook", "discord", "ntfy", "telegram")
# The periods of beat_schedule.py.
PERIODS = {CLOCK: 20.0, WORKER: 30.0}
PROMISED = timedelta(hours=72)
DAY = timedelta(days=1)
# One word each, which mail encodes to nothing else.
TITLES = ("LootOne", "LootTwo")
# An installation without an account at IGDB finds none itself.
KIND = "game.added"


@dataclass(frozen=True, kw_only=True)
class TargetsSize(Size):
    """How many targets of each service behave in each way, and for how long the installation runs with them.

    `told_within` is the bound in seconds for healthy targets. In the three days there is one target of each of the
    `services` and ways, which has the `patience`.
    """

    targets: int
    seconds: float
    slow_seconds: float
    told_within: float
    services: tuple[str, ...]
    patience: Patience


SHORT = TargetsSize(
    targets=1,
    seconds=32,
    slow_seconds=3,
    # On a machine that does other things as well.
    told_within=20,
    services=("mail", "hook", "telegram"),
    patience=Patience(http_answer=0.3, http_body=0.3, mail_end=0.3),
    shortens=(
        "a slow target accepts after 3 s instead of 25 to 30",
        "it runs for 32 s: a service that never answers is not waited for to the end there",
        "in the three days a service has 0.3 s to answer, and the clock jumps",
    ),
)
FULL = TargetsSize(
    targets=3,
    seconds=900,
    slow_seconds=30,
    told_within=5,
    services=SERVICES,
    patience=Patience(http_answer=1, http_body=1, mail_end=1),
    shortens=(
        "only in the three days: a service has 1 s to answer, and the clock jumps; the run beside shortens nothing",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a target behaves, on the web and as a mail server; None where it cannot.

    `taken` says that it has every message after the first time, `again` that nobody knows, `dead` that it refuses for
    good, and `rests` that it wants none for a day.
    """

    web: Conduct
    mail: Conduct | None
    taken: bool = False
    again: bool = False
    dead: bool = False
    rests: bool = False


def slowly(seconds: float, then: Conduct) -> Conduct:
    """Do something after so many seconds."""

    def wait(connection: object) -> None:
        Event().wait(seconds)
        then(connection)  # type: ignore[arg-type]

    return wait


def ways(slow_seconds: float) -> Mapping[str, Way]:
    """Return every way by a name that stands in the addresses of its targets."""
    taken = says(stubborn.MAIL_TAKEN)
    return {
        "well": Way(web=answers(200), mail=taken, taken=True),
        "slow": Way(web=slowly(slow_seconds, answers(200)), mail=slowly(slow_seconds, taken), taken=True),
        "half": Way(web=says(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), mail=None, taken=True),
        "hang": Way(web=hangs, mail=hangs, again=True),
        "drip": Way(web=drips(b"HTTP/1.1 200 OK\r\nX-Drip: "), mail=drips(b"250-"), again=True),
        "more": Way(web=repeats(b"HTTP/1.1 100 Go\r\n\r\n"), mail=repeats(b"250-yes\r\n"), again=True),
        "cut": Way(web=hangs_up, mail=hangs_up, again=True),
        "gone": Way(web=answers(404), mail=says(b"550 5.1.1 no such user\r\n"), dead=True),
        "busy": Way(web=answers(500), mail=says(b"451 4.3.0 try later\r\n")),
        "rest": Way(web=answers(503, Retry_After="86400"), mail=None, rests=True),
        "limit": Way(web=answers(429, b'{"retry_after": 86400}', X_RateLimit_Remaining="0"), mail=None, rests=True),
    }


@dataclass
class Played(Stubborn):
    """All services of a campaign: a target's word stands in whatever is sent to it."""

    by_word: Mapping[str, Conduct] = field(default_factory=dict)
    # When each target was sent each event.
    receipts: dict[str, list[tuple[float, bytes]]] = field(default_factory=dict)

    def take(self, message: bytes) -> Conduct:
        text = message.decode(errors="replace")
        word = next(word for word in self.by_word if word in text)
        with self._lock:
            self.receipts.setdefault(word, []).append((time.monotonic(), message))
        return self.by_word[word]

    def of(self, word: str, title: str = "") -> list[tuple[float, bytes]]:
        """Return what a target was sent, or of it what is about an event."""
        return [receipt for receipt in self.receipts.get(word, ()) if title.encode() in receipt[1]]


@dataclass(frozen=True)
class Place:
    """One target: its word, its service, how it behaves, and where it is."""

    word: str
    service: str
    way: Way
    url: str


@contextmanager
def played(folder: Path, size: TargetsSize) -> Iterator[tuple[Played, Played, list[Place]]]:
    """Play every service in every way until the block ends; gives the web's server, the mail's, and all targets."""
    tls, trusted = authority(folder, HOSTS)
    web, mail = Played([], tls=tls), Played([])
    with ExitStack() as stack:
        stack.enter_context(stubborn.serving_web(web))
        stack.enter_context(stubborn.serving_mail(mail))
        stack.enter_context(_environment(web, trusted))
        named = ways(size.slow_seconds).items()
        places = [
            place
            for name, way in named
            for service in SERVICES
            for number in range(size.targets)
            if (place := _place(f"{service}{name}{number}", service, way, web, mail)) is not None
        ]
        web.by_word = {place.word: place.way.web for place in places if place.service != "mail"}
        mail.by_word = {p.word: p.way.mail for p in places if p.service == "mail" and p.way.mail is not None}
        yield web, mail, places


@contextmanager
def _environment(web: Played, trusted: Path) -> Iterator[None]:
    """Lead HTTPS through the server that plays Discord and Telegram, in this process and those that it starts."""
    ours = {"HTTPS_PROXY": f"http://{LOOPBACK}:{web.port}", "NO_PROXY": LOOPBACK, "REQUESTS_CA_BUNDLE": str(trusted)}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _place(word: str, service: str, way: Way, web: Played, mail: Played) -> Place | None:
    if service == "mail" and way.mail is None:
        return None
    urls = {
        "mail": f"mailto://{LOOPBACK}:{mail.port}/?from=loot@example.org&to={word}@example.org&mode=insecure",
        "hook": web.url("json", f"/{word}"),
        "discord": f"discord://4174216298/{word}JHMHI8qBe7bk2ZwO5U711o3dV",
        "ntfy": web.url("ntfy", f"/{word}"),
        "telegram": f"tgram://123456789:abcdefg_hijklmnop-abcdefgh/@{word}/",
    }
    return Place(word, service, way, urls[service])


def run(size: TargetsSize, trial: Trial) -> Sequence[Claim]:
    """Try the targets beside a running installation, then for three days."""
    with played(trial.folder, size) as (web, mail, places):
        trial.say(f"{len(places)} targets, of which {sum(place.way.again for place in places)} never answer")
        return [*_beside(size, trial, web, mail, places), *_three_days(size, trial, web, mail, places)]


def _beside(size: TargetsSize, trial: Trial, web: Played, mail: Played, places: Sequence[Place]) -> list[Claim]:
    data_dir = trial.folder / "data"
    with DemoServices(utc_now()) as services:
        up = UpAsProcess(data_dir, free_port(), {**hurried(services), "LOOTWIRE_LOG_LEVEL": "WARNING"})
        up.start()
        try:
            up.ask(lambda engine: _add(Notifying(engine, Vault.open(data_dir / KEY_FILE), utc_now()), places))
            watched = _watch(size, trial, up, web, mail, places)
            dead = up.ask(_states) or {}
        finally:
            before = set(up.processes())
            up.kill()
            wait_for(lambda: not living(before))
    return [
        *watched,
        none_of("refused for good, and not dead", _not_dead(dead, places)),
        *_received(web, mail, places, TITLES),
    ]


def _add(world: Notifying, places: Sequence[Place]) -> None:
    with world.engine.begin() as connection:
        for place in places:
            add_target(connection, world.vault, place.word, place.url, world.now, private=True)
            # What the installation sees by itself is none of this campaign's business.
            add_subscription(connection, place.word, world.now, kinds=[KIND])


def _watch(
    size: TargetsSize, trial: Trial, up: UpAsProcess, web: Played, mail: Played, places: Sequence[Place]
) -> list[Claim]:
    """Append two events, the second while the first is under way, and see how late everything else is."""
    well = [place for place in places if place.way.taken and "slow" not in place.word]
    began = time.monotonic()
    told_after: dict[str, float] = {}
    beats: dict[str, list[datetime]] = {name: [] for name in PERIODS}
    for at, title in zip((0.0, size.seconds / 3), TITLES, strict=True):
        while time.monotonic() < began + at:
            _look(up, beats)
        appended = time.monotonic()
        _append(up, title)
        # For longer than is promised, to see by how much.
        while time.monotonic() < appended + 60 and not all(_server(p, web, mail).of(p.word, title) for p in well):
            _look(up, beats)
        first = [_server(p, web, mail).of(p.word, title) for p in well]
        told_after[title] = max((receipts[0][0] - appended if receipts else float("inf")) for receipts in first)
        trial.say(f"{title}: healthy targets were told within {told_after[title]:.1f} s")
    while time.monotonic() < began + size.seconds:
        _look(up, beats)
    return [
        at_most("until every healthy target was told", max(told_after.values()), size.told_within, "s"),
        *(
            at_most(f"longest pause of the {name}, of period {period:.0f} s", _longest(beats[name]), 2 * period, "s")
            for name, period in PERIODS.items()
        ),
    ]


def _look(up: UpAsProcess, beats: Mapping[str, list[datetime]]) -> None:
    query = select(Heartbeat.name, Heartbeat.at).where(Heartbeat.name.in_(beats))

    def seen(engine: Engine) -> list[tuple[str, datetime]]:
        with engine.connect() as connection:
            return [(name, at) for name, at in connection.execute(query)]

    for name, at in up.ask(seen) or ():
        if beats[name][-1:] != [at]:
            beats[name].append(at)
    Event().wait(0.5)


def _longest(beats: Sequence[datetime]) -> float:
    """Return the longest pause in seconds, that until now too."""
    moments = [*beats, utc_now()]
    return max((later - at).total_seconds() for at, later in pairwise(moments))


def _append(up: UpAsProcess, title: str) -> None:
    vault, numbers = Vault.open(up.data_dir / KEY_FILE), count(1_000 * (TITLES.index(title) + 1))
    up.ask(lambda engine: Notifying(engine, vault, utc_now(), numbers).event(title, kind=KIND, service=None))
    sockets = up.layout.published_sockets()
    assert sockets is not None
    with make_app(sockets.servers().redis_url) as app:
        hint(app, "send.due", expires=60)


def _states(engine: Engine) -> Mapping[str, set[str]]:
    """Return the states of each target's deliveries."""
    states: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for name, state in connection.execute(select(Target.name, Delivery.state).join(Delivery)):
            states.setdefault(name, set()).add(state)
    return states


def _not_dead(states: Mapping[str, set[str]], places: Sequence[Place]) -> list[str]:
    return [place.word for place in places if place.way.dead and states.get(place.word) != {"dead"}]


def _server(place: Place, web: Played, mail: Played) -> Played:
    return mail if place.service == "mail" else web


def _received(web: Played, mail: Played, places: Sequence[Place], titles: Sequence[str]) -> list[Claim]:
    """Claim what must hold within the first hour."""
    counts = {(p, t): len(_server(p, web, mail).of(p.word, t)) for p in places for t in titles}
    once = [p for p in places if p.way.taken or p.way.again or p.way.dead]
    resting = [p for p in places if p.way.rests]
    # A target has one message under way at a time, and nobody waits for the end of those that never answer.
    unheard = [p.word for p in once if not p.way.again and any(counts[p, t] == 0 for t in titles)]
    return [
        none_of(
            "taken, or perhaps, and sent again", [f"{p.word}: {t}" for p in once for t in titles if counts[p, t] > 1]
        ),
        none_of("events that a target which answers was not sent", unheard),
        none_of(
            "asked again in the rest that it asked for",
            [p.word for p in resting if len(_server(p, web, mail).of(p.word)) > 1],
        ),
        at_least("requests that never came to an answer", sum(counts[p, titles[0]] for p in places if p.way.again), 1),
        figure("messages received", sum(counts.values())),
    ]


def _three_days(size: TargetsSize, trial: Trial, web: Played, mail: Played, places: Sequence[Place]) -> list[Claim]:
    """Go through all attempts of the same targets, from one due time to the next."""
    # Of those that are busy and those that are slow the installation has seen enough.
    seen_enough = ("slow", "busy")
    chosen = [
        p
        for p in places
        if p.word.endswith("0") and p.service in size.services and not any(way in p.word for way in seen_enough)
    ]
    # Each failure is one line, and all of them are wanted here.
    logging.getLogger("notifiers.deliver").setLevel(logging.ERROR)
    for server in (web, mail):
        server.receipts.clear()
    # They end with this process.
    databases = Databases(ensure(trial.folder / "three-days").database_url)
    with databases.new() as engine:
        world = Notifying(engine, Vault.open(trial.folder / "three-days.key"), datetime(2026, 11, 1, tzinfo=UTC))
        _add(world, chosen)
        world.event(TITLES[0], kind=KIND, service=None)
        attempts = _until_settled(world, size.patience)
    databases.close()
    again = [p for p in chosen if p.way.again]
    expected = [timedelta(hours=h) for h in (0, 1, 7, 31, 55, 79)]
    wrong = [p.word for p in again if attempts[p.word] != expected]
    resting = [p.word for p in chosen if p.way.rests and any(_pause < DAY for _pause in _pauses(attempts[p.word]))]
    silent = [
        f"{p.word}, {n}"
        for p in again
        for n, (_, message) in enumerate(_server(p, web, mail).of(p.word))
        if (b"perhaps again" in message.lower()) != (n > 0)
    ]
    given_up = [p.word for p in chosen if (p.way.again or p.way.rests) and attempts[p.word][-1] < PROMISED]
    taken = [p.word for p in chosen if p.way.taken and len(_server(p, web, mail).of(p.word)) != 1]
    counts = Counter(len(attempts[p.word]) for p in again)
    trial.say(f"in three days a target that never answers was sent a message {sorted(counts)} times")
    return [
        none_of("sent again other than after 1, 6 and 24 h", wrong),
        none_of('sent again without "perhaps again", or with it at first', silent),
        none_of("given up before 72 h", given_up),
        none_of("asked again within the day of a rest", resting),
        none_of("taken, and sent more or less than once in three days", taken),
        at_most("patience for a mail's end that the product has", PATIENCE.mail_end, 600, "s"),
    ]


def _until_settled(world: Notifying, patience: Patience) -> dict[str, list[timedelta]]:
    """Send until nothing waits any more; returns when each target was tried, from the first time on."""
    began = world.now
    names = select(Delivery.id, Target.name).join(Target)
    with world.engine.connect() as connection:
        by_id: dict[int, str] = dict(connection.execute(names).tuples().all())
    tried = dict.fromkeys(by_id, 0)
    attempts: dict[str, list[timedelta]] = {name: [] for name in by_id.values()}
    while waiting := [row for row in world.deliveries() if row.state == "pending"]:
        with world.engine.connect() as connection:
            rests: dict[int, datetime | None] = dict(
                connection.execute(select(Target.id, Target.rests_until)).tuples().all()
            )
        due = min(max(row.next_attempt_at, rests[row.target_id] or row.next_attempt_at) for row in waiting)
        world.now = max(world.now, due)
        deliver_due(world.engine, world.vault, world.clock, patience=patience, lanes=40)
        for row in world.deliveries():
            if row.attempts > tried[row.id]:
                tried[row.id] = row.attempts
                attempts[by_id[row.id]].append(world.now - began)
    return attempts


def _pauses(moments: Sequence[timedelta]) -> list[timedelta]:
    return [later - at for at, later in pairwise(moments)]
