"""An installation that wants games of IGDB, and a clock that a test sets."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select, update

from models import Delivery, Event, Source, Target
from models.details import ReleaseDetail
from models.vault import Vault
from notifiers import targets
from notifiers.subscriptions import add_subscription
from pipeline.games import clock
from pipeline.games.releases.news import append_releases
from pipeline.games.store.games import store_games
from pipeline.games.store.wanted import Reason, note_asked, want
from pipeline.services.igdb.documents import Document
from tests.details import release_detail
from tests.pipeline.games.documents import doc

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY, MONTH, YEAR, TBD = 0, 1, 2, 7
Q1, Q2, Q3, Q4 = 3, 4, 5, 6
PC, PS5, SWITCH = 6, 167, 130
PLATFORMS = [
    {"id": PC, "name": "PC (Microsoft Windows)", "abbreviation": "PC"},
    {"id": PS5, "name": "PlayStation 5", "abbreviation": "PS5"},
    {"id": SWITCH, "name": "Nintendo Switch", "abbreviation": "Switch"},
]


def dated(igdb_id: int, day: date | None, date_format: int = DAY, platform: int = PC, **fields: Any) -> dict[str, Any]:
    """A row of release dates as IGDB writes it; a period carries its last day."""
    at = None if day is None else int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    row = {"id": igdb_id, "date": at, "date_format": date_format, "platform": platform}
    return {key: value for key, value in (row | fields).items() if value is not None}


class Installation:
    """A database at noon, without a wanted game until a test adds one."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.now = NOON
        self._vault = Vault.open(folder / "key")
        with engine.begin() as connection:
            row = {"name": "igdb.wanted", "service": "igdb", "next_due_at": self.now, "last_success_at": self.now}
            connection.execute(insert(Source).values(row))

    def want(self, *igdb_ids: int, reason: Reason = "list") -> None:
        with self.engine.begin() as connection:
            want(connection, igdb_ids, reason, self.now)

    def sync(self, *rows: dict[str, Any], igdb_id: int = 1, **fields: Any) -> Counter[str]:
        """Store a game with these release dates as IGDB's answer of an hour later; returns the events."""
        return self.store(doc(igdb_id, release_dates=list(rows), platforms=PLATFORMS, **fields))

    def store(self, *documents: Document, silent: bool = False) -> Counter[str]:
        self.later(HOUR)
        with self.engine.begin() as connection:
            connection.execute(update(Source).values(last_success_at=self.now))
            stored = store_games(connection, documents, self.now)
            events = append_releases(connection, stored, self.now, silent=silent)
            note_asked(connection, [document.igdb_id for document in documents], self.now)
            return events

    def follow(self, *rows: dict[str, Any], **fields: Any) -> None:
        """Follow game 1, which is then seen with these release dates for the first time."""
        self.want(1)
        self.sync(*rows, **fields)

    def later(self, duration: timedelta) -> None:
        self.now += duration

    def tick(self, at: datetime | None = None) -> Counter[str]:
        """Move the clock to a moment or on by an hour, and let it run; returns the events."""
        self.now = at or self.now + HOUR
        return clock.advance(self.engine, self.now)

    def target(self, name: str = "phone", timezone: str = "UTC") -> None:
        with self.engine.begin() as connection:
            targets.add_target(
                connection, self._vault, name, "json://127.0.0.1:9/x", self.now, timezone=timezone, private=True
            )
            add_subscription(connection, name, self.now)

    def events(self, *, silent: bool = False) -> list[Any]:
        with self.engine.connect() as connection:
            query = select(Event).where(Event.silent.is_(silent)).order_by(Event.id)
            return list(connection.execute(query))

    def titles(self, *, silent: bool = False) -> list[str]:
        return [event.title for event in self.events(silent=silent)]

    def details(self) -> list[ReleaseDetail]:
        return [release_detail(event) for event in self.events()]

    def due(self) -> dict[str, datetime]:
        """The time of the delivery that waits for each target."""
        query = select(Target.name, Delivery.next_attempt_at).join(Delivery, Delivery.target_id == Target.id)
        with self.engine.connect() as connection:
            return {row[0]: row[1].astimezone(UTC) for row in connection.execute(query)}

    def rows(self, table: Any) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return connection.execute(select(table).order_by(*table.__table__.primary_key)).all()
