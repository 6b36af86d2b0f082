"""Lists of games in a database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select

from models import Event, ListActivity
from models.people import OWNER_ID
from pipeline.games import clock
from pipeline.games.following import editing
from pipeline.games.following.changes import EntryChange, applied
from pipeline.games.following.list_rows import NewLine, load_lines, read_list
from pipeline.games.following.lists import keep_list
from pipeline.games.following.naming import NamedLine
from pipeline.games.store.games import store_games
from tests.pipeline.games.documents import doc

START = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
TOP = "Top 25"


@dataclass
class Lists:
    """Lists of a person, changed at `now`; most functions are about the list `Top 25`."""

    engine: Engine
    now: datetime = START
    person_id: int = OWNER_ID

    def create(self, *titles: str, name: str = TOP, ranked: bool = True, wants: bool = False) -> None:
        self.begin(
            lambda connection: editing.create_list(
                connection, name, self.person_id, self.now, ranked=ranked, wants=wants
            )
        )
        for title in titles:
            self.add(title, name=name)

    def add(
        self,
        title: str,
        at: int | None = None,
        *,
        name: str = TOP,
        igdb_id: int | None = None,
        notes: str | None = None,
    ) -> None:
        line = NewLine(written=title, igdb_id=igdb_id, notes=notes)
        self.begin(lambda connection: editing.add_line(connection, name, self.person_id, line, self.now, at=at))

    def move(self, named: str, place: int, name: str = TOP) -> editing.Placed:
        placed: editing.Placed = self.begin(
            lambda connection: editing.move(connection, name, self.person_id, named, place, self.now)
        )
        return placed

    def remove(self, named: str, name: str = TOP) -> None:
        self.begin(lambda connection: editing.remove_line(connection, name, self.person_id, named, self.now))

    def note(self, named: str, text: str, name: str = TOP) -> None:
        self.begin(lambda connection: editing.note_line(connection, name, self.person_id, named, text, self.now))

    def describe(self, name: str = TOP, **values: Any) -> None:
        self.begin(lambda connection: editing.describe_list(connection, name, self.person_id, self.now, **values))

    def replace(self, *titles: str, name: str = TOP) -> None:
        """Store a file's titles in place of the list's."""
        lines = [NewLine(written=title) for title in titles]
        self.begin(lambda connection: keep_list(connection, name, lines, self.now, person_id=self.person_id))

    def know(self, *documents: dict[str, Any]) -> None:
        """Have IGDB's entries stored."""
        with self.engine.begin() as connection:
            store_games(connection, [doc(**fields) for fields in documents], START)

    def begin(self, do: Callable[[Connection], Any]) -> Any:
        with self.engine.begin() as connection:
            return do(connection)

    def lines(self, name: str = TOP) -> list[NamedLine]:
        with self.engine.connect() as connection:
            return load_lines(connection, read_list(connection, name, self.person_id).id)

    def titles(self, name: str = TOP) -> list[str]:
        lines = self.lines(name)
        assert [line.position for line in lines] == list(range(1, len(lines) + 1))
        return [line.name for line in lines]

    def log(self, name: str = TOP) -> list[tuple[str, list[EntryChange]]]:
        with self.engine.connect() as connection:
            list_id = read_list(connection, name, self.person_id).id
            query = select(ListActivity.verb, ListActivity.changes).where(ListActivity.list_id == list_id)
            rows = connection.execute(query.order_by(ListActivity.id)).all()
        return [(row.verb, msgspec.convert(row.changes, list[EntryChange])) for row in rows]

    def replayed(self, name: str = TOP) -> list[int]:
        """The rows of a list's lines in the order that its log leads to."""
        order: list[int] = []
        for _, changes in self.log(name):
            order = applied(order, changes)
        return order

    def later(self, minutes: float = 10) -> list[dict[str, Any]]:
        """Let time pass; returns the details of the events that the clock tells then."""
        self.now += timedelta(minutes=minutes)
        before = len(self.events())
        clock.advance(self.engine, self.now)
        return [event.detail for event in self.events()[before:]]

    def events(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(Event).where(Event.kind == "list.changed").order_by(Event.id)))
