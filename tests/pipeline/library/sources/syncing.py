"""Rounds of syncing against the local shops, as a worker carries them out, at times of a test's own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, select, update

from models import Base, Event, ExternalGame, LibraryAccount, LibraryEntry, Source
from models.people import OWNER_ID
from models.vault import Vault
from pipeline.games.store.games import store_games
from pipeline.ingest.fetching import Fetched, fetch_source, register
from pipeline.library.sources.accounts import LibrarySource
from pipeline.library.sources.retroachievements import RetroAchievementsLibrary
from pipeline.library.sources.shop import Shop
from pipeline.library.sources.steam import SteamLibrary
from pipeline.library.store.accounts import save_account
from tests.pipeline.games.documents import doc
from tests.shops import LocalShops
from tests.shops.retroachievements import KEY as RETRO_KEY
from tests.shops.steam import KEY as STEAM_KEY

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
STEAM_ID = "76561190000000001"
# Apps of Steam, and the entries of IGDB that they are.
GLOWMOOR, KETTLE, SPORES, DRIFT = 10, 20, 30, 40
NAMES = {GLOWMOOR: "Glowmoor", KETTLE: "Kettle Bots", SPORES: "Sporeways", DRIFT: "Salt Drift"}


@dataclass
class Syncing:
    """The shops and our database of what people have there. Time stands still unless a test moves it."""

    engine: Engine
    shops: LocalShops
    vault: Vault
    now: datetime = field(default_factory=lambda: datetime(2026, 5, 4, 12, tzinfo=UTC))

    def __post_init__(self) -> None:
        steam, retro = SteamLibrary(self.shops.steam_url), RetroAchievementsLibrary(self.shops.retroachievements_url)
        self.sources = {shop.service: self._source(shop) for shop in (steam, retro)}
        self.shops.now = self.now
        self.know(NAMES)
        with self.engine.begin() as connection:
            register(connection, list(self.sources.values()), self.now)

    def clock(self) -> datetime:
        """Our clock."""
        return self.now

    def wait(self, pause: timedelta) -> datetime:
        """Let time pass, here and at the shops."""
        self.now += pause
        self.shops.now = self.now
        return self.now

    def know(self, names: Mapping[int, str]) -> None:
        """Have a catalogue with games, by Steam's ids of them."""
        with self.engine.begin() as connection:
            store_games(connection, [doc(app, name) for app, name in names.items()], self.now)
            rows = [{"source": 1, "uid": str(app), "igdb_id": app} for app in names]
            connection.execute(insert(ExternalGame), rows)

    def sign_in(
        self, external_id: str = STEAM_ID, *, service: str = "steam", name: str = "Lamplighter", key: str | None = None
    ) -> None:
        """Have an account signed in."""
        known = STEAM_KEY if service == "steam" else RETRO_KEY
        with self.engine.begin() as connection:
            save_account(
                connection,
                person_id=OWNER_ID,
                service=service,
                external_id=external_id,
                name=name,
                key_encrypted=self.vault.encrypt(key or known),
                now=self.now,
            )

    def round(self, pause: timedelta = timedelta(0), service: str = "steam") -> Fetched:
        """Let time pass, and look at a source as a worker would whose hint has come."""
        self.wait(pause)
        self.make_due(service)
        fetched = fetch_source(self.engine, self.sources[service], self.clock)
        assert fetched is not None
        return fetched

    def make_due(self, service: str = "steam") -> None:
        with self.engine.begin() as connection:
            its = Source.name == self.sources[service].name
            connection.execute(update(Source).where(its).values(next_due_at=self.now))

    def rows(self, table: type[Base], *but: str) -> Sequence[Mapping[str, Any]]:
        """The rows of a table in their order, without some columns."""
        columns = [column for column in table.__table__.c if column.name not in but]
        with self.engine.connect() as connection:
            query = select(*columns).order_by(*table.__table__.primary_key)
            return [dict(row) for row in connection.execute(query).mappings()]

    def account(self, external_id: str = STEAM_ID) -> Mapping[str, Any]:
        (row,) = [row for row in self.rows(LibraryAccount) if row["external_id"] == external_id]
        return row

    def source(self, service: str = "steam") -> Mapping[str, Any]:
        (row,) = [row for row in self.rows(Source) if row["name"] == self.sources[service].name]
        return row

    def games(self) -> set[str]:
        """The titles of the entries that are listed now."""
        return {row["title"] for row in self.rows(LibraryEntry) if row["last_seen_at"] is None}

    def events(self, *, silent: bool = False) -> list[str]:
        """The kinds of all events that somebody may be notified of, or of the silent ones, in their order."""
        return [row["kind"] for row in self.rows(Event) if row["silent"] is silent]

    def named(self, kind: str) -> list[str]:
        """What events of a kind name."""
        rows = [row["detail"] for row in self.rows(Event) if row["kind"] == kind and not row["silent"]]
        return [line["name"] for detail in rows for line in detail.get("games", [{"name": detail.get("game")}])]

    def _source(self, shop: Shop) -> LibrarySource:
        return LibrarySource(shop, self.engine, self.open_vault, self.clock, every=DAY, while_played=HOUR)

    def open_vault(self) -> Vault:
        """The vault as a worker opens it."""
        return self.vault


def snapshot(syncing: Syncing, tables: Iterable[type[Base]], *but: str) -> dict[str, Any]:
    """Return what tables hold, without some columns."""
    return {table.__tablename__: syncing.rows(table, *but) for table in tables}
