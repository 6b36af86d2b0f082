"""`lootwire journal`: what a person plays, from when to when."""

from datetime import datetime
from typing import Any

import pytest

from tests.pipeline.cli.operator import Operator
from tests.pipeline.library.shelf import Shelf


@pytest.fixture
def shelf(operator: Operator, now: datetime) -> Shelf:
    """A shelf with one game."""
    shelf = Shelf(operator.engine, now)
    shelf.entry(shelf.game("Ico", 1), "physical", platform="PlayStation 2")
    return shelf


def lines(operator: Operator, *options: str) -> list[dict[str, Any]]:
    return operator.run("journal", "show", "--json", *options).lines


def test_a_playthrough_of_long_ago_keeps_the_year_that_a_person_knows(operator: Operator, shelf: Shelf) -> None:
    options = ("--finished", "2003", "--hours", "7:30", "--platform", "ps2", "--rating", "9/10", "--completion", "all")
    result = operator.run("journal", "add", "ico", *options)
    [line] = lines(operator)
    assert result.out.strip() == f"Ico on PlayStation 2: finished, 2003 (playthrough {line['id']})"
    assert (line["finished"], line["seconds"], line["rating"], line["rating_scale"]) == ("2003", 27000, 90, 10)
    assert operator.run("journal").out.splitlines()[1].split() == [
        *(str(line["id"]), "Ico", "2003", "PlayStation", "2", "finished", "7.5", "9/10", "everything")
    ]


def test_a_game_is_begun_and_finished(operator: Operator, shelf: Shelf) -> None:
    assert "playing, since" in operator.run("journal", "add", "ico").out
    assert "finished" in operator.run("journal", "finish", "ico", "--completion", "main", "--hours", "90 min").out
    [line] = lines(operator, "ico")
    assert (line["status"], line["completion"], line["seconds"], line["finished"] is not None) == (
        *("finished", "main", 5400),
        True,
    )
    kinds = [event["kind"] for event in operator.run("events", "--kind", "play.*", "--json").lines]
    assert kinds == ["play.started", "play.finished"]


def test_a_status_that_gives_way_is_named(operator: Operator, shelf: Shelf) -> None:
    operator.run("library", "set", "ico", "--status", "backlog")
    result = operator.run("journal", "finish", "ico", "--on", "yesterday")
    assert "It is finished as a whole from now on; you had said backlog" in result.out


def test_a_playthrough_is_changed_and_removed_by_its_number(operator: Operator, shelf: Shelf) -> None:
    operator.run("journal", "add", "ico", "--finished", "2003")
    number = str(lines(operator)[0]["id"])
    assert operator.run("journal", "edit", number, "--finished", "nov 2004", "--replay").code == 0
    assert operator.run("journal", "edit", number, "--clear", "finished", "--status", "paused").code == 0
    [line] = lines(operator)
    assert (line["finished"], line["status"], line["is_replay"]) == (None, "paused", True)
    assert operator.run("journal", "remove", number).out.strip() == f"Ico: playthrough {number} removed"
    assert lines(operator) == []


def test_the_journal_of_a_year_and_of_a_game(operator: Operator, shelf: Shelf) -> None:
    shelf.catalogue(2, "Rez")
    for title, when in (("ico", "2003"), ("rez", "2003-Q2"), ("rez", "2012-03-04")):
        operator.run("journal", "add", title, "--finished", when)
    assert [line["finished"] for line in lines(operator)] == ["2012-03-04", "2003", "2003-Q2"]
    assert [line["game"] for line in lines(operator, "--year", "2003")] == ["Ico", "Rez"]
    assert [line["finished"] for line in lines(operator, "rez", "--limit", "1")] == ["2012-03-04"]
    assert operator.run("journal", "list", "--json").lines == operator.run("journal", "--json").lines


REFUSED = {
    ("add", "ico", "--finished", "soon"): "'soon' is no date: write 2012",
    ("add", "ico", "--hours", "long"): "'long' is no length of time",
    ("add", "ico", "--started", "2020", "--finished", "2019"): "which of them is right",
    ("edit", "7"): "say what to change",
    ("edit", "7", "--status", "paused"): "there is no playthrough 7",
    ("edit", "7", "--clear", "colour"): "'colour' is no field to clear: it is one of platform",
    ("show", "Icoo"): "did you mean Ico?",
    ("remove", "7"): "there is no playthrough 7",
}


def test_what_cannot_be_is_refused_with_the_way_out(operator: Operator, shelf: Shelf) -> None:
    for words, reason in REFUSED.items():
        result = operator.run("journal", *words)
        assert (result.code, result.out) == (2, "")
        assert reason in result.errors


def test_an_empty_journal_says_how_it_is_filled(operator: Operator, shelf: Shelf) -> None:
    assert "lootwire journal add TITLE" in operator.run("journal").out
    assert "lootwire journal add 'ico'" in operator.run("journal", "show", "ico").out
