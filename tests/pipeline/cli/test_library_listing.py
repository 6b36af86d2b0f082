"""`lootwire library`: what a person has, what it says of a game, and what they write by hand."""

import csv
import io
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models import Person
from tests.pipeline.cli.operator import Operator
from tests.pipeline.library.shelf import Shelf


@pytest.fixture
def shelf(operator: Operator, now: datetime) -> Shelf:
    """A shelf with a game that is played, one that waits, and one that is wished for."""
    shelf = Shelf(operator.engine, now)
    ico = shelf.game("Ico", 1, first_release_date=1000000000, genres=[{"id": 5, "name": "Puzzle"}])
    file = shelf.imported("playnite.json")
    last = now - timedelta(days=200)
    shelf.entry(ico, "steam", import_id=file, import_line=17, playtime_seconds=45000, last_played_at=last)
    shelf.entry(shelf.game("Rez", 2), "gog")
    shelf.entry(shelf.game("Okami", 3), "playstation", platform="PlayStation 4", ownership="wished")
    return shelf


def names(operator: Operator, *options: str) -> list[str]:
    return [line["name"] for line in operator.run("library", "list", "--json", *options).lines]


def test_the_library_is_listed_by_name_alone_or_with_its_word(operator: Operator, shelf: Shelf) -> None:
    table = operator.run("library")
    assert table.out == operator.run("library", "list").out
    assert table.out.splitlines()[0].startswith("name   status   hours  rating  last played  platforms")
    assert [line.split()[:2] for line in table.out.splitlines()[1:]] == [
        ["Ico", "paused"],
        ["Okami", "wished"],
        ["Rez", "backlog"],
    ]
    assert names(operator) == ["Ico", "Okami", "Rez"]


def test_conditions_narrow_the_list_down(operator: Operator, shelf: Shelf) -> None:
    assert names(operator, "--status", "backlog", "--status", "wished") == ["Okami", "Rez"]
    assert names(operator, "--platform", "pc") == ["Ico", "Rez"]
    assert names(operator, "--store", "gog") == names(operator, "--never-played") == ["Rez"]
    assert names(operator, "--sort", "hours", "--limit", "1") == ["Ico"]
    assert "No game of the library fits" in operator.run("library", "list", "--hidden").out


REFUSED = {
    ("list", "--status", "done"): "'done' is no status: it is one of backlog",
    ("list", "--sort", "colour"): "'colour' is no order: it is one of name",
    ("show", "Icoo"): "'Icoo' is not in the library; did you mean Ico?",
    ("set", "Ico"): "say what to set",
    ("set", "Ico", "--rating", "4"): "may be of 5, 10 or 100",
    ("set", "Ico", "--rating-scale", "5"): "says nothing without --rating",
    ("add", "Ico", "--acquired", "2012"): "'2012' is no day",
    ("add", "Ico", "--store", "shop"): "'shop' is no store: it is one of steam",
    ("export", "--format", "xml"): "'xml' is no format: it is one of csv",
    ("platforms", "set", "PlaySation 5"): "did you mean PlayStation 5?",
}


def test_what_cannot_be_is_refused_with_the_way_out(operator: Operator, shelf: Shelf) -> None:
    for options, reason in REFUSED.items():
        result = operator.run("library", *options)
        assert (result.code, result.out) == (2, "")
        assert reason in result.errors


def test_an_empty_library_says_how_it_is_filled(operator: Operator) -> None:
    assert "lootwire library import FILE" in operator.run("library").out
    assert "lootwire library import FILE" in operator.run("library", "stats").out
    assert "Nothing stands out" in operator.run("library", "check").out


def test_what_a_person_sets_is_shown_with_the_scale_that_they_gave_it_on(operator: Operator, shelf: Shelf) -> None:
    result = operator.run("library", "set", "ico", "--rating", "4.5/5", "--favourite", "--tag", "quiet", "--note", "!")
    assert (result.code, result.out.strip()) == (0, "Ico: rating 90 of 100; favourite yes; tags quiet; notes !")
    assert operator.run("library", "set", "ico", "--tag", "QUIET").out.strip() == "Ico: it was so already"

    page = operator.run("library", "show", "ico").out
    for part in ("Ico (2001)", "IGDB 1 · Puzzle", "owned · paused · 12.5 h", "4.5/5 · a favourite", "Tags: quiet"):
        assert part in page
    [line] = operator.run("library", "show", "igdb:1", "--json").lines
    entry = line["entries"][0]
    assert (line["work"]["rating"], entry["origin"], entry["line"]) == (90, "playnite.json", 17)
    cleared = operator.run("library", "set", "ico", "--clear", "favourite", "--clear", "rating").out.strip()
    assert cleared == "Ico: rating 90 of 100 → nothing; favourite yes → no"


def test_why_says_who_said_each_value(operator: Operator, shelf: Shelf) -> None:
    operator.run("library", "set", "ico", "--status", "finished")
    result = operator.run("library", "why", "ico", "--json")
    lines = {line["what"]: (line["value"], line["by"]) for line in result.lines}
    assert lines["owned"] == ("steam, PC", "playnite.json, line 17")
    assert lines["status"] == ("finished", "you, by hand")
    assert "you, by hand" in operator.run("library", "why", "ico").out


def test_a_game_is_added_by_its_title_or_its_number_and_one_that_igdb_lacks_by_itself(
    operator: Operator, shelf: Shelf
) -> None:
    shelf.catalogue(9, "Gloomtide")
    by_title = operator.run("library", "add", "gloomtide", "--store", "gog")
    assert by_title.out.strip() == "Gloomtide (IGDB 9): added, owned"
    assert "is there already" in operator.run("library", "add", "igdb:9", "--store", "gog").out
    own = operator.run("library", "add", "My own game", "--own", "--wished")
    assert own.out.strip() == "My own game: added, wished"
    assert names(operator, "--status", "wished") == ["My own game", "Okami"]


def test_a_title_that_may_be_several_games_is_not_guessed(operator: Operator, shelf: Shelf) -> None:
    shelf.catalogue(7, "Prey", first_release_date=1000000000)
    shelf.catalogue(8, "Prey", first_release_date=1500000000)
    result = operator.run("library", "add", "Prey")
    # IGDB may know of one more; without its application it cannot be asked.
    assert result.code != 0
    assert "--own" in result.errors or "igdb:NUMBER" in result.errors
    assert names(operator) == ["Ico", "Okami", "Rez"]


def test_a_hidden_game_is_shown_nowhere_else_until_it_is_shown_again(operator: Operator, shelf: Shelf) -> None:
    assert "hidden" in operator.run("library", "hide", "rez").out
    assert (names(operator), names(operator, "--hidden")) == (["Ico", "Okami"], ["Rez"])
    assert "shown again" in operator.run("library", "unhide", "rez").out
    assert names(operator) == ["Ico", "Okami", "Rez"]


def test_a_forgotten_game_comes_back_when_it_is_added(operator: Operator, shelf: Shelf) -> None:
    result = operator.run("library", "forget", "rez")
    assert result.out.strip() == "Rez: forgotten (1 entry); `lootwire library add igdb:2` brings it back"
    assert names(operator) == ["Ico", "Okami"]
    assert operator.run("library", "show", "rez").code == 2
    assert "brought back" in operator.run("library", "add", "igdb:2").out
    assert names(operator) == ["Ico", "Okami", "Rez"]


def test_figures_of_all_times_and_of_a_year(operator: Operator, shelf: Shelf, now: datetime) -> None:
    operator.run("journal", "add", "rez", "--finished", "2012", "--hours", "7:30")
    table = operator.run("library", "stats").out
    assert table.startswith("3 games, 20 h, 1 playthrough finished\n2 owned · 0 in the backlog · 1 wished\n")
    [line] = operator.run("library", "stats", "--year", "2012", "--json").lines
    assert (line["games"], line["finishes"], line["seconds"]) == (1, 1, 27000)
    assert "Nothing was played in 1999" in operator.run("library", "stats", "--year", "1999").out


def test_check_counts_each_kind_and_shows_some(operator: Operator, shelf: Shelf) -> None:
    assert operator.run("library", "check").out.startswith("Never started: 1 game\nname  where\nRez   gog (PC)\n")
    assert [line["kind"] for line in operator.run("library", "check", "--json").lines] == ["never started"]


def test_the_library_is_exported_as_lines_of_json_and_as_a_table(operator: Operator, shelf: Shelf) -> None:
    head, *games = operator.run("library", "export").lines
    assert head["schema"] == "lootwire.library"
    assert [line["game"]["written"] for line in games] == ["Ico", "Okami", "Rez"]
    rows = list(csv.DictReader(io.StringIO(operator.run("library", "export", "--format", "csv").out)))
    assert [(row["title"], row["hours"], row["ownership"]) for row in rows] == [
        ("Ico", "12.5", "owned"),
        ("Okami", "", "wished"),
        ("Rez", "", "owned"),
    ]


def test_the_platforms_of_a_person_are_called_as_events_call_them(operator: Operator) -> None:
    assert "None are set" in operator.run("library", "platforms").out
    assert operator.run("library", "platforms", "set", "ps5", "windows").out.strip() == "You play on PlayStation 5, PC"
    with operator.engine.connect() as connection:
        assert connection.scalars(select(Person.platforms)).one() == ["PlayStation 5", "PC"]
    lines = operator.run("library", "platforms", "--json").lines
    assert [line["platform"] for line in lines] == ["PlayStation 5", "PC"]
    assert operator.run("library", "platforms", "clear").code == 0
    assert operator.run("library", "platforms", "--json").lines == []


def test_other_programs_may_rely_on_the_keys_of_a_work(operator: Operator, shelf: Shelf) -> None:
    keys = {key for line in operator.run("library", "list", "--json").lines for key in line}
    assert keys == {
        *(
            "work_id",
            "name",
            "igdb_id",
            "year",
            "series",
            "genres",
            "words",
            "status",
            "stores",
            "platforms",
            "seconds",
        ),
        *("last_played_at", "rating", "rating_scale", "is_favourite", "tags", "added_at", "playthroughs", "finishes"),
        *("finished", "is_hidden", "notes", "cover"),
    }
