"""Libraries for tests of what people are told: games of ours, what IGDB knows of them, and what people have."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from models import (
    Game,
    GameExternalId,
    GameList,
    GameListEntry,
    GameMetadata,
    GameState,
    LibraryEntry,
    Person,
    Playthrough,
)
from models.names import name_key
from models.people import OWNER_ID
from pipeline.games.store.works import give_works
from pipeline.library.store.person_works import renew
from tests.notifiers.world import NOON

_LISTS: dict[str, list[str]] = {
    name: [] for name in ("genres", "themes", "modes", "franchises", "collections", "companies", "platforms")
}


@dataclass
class Shelves:
    """What people have, written as imports and people write it: by entries, states and playthroughs."""

    engine: Engine
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(100))

    def game(self, name: str, igdb_id: int | None = None, *, has_work: bool = True, **entry: Any) -> int:
        """Add a game of ours, linked to an entry of IGDB where there is one; returns its number."""
        with self.engine.begin() as connection:
            row = {"name": name, "name_key": name_key(name), "public_id": f"s{next(self._numbers)}"}
            game_id: int = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
            if igdb_id is not None:
                self._link(connection, game_id, name, igdb_id, entry)
            if has_work:
                give_works(connection, [game_id])
        return game_id

    def person(self, name: str) -> int:
        with self.engine.begin() as connection:
            row = {"name": name, "created_at": NOON}
            person_id: int = connection.execute(insert(Person).values(row).returning(Person.id)).scalar_one()
        return person_id

    def plays_on(self, *platforms: str, person_id: int = OWNER_ID) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(Person).where(Person.id == person_id).values(platforms=list(platforms)))

    def has(self, game_id: int, store: str = "steam", *, person_id: int = OWNER_ID, **entry: Any) -> None:
        row = {
            "person_id": person_id,
            "game_id": game_id,
            "store": store,
            "external_id": str(next(self._numbers)),
            "title": "x",
            "ownership": "owned",
            "first_seen_at": NOON,
        }
        with self.engine.begin() as connection:
            connection.execute(insert(LibraryEntry).values(row | entry))
            self._renew(connection, game_id, person_id)

    def says(self, game_id: int, status: str, *, person_id: int = OWNER_ID) -> None:
        with self.engine.begin() as connection:
            work_id = self._work(connection, game_id)
            row = {"person_id": person_id, "work_id": work_id, "status": status, "updated_at": NOON}
            connection.execute(insert(GameState).values(row))
            self._renew(connection, game_id, person_id)

    def finished(self, game_id: int, when: str | None, *, person_id: int = OWNER_ID) -> None:
        row = {"person_id": person_id, "game_id": game_id, "status": "finished", "finished": when, "created_at": NOON}
        with self.engine.begin() as connection:
            connection.execute(insert(Playthrough).values(row))
            self._renew(connection, game_id, person_id)

    def lists(self, name: str, *game_ids: int, person_id: int = OWNER_ID) -> None:
        row = {"person_id": person_id, "name": name, "slug": name_key(name), "created_at": NOON}
        with self.engine.begin() as connection:
            list_id = connection.execute(insert(GameList).values(row).returning(GameList.id)).scalar_one()
            for position, game_id in enumerate(game_ids, 1):
                line = {"list_id": list_id, "position": position, "written": "x"}
                line["work_id"] = self._work(connection, game_id)
                connection.execute(insert(GameListEntry).values(line))

    def _link(self, connection: Connection, game_id: int, name: str, igdb_id: int, entry: dict[str, Any]) -> None:
        row = {"igdb_id": igdb_id, "game_id": game_id, "name": name, "name_key": name_key(name)}
        connection.execute(
            insert(GameMetadata).values(row | {"synced_at": NOON, "digest": b"", "raw": {}} | _LISTS | entry)
        )
        self._same(connection, game_id, str(igdb_id))

    def same(self, name: str, igdb_id: int) -> int:
        """Add another game of ours that is the same entry of IGDB."""
        with self.engine.begin() as connection:
            row = {"name": name, "name_key": name_key(name), "public_id": f"s{next(self._numbers)}"}
            game_id: int = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
            self._same(connection, game_id, f"{igdb_id}/abc")
            give_works(connection, [game_id])
        return game_id

    @staticmethod
    def _same(connection: Connection, game_id: int, external_id: str) -> None:
        link = {"service": "igdb", "external_id": external_id, "game_id": game_id}
        connection.execute(insert(GameExternalId).values(link))

    def _renew(self, connection: Connection, game_id: int, person_id: int) -> None:
        renew(connection, person_id, [self._work(connection, game_id)], NOON)

    @staticmethod
    def _work(connection: Connection, game_id: int) -> int:
        work_id: int | None = connection.execute(select(Game.work_id).where(Game.id == game_id)).scalar_one()
        assert work_id is not None
        return work_id


def at(day: str) -> datetime:
    """The noon of a day: `2026-05-03`."""
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")
