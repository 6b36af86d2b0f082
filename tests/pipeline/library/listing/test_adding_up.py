"""A library in figures."""

from datetime import UTC, datetime
from typing import Any

from pipeline.library.listing.adding_up import Game, Growth, Playing, Total, add_up

HOUR = 3600


def game(work_id: int, name: str, **values: Any) -> Game:
    return Game(**{"work_id": work_id, "name": name, "is_owned": True, "is_wished": False, **values})


def growth(month: int, hours: int, work_id: int = 1) -> Growth:
    at = datetime(2026, month, 20, tzinfo=UTC)
    return Growth(work_id=work_id, store="steam", platform="PC", until_at=at, seconds=hours * HOUR)


def finish(when: str | None, hours: int = 0, **values: Any) -> Playing:
    return Playing(**{"work_id": 1, "status": "finished", "finished": when, "seconds": hours * HOUR, **values})


def test_a_library_is_counted_by_what_its_games_are() -> None:
    ico = game(1, "Ico", status="finished", seconds=7 * HOUR, rating=90.0, genres=("Puzzle", "Adventure"))
    rez = game(2, "Rez", status="backlog", genres=("Puzzle",), series="Rez")
    figures = add_up([ico, rez], [finish("2012")], [], [])

    assert (figures.games, figures.owned, figures.backlog, figures.finishes) == (2, 2, 1, 1)
    assert (figures.seconds, figures.rated, figures.mean_rating) == (7 * HOUR, 1, 90.0)
    assert [(share.name, share.games, share.seconds, share.finishes) for share in figures.genres] == [
        ("Puzzle", 2, 7 * HOUR, 1),
        ("Adventure", 1, 7 * HOUR, 1),
    ]
    assert [share.name for share in figures.series] == ["Rez"]
    assert ([best.name for best in figures.best], [most.name for most in figures.most_played]) == (["Ico"], ["Ico"])


def test_a_finish_of_which_only_the_year_is_known_is_in_no_month_of_it() -> None:
    figures = add_up([game(1, "Ico")], [finish("2012", 7), finish("2012-03-04", 5), finish(None, 9)], [], [], 2012)
    spans = {span.when: (span.finishes, span.seconds) for span in figures.spans if span.finishes}

    assert spans == {"2012": (1, 7 * HOUR), "2012-03": (1, 5 * HOUR)}
    assert (len(figures.spans), figures.finishes, figures.seconds) == (13, 2, 12 * HOUR)


def test_hours_that_a_shop_saw_and_the_journal_has_too_count_once() -> None:
    growths = [growth(9, 20), growth(10, 15), growth(11, 6)]
    figures = add_up([game(1, "Ico")], [finish("2026-11-20", 40)], growths, [], 2026)

    assert figures.seconds == 41 * HOUR
    assert {span.when: span.seconds // HOUR for span in figures.spans if span.seconds} == {
        "2026-09": 20,
        "2026-10": 15,
        "2026-11": 6,
    }


def test_where_the_journal_knows_of_more_hours_than_the_shop_it_is_believed() -> None:
    figures = add_up([game(1, "Ico")], [finish("2026-11-20", 40)], [growth(11, 2)], [], 2026)

    assert figures.seconds == 40 * HOUR


def test_a_year_has_the_games_that_were_played_or_finished_in_it() -> None:
    games = [game(1, "Ico"), game(2, "Rez"), game(3, "Okami")]
    figures = add_up(games, [finish("2026", work_id=2)], [growth(5, 3)], [], 2026)

    assert (figures.games, figures.finishes, [most.name for most in figures.most_played]) == (2, 1, ["Ico"])


def test_hours_and_finishes_of_a_game_on_two_platforms_are_told_apart() -> None:
    ico = game(1, "Ico", seconds=12 * HOUR, platforms=("PC", "PlayStation 2"), stores=("steam", "physical"))
    totals = [Total(work_id=1, store="steam", platform="PC", seconds=5 * HOUR)]
    figures = add_up([ico], [finish("2012", 7, platform="PlayStation 2")], [], totals)

    assert {share.name: (share.seconds // HOUR, share.finishes) for share in figures.platforms} == {
        "PC": (5, 0),
        "PlayStation 2": (7, 1),
    }
    assert {share.name: share.seconds // HOUR for share in figures.stores} == {"steam": 5, "physical": 0}


def test_who_gave_up_finished_nothing() -> None:
    assert add_up([game(1, "Ico")], [finish("2019", status="abandoned")], [], []).finishes == 0


def test_nothing_adds_up_to_nothing() -> None:
    figures = add_up([], [], [], [])

    assert (figures.games, figures.mean_rating, list(figures.spans)) == (0, None, [])
