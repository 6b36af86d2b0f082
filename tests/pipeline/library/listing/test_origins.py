"""Whose word each value is."""

from datetime import timedelta

from sqlalchemy import insert

from models import LibraryAccount, Source
from models.people import OWNER_ID
from pipeline.library.journal.entries import hide_work
from pipeline.library.journal.games import GameOfWork
from pipeline.library.journal.playthroughs import add_playthrough
from pipeline.library.journal.states import Wish, set_state
from pipeline.library.listing.origins import load_origins
from tests.pipeline.library.shelf import Shelf


def origins(shelf: Shelf, game: GameOfWork) -> dict[str, tuple[str, str]]:
    with shelf.engine.connect() as connection:
        return {each.what: (each.value, each.by) for each in load_origins(connection, OWNER_ID, game.work_id)}


def test_a_value_of_a_file_names_the_file_and_its_line(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game, import_id=shelf.imported("playnite.json"), import_line=17, playtime_seconds=5400)

    said = origins(shelf, game)
    assert said["game"] == ("Ico", "IGDB 1")
    assert said["owned"] == ("steam, PC", "playnite.json, line 17")
    assert said["time"] == ("1.5 h (steam, PC)", "playnite.json, line 17")
    assert said["status"] == ("paused", "follows from its having been played, but not lately")


def test_a_value_of_a_sync_names_the_account(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    with shelf.engine.begin() as connection:
        source = {"name": "steam.library", "service": "steam", "next_due_at": shelf.now}
        source_id = connection.execute(insert(Source).values(source).returning(Source.id)).scalar_one()
        account = {"service": "steam", "external_id": "7656", "name": "player-one", "key_encrypted": b"x"}
        times = {"created_at": shelf.now, "next_due_at": shelf.now}
        connection.execute(insert(LibraryAccount).values(person_id=OWNER_ID, **account, **times))
    shelf.entry(game, source_id=source_id)

    assert origins(shelf, game)["owned"] == ("steam, PC", "Steam, account player-one")


def test_what_a_person_said_is_theirs_and_what_follows_says_from_what(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game)
    with shelf.turn() as connection:
        wish = Wish(values={"rating": 90.0, "rating_scale": 5, "is_favourite": True}, tags_added=("quiet",))
        set_state(connection, OWNER_ID, game.work_id, wish, shelf.now)
        through = add_playthrough(connection, OWNER_ID, game, {"finished": "2003"}, shelf.now, shelf.now.date())
        hide_work(connection, OWNER_ID, game.work_id, shelf.now + timedelta(days=1))

    said = origins(shelf, game)
    assert said["rating"] == ("90 of 100, given on a scale to 5", "you, by hand")
    assert (said["favourite"][0], said["tags"][0]) == ("yes", "quiet")
    assert said["status"] == ("finished", "follows from a playthrough that has its end")
    assert said[f"playthrough {through.id}"] == ("finished, 2003", "you, by hand")
    assert said["hidden"] == ("steam, PC", "you, or the file")
