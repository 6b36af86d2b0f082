"""IGDB is asked for the games of a file that the catalogue lacks."""

import json

from sqlalchemy import insert

from models import Game, LibraryEntry, Source
from models.people import OWNER_ID
from pipeline.fetch.http import Client
from pipeline.games.store.games import store_games
from pipeline.library.importing.asking import Asking
from pipeline.library.importing.files import import_reading
from tests.igdb.setting import IgdbSetting
from tests.pipeline.games.documents import doc, game
from tests.pipeline.library.shelves import NOON, Library, line, reading


def test_a_game_of_ours_that_was_not_looked_for_yet_means_its_entry_at_once(
    library: Library, setting: IgdbSetting, client: Client
) -> None:
    setting.igdb.put(game(4321, "Wickhaven"))
    with library.engine.begin() as connection:
        # As a campaign names it, which came a moment before the file.
        connection.execute(insert(Game).values(name="Wickhaven", name_key="wickhaven", public_id="1"))
        connection.execute(insert(Source).values(name="igdb.wanted", service="igdb", next_due_at=NOON))
    asking = Asking(open_igdb=lambda: setting.open(client), register=lambda _: None, clock=lambda: NOON)

    read = reading(line(1, "Wickhaven", ownership="owned"))
    done = import_reading(library.engine, read, b"1", "games.csv", asking, person_id=OWNER_ID, now=NOON)

    assert [each.igdb_id for each in done.lines] == [4321]
    assert [row.igdb_id for row in library.rows(LibraryEntry)] == [4321]


def test_of_files_that_are_rehearsed_together_a_later_one_knows_what_was_answered_for_an_earlier_one(
    library: Library, setting: IgdbSetting, client: Client
) -> None:
    setting.igdb.put(game(4321, "Wickhaven"))
    with library.engine.begin() as connection:
        connection.execute(insert(Source).values(name="igdb.wanted", service="igdb", next_due_at=NOON))
    asking = Asking(open_igdb=lambda: setting.open(client), register=lambda _: None, clock=lambda: NOON)
    read = reading(line(1, "Wickhaven", ownership="owned"))
    asked = asking.ask(library.engine, read.records, OWNER_ID)

    again = asking.ask(library.engine, read.records, OWNER_ID, after=[asked])

    assert (len(asked.rows), len(again.rows)) == (1, 0)
    assert asking.ask(library.engine, read.records, OWNER_ID).rows


def test_a_game_whose_id_or_slug_igdb_has_no_more_is_looked_for_by_its_title(
    library: Library, setting: IgdbSetting, client: Client
) -> None:
    setting.igdb.put(game(4321, "Wickhaven"))
    setting.igdb.put(game(4322, "Salt Choir"))
    asking = Asking(open_igdb=lambda: setting.open(client), register=lambda _: None, clock=lambda: NOON)
    records = [line(1, "Wickhaven", igdb_slug="wickhaven--9"), line(2, "Salt Choir", igdb_id=99)]

    asked = asking.ask(library.engine, records, OWNER_ID)

    assert sorted(json.loads(bytes(row))["id"] for row in asked.rows) == [4321, 4322]


def test_a_title_for_which_the_catalogue_has_only_an_edition_is_looked_for(
    library: Library, setting: IgdbSetting, client: Client
) -> None:
    with library.engine.begin() as connection:
        store_games(connection, [doc(4323, "Salt Choir: Definitive Edition")], NOON)
    setting.igdb.put(game(4322, "Salt Choir"))
    asking = Asking(open_igdb=lambda: setting.open(client), register=lambda _: None, clock=lambda: NOON)

    asked = asking.ask(library.engine, [line(1, "Salt Choir"), line(2, "Salt Choir: Definitive Edition")], OWNER_ID)

    assert [json.loads(bytes(row))["id"] for row in asked.rows] == [4322]
