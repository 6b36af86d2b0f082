"""Helix of a local Twitch, asked as an installation asks it: token and budget in a Redis of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from redis import Redis

from models.vault import Vault
from pipeline.embedded import Servers
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import Budget
from pipeline.services.twitch.app_token import SharedAppTokens
from pipeline.services.twitch.helix import Helix
from tests.pipeline.fetch.own_redis import own_redis
from tests.twitch import LocalTwitch
from tests.twitch.answers import error_body
from tests.twitch.faults import SeenRequest


@dataclass
class HelixSetting:
    """A local Twitch, and all that Helix needs to ask it."""

    twitch: LocalTwitch
    redis: Redis
    vault: Vault
    client: Client

    @property
    def helix(self) -> Helix:
        """Helix, with the token and the budget that all clients of this setting share."""
        return self.helix_with(self.budget())

    def helix_with(self, budget: Budget) -> Helix:
        return Helix(self.client, self.twitch.helix_url, self.tokens(), budget)

    def budget(self) -> Budget:
        return Budget(self.redis, "helix", points=self.twitch.budget)

    def tokens(self, redis: Redis | None = None, *, client_id: str = "", secret: str = "") -> SharedAppTokens:
        """The tokens of one more worker."""
        return SharedAppTokens(
            redis or self.redis,
            lambda: self.vault,
            self.twitch.auth_url,
            client_id or self.twitch.client_id,
            SecretStr(secret or self.twitch.client_secret),
        )

    def requests(self, path: str) -> list[SeenRequest]:
        """The requests for a path of Helix."""
        return [request for request in self.twitch.requests if request.path == f"/helix/{path}"]

    def statuses(self, path: str) -> list[int | None]:
        return [request.status for request in self.requests(path)]

    def fail(
        self, path: str, status: int, message: str, *, times: int = 1, headers: Mapping[str, str] | None = None
    ) -> None:
        """Let Helix answer with an error of its own."""
        self.twitch.fail(f"/helix/{path}", status, error_body(status, message), times, headers)


@contextmanager
def helix_setting(twitch: LocalTwitch, servers: Servers, folder: Path) -> Iterator[HelixSetting]:
    """A Twitch without faults and a Redis without memory; what exists in that Twitch stays."""
    twitch.heal()
    twitch.revoke_app_tokens()
    twitch.refill_budget()
    twitch.forget_requests()
    with own_redis(servers) as redis, Client() as client:
        yield HelixSetting(twitch, redis, Vault.open(folder / "secret.key"), client)
