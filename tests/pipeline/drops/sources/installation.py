"""A database with a sign-in to a local Twitch."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, RowMapping, func, select, update

from models import Credential, DropCampaign, Event, Source
from models.vault import Vault
from pipeline.drops.sources.dashboard import TwitchDashboard, TwitchDashboardRewards
from pipeline.drops.sources.inventory import TwitchInventory
from pipeline.fetch.http import Client
from pipeline.ingest.fetching import Fetched, fetch_source, register
from pipeline.ingest.source import Fetchable
from pipeline.services.twitch.account import StoredAccount, sign_in
from pipeline.services.twitch.sign_in import Tokens, TwitchAuth
from tests.pipeline.drops.sources.asking import hashes
from tests.twitch.dashboard import CLIENT_ID, Dashboard


class SignedIn:
    """The database with the sources that fetch from the local Twitch."""

    def __init__(self, engine: Engine, twitch: Dashboard, vault: Vault) -> None:
        self.engine, self.twitch, self.vault = engine, twitch, vault
        self.account = StoredAccount(engine, lambda: vault, twitch.auth_url, now)
        every = timedelta(minutes=15)
        self.dashboard = TwitchDashboard(twitch.gql_url, self.account, poll_every=every, hashes=hashes())
        self.rewards = TwitchDashboardRewards(twitch.gql_url, self.account, poll_every=every, hashes=hashes())
        self.inventory = TwitchInventory(twitch.gql_url, self.account, poll_every=every, hashes=hashes())
        self.sign_in()
        with engine.begin() as connection:
            register(connection, [self.dashboard, self.rewards, self.inventory], now())

    def sign_in(self) -> None:
        granted = self.twitch.grant()
        with Client() as client:
            viewer = TwitchAuth(client, self.twitch.auth_url, CLIENT_ID).validate(granted.access_token)
        assert viewer is not None
        sign_in(self.engine, self.vault, Tokens(granted.access_token, granted.refresh_token), viewer, now())

    def fetch(self, source: Fetchable | None = None) -> Fetched | None:
        """Fetch a source as if its time had come; one that is off stays off."""
        source = source or self.dashboard
        with self.engine.begin() as connection:
            connection.execute(update(Source).values(next_due_at=now()).where(Source.name == source.name))
        return fetch_source(self.engine, source, now)

    def row(self, source: Fetchable | None = None) -> RowMapping:
        name = (source or self.dashboard).name
        with self.engine.connect() as connection:
            return connection.execute(select(*Source.__table__.c).where(Source.name == name)).mappings().one()

    def headlines(self, kind: str) -> list[str]:
        """Return the headlines of all events of a kind, in order."""
        with self.engine.connect() as connection:
            return list(connection.scalars(select(Event.title).where(Event.kind == kind).order_by(Event.id)))

    def campaign(self, key: str) -> RowMapping:
        query = select(*DropCampaign.__table__.c).where(DropCampaign.external_id == f"camp-{key}")
        with self.engine.connect() as connection:
            return connection.execute(query).mappings().one()

    def credential(self) -> RowMapping:
        with self.engine.connect() as connection:
            return connection.execute(select(*Credential.__table__.c)).mappings().one()

    def count(self, query: Any) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(query)) or 0


def now() -> datetime:
    return datetime.now(UTC)


def die(twitch: Dashboard) -> None:
    """Let Twitch refuse every sign-in and every renewal."""
    for grant in twitch.grants:
        grant.alive, grant.refresh_token = False, None
