"""Rounds of polling against the local Twitch, as a worker carries them out, at times of a test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, update

from models import Channel, Source
from pipeline.channels import clock
from pipeline.channels.sources.streams import TwitchStreams, TwitchStreamsInCampaigns
from pipeline.channels.sources.videos import TwitchVideos
from pipeline.embedded import Servers
from pipeline.fetch.http import Client
from pipeline.ingest.fetching import Fetched, fetch_source, register
from pipeline.ingest.source import RoundSource
from pipeline.services.twitch.helix import Helix
from tests.pipeline.channels.observations import FLAP
from tests.pipeline.channels.streaming import Streaming
from tests.pipeline.services.twitch.helix_setting import HelixSetting, helix_setting
from tests.twitch import LocalTwitch

EVERY = timedelta(minutes=5)


@dataclass
class Polls:
    """A Twitch and our database of it. Time stands still unless the test moves it; it begins a month ago."""

    streaming: Streaming
    setting: HelixSetting
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(days=30))
    # By how much our clock is ahead of Twitch's.
    ahead: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        self.twitch.now = lambda: self.now
        self.sources: dict[str, RoundSource] = {
            source.name: source
            for source in (
                TwitchStreams(self.engine, self.helix, self.clock, poll_every=EVERY, flap=FLAP),
                TwitchStreamsInCampaigns(self.engine, self.helix, self.clock, poll_every=EVERY / 5, flap=FLAP),
                TwitchVideos(self.engine, self.helix, self.clock),
            )
        }
        with self.engine.begin() as connection:
            register(connection, list(self.sources.values()), self.now)

    @property
    def twitch(self) -> LocalTwitch:
        return self.setting.twitch

    @property
    def engine(self) -> Engine:
        return self.streaming.engine

    def clock(self) -> datetime:
        """Our clock."""
        return self.now + self.ahead

    def helix(self, client: Client) -> Helix:
        return Helix(client, self.twitch.helix_url, self.setting.tokens(), self.setting.budget())

    def wait(self, minutes: float) -> datetime:
        self.now += timedelta(minutes=minutes)
        return self.now

    def follow(self, *logins: str) -> None:
        """Make users and follow them, for an hour already."""
        users = [(self.twitch.add_user(login).id, login) for login in logins]
        self.streaming.follow_all(users, self.now - timedelta(hours=1))

    def round(self, minutes: float = 0, name: str = "twitch.streams") -> Fetched:
        """Poll so many minutes later, as a worker would."""
        self.wait(minutes)
        with self.engine.begin() as connection:
            connection.execute(update(Source).where(Source.name == name).values(next_due_at=self.clock()))
        fetched = fetch_source(self.engine, self.sources[name], self.clock)
        assert fetched is not None
        return fetched

    def tick(self, minutes: float = 0) -> dict[str, int]:
        self.wait(minutes)
        return dict(clock.advance(self.engine, self.clock(), FLAP))

    def channel(self, login: str) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(select(*Channel.__table__.c).where(Channel.login == login)).one()

    def new_requests(self) -> list[str]:
        """Return the paths of Helix that were requested since the last call, in order: `streams`, `users`, ..."""
        paths = [request.path.removeprefix("/helix/") for request in self.twitch.requests]
        self.twitch.forget_requests()
        return [path for path in paths if not path.startswith("/oauth2")]


@contextmanager
def polls(engine: Engine, servers: Servers, folder: Path) -> Iterator[Polls]:
    """A Twitch of one's own, polled into an empty database."""
    with LocalTwitch() as twitch, helix_setting(twitch, servers, folder) as setting:
        yield Polls(Streaming(engine), setting)
