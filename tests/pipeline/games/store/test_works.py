"""Which of our games are one work, and what follows them when they move."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from models import Game, GameListEntry, GameState, LibraryEntry, PersonWork, Source, Work
from models.names import name_key
from models.people import OWNER_ID
from pipeline.games import clock
from pipeline.games.following.follows import games_for
from pipeline.games.following.list_rows import NewLine
from pipeline.games.following.lists import keep_list
from pipeline.games.store.links import Link, link
from pipeline.games.store.works import give_works, pin_alone, pin_work, unpin_work
from pipeline.games.take_in import Intake, append_nothing
from pipeline.library.store.person_works import renew, renew_due
from pipeline.services.igdb.documents import split_documents
from tests.pipeline.games.documents import encode, game

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
ZODIAC = {"igdb_id": 2, "name": "The Zodiac Age", "game_type": 9, "parent_game": 1}


@dataclass
class Shelf:
    """IGDB's entries, and games of ours that are linked with them."""

    engine: Engine
    now: datetime = NOW

    def take(self, *documents: dict[str, Any]) -> None:
        """Take an answer of IGDB in."""
        self.now += timedelta(hours=1)
        with self.engine.begin() as connection:
            source_id = connection.scalar(select(Source.id))
            if source_id is None:
                row = {"name": "igdb.wanted", "service": "igdb", "next_due_at": NOW}
                source_id = connection.execute(insert(Source).values(row).returning(Source.id)).scalar_one()
            intake = Intake(
                connection=connection, source_id=source_id, origin="test", append_news=append_nothing, now=self.now
            )
            intake.take(split_documents(encode([game(**fields) for fields in documents])), self.now, silent=True)

    def games(self, *igdb_ids: int) -> list[int]:
        """Games of ours of these entries, with their works."""
        with self.engine.begin() as connection:
            games = games_for(connection, igdb_ids)
            give_works(connection, list(games.values()))
            return [games[igdb_id] for igdb_id in igdb_ids]

    def own(self, name: str) -> int:
        with self.engine.begin() as connection:
            row = {"name": name, "name_key": name_key(name), "public_id": name_key(name)}
            game_id: int = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
            give_works(connection, [game_id])
        return game_id

    def link(self, game_id: int, igdb_id: int | None) -> None:
        with self.engine.begin() as connection:
            link(connection, [Link(game_id=game_id, igdb_id=igdb_id, how="hand", pinned_at=self.now)])
            give_works(connection, [game_id])

    def work(self, game_id: int) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(select(Work).join(Game, Game.work_id == Work.id).where(Game.id == game_id)).one()

    def own_copy(self, game_id: int, store: str = "steam") -> None:
        """Have the owner own a game in a store."""
        row = {
            "game_id": game_id,
            "store": store,
            "external_id": str(game_id),
            "title": "?",
            "ownership": "owned",
            "first_seen_at": NOW,
        }
        with self.engine.begin() as connection:
            connection.execute(insert(LibraryEntry).values(row))
            renew(connection, OWNER_ID, list(give_works(connection, [game_id]).values()), NOW)

    def say(self, game_id: int, **fields: Any) -> None:
        row = {"person_id": OWNER_ID, "work_id": self.work(game_id).id, "updated_at": NOW}
        with self.engine.begin() as connection:
            connection.execute(insert(GameState).values(row | fields))
            renew(connection, OWNER_ID, [row["work_id"]], NOW)

    def had(self) -> dict[str, list[str]]:
        """The stores in which each work is had, once the library's clock has ticked."""
        with self.engine.begin() as connection:
            renew_due(connection, NOW)
            rows = connection.execute(select(Work.name, PersonWork.stores).join(Work, Work.id == PersonWork.work_id))
            return {name: sorted(stores) for name, stores in rows}

    def states(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(GameState).order_by(GameState.work_id)))


@pytest.fixture
def shelf(engine: Engine) -> Shelf:
    return Shelf(engine)


def test_a_remaster_that_igdb_calls_one_only_later_joins_its_games_work(shelf: Shelf) -> None:
    shelf.take({"igdb_id": 1, "name": "XII"}, ZODIAC | {"game_type": 0, "parent_game": None})
    first, second = shelf.games(1, 2)
    shelf.own_copy(first)
    shelf.own_copy(second, "gog")
    assert shelf.had() == {"XII": ["steam"], "The Zodiac Age": ["gog"]}

    shelf.take(ZODIAC)

    assert shelf.work(second) == shelf.work(first)
    assert shelf.had() == {"XII": ["gog", "steam"]}


def test_a_game_that_igdb_takes_out_of_a_family_has_a_work_of_its_own_again(shelf: Shelf) -> None:
    shelf.take({"igdb_id": 1, "name": "XII"}, ZODIAC)
    first, second = shelf.games(1, 2)
    shelf.own_copy(second, "gog")
    assert shelf.had() == {"XII": ["gog"]}

    shelf.take(ZODIAC | {"game_type": 8})

    work = shelf.work(second)
    assert (work.name, work.relation, work.parent_work_id) == ("The Zodiac Age", "remake", shelf.work(first).id)
    assert shelf.had() == {"The Zodiac Age": ["gog"]}


def test_games_below_an_entry_that_moves_move_with_it(shelf: Shelf) -> None:
    part = {"igdb_id": 3, "name": "Zodiac Songs", "game_type": 1, "parent_game": 2}
    shelf.take({"igdb_id": 1, "name": "XII"}, ZODIAC | {"game_type": 0}, part)
    first, _, third = shelf.games(1, 2, 3)
    assert shelf.work(third).name == "The Zodiac Age"

    shelf.take(ZODIAC)

    assert shelf.work(third) == shelf.work(first)


def test_a_family_whose_root_is_stored_later_is_called_as_that(shelf: Shelf) -> None:
    shelf.take(ZODIAC)
    [second] = shelf.games(2)
    assert shelf.work(second).name == "IGDB 1"

    shelf.take({"igdb_id": 1, "name": "XII", "collections": [{"id": 1, "name": "Final Fantasy"}]})
    assert (shelf.work(second).name, shelf.work(second).series) == ("XII", "Final Fantasy")
    shelf.take({"igdb_id": 1, "name": "Final Fantasy XII"})
    assert shelf.work(second).name == "Final Fantasy XII"


def test_entries_that_are_no_game_of_ours_make_no_works(shelf: Shelf) -> None:
    shelf.take({"igdb_id": 1, "name": "XII"}, ZODIAC)
    shelf.take({"igdb_id": 1, "name": "Final Fantasy XII"})

    with shelf.engine.connect() as connection:
        assert connection.execute(select(Work)).all() == []


def test_a_game_that_is_linked_later_takes_what_was_said_of_it_into_the_family(shelf: Shelf) -> None:
    shelf.take({"igdb_id": 1, "name": "XII"}, ZODIAC)
    [first] = shelf.games(1)
    own = shelf.own("Zodiac")
    shelf.own_copy(own)
    shelf.say(own, status="finished", rating=80.0, notes="in spring", set_by={"status": "hand"})

    shelf.link(own, 2)

    assert shelf.work(own) == shelf.work(first)
    [state] = shelf.states()
    assert (state.work_id, state.status, state.rating, state.notes) == (
        shelf.work(first).id,
        "finished",
        80.0,
        "in spring",
    )
    assert shelf.had() == {"XII": ["steam"]}


def test_nothing_that_was_said_of_both_games_is_lost_when_they_become_one(shelf: Shelf) -> None:
    shelf.take({"igdb_id": 1, "name": "XII"}, ZODIAC)
    [first] = shelf.games(1)
    own = shelf.own("Zodiac")
    shelf.say(first, status="playing", tags=["jrpg"], set_by={"status": "hand"})
    shelf.say(own, status="finished", rating=80.0, rating_scale=10, tags=["ps4"], notes="in spring", is_favourite=True)

    shelf.link(own, 2)

    [state] = shelf.states()
    assert (state.status, state.rating, state.rating_scale, state.tags, state.is_favourite) == (
        "playing",
        80.0,
        10,
        ["jrpg", "ps4"],
        True,
    )
    assert state.notes == "in spring\nZodiac: finished"
    assert state.set_by == {"status": "hand"}


def test_lines_of_lists_follow_their_games(shelf: Shelf) -> None:
    shelf.take({"igdb_id": 1, "name": "XII"}, ZODIAC | {"game_type": 0})
    lines = [NewLine(written="XII", igdb_id=1), NewLine(written="Zodiac", igdb_id=2)]
    with shelf.engine.begin() as connection:
        keep_list(connection, "Best", lines, NOW, wants=False)

    shelf.take(ZODIAC)

    with shelf.engine.connect() as connection:
        works = connection.scalars(select(GameListEntry.work_id).order_by(GameListEntry.position)).all()
    [first] = shelf.games(1)
    assert works == [shelf.work(first).id] * 2


def test_a_game_that_a_person_says_igdb_lacks_is_of_no_family(shelf: Shelf) -> None:
    shelf.take({"igdb_id": 1, "name": "XII"}, ZODIAC)
    first, second = shelf.games(1, 2)

    shelf.link(second, None)

    work = shelf.work(second)
    assert (work.name, work.how, work.root_igdb_id) == ("The Zodiac Age", "hand", None)
    assert shelf.work(first).root_igdb_id == 1


def test_a_pinned_game_stays_whatever_igdb_says(shelf: Shelf) -> None:
    shelf.take({"igdb_id": 1, "name": "XII"}, ZODIAC, {"igdb_id": 4, "name": "Tactics"})
    first, second, other = shelf.games(1, 2, 4)
    shelf.own_copy(second)
    with shelf.engine.begin() as connection:
        pin_work(connection, second, shelf.work(other).id, NOW)
    assert (shelf.work(second).name, shelf.had()) == ("Tactics", {"Tactics": ["steam"]})

    shelf.take(ZODIAC | {"name": "The Zodiac Age HD"})
    with shelf.engine.begin() as connection:
        give_works(connection, [second])
    assert shelf.work(second).name == "Tactics"
    with shelf.engine.begin() as connection:
        unpin_work(connection, second)
    assert (shelf.work(second), shelf.had()) == (shelf.work(first), {"XII": ["steam"]})


def test_a_game_that_is_pinned_alone_has_a_work_of_its_own(shelf: Shelf) -> None:
    shelf.take({"igdb_id": 1, "name": "XII"}, ZODIAC)
    first, second = shelf.games(1, 2)

    with shelf.engine.begin() as connection:
        work_id = pin_alone(connection, second, NOW)
        assert pin_alone(connection, second, NOW) == work_id
    shelf.take(ZODIAC | {"game_type": 11})

    assert shelf.work(second).id == work_id != shelf.work(first).id


def test_the_clock_gives_works_to_games_that_were_linked_since(shelf: Shelf) -> None:
    shelf.take({"igdb_id": 1, "name": "XII"})
    with shelf.engine.begin() as connection:
        game_id = games_for(connection, [1])[1]

    clock.advance(shelf.engine, NOW)

    assert shelf.work(game_id).root_igdb_id == 1
