"""A world by the real clock: campaigns appear and end, streamers come and go, and a target keeps all that it gets."""

import json
import random
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.demo.clock import exact_stamp
from pipeline.demo.live import Query
from pipeline.demo.services import Answer, DemoServices
from pipeline.demo.sinks import WebhookSink
from tests.pipeline.builders import campaign, drops, stamp, version_2
from tests.twitch import LocalTwitch

# How a campaign or a stream of this world is known in whatever is said of it.
KEY = re.compile(r"\b[cs]\d{5}\b")
# Where sources that the program has not are asked (tests/campaigns/extra_sources.py).
MADE_UP = "/made/"
DISTANCE = 0.03
# Twitch gives no number twice, and a run that goes on where another was killed does not know all that this one gave.
STREAM_ID = 1_000 * int(time.time())


class ChangingServices(DemoServices):
    """The demo's services, whose mirror lists what is announced by `announce`, each campaign until its end."""

    def __init__(self, now: datetime, ends: Mapping[str, datetime], *, refresh_interval_seconds: int = 60) -> None:
        """Begin with campaigns that an earlier run announced, by key with their ends; it began at `now`."""
        super().__init__(now, refresh_interval_seconds=refresh_interval_seconds)
        self.ends = dict(ends)
        self._listing = threading.Lock()
        # Of requests for the sources that have a path of their own: those under way, and those that another overlapped.
        self._open: Counter[str] = Counter()
        self.asked_at_once: list[str] = []
        self._list_now()

    def announce(self, count: int, *, lasting: timedelta) -> list[str]:
        """List so many new campaigns, and no longer those that have ended; returns the keys of the new ones."""
        first, end = len(self.ends), datetime.now(UTC) + lasting
        keys = [f"c{number:05d}" for number in range(first, first + count)]
        with self._listing:
            self.ends |= dict.fromkeys(keys, end)
            self._list_now()
        return keys

    def _list_now(self) -> None:
        self.listed_at = datetime.now(UTC)
        listed = [
            campaign(key, name=f"Campaign {key}", end=end, startAt=stamp(end - timedelta(days=1)))
            for key, end in self.ends.items()
            if end > self.listed_at
        ]
        self._body = version_2(drops(*listed), self.listed_at, self.refresh_interval_seconds)

    def answer(self, path: str, query: Query, step: int) -> Answer:
        """Return the answer to a GET of this path."""
        with self._under_way(path):
            return self._answer(path, query, step)

    @contextmanager
    def _under_way(self, path: str) -> Iterator[None]:
        """Remember a request that comes while another for the same path is answered."""
        with self._listing:
            self._open[path] += 1
            if self._open[path] > 1 and path.startswith(("/mirror/", "/kick/", MADE_UP)):
                self.asked_at_once.append(path)
        try:
            # As far away as a service on the internet is: what would overlap has the time to.
            time.sleep(DISTANCE)
            yield
        finally:
            with self._listing:
                self._open[path] -= 1

    def _answer(self, path: str, query: Query, step: int) -> Answer:
        if path.startswith(MADE_UP):
            return Answer(200, "application/json", b"[]", {}, counted=False)
        answer = super().answer(path, query, step)
        if path != "/mirror/v2/drops":
            return answer
        with self._listing:
            # On a 304, too: what has not changed since is as old as the list, not as the question.
            return answer._replace(body=self._body, headers={"X-Last-Updated-At": exact_stamp(self.listed_at)})


class JournalSink(WebhookSink):
    """A target that writes each message into a file at once, so that it is known whatever happens afterwards."""

    def __init__(self, journal: Path) -> None:
        """Go on with the journal of an earlier run, if there is one."""
        super().__init__()
        self._journal = journal
        self._journal.touch()
        self._writing = threading.Lock()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Take a message, and write its text down."""
        status = super().take(path, headers, body)
        if status == 200:
            said = json.loads(body)
            with self._writing, self._journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(f"{said['title']}\n{said['message']}") + "\n")
        return status

    def texts(self) -> list[str]:
        """Return the text of each message that arrived, the oldest first."""
        return [json.loads(line) for line in self._journal.read_text("utf-8").splitlines()]


_MOMENT = re.compile(r"\d\d [A-Z][a-z]{2} \d\d:\d\d UTC")
# Fewer letters than any message leaves of a title.
_KNOWN_BY = 120


@dataclass(frozen=True)
class Arrivals:
    """How often what was to be told has arrived."""

    missing: list[str]
    repeated: int
    """Messages that told again something that an earlier one had told."""
    messages: int


def arrivals(titles: Sequence[str], texts: Sequence[str]) -> Arrivals:
    """Compare the titles of events that a target was to be told of with the messages that it got.

    What a chat would take for a command is made harmless in a message, and a long title is cut; the words before that
    are enough to know it by.
    """
    wanted = Counter(title.partition("@")[0][:_KNOWN_BY] for title in titles)
    by_key: dict[str, set[str]] = defaultdict(set)
    for title in wanted:
        for key in KEY.findall(title) or [""]:
            by_key[key].add(title)
    seen: Counter[str] = Counter()
    repeated = 0
    for text in texts:
        may_be = by_key[""].union(*(by_key[key] for key in set(KEY.findall(text)) if key in by_key))
        counts = Counter({title: count for title in may_be if (count := _count(title, text))})
        repeated += any(seen[title] + count > wanted[title] for title, count in counts.items())
        seen += counts
    missing = sorted(title for title, count in wanted.items() if seen[title] < count)
    return Arrivals(missing, repeated, len(texts))


def _count(title: str, text: str) -> int:
    """Return how often a message tells a title, whose times it writes as its reader does."""
    parts = _MOMENT.split(title)
    return text.count(title) if len(parts) == 1 else len(re.findall(".+?".join(map(re.escape, parts)), text))


@dataclass
class OnAir:
    """A stream of this world; `ended_at` is None while it runs."""

    id: str
    login: str
    began_at: datetime
    ended_at: datetime | None = None

    @property
    def lasted(self) -> timedelta:
        """How long it was on air until now."""
        return (self.ended_at or datetime.now(UTC)) - self.began_at


@dataclass
class Streamers:
    """Channels whose streams begin and end at times that the dice choose, within bounds in minutes."""

    twitch: LocalTwitch
    logins: Sequence[str]
    dice: random.Random
    live_for: tuple[float, float]
    away_for: tuple[float, float]
    streams: list[OnAir] = field(default_factory=list)
    _due: dict[str, datetime] = field(default_factory=dict)
    _running: dict[str, OnAir] = field(default_factory=dict)

    def turn(self) -> None:
        """Begin and end what is due; at first a share of them waits for its turn."""
        now = datetime.now(UTC)
        for login in self.logins:
            due = self._due.setdefault(login, now + self.dice.random() * self._minutes(self.away_for))
            if due <= now:
                self._end(login) if login in self._running else self.begin(login)

    def begin(self, login: str) -> OnAir:
        """Begin a stream now."""
        number = len(self.streams)
        stream = self.twitch.go_live(login, title=f"Broadcast s{number:05d}", stream_id=str(STREAM_ID + number))
        self._running[login] = OnAir(stream.id, login, datetime.now(UTC))
        self.streams.append(self._running[login])
        self._due[login] = datetime.now(UTC) + self._minutes(self.live_for)
        return self._running[login]

    def _end(self, login: str) -> None:
        self.twitch.go_offline(login)
        self._running.pop(login).ended_at = datetime.now(UTC)
        self._due[login] = datetime.now(UTC) + self._minutes(self.away_for)

    def end_all(self) -> None:
        """End what runs."""
        for login in list(self._running):
            self._end(login)

    def _minutes(self, bounds: tuple[float, float]) -> timedelta:
        return timedelta(minutes=self.dice.uniform(*bounds))


def twitch_environment(twitch: LocalTwitch) -> dict[str, str]:
    """Return the variables by which a program takes a local Twitch for the real one."""
    return {
        "TWITCH_CLIENT_ID": twitch.client_id,
        "TWITCH_CLIENT_SECRET": twitch.client_secret,
        "LOOTWIRE_TWITCH_AUTH_URL": twitch.auth_url,
        "LOOTWIRE_HELIX_URL": twitch.helix_url,
        "LOOTWIRE_EVENTSUB_URL": twitch.eventsub_url,
    }


def came_true(condition: Callable[[], object], seconds: float, *, pause: float = 0.1) -> bool:
    """Wait until a condition holds; returns whether it did within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


@contextmanager
def every(seconds: float, action: Callable[[], object]) -> Iterator[None]:
    """Do something in a thread of its own, at once and then each so many seconds, for the length of a `with` block."""
    over = threading.Event()

    def run() -> None:
        while True:
            action()
            if over.wait(seconds):
                return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
