"""A day of streams while the websocket breaks again and again: every stream that could be seen is seen once.

The clock is ours: between two of its minutes a few milliseconds pass, in which sockets break and come back.
"""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import select

from models import Event, EventSubMessage, Source, StreamSession
from pipeline.channels import clock
from pipeline.channels.sources.streams import Round, TwitchStreams
from pipeline.fetch.http import Client
from pipeline.ingest.source import Validators
from pipeline.runtime.runtime import Runtime
from tests.campaigns.campaign import Claim, Size, Trial, at_least, exactly, figure, none_of
from tests.campaigns.own_servers import own_databases
from tests.pipeline.channels.eventsub.installation import Listening, knows_twitch, running
from tests.twitch import LocalTwitch
from tests.twitch.world import Stream
from tests.waiting import wait_for

POLL_EVERY = 5
FLAP = timedelta(minutes=10)
LIST_LAG = 60.0
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Breaks(Size):
    """So many minutes by our clock, with so many breaks of the websocket, and streams of so many channels."""

    minutes: int
    breaks: int
    channels: int


_SHORTENS = ("minutes (milliseconds)", "pauses before a socket is opened again (milliseconds)")
FULL = Breaks(shortens=_SHORTENS, minutes=1440, breaks=200, channels=40)
SHORT = Breaks(shortens=_SHORTENS, minutes=180, breaks=20, channels=20)


class Day:
    """Streams come and go, sockets break, polls look; `announced` and `seen` are the streams that we could know of."""

    def __init__(
        self, runtime: Runtime, installation: Listening, twitch: LocalTwitch, dice: random.Random, channels: int
    ) -> None:
        self.now = datetime(2026, 9, 1, tzinfo=UTC)
        self.dice = dice
        self.twitch = twitch
        self.installation = installation
        self.logins = [f"streamer{number}" for number in range(channels)]
        self.seen: set[str] = set()
        self.breaks = 0
        self.streams: list[Stream] = []
        self._on_air: dict[str, Stream] = {}
        # When each channel may begin or end its stream.
        self._due = {login: self.now + self._minutes(5, 120) for login in self.logins}
        twitch.now = lambda: self.now
        twitch.list_lag = LIST_LAG
        self._polling = TwitchStreams(
            runtime.engine, runtime.needed_helix, lambda: self.now, poll_every=5 * MINUTE, flap=FLAP
        )
        installation.follow(*self.logins, since=self.now - timedelta(days=1))
        with runtime.engine.begin() as connection:
            row = {"name": "twitch.streams", "service": "twitch", "next_due_at": self.now + timedelta(days=2)}
            connection.execute(Source.__table__.insert().values(row))  # type: ignore[attr-defined]

    def _minutes(self, least: int, most: int) -> timedelta:
        return timedelta(minutes=self.dice.randint(least, most))

    def live(self, minutes: int, breaks: int) -> None:
        """Let minutes pass; so many of them break the websocket somewhere in the middle of what happens."""
        breaking = set(self.dice.sample(range(minutes), breaks))
        with Client() as client:
            for minute in range(minutes):
                self.now += MINUTE
                self._happen(break_at=self.dice.random() if minute in breaking else None)
                if minute % POLL_EVERY == 0:
                    self.poll(client)
                clock.advance(self.installation.engine, self.now, FLAP)

    def rest(self) -> None:
        """Let an hour pass undisturbed, in which the program notices and announces all ends."""
        self._due = dict.fromkeys(self.logins, self.now + timedelta(days=1))
        self.live(60, 0)

    def _happen(self, break_at: float | None) -> None:
        due = [login for login in self.logins if self._due[login] <= self.now]
        cut = None if break_at is None else int(break_at * (len(due) + 1))
        for number, login in enumerate(due):
            if number == cut:
                self._break()
            self._turn(login)
        if cut is not None and cut >= len(due):
            self._break()
        if break_at is None:
            self._settle()

    def _turn(self, login: str) -> None:
        if login not in self._on_air:
            self._on_air[login] = self.twitch.go_live(login)
            self.streams.append(self._on_air[login])
            self._due[login] = self.now + self._minutes(3, 240)
        else:
            self.twitch.go_offline(login)
            del self._on_air[login]
            # Long enough that the next one is another story.
            self._due[login] = self.now + self._minutes(30, 180)

    def _break(self) -> None:
        wait_for(lambda: self.twitch.sessions)
        # What is on its way now may be lost.
        self.twitch.forget_requests()
        self.breaks += self.twitch.drop_sockets()

    def _settle(self) -> None:
        """What is on its way arrives within the minute, unless its socket broke."""
        wait_for(lambda: self.installation.has_shard)
        sent = {delivery.message.id for delivery in self.twitch.sent if delivery.to}
        # What was sent to a socket that was just breaking is lost; half a second is an age for all else.
        for _ in range(25):
            if not sent - self._handled():
                break
            time.sleep(0.02)
        self.twitch.forget_requests()

    def _handled(self) -> set[str]:
        query = select(EventSubMessage.message_id).where(EventSubMessage.handled_at.is_not(None))
        with self.installation.engine.connect() as connection:
            return set(connection.scalars(query))

    def poll(self, client: Client) -> None:
        """Poll the live streams, as each five minutes; remembers those that a poll could have seen."""
        answer = self._polling.fetch(client, Validators())
        self.seen |= {stream.stream_id for stream in msgspec.json.decode(answer.payload or b"", type=Round).live}
        row = self.installation.rows(Source, Source.name == "twitch.streams")[0]
        with self.installation.engine.begin() as connection:
            self._polling.take_in(connection, row, answer, self.now)

    def announced(self) -> set[str]:
        """Return the streams whose beginning EventSub announced."""
        rows = self.installation.rows(EventSubMessage, EventSubMessage.subscription_type == "stream.online")
        return {row["event"]["id"] for row in rows}


def run(size: Breaks, trial: Trial) -> Sequence[Claim]:
    """Let the minutes pass, and compare what is known with the streams that a poll or a message could show."""
    with (
        own_databases() as own,
        own.databases.new() as engine,
        LocalTwitch() as twitch,
        knows_twitch(engine, own.servers, twitch, trial.folder) as runtime,
    ):
        twitch.budget = 100_000
        installation = Listening(runtime, twitch)
        day = Day(runtime, installation, twitch, trial.dice, size.channels)
        with running(runtime, now=lambda: day.now):
            installation.wait_until_subscribed(size.channels)
            day.live(size.minutes, size.breaks)
            day.rest()
        sessions = {row["stream_id"]: row for row in installation.rows(StreamSession)}
        truth, announced = {stream.id: stream for stream in day.streams}, day.announced()
        events = Counter(row["kind"] for row in installation.rows(Event))
    known, visible = set(sessions), day.seen | announced
    is_over = {stream_id for stream_id, row in sessions.items() if row["ended_at"] is not None}
    really_over = {stream_id for stream_id in known if truth[stream_id].ended_at is not None}
    shortest = POLL_EVERY * MINUTE + timedelta(seconds=LIST_LAG)
    missed = truth.keys() - known
    lasted = {stream_id: (truth[stream_id].ended_at or day.now) - truth[stream_id].started_at for stream_id in missed}
    return [
        none_of("streams lost that a poll or a message showed", sorted(visible - known)),
        none_of("streams known that nobody showed", sorted(known - visible)),
        none_of("streams missed that lasted longer than a poll", [n for n, long in lasted.items() if long > shortest]),
        none_of("streams that are over, and are not known to be", sorted(really_over - is_over)),
        none_of("streams said to be over that go on", sorted(is_over - really_over)),
        exactly("events of a beginning", events["stream.online"], len(sessions)),
        exactly("events of an end", events["stream.offline"], len(is_over)),
        at_least("breaks", day.breaks, size.breaks),
        figure("streams", len(truth)),
        figure("streams announced by EventSub", len(announced)),
        figure("streams too short for any poll, and missed", len(missed)),
    ]
