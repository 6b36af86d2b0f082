"""What an entry point works with: settings, servers that are running, a database that is up to date."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis
from sqlalchemy import Engine

from models.errors import LootwireError
from models.vault import Vault
from pipeline.database.connecting import connect, connect_reading
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import Budget, connect_redis
from pipeline.runtime.servers import bring_up_to_date, locate_servers
from pipeline.runtime.settings import Settings, load_settings
from pipeline.services.igdb.client import Igdb, open_igdb
from pipeline.services.twitch.account import SERVICE, StoredAccount
from pipeline.services.twitch.app_token import CONSOLE, SharedAppTokens
from pipeline.services.twitch.credentials import is_signed_in
from pipeline.services.twitch.helix import Helix

KEY_FILE = "secret.key"
# What a question may take whose answer somebody waits for.
READING_MS = 10_000


@dataclass(frozen=True)
class Application:
    """Our application at Twitch: its id, and what keeps its token, which all processes share."""

    client_id: str
    tokens: SharedAppTokens


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """A program's surroundings. Only entry points hold one; what is below them receives values."""

    settings: Settings
    database_url: str
    redis_url: str
    # Connections to PostgreSQL that are kept open while nothing uses them: each takes 5 MB there.
    kept_connections: int = 3

    @functools.cached_property
    def engine(self) -> Engine:
        """The connection pool of this process."""
        return connect(self.database_url, kept=self.kept_connections)

    @functools.cached_property
    def reading_engine(self) -> Engine:
        """A connection pool for questions alone: its sessions can change nothing, and stop at ten seconds."""
        return connect_reading(self.database_url, kept=self.kept_connections, statement_ms=READING_MS)

    @functools.cached_property
    def vault(self) -> Vault:
        """What encrypts target URLs, with a key beside the database and not in it."""
        return Vault.open(self.settings.data_dir / KEY_FILE)

    @property
    def account(self) -> StoredAccount | None:
        """The account that a person signed in to Twitch with; None without one."""
        with self.engine.connect() as connection:
            signed_in = is_signed_in(connection, SERVICE)
        if not signed_in:
            return None
        return StoredAccount(self.engine, lambda: self.vault, self.settings.twitch_auth_url, utc_now)

    @functools.cached_property
    def redis(self) -> Redis:
        """The connection pool for what all workers share: rate limits, and the token of our application."""
        return connect_redis(self.redis_url)

    @functools.cached_property
    def application(self) -> Application | None:
        """Our application at Twitch, which IGDB knows too; None where none is set."""
        s = self.settings
        if s.twitch_client_id is None or s.twitch_client_secret is None:
            return None
        tokens = SharedAppTokens(
            self.redis, lambda: self.vault, s.twitch_auth_url, s.twitch_client_id, s.twitch_client_secret
        )
        return Application(s.twitch_client_id, tokens)

    @property
    def open_helix(self) -> Callable[[Client], Helix] | None:
        """What makes Helix of a client; None where no application is set."""
        return None if self.application is None else self.needed_helix

    def helix(self, client: Client) -> Helix | None:
        """Return Helix, asked in our application's name; None where no application is set."""
        return None if self.application is None else self._helix(client, self.application)

    def needed_helix(self, client: Client) -> Helix:
        """Return Helix, or raise `LootwireError` that says what to set."""
        return self._helix(client, self._needed_application("streams need"))

    def igdb(self, client: Client) -> Igdb:
        """Return IGDB, asked in our application's name; raises `LootwireError` that says what to set."""
        application = self._needed_application("IGDB needs")
        return open_igdb(client, self.redis, application.tokens, self.settings.igdb_url, application.client_id, utc_now)

    def _helix(self, client: Client, application: Application) -> Helix:
        budget = Budget(self.redis, f"helix:{application.client_id}")
        return Helix(client, self.settings.helix_url, application.tokens, budget)

    def _needed_application(self, purpose: str) -> Application:
        if self.application is None:
            missing = self.settings.missing_of_application
            if len(missing) == 1:
                raise LootwireError(
                    f"{purpose} TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET, and {missing[0]} is not set: "
                    f"your application's page at {CONSOLE} shows it"
                )
            raise LootwireError(
                f"{purpose} TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET: create an application at "
                f"{CONSOLE} (any name, OAuth redirect http://localhost, type confidential) and set both"
            )
        return self.application


def open_runtime(settings: Settings | None = None, *, kept_connections: int = 3, forks: bool = True) -> Runtime:
    """Return the runtime with servers running (embedded ones are started if need be) and migrations applied.

    For a program that `forks` its engine has no open connection yet. One that does not goes on with the connection that
    looked for migrations.
    """
    settings = settings or load_settings().settings
    servers = locate_servers(settings)
    runtime = Runtime(
        settings=settings,
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        kept_connections=kept_connections,
    )
    bring_up_to_date(runtime.engine, forks=forks)
    return runtime


def utc_now() -> datetime:
    """Return the present moment; everything below an entry point is given it as a value."""
    return datetime.now(UTC)
