"""`up` whose clock jumps, as all its processes and servers see it: it goes on at its pace, and tells nothing false.

The clock is shifted by a function that is preloaded (`tests/shifted_clock.c`), so that steady clocks and pauses stay as
they are. The services keep the true time. The campaigns that they list run for years before and after it, so that
whatever ends, vanishes or starts is false; after each jump they list one more, which must be told once. After each jump
a stream ends and another begins, which must be told at once, and with their own times.
"""

import itertools
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row, func, insert, select
from sqlalchemy.exc import DBAPIError

from beat_schedule import BEAT_SCHEDULE
from models import Channel, Event, FetchRun, Follow, Heartbeat
from models.vault import Vault
from notifiers.subscriptions import add_subscription
from notifiers.targets import add_target
from pipeline.database.connecting import connect
from pipeline.demo.local import QuietHandler, serving
from pipeline.demo.sinks import WebhookSink
from pipeline.embedded.layout import Layout
from pipeline.runtime import heartbeat
from pipeline.runtime.runtime import KEY_FILE
from pipeline.runtime.settings import Settings, variable_name
from pipeline.runtime.watchdog import WORKER
from tests.campaigns.campaign import CannotRun, Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.campaigns.installation import UP
from tests.pipeline.builders import campaign, drops, version_2
from tests.processes import free_port
from tests.shifted_clock import WITHOUT, ShiftedClock, compiler
from tests.twitch import LocalTwitch
from tests.waiting import folder_of_processes

HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=366)
# Seconds that a busy machine may take over what is due at a moment.
ALLOWANCE = 10.0
PATIENCE = 180.0
# The campaigns that are listed when it begins: nobody is told of the first look at a source.
BEFORE = 3
STREAMER, STREAMER_ID = "ann", "1001"
FLAP_SECONDS = 2
# What must go on, by the task whose period it has.
TICKS = {"a fetch": "tick.fetch_due", "the clock": "tick.advance_clock", "a heartbeat": "tick.heartbeat"}
PERIODS: Mapping[str, float] = {
    name: next(float(str(entry["schedule"])) for entry in BEAT_SCHEDULE.values() if entry["task"] == task)
    for name, task in TICKS.items()
}


# A jump by its name, and by how much, which is known when its turn has come.
Jump = tuple[str, Callable[[], timedelta]]


@dataclass(frozen=True, kw_only=True)
class Jumps(Size):
    """How many jumps; `ticks` names what must go on after each, and `timeless` leaves out jumps to a named day."""

    jumps: int
    ticks: tuple[str, ...] = tuple(TICKS)
    timeless: bool = False


FULL = Jumps(jumps=20)
SHORT = Jumps(
    jumps=2,
    ticks=("a fetch", "the clock"),
    timeless=True,
    shortens=("heartbeats, the slowest ticks, are not waited for",),
)


def run(size: Jumps, trial: Trial) -> Sequence[Claim]:
    if compiler() is None:
        raise CannotRun(WITHOUT)
    with folder_of_processes() as folder, WebhookSink() as hook, LocalTwitch() as twitch:
        clock, mirror = ShiftedClock(folder), Mirror()
        twitch.add_user(STREAMER, STREAMER_ID)
        # PostgreSQL may be somebody else than we are.
        for path in folder.iterdir():
            path.chmod(0o755)
        with serving(partial(_MirrorHandler, mirror)) as url, up(folder, url, clock, twitch) as installation:
            return Jumping(size, trial, clock, mirror, hook, twitch, installation).claims()


class Mirror:
    """A service that lists campaigns, one more each time that it is told to."""

    def __init__(self) -> None:
        self.listed = BEFORE

    def payload(self) -> bytes:
        now = datetime.now(UTC)
        always: dict[str, Any] = {"startAt": _stamp(now - 10 * YEAR), "endAt": _stamp(now + 10 * YEAR)}
        listed = [campaign(str(number), **always) for number in range(self.listed)]
        return version_2(drops(*listed), now, 1)


class _MirrorHandler(QuietHandler):
    def __init__(self, mirror: Mirror, *arguments: object) -> None:
        self._mirror = mirror
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:  # noqa: N802  the name that http.server calls
        if self.path.endswith("/v2/drops"):
            body = self._mirror.payload()
        elif self.path.endswith("/v2/rewards"):
            body = version_2(b"[]", datetime.now(UTC), 1)
        elif "/api/v1/drops/campaigns" in self.path:
            # Kick's; CHZZK is asked for numbers that nothing has.
            body = b'{"data": []}'
        else:
            self.answer(404, {})
            return
        self.answer(200, {"Content-Type": "application/json"}, body)

    def do_POST(self) -> None:  # noqa: N802
        # IGDB's, which knows no game.
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, {"Content-Type": "application/json"}, b"[]")


def _stamp(at: datetime) -> str:
    # The same for the whole campaign, or each answer would be a change.
    return f"{at:%Y}-01-01T00:00:00Z"


class Installation:
    """What a test sees of an installation from outside, by the machine's own clock."""

    def __init__(self, data_dir: Path, engine: Engine) -> None:
        self._data_dir = data_dir
        self._engine = engine

    def tell(self, url: str) -> None:
        """Notify an address of everything, in a zone that has both kinds of time."""
        with self._engine.begin() as connection:
            vault = Vault.open(self._data_dir / KEY_FILE)
            add_target(connection, vault, "hook", url, datetime.now(UTC), timezone="Europe/Berlin", private=True)
            add_subscription(connection, "hook", datetime.now(UTC))

    def follow(self, login: str, external_id: str) -> None:
        """Follow a channel of Twitch's, for a day already."""
        since = datetime.now(UTC) - DAY
        channel = {"service": "twitch", "external_id": external_id, "login": login, "first_seen_at": since}
        with self._engine.begin() as connection:
            channel_id = connection.scalar(insert(Channel).values(channel).returning(Channel.id))
            follow = {"kind": "channel", "channel_id": channel_id, "created_at": since}
            connection.execute(insert(Follow).values(follow))

    def streams(self) -> list[Row[str, bool, datetime, Any]]:
        """The kind, the silence, the time and the detail of each event of streams, in their order."""
        columns = (Event.kind, Event.silent, Event.occurred_at, Event.detail)
        query = select(*columns).where(Event.kind.startswith("stream.")).order_by(Event.id)
        with self._engine.connect() as connection:
            return list(connection.execute(query))

    def signs(self) -> dict[str, object]:
        """What changes with each fetch, tick of the clock and heartbeat."""
        with self._engine.connect() as connection:
            beats = dict(connection.execute(select(Heartbeat.name, Heartbeat.at)).tuples().all())
            fetches = connection.scalar(select(func.max(FetchRun.id)))
        return {
            "a fetch": fetches,
            "the clock": beats.get(heartbeat.CLOCK),
            "a heartbeat": beats.get(WORKER),
        }

    def events(self, kind: str = "") -> list[tuple[str, str]]:
        """The kind and the title of each event, of one kind if it is named, in their order."""
        query = select(Event.kind, Event.title).where(Event.kind.startswith(kind)).order_by(Event.id)
        with self._engine.connect() as connection:
            return list(connection.execute(query).tuples())


@contextmanager
def up(folder: Path, mirror_url: str, clock: ShiftedClock, twitch: LocalTwitch) -> Iterator[Installation]:
    """Run `lootwire up` with a clock that can be set, and nothing to ask but the mirror and a Twitch."""
    data_dir, log = folder / "data", folder / "up.log"
    everywhere = {n for n, field in Settings.model_fields.items() if str(field.default).startswith("https://")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOOTWIRE_")}
    environment |= {variable_name(name): f"{mirror_url}/none" for name in everywhere}
    environment |= {
        **clock.environment,
        "LOOTWIRE_DATA_DIR": str(data_dir),
        "LOOTWIRE_HTTP_PORT": str(free_port()),
        "LOOTWIRE_RECEIVER_PORT": "0",
        "LOOTWIRE_DROPS_MIRROR_URL": mirror_url,
        "LOOTWIRE_DROPS_MIRROR_POLL_SECONDS": "1",
        "LOOTWIRE_EMBEDDED_LINGER": "0.2",
        "TWITCH_CLIENT_ID": twitch.client_id,
        "TWITCH_CLIENT_SECRET": twitch.client_secret,
        "LOOTWIRE_TWITCH_AUTH_URL": twitch.auth_url,
        "LOOTWIRE_HELIX_URL": twitch.helix_url,
        "LOOTWIRE_EVENTSUB_URL": twitch.eventsub_url,
        "LOOTWIRE_STREAMS_POLL_SECONDS": "1",
        "LOOTWIRE_STREAM_FLAP_SECONDS": str(FLAP_SECONDS),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(UP, env=environment, cwd=folder, stdout=output, stderr=output)
    try:
        _until(lambda: "Lootwire runs." in log.read_text(), 300)
        sockets = Layout.of(data_dir).published_sockets()
        assert sockets is not None
        engine = connect(sockets.servers().database_url)
        try:
            yield Installation(data_dir, engine)
        finally:
            engine.dispose()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def _until(condition: Callable[[], object], patience: float = PATIENCE) -> float | None:
    """Wait for a condition; returns how many seconds that took, None where it took too long."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        try:
            if condition():
                return time.monotonic() - began
        except DBAPIError:
            pass  # its server is restarted
        time.sleep(0.05)
    return None


class Jumping:
    """The campaign: jumps, and what came of each."""

    def __init__(
        self,
        size: Jumps,
        trial: Trial,
        clock: ShiftedClock,
        mirror: Mirror,
        hook: WebhookSink,
        twitch: LocalTwitch,
        installation: Installation,
    ) -> None:
        self._size = size
        self._trial = trial
        self._clock = clock
        self._mirror = mirror
        self._hook = hook
        self._twitch = twitch
        # When each stream that a jump was followed by began.
        self._went_live: list[datetime] = []
        self._went_offline: list[datetime] = []
        self._installation = installation
        self._waited: dict[str, list[float]] = {name: [] for name in size.ticks}
        self._still: list[str] = []

    def claims(self) -> Sequence[Claim]:
        read = _until(lambda: len(self._installation.events("campaign.added")) == self._mirror.listed)
        assert read is not None, "the mirror was not read"
        self._installation.tell(f"json{self._hook.url.removeprefix('http')}")
        self._installation.follow(STREAMER, STREAMER_ID)
        assert _until(lambda: self._twitch.subscriptions) is not None, "EventSub subscribed to nothing"
        for number, (name, jump) in enumerate(self._plan(), 1):
            self._jump(name, jump)
            waits = ", ".join(f"{tick} {waited[-1]:.1f} s" for tick, waited in self._waited.items() if waited)
            self._trial.say(f"{number}. {name}, to {self._clock.now():%Y-%m-%d %H:%M}: {waits}")
        # What is false or doubled may come with the next tick of the clock.
        if "the clock" in self._size.ticks:
            self._wait_for_ticks("at the end")
        return [*self._paces(), *self._truths()]

    def _plan(self) -> Iterator[tuple[str, timedelta]]:
        """Give names and lengths of jumps: back and forth by a length, in any order, and then to days of their own."""
        dice = self._trial.dice
        lengths = [("an hour", HOUR), ("a day", DAY), ("a year", YEAR)]
        days = [] if self._size.timeless else list(SEASONS)
        left = self._size.jumps
        while left > 0:
            dice.shuffle(lengths)
            dice.shuffle(days)
            pairs = [self._pair(name, length) for name, length in lengths]
            for name, jump in itertools.islice(itertools.chain(*pairs, map(self._to, days)), left):
                left -= 1
                yield name, jump()

    def _pair(self, name: str, length: timedelta) -> list[Jump]:
        pair: list[Jump] = [(f"{name} ahead", lambda: length), (f"{name} back", lambda: -length)]
        return pair if self._trial.dice.random() < 0.5 else pair[::-1]

    def _to(self, name: str) -> Jump:
        """Return the jump to some seconds before a moment, so that it passes while ticks are waited for."""
        return name, lambda: SEASONS[name] - timedelta(seconds=5) - self._clock.now()

    def _jump(self, name: str, jump: timedelta) -> None:
        before = self._installation.signs()
        self._clock.jump(jump)
        self._mirror.listed += 1
        self._stream()
        self._wait_for_ticks(name, before)
        if _until(self._are_streams_told) is None:
            self._still.append(f"streams after {name}: {self._installation.streams()}")
        if _until(lambda: len(self._campaigns_told()) >= self._mirror.listed - BEFORE) is None:
            self._still.append(f"what was added after {name} was not told")

    def _stream(self) -> None:
        """End the stream that runs, and begin another; each is to be told within a moment, whatever the clock says."""
        if self._went_live:
            self._twitch.go_offline(STREAMER)
            self._went_offline.append(datetime.now(UTC))
            # As long as a channel may be away within one story.
            time.sleep(FLAP_SECONDS + 1)
        self._twitch.go_live(STREAMER, title=f"Broadcast {len(self._went_live)}")
        self._went_live.append(datetime.now(UTC))

    def _are_streams_told(self) -> bool:
        kinds = Counter(row.kind for row in self._installation.streams())
        return kinds == {"stream.online": len(self._went_live)} | (
            {"stream.offline": len(self._went_offline)} if self._went_offline else {}
        )

    def _wait_for_ticks(self, name: str, before: Mapping[str, object] | None = None) -> None:
        before, began = before or self._installation.signs(), time.monotonic()
        for tick in sorted(self._size.ticks, key=PERIODS.__getitem__):
            if _until(partial(self._has_moved, tick, before[tick])) is None:
                self._still.append(f"{tick} after {name}")
            else:
                self._waited[tick].append(time.monotonic() - began)

    def _has_moved(self, tick: str, before: object) -> bool:
        return self._installation.signs()[tick] != before

    def _paces(self) -> Iterator[Claim]:
        yield none_of("stood still for three minutes", self._still)
        for tick, waited in self._waited.items():
            bound = PERIODS[tick] + ALLOWANCE
            yield at_most(f"{tick} after a jump (period {PERIODS[tick]:g} s)", max(waited, default=0), bound, "s")

    def _truths(self) -> Iterator[Claim]:
        events = Counter(self._installation.events())
        expected = {"campaign.added", "stream.online", "stream.offline"}
        yield none_of("false events", [f"{kind}: {title}" for kind, title in events if kind not in expected])
        added = {title: count for (kind, title), count in events.items() if kind == "campaign.added"}
        yield none_of("doubled events", [title for title, count in added.items() if count > 1])
        yield at_least("campaigns that were told of", len(added), self._mirror.listed)
        yield from self._streams()
        arrivals = self._campaigns_told()
        yield none_of("messages that came twice", [title for title, count in arrivals.items() if count > 1])

    def _campaigns_told(self) -> Counter[str]:
        """Return how many messages tell of each campaign, alone or with what else came just then."""
        titles = [title for _, title in self._installation.events("campaign.added")]
        texts = [f"{message.json['title']}\n{message.json['message']}" for message in self._hook.messages]
        named = {title: re.compile(rf"{re.escape(title)}(?!\w)") for title in titles}
        return +Counter({title: sum(bool(it.search(text)) for text in texts) for title, it in named.items()})

    def _streams(self) -> Iterator[Claim]:
        rows = self._installation.streams()
        yield none_of("streams of which nobody was told", [str(row) for row in rows if row.silent])
        happened = {"stream.online": self._went_live, "stream.offline": self._went_offline}
        wrong = [
            f"{kind}: {row.occurred_at}, not {at}"
            for kind, moments in happened.items()
            for row, at in zip((row for row in rows if row.kind == kind), moments, strict=False)
            if abs(row.occurred_at - at) > timedelta(seconds=ALLOWANCE)
        ]
        yield none_of("streams that were told with another time than theirs", wrong)
        yield at_least("streams that were told of", len(rows), len(self._went_live) + len(self._went_offline))
        messages = sum("Broadcast" in str(message.json) for message in self._hook.messages)
        yield figure("messages about streams", messages)


SEASONS: Mapping[str, datetime] = {
    "the start of summer time": datetime(2027, 3, 28, 1, tzinfo=UTC),
    "the end of summer time": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "the start of a leap day": datetime(2028, 2, 29, tzinfo=UTC),
    "the end of a leap day": datetime(2028, 3, 1, tzinfo=UTC),
}
