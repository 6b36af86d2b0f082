"""What an entry point works with: settings, servers that are running, a database that is up to date."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis import Redis
from sqlalchemy import Engine

from notifiers.vault import Vault
from pipeline.database import connect
from pipeline.errors import LootwireError
from pipeline.eventsub.secret import load_secret
from pipeline.http import Client
from pipeline.igdb.linking import IgdbLinks
from pipeline.igdb.state import is_kept
from pipeline.igdb.sweep import IgdbMirror
from pipeline.igdb.telling import tell_releases
from pipeline.igdb.wanted import IgdbWanted
from pipeline.igdb.webhooks import IgdbWebhooks
from pipeline.limiter import Budget, connect_redis
from pipeline.servers import open_servers
from pipeline.settings import Settings, load_settings
from pipeline.sources.base import DropSource
from pipeline.sources.chzzk import ChzzkDrops
from pipeline.sources.fetchable import Fetchable, StreamSource
from pipeline.sources.helix import Helix
from pipeline.sources.igdb import Igdb, open_igdb
from pipeline.sources.kick import KickDrops
from pipeline.sources.twitch_account import SERVICE, StoredAccount
from pipeline.sources.twitch_answers import DASHBOARD, DETAILS
from pipeline.sources.twitch_app import CONSOLE, SharedAppTokens
from pipeline.sources.twitch_badges import TwitchBadges
from pipeline.sources.twitch_drops import TwitchDashboard, TwitchDashboardRewards
from pipeline.sources.twitch_mirror import TwitchDrops, TwitchRewards
from pipeline.store.credentials import is_signed_in
from pipeline.streams.following import is_anything_followed
from pipeline.streams.polling import TwitchStreams, TwitchStreamsInCampaigns
from pipeline.streams.videos import TwitchVideos

KEY_FILE = "secret.key"


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """A program's surroundings. Only entry points hold one; what is below them receives values."""

    settings: Settings
    database_url: str
    redis_url: str

    @functools.cached_property
    def engine(self) -> Engine:
        """The connection pool of this process."""
        return connect(self.database_url)

    @functools.cached_property
    def vault(self) -> Vault:
        """What encrypts target URLs, with a key beside the database and not in it."""
        return Vault.open(self.settings.data_dir / KEY_FILE)

    @property
    def account(self) -> StoredAccount | None:
        """The account that somebody signed in to Twitch with."""
        with self.engine.connect() as connection:
            signed_in = is_signed_in(connection, SERVICE)
        if not signed_in:
            return None
        return StoredAccount(self.engine, lambda: self.vault, self.settings.twitch_auth_url, utc_now)

    @functools.cached_property
    def redis(self) -> Redis:
        """The connection pool for what all workers share: rate limits, and the token of our application."""
        return connect_redis(self.redis_url)

    def helix(self, client: Client) -> Helix | None:
        """Return Helix, asked in our application's name; None where no application is set."""
        s = self.settings
        if s.twitch_client_id is None or s.twitch_client_secret is None:
            return None
        tokens = SharedAppTokens(
            self.redis, lambda: self.vault, s.twitch_auth_url, s.twitch_client_id, s.twitch_client_secret
        )
        return Helix(client, s.helix_url, tokens, Budget(self.redis, f"helix:{s.twitch_client_id}"))

    def needed_helix(self, client: Client) -> Helix:
        """Return Helix, or raise `LootwireError` that says what to set."""
        helix = self.helix(client)
        if helix is None:
            raise LootwireError(
                "streams need TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET: create an application at "
                f"{CONSOLE} (any name, OAuth redirect http://localhost, type confidential) and set both"
            )
        return helix

    def igdb(self, client: Client) -> Igdb:
        """Return IGDB, asked in our application's name; raises `LootwireError` that says what to set."""
        s = self.settings
        if s.twitch_client_id is None or s.twitch_client_secret is None:
            raise LootwireError(
                "IGDB needs TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET: create an application at "
                f"{CONSOLE} (any name, OAuth redirect http://localhost, type confidential) and set both"
            )
        tokens = SharedAppTokens(
            self.redis, lambda: self.vault, s.twitch_auth_url, s.twitch_client_id, s.twitch_client_secret
        )
        return open_igdb(client, self.redis, tokens, s.igdb_url, s.twitch_client_id, utc_now)

    @property
    def sources(self) -> Sequence[Fetchable]:
        """Every source, asked at the addresses and paces that the settings give."""
        return (*self.drop_sources, *self._stream_sources, *self._igdb_sources)

    @property
    def drop_sources(self) -> Sequence[DropSource]:
        """The sources that list campaigns and badges, which is what files hold too.

        Some need somebody signed in, or an application of ours.
        """
        return (*self._open_sources, *self._sources_of_application, *self._sources_of_account)

    @property
    def _sources_of_application(self) -> Sequence[DropSource]:
        s = self.settings
        if s.twitch_client_id is None or s.twitch_client_secret is None:
            return ()
        return (TwitchBadges(self.needed_helix, poll_every=timedelta(seconds=s.badges_poll_seconds)),)

    @property
    def _sources_of_account(self) -> Sequence[DropSource]:
        s, account = self.settings, self.account
        if account is None:
            return ()
        poll_every = timedelta(seconds=s.twitch_dashboard_poll_seconds)
        hashes = {DASHBOARD: s.twitch_dashboard_hashes, DETAILS: s.twitch_details_hashes}
        return (
            TwitchDashboard(s.gql_url, account, poll_every=poll_every, hashes=hashes),
            TwitchDashboardRewards(s.gql_url, account, poll_every=poll_every, hashes=hashes),
        )

    @property
    def _stream_sources(self) -> Sequence[StreamSource]:
        """Who is live, where our application is set and anybody is followed."""
        s = self.settings
        if s.twitch_client_id is None or s.twitch_client_secret is None:
            return ()
        with self.engine.connect() as connection:
            if not is_anything_followed(connection):
                return ()
        flap = timedelta(seconds=s.stream_flap_seconds)
        all_every, named_every = (
            timedelta(seconds=seconds) for seconds in (s.streams_poll_seconds, s.streams_in_campaigns_poll_seconds)
        )
        return (
            TwitchStreams(self.engine, self.needed_helix, utc_now, poll_every=all_every, flap=flap),
            TwitchStreamsInCampaigns(self.engine, self.needed_helix, utc_now, poll_every=named_every, flap=flap),
            TwitchVideos(self.engine, self.needed_helix, utc_now),
        )

    @property
    def _igdb_sources(self) -> Sequence[StreamSource]:
        """What IGDB knows, where our application is set; its mirror, where that is complete; and that it calls us."""
        s = self.settings
        if s.twitch_client_id is None or s.twitch_client_secret is None:
            return ()
        with self.engine.connect() as connection:
            mirrored = is_kept(connection)
        sources: list[StreamSource] = [
            # What it links the next one asks for.
            IgdbLinks(self.engine, self.needed_helix, self.igdb, utc_now, tell_releases),
            IgdbWanted(self.engine, self.igdb, utc_now, tell_releases),
        ]
        if mirrored:
            sources.append(IgdbMirror(self.igdb, utc_now, tell_releases))
        if s.eventsub_callback_url is not None:
            sources.append(IgdbWebhooks(self.igdb, s.eventsub_callback_url, load_secret(s.data_dir)))
        return sources

    @property
    def _open_sources(self) -> Sequence[DropSource]:
        s = self.settings
        return (
            TwitchDrops(s.drops_mirror_url, poll_every=timedelta(seconds=s.drops_mirror_poll_seconds)),
            TwitchRewards(s.drops_mirror_url, poll_every=timedelta(seconds=s.drops_mirror_poll_seconds)),
            KickDrops(s.kick_url, poll_every=timedelta(seconds=s.kick_poll_seconds)),
            ChzzkDrops(
                s.chzzk_url,
                poll_every=timedelta(seconds=s.chzzk_poll_seconds),
                first_number=s.chzzk_first_number,
            ),
        )

    def source(self, name: str) -> Fetchable:
        """Return a source by name; raises `LootwireError` listing those that exist."""
        for source in self.sources:
            if source.name == name:
                return source
        known = ", ".join(source.name for source in self.sources)
        raise LootwireError(f"there is no source `{name}`; there are: {known}")


def open_runtime(settings: Settings | None = None) -> Runtime:
    """Return the runtime with servers running (embedded ones are started if need be) and migrations applied."""
    settings = settings or load_settings().settings
    servers = open_servers(settings)
    return Runtime(settings=settings, database_url=servers.database_url, redis_url=servers.redis_url)


def utc_now() -> datetime:
    """Return the present moment; everything below an entry point is given it as a value."""
    return datetime.now(UTC)
