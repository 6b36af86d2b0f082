"""What `library list` reads."""

from typing import get_args

import pytest

from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.library.journal.entries import forget_work, hide_work
from pipeline.library.journal.playthroughs import add_playthrough
from pipeline.library.journal.states import Wish, set_state
from pipeline.library.listing.titles import missing, work_named
from pipeline.library.listing.works import Filter, ListedWork, Order, choose_works, load_works
from tests.pipeline.library.shelf import Shelf


def listed(shelf: Shelf) -> dict[str, ListedWork]:
    with shelf.engine.connect() as connection:
        return {work.name: work for work in load_works(connection, OWNER_ID)}


def chosen(shelf: Shelf, order: Order = "name", **conditions: object) -> list[str]:
    with shelf.engine.connect() as connection:
        wish = Filter(**conditions)  # type: ignore[arg-type]
        return [work.name for _, work in choose_works(connection, OWNER_ID, wish, order)]


def test_a_work_is_listed_once_however_many_shops_have_it(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1, first_release_date=1000000000, genres=[{"id": 5, "name": "Puzzle"}])
    shelf.entry(game, "gog", playtime_seconds=3600)
    shelf.entry(game, "steam", playtime_seconds=7200, platform="Linux")

    [work] = listed(shelf).values()
    assert (work.name, work.igdb_id, work.year, work.genres) == ("Ico", 1, 2001, ["Puzzle"])
    assert (work.stores, work.platforms, work.seconds, work.is_owned) == (
        ["gog", "steam"],
        ["PC", "Linux"],
        10800,
        True,
    )


def test_what_a_person_calls_a_game_goes_before_what_igdb_calls_it(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game)
    with shelf.turn() as connection:
        values = {"name": "Ico!", "year": 2000, "genres": ["Castles"], "series": "Ueda", "rating": 90.0}
        set_state(connection, OWNER_ID, game.work_id, Wish(values=values | {"rating_scale": 5}), shelf.now)

    work = listed(shelf)["Ico!"]
    assert (work.year, work.genres, work.series, work.rating, work.rating_scale) == (2000, ["Castles"], "Ueda", 90, 5)


def test_a_game_that_is_only_rated_or_only_played_is_listed_too(shelf: Shelf) -> None:
    rated, played = shelf.game("Rez", 1), shelf.game("Ico", 2)
    with shelf.turn() as connection:
        set_state(connection, OWNER_ID, rated.work_id, Wish(values={"rating": 80.0, "rating_scale": 5}), shelf.now)
        add_playthrough(connection, OWNER_ID, played, {"finished": "2012", "rating": 60.0}, shelf.now, shelf.now.date())

    works = listed(shelf)
    assert (works["Rez"].rating, works["Rez"].words) == (80, [])
    assert (works["Ico"].rating, works["Ico"].finished, works["Ico"].finishes) == (60, "2012", 1)


def test_a_hidden_game_is_shown_where_hidden_ones_are_asked_for_and_a_forgotten_one_nowhere(shelf: Shelf) -> None:
    hidden, forgotten, plain = (shelf.game(name, number) for number, name in enumerate(("Tool", "Demo", "Ico"), 1))
    for game in (hidden, forgotten, plain):
        shelf.entry(game)
    with shelf.turn() as connection:
        set_state(connection, OWNER_ID, forgotten.work_id, Wish(values={"notes": "tried once"}), shelf.now)
        hide_work(connection, OWNER_ID, hidden.work_id, shelf.now)
        forget_work(connection, OWNER_ID, forgotten.work_id, shelf.now)

    assert chosen(shelf) == ["Ico"]
    assert chosen(shelf, hidden=True) == ["Tool"]


def test_works_are_chosen_by_what_they_are_and_put_in_order(shelf: Shelf) -> None:
    ico, rez, okami = (shelf.game(name, number) for number, name in enumerate(("Ico", "rez", "Okami"), 1))
    shelf.entry(ico, "physical", platform="PlayStation 2")
    shelf.entry(rez, playtime_seconds=3600, last_played_at=shelf.now)
    shelf.entry(okami, ownership="wished", first_seen_at=shelf.now)
    with shelf.turn() as connection:
        wish = Wish(values={"series": "Ueda", "is_favourite": True, "rating": 70.0}, tags_added=("Quiet",))
        set_state(connection, OWNER_ID, ico.work_id, wish, shelf.now)
    assert chosen(shelf, statuses=("playing", "wished")) == ["Okami", "rez"]
    assert chosen(shelf, platforms=("playstation2",)) == chosen(shelf, stores=("physical",)) == ["Ico"]
    assert chosen(shelf, tags=("quiet",)) == chosen(shelf, series="ueda") == chosen(shelf, favourites=True) == ["Ico"]
    assert chosen(shelf, never_played=True) == ["Ico"]
    assert chosen(shelf, platforms=("Switch",)) == []
    assert chosen(shelf, "name") == ["Ico", "Okami", "rez"]
    assert chosen(shelf, "hours") == chosen(shelf, "last-played") == ["rez", "Ico", "Okami"]
    assert chosen(shelf, "rating") == ["Ico", "Okami", "rez"]
    assert chosen(shelf, "added") == ["Okami", "Ico", "rez"]


def test_works_are_read_in_pages_that_a_change_between_them_does_not_shift(shelf: Shelf) -> None:
    for number, name in enumerate(("Ico", "rez", "Okami", "ICO 2"), 1):
        shelf.entry(shelf.game(name, number), playtime_seconds=number // 2)
    for order in get_args(Order):
        read: list[str] = []
        after = None
        with shelf.engine.connect() as connection:
            while page := choose_works(connection, OWNER_ID, Filter(), order, after=after, limit=1):
                [(after, work)] = page
                read.append(work.name)
        assert read == chosen(shelf, order)


def test_a_title_is_found_by_any_name_that_it_goes_by(shelf: Shelf) -> None:
    game = shelf.game("The Longest Journey", 1)
    shelf.entry(game, title="TLJ™ Remastered")
    with shelf.engine.connect() as connection:
        for written in ("the longest journey", "TLJ Remastered", "igdb:1", str(game.work_id)):
            named = work_named(connection, OWNER_ID, written)
            assert named is not None
            assert named.work_id == game.work_id
        assert work_named(connection, OWNER_ID, "igdb:404") is None
        assert "did you mean The Longest Journey?" in str(missing(connection, OWNER_ID, "The Longst Journey"))


def test_a_name_that_several_works_bear_lists_them(shelf: Shelf) -> None:
    for number, released in ((7, 1000000000), (8, 1500000000)):
        shelf.entry(shelf.game("Prey", number, slug=f"prey-{number}", first_release_date=released))
    with (
        shelf.engine.connect() as connection,
        pytest.raises(UsageError, match=r"Prey \(2001\) is igdb:7; Prey \(2017\) is igdb:8"),
    ):
        work_named(connection, OWNER_ID, "prey")


def test_a_forgotten_game_is_said_to_be_one_and_how_it_comes_back(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game)
    with shelf.turn() as connection:
        forget_work(connection, OWNER_ID, game.work_id, shelf.now)

    with shelf.engine.connect() as connection:
        assert str(missing(connection, OWNER_ID, "ico")) == (
            "'Ico' was taken out of the library; `lootwire library add igdb:1` brings it back"
        )
