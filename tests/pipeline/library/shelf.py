"""A person's shelf for tests: games of IGDB and of their own, entries as shops and files write them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from models import GameState, LibraryEntry, LibraryImport, PersonWork, PlaySession, Playthrough
from models.people import OWNER_ID
from pipeline.games.store.games import store_games
from pipeline.library.journal.games import GameOfWork, game_of_entry, own_game
from pipeline.library.journal.turns import begin_writing, end_writing
from tests.pipeline.games.documents import doc


class Shelf:
    """What the owner of an installation has; each call is a transaction of its own."""

    def __init__(self, engine: Engine, now: datetime) -> None:
        self.engine = engine
        self.now = now

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """Give a transaction that has its turn to write."""
        with self.engine.begin() as connection:
            begin_writing(connection)
            yield connection

    def catalogue(self, igdb_id: int, name: str, **fields: Any) -> None:
        """Add an entry of IGDB, as an answer of it brings one."""
        with self.turn() as connection:
            store_games(connection, [doc(igdb_id, name, **fields)], self.now)

    def game(self, name: str, igdb_id: int | None = None, **fields: Any) -> GameOfWork:
        """Add a game that IGDB has by this id, or one that it lacks."""
        if igdb_id is not None:
            self.catalogue(igdb_id, name, **fields)
        with self.turn() as connection:
            return own_game(connection, name, self.now) if igdb_id is None else game_of_entry(connection, igdb_id)

    def entry(self, game: GameOfWork, store: str = "steam", external_id: str | None = None, **values: Any) -> int:
        """Add an entry as a shop lists it."""
        row = {
            "person_id": OWNER_ID,
            "game_id": game.game_id,
            "igdb_id": game.igdb_id,
            "store": store,
            "external_id": external_id or f"{store}-{game.game_id}",
            "platform": "PC",
            "title": game.name,
            "ownership": "owned",
            "first_seen_at": self.now - timedelta(days=30),
            **values,
        }
        with self.turn() as connection:
            entry_id = connection.execute(insert(LibraryEntry).values(**row).returning(LibraryEntry.id)).scalar_one()
            end_writing(connection, OWNER_ID, [game.work_id], self.now)
        return entry_id

    def session(self, entry_id: int, until_at: datetime, seconds: int) -> None:
        """Add how much an entry's playtime grew in the day before a moment."""
        row = {"entry_id": entry_id, "until_at": until_at, "since_at": until_at - timedelta(days=1), "seconds": seconds}
        with self.engine.begin() as connection:
            connection.execute(insert(PlaySession).values(**row))

    def imported(self, name: str = "games.csv", kind: str = "csv") -> int:
        """Add a file that was imported."""
        row = {"format": kind, "name": name, "digest": name.encode(), "started_at": self.now, "finished_at": self.now}
        with self.engine.begin() as connection:
            made = insert(LibraryImport).values(person_id=OWNER_ID, **row).returning(LibraryImport.id)
            return connection.execute(made).scalar_one()

    def standing(self, game: GameOfWork) -> Any:
        """Return what a work is to the owner; None where it is nothing."""
        with self.engine.connect() as connection:
            query = select(PersonWork).where(PersonWork.work_id == game.work_id)
            return connection.execute(query).one_or_none()

    def entries(self) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(select(*LibraryEntry.__table__.c).order_by(LibraryEntry.id)).all()

    def state(self, game: GameOfWork) -> Any:
        with self.engine.connect() as connection:
            query = select(*GameState.__table__.c).where(GameState.work_id == game.work_id)
            return connection.execute(query).one_or_none()

    def playthroughs(self) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(select(*Playthrough.__table__.c).order_by(Playthrough.id)).all()

    def states(self) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(select(*GameState.__table__.c).order_by(GameState.work_id)).all()
