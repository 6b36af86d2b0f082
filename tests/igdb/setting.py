"""A local IGDB and the Twitch that gives its tokens, asked as an installation asks them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
from redis import Redis

from models.vault import Vault
from pipeline.embedded import Servers
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import RateLimiter
from pipeline.services.igdb.client import Igdb
from pipeline.services.igdb.igdb_requests import MOST_OPEN, IgdbRequests, Usage
from pipeline.services.twitch.app_token import SharedAppTokens
from tests.igdb.local import LocalIgdb
from tests.igdb.tokens import tokens_of
from tests.pipeline.fetch.own_redis import own_redis
from tests.twitch import LocalTwitch


@dataclass
class IgdbSetting:
    """A local IGDB with its Twitch. `moved` moves our clock; our clients keep to `requests` a second."""

    twitch: LocalTwitch
    igdb: LocalIgdb
    redis: Redis
    vault: Vault
    requests: int = 1000
    moved: timedelta = timedelta(0)

    def clock(self) -> datetime:
        """The present moment: as real time goes on, from where a test has moved it."""
        return datetime.now(UTC) + self.moved

    def open(self, client: Client) -> Igdb:
        """IGDB as a worker asks it."""
        tokens = SharedAppTokens(
            self.redis,
            lambda: self.vault,
            self.twitch.auth_url,
            self.twitch.client_id,
            SecretStr(self.twitch.client_secret),
        )
        limiter = RateLimiter(self.redis, "igdb", requests=self.requests, most_open=MOST_OPEN)
        usage = Usage(self.redis, self.twitch.client_id)
        return Igdb(IgdbRequests(client, self.igdb.url, tokens, limiter, self.clock, usage))


@contextmanager
def igdb_setting(servers: Servers, folder: Path) -> Iterator[IgdbSetting]:
    """An IGDB without games and without limits."""
    with LocalTwitch() as twitch, LocalIgdb(accepts=tokens_of(twitch)) as igdb, own_redis(servers) as redis:
        igdb.limits.per_second = igdb.limits.most_open = None
        yield IgdbSetting(twitch, igdb, redis, Vault.open(folder / "secret.key"))
