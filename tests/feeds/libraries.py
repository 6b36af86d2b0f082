"""A person's library for the tests of feeds: works with their games, entries, playthroughs and lists, in few words."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text, update

from feeds.links import Opens, ensure_link
from feeds.publish import publish
from feeds.take_in import mark
from feeds.writing import PublishSummary
from models import (
    Event,
    GameExternalId,
    GameList,
    GameListEntry,
    GameMetadata,
    GameState,
    LibraryEntry,
    ListActivity,
    Person,
    PersonWork,
    PlaySession,
    Playthrough,
    ReleaseDate,
    WantedGame,
    Work,
)
from models.details import EventDetail, LibraryDetail, ReleaseDetail
from models.names import name_key, slug
from models.people import OWNER_ID
from models.vault import Vault
from tests.feeds.world import BASE_URL, NOON, Publishing


class Libraries:
    """Writes what imports, syncs and people write, into the world that feeds are published of."""

    def __init__(self, world: Publishing) -> None:
        self.world = world
        self._igdb_ids = iter(range(1000, 100_000))

    def person(self, name: str = "mara") -> int:
        return self.world.add(Person, name=name, created_at=self.world.now)

    def own(
        self,
        name: str,
        *,
        words: tuple[str, ...] = ("owned", "backlog"),
        status: str | None = "backlog",
        person_id: int = OWNER_ID,
        wanted_for: tuple[str, ...] = ("library",),
        seconds: int | None = None,
        **entry: Any,
    ) -> int:
        """A game of a library, which IGDB knows with a date ahead; returns the row of the game."""
        world, igdb_id = self.world, next(self._igdb_ids)
        work_id = world.add(Work, name=name, name_key=name_key(name), root_igdb_id=igdb_id, how="igdb")
        game_id = world.game(name, work_id=work_id)
        with world.engine.begin() as connection:
            connection.execute(insert(GameExternalId).values(service="igdb", external_id=str(igdb_id), game_id=game_id))
            connection.execute(insert(GameMetadata).values(_entry(igdb_id, game_id, name, world.now)))
            connection.execute(insert(ReleaseDate).values(_date(igdb_id, world.now)))
            if wanted_for:
                wanted = {"igdb_id": igdb_id, "reasons": list(wanted_for), "wanted_at": world.now}
                connection.execute(insert(WantedGame).values(wanted | {"next_due_at": world.now}))
            connection.execute(
                insert(PersonWork).values(
                    work_id=work_id,
                    person_id=person_id,
                    words=list(words),
                    status=status,
                    stores=["steam"],
                    platforms=["PC"],
                    seconds=seconds,
                )
            )
        self.entry_id = world.add(
            LibraryEntry,
            **{
                "person_id": person_id,
                "game_id": game_id,
                "igdb_id": igdb_id,
                "store": "steam",
                "external_id": str(igdb_id),
                "platform": "PC",
                "title": name,
                "ownership": "owned",
                "playtime_seconds": seconds,
                "first_seen_at": world.now,
                **entry,
            },
        )
        return game_id

    def work_of(self, game_id: int) -> int:
        with self.world.engine.connect() as connection:
            return int(
                connection.execute(text("SELECT work_id FROM games WHERE id = :id"), {"id": game_id}).scalar_one()
            )

    def say(self, game_id: int, *, person_id: int = OWNER_ID, **state: Any) -> None:
        values = {"person_id": person_id, "work_id": self.work_of(game_id), "updated_at": self.world.now, **state}
        with self.world.engine.begin() as connection:
            connection.execute(insert(GameState).values(values))

    def once(self, game_id: int, *, person_id: int = OWNER_ID, status: str = "finished", **columns: Any) -> int:
        values = {"person_id": person_id, "game_id": game_id, "status": status, "created_at": self.world.now}
        return self.world.add(Playthrough, **values, **columns)

    def session(self, until: datetime, seconds: int) -> None:
        """Time that the entry that was added last was played."""
        values = {"entry_id": self.entry_id, "since_at": until, "until_at": until, "seconds": seconds}
        with self.world.engine.begin() as connection:
            connection.execute(insert(PlaySession).values(values))

    def list_of(self, name: str, *game_ids: int, person_id: int = OWNER_ID, **columns: Any) -> int:
        list_id = self.world.add(
            GameList, person_id=person_id, name=name, slug=slug(name), created_at=self.world.now, **columns
        )
        for position, game_id in enumerate(game_ids, 1):
            with self.world.engine.connect() as connection:
                entry = "SELECT igdb_id, name FROM game_metadata WHERE game_id = :id"
                igdb_id, title = connection.execute(text(entry), {"id": game_id}).one()
            self.world.add(
                GameListEntry,
                list_id=list_id,
                position=position,
                written=title,
                igdb_id=igdb_id,
                work_id=self.work_of(game_id),
                added_at=self.world.now,
            )
        return list_id

    def moved(self, list_id: int, place_before: int, place: int) -> None:
        """Note that the line that now stands at `place` stood at another."""
        with self.world.engine.begin() as connection:
            line = "SELECT id FROM game_list_entries WHERE list_id = :list AND position = :place"
            entry = connection.execute(text(line), {"list": list_id, "place": place}).scalar_one()
            changes = [{"entry": entry, "name": "a game", "place": place, "place_before": place_before}]
            values = {"list_id": list_id, "at": self.world.now, "verb": "moved", "changes": changes}
            connection.execute(insert(ListActivity).values(values))

    def event(
        self,
        title: str,
        kind: str,
        *,
        game_id: int | None = None,
        person_id: int | None = None,
        is_private: bool = False,
        silent: bool = False,
        detail: EventDetail | None = None,
    ) -> int:
        family = kind.partition(".")[0]
        shown = detail or (ReleaseDetail(game=title) if family in {"release", "game"} else LibraryDetail(game=title))
        key = f"{kind}:igdb/{game_id}:{next(self._igdb_ids)}" if family == "release" else None
        event_id = self.world.event(title, kind=kind, game_id=game_id, detail=shown, key=key, marked=False)
        with self.world.engine.begin() as connection:
            values = {"person_id": person_id, "is_private": is_private or person_id is not None, "silent": silent}
            connection.execute(update(Event).where(Event.id == event_id).values(values))
            mark(connection, [event_id])
        return event_id


def _entry(igdb_id: int, game_id: int, name: str, now: datetime) -> dict[str, Any]:
    lists = ("genres", "themes", "modes", "franchises", "collections", "companies", "platforms")
    return {
        "igdb_id": igdb_id,
        "game_id": game_id,
        "name": name,
        "name_key": name_key(name),
        "synced_at": now,
        "digest": b"",
        "raw": {},
        **{column: [] for column in lists},
    }


def _date(igdb_id: int, now: datetime) -> dict[str, Any]:
    return {
        "game_igdb_id": igdb_id,
        "igdb_id": igdb_id,
        "precision": "day",
        "date": now.date().replace(month=12),
        "year": now.year,
        "first_seen_at": now,
    }


class Household(Libraries):
    """A world with libraries, a key file, and links to what is in them."""

    def __init__(self, world: Publishing, folder: Path) -> None:
        super().__init__(world)
        self.vault = Vault.open(folder / "key")

    def link(self, opens: Opens, subject_id: int | None = None, person_id: int = OWNER_ID) -> str:
        """The path of a feed under its link, without an ending."""
        with self.world.engine.begin() as connection:
            folder = ensure_link(
                connection, self.vault, opens, NOON, subject_id=subject_id, title=f"My {opens}", person_id=person_id
            )
        return f"{folder}/{opens}"

    def publish(self) -> PublishSummary:
        world = self.world
        summary = publish(world.engine, world.root, BASE_URL, world.now, vault=lambda: self.vault)
        assert summary.failures == []
        return summary

    def titles(self, path: str) -> list[str]:
        items = self.world.text(f"{path}.rss.xml").split("<item>")[1:]
        return [item.partition("<title>")[2].partition("</title>")[0] for item in items]
