"""A catalogue of a few entries, and a person's library that readings are taken into."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from models import Base, ExternalGame, Source
from models.people import OWNER_ID
from pipeline.games.store.games import store_games
from pipeline.library.records import Reading, Record
from pipeline.library.store.imports import open_import
from pipeline.library.take_in import Taken, take_in
from tests.pipeline.games.documents import doc

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)
# Entries of IGDB by number; Harbour's remaster is of its work.
HARBOUR, MOSS, ORBIT, KITE, REMASTER = range(1, 6)
NAMES = {HARBOUR: "Harbour Lights", MOSS: "Moss Runner", ORBIT: "Quiet Orbit", KITE: "Paper Kite"}


def line(number: int, written: str = "", **fields: Any) -> Record:
    """A line of a file; without a title it is that of the entry with its `igdb_id`."""
    return Record(line=number, written=written or NAMES.get(fields.get("igdb_id", 0), "A game"), **fields)


def reading(*records: Record, **fields: Any) -> Reading:
    usual: dict[str, Any] = {"format": "csv", "taken_for": "a table"}
    return Reading(**usual | fields, records=records)


class Library:
    """The owner's library, which a day passes between readings of."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = NOON
        documents = [doc(igdb_id, name) for igdb_id, name in NAMES.items()]
        documents.append(doc(REMASTER, "Harbour Lights Remastered", game_type=9, parent_game=HARBOUR))
        with engine.begin() as connection:
            store_games(connection, documents, NOON)
            shops = [{"source": 1, "uid": str(10 * n), "igdb_id": n} for n in NAMES]
            connection.execute(insert(ExternalGame), shops)
            row = insert(Source).values(name="steam.library", service="steam", next_due_at=NOON)
            self.source_id: int = connection.execute(row.returning(Source.id)).scalar_one()

    def take(self, read: Reading, *, name: str = "games.csv", silent: bool = True) -> Taken:
        """Take in a file."""
        self.now += DAY
        with self.engine.begin() as connection:
            return take_in(
                connection,
                read,
                person_id=OWNER_ID,
                import_id=self.open(connection, name),
                source_id=None,
                now=self.now,
                silent=silent,
            )

    def answer(self, *records: Record, is_whole: bool = True, silent: bool = False) -> Taken:
        """Take in a shop's answer."""
        self.now += DAY
        read = reading(*records, format="steam.library", taken_for="your Steam account", is_whole=is_whole)
        with self.engine.begin() as connection:
            return take_in(
                connection,
                read,
                person_id=OWNER_ID,
                import_id=self.open(connection, "steam.library"),
                source_id=self.source_id,
                now=self.now,
                silent=silent,
            )

    def open(self, connection: Connection, name: str) -> int:
        return open_import(connection, person_id=OWNER_ID, format_="csv", name=name, digest=name.encode(), now=self.now)

    def rows(self, model: type[Base]) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return connection.execute(select(*model.__table__.c).order_by(*model.__table__.primary_key)).all()

    def row(self, model: type[Base]) -> Any:
        (row,) = self.rows(model)
        return row


def verdicts(taken: Taken) -> list[str]:
    return [each.verdict for each in taken.lines]
