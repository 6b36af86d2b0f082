"""Which games lines mean."""

from typing import Any

from sqlalchemy import insert

from models import ExternalGame, Game
from models.people import OWNER_ID
from pipeline.games.store.decisions import Answer, decide, key_of, load_decisions, own_game
from pipeline.games.store.games import store_games
from pipeline.library.records import Record
from pipeline.library.resolving import Resolved, resolve
from tests.pipeline.games.documents import doc
from tests.pipeline.library.shelves import HARBOUR, KITE, MOSS, NOON, ORBIT, Library, line


def resolved(library: Library, *records: Record) -> list[Resolved]:
    with library.engine.connect() as connection:
        return resolve(connection, records, load_decisions(connection, OWNER_ID))


def meant(library: Library, *records: Record) -> list[Any]:
    return [(each.verdict, each.igdb_id) for each in resolved(library, *records)]


def test_an_id_goes_before_a_slug_a_slug_before_a_shop_and_that_before_a_title(library: Library) -> None:
    of_a_shop = {"store": "steam", "external_id": "30"}

    assert meant(
        library,
        line(1, "Paper Kite", igdb_id=HARBOUR, igdb_slug="game-2", **of_a_shop),
        line(2, "Paper Kite", igdb_slug="GAME-2", **of_a_shop),
        line(3, "Paper Kite", **of_a_shop),
        line(4, "Paper Kite", store="steam", external_id="9999"),
    ) == [("sure", HARBOUR), ("sure", MOSS), ("sure", ORBIT), ("sure", KITE)]


def test_a_shops_id_of_several_entries_means_the_one_that_the_others_belong_to(library: Library) -> None:
    with library.engine.begin() as connection:
        store_games(connection, [doc(9, "Harbour Lights Deluxe", version_parent=HARBOUR)], NOON)
        rows = [(1, "10", 9), (5, "77", MOSS), (5, "77", ORBIT)]
        connection.execute(
            insert(ExternalGame), [dict(zip(("source", "uid", "igdb_id"), row, strict=True)) for row in rows]
        )

    of_steam, of_gog = resolved(
        library,
        line(1, "x", store="steam", external_id="10"),
        line(2, "y", store="gog", external_id="77"),
    )

    assert (of_steam.verdict, of_steam.igdb_id) == ("sure", HARBOUR)
    assert (of_gog.verdict, [choice.igdb_id for choice in of_gog.choices]) == ("unsure", [MOSS, ORBIT])


def test_a_persons_word_goes_before_everything_and_the_more_precise_one_first(library: Library) -> None:
    with library.engine.begin() as connection:
        for key, answer in (
            (key_of("Paper Kite"), Answer(verdict="is", igdb_id=HARBOUR)),
            (key_of("Paper Kite", platforms=("PS2",), year=2001), Answer(verdict="is", igdb_id=MOSS)),
            (key_of("any", store="steam", external_id="30"), Answer(verdict="skip")),
        ):
            decide(connection, OWNER_ID, key, answer, NOON)

    assert meant(
        library,
        line(1, "PAPER KITE!", igdb_id=KITE),
        line(2, "Paper Kite", platforms=("PlayStation 2",), year=2001),
        line(3, "Paper Kite", platforms=("PlayStation 2",), year=2002),
        line(4, "Quiet Orbit", store="steam", external_id="30"),
    ) == [("sure", HARBOUR), ("sure", MOSS), ("sure", HARBOUR), ("skip", None)]


def test_a_title_that_igdb_lacks_means_the_one_game_of_ours_that_is_called_so(library: Library) -> None:
    with library.engine.begin() as connection:
        for number, name in enumerate(("Dune Walkers", "Twin Name", "Twin Name"), 1):
            connection.execute(
                insert(Game).values(name=name, name_key=name.lower().replace(" ", ""), public_id=str(number))
            )

    walkers, twin = resolved(library, line(1, "dune walkers"), line(2, "Twin Name"))

    assert (walkers.verdict, walkers.game_id, twin.verdict) == ("sure", 1, "unknown")


def test_our_own_game_of_a_title_is_made_once(library: Library) -> None:
    with library.engine.begin() as connection:
        games = [own_game(connection, title, None, NOON) for title in ("Homebrew One", "HOMEBREW  one")]
        another = own_game(connection, "Homebrew One", 1999, NOON)

    assert games[0] == games[1] != another
