"""A database that is filled from a local IGDB."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, func, select, update

from models import GameMetadata, Source, WantedGame
from pipeline.games.mirror.full_pass import Mirroring, Step
from pipeline.games.mirror.state import MirrorState, load_state
from pipeline.games.sources.mirror import IgdbMirror
from pipeline.games.sources.wanted import IgdbWanted
from pipeline.games.store.games import StoredGames
from pipeline.games.store.wanted import Reason, want
from pipeline.ingest.fetching import Fetched, fetch_source, register
from pipeline.ingest.source import RoundSource
from pipeline.runtime.runtime import utc_now
from tests.igdb.setting import IgdbSetting

FAST = timedelta(milliseconds=1)
SLOW = timedelta(hours=1)


@dataclass
class Syncing:
    """Fetches, mirrors and sweeps; `news` lists the calls of `append_news`: (change, ids of games, silent)."""

    engine: Engine
    setting: IgdbSetting
    news: list[tuple[str, list[int], bool]] = field(default_factory=list)
    # The limits of one round.
    most: int = 2000
    pages: int = 8

    def append_news(
        self,
        connection: Connection,  # noqa: ARG002 - nothing is stored of it
        stored: StoredGames,
        now: datetime,  # noqa: ARG002
        *,
        silent: bool,
    ) -> Counter[str]:
        for change, games in (("added", stored.added), ("changed", stored.changed)):
            if games:
                self.news.append((change, [stored_game.record.igdb_id for stored_game in games], silent))
        return Counter()

    def mirroring(self, *, interval: timedelta = SLOW) -> Mirroring:
        """A full pass; one request at a time, unless the interval is shorter than a page takes."""
        return Mirroring(
            engine=self.engine,
            open_igdb=self.setting.open,
            clock=self.setting.clock,
            append_news=self.append_news,
            interval=interval,
            patience=timedelta(seconds=0.2),
        )

    def mirror(self, *, interval: timedelta = SLOW) -> list[Step]:
        return list(self.mirroring(interval=interval).run())

    @property
    def wanted(self) -> IgdbWanted:
        return IgdbWanted(self.engine, self.setting.open, self.setting.clock, self.append_news, most=self.most)

    @property
    def sweep(self) -> IgdbMirror:
        return IgdbMirror(self.setting.open, self.setting.clock, self.append_news, pages=self.pages)

    def fetch(self, source: RoundSource) -> Fetched:
        """Fetch a source as if its time had come."""
        with self.engine.begin() as connection:
            register(connection, [source], self.setting.clock())
            due = update(Source).where(Source.name == source.name)
            connection.execute(due.values(next_due_at=func.now(), enabled=True))
        fetched = fetch_source(self.engine, source, utc_now)
        assert fetched is not None
        return fetched

    def want(self, *igdb_ids: int, reason: Reason = "follow") -> int:
        with self.engine.begin() as connection:
            return want(connection, igdb_ids, reason, self.setting.clock())

    def state(self) -> MirrorState:
        with self.engine.connect() as connection:
            return load_state(connection)

    def games(self) -> dict[int, str]:
        """The names of the stored games that IGDB still has."""
        query = select(GameMetadata.igdb_id, GameMetadata.name).where(GameMetadata.removed_at.is_(None))
        with self.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query.order_by(GameMetadata.igdb_id))}

    def source(self, name: str) -> RowMapping:
        with self.engine.connect() as connection:
            return connection.execute(select(*Source.__table__.c).where(Source.name == name)).mappings().one()

    def wishes(self) -> dict[int, list[str]]:
        with self.engine.connect() as connection:
            rows = connection.execute(select(WantedGame.igdb_id, WantedGame.reasons).order_by(WantedGame.igdb_id))
            return {row[0]: sorted(row[1]) for row in rows}

    def due_at(self, igdb_id: int) -> datetime:
        with self.engine.connect() as connection:
            at = connection.scalar(select(WantedGame.next_due_at).where(WantedGame.igdb_id == igdb_id))
        assert at is not None
        return at

    def queries(self, path: str = "/games") -> list[str]:
        """The queries that were sent to a path, without their fields."""
        return [body.partition("; ")[2] for body in self.setting.igdb.bodies(path)]

    def rows(self, statement: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(statement))
