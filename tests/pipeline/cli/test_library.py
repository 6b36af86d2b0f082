"""`lootwire library import`, `review`, `settle` and `undo`."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from models import ExternalGame, GameMetadata, LibraryEntry, LibraryImport, Source
from tests.igdb import LocalIgdb
from tests.igdb.tokens import tokens_of
from tests.pipeline.cli.operator import Operator
from tests.twitch import LocalTwitch

GAMES: list[dict[str, Any]] = [
    {"id": 1, "name": "Harbour Lights", "slug": "harbour-lights", "total_rating_count": 100, "updated_at": 1},
    {"id": 2, "name": "Moss Runner", "slug": "moss-runner", "total_rating_count": 100, "updated_at": 1}
    | {"external_games": [{"id": 1, "external_game_source": 1, "uid": "20"}]},
    {"id": 3, "name": "Quiet Orbit", "slug": "quiet-orbit--1", "updated_at": 1},
    {"id": 4, "name": "Quiet Orbit", "slug": "quiet-orbit", "updated_at": 1},
]
TABLE = "title,hours,rating\nHarbour Lights,12,4\nQuiet Orbit,,\nNothing Like It,,\n"


@pytest.fixture
def igdb(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalIgdb]:
    with LocalTwitch() as twitch, LocalIgdb(GAMES, accepts=tokens_of(twitch)) as igdb:
        monkeypatch.setenv("TWITCH_CLIENT_ID", twitch.client_id)
        monkeypatch.setenv("TWITCH_CLIENT_SECRET", twitch.client_secret)
        monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
        monkeypatch.setenv("LOOTWIRE_IGDB_URL", igdb.url)
        yield igdb


@pytest.fixture
def table(operator: Operator) -> Path:
    path = operator.folder / "games.csv"
    path.write_text(TABLE)
    return path


def count(operator: Operator, model: Any) -> int:
    with operator.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(model)).scalar_one()


@pytest.mark.usefixtures("igdb")
def test_a_dry_run_says_line_by_line_what_the_import_does_and_writes_nothing(operator: Operator, table: Path) -> None:
    arguments = ("library", "import", str(table), "--store", "gog", "--rating-scale", "5", "--json")
    dry = operator.run(*arguments, "--dry-run")
    written = [count(operator, model) for model in (LibraryEntry, LibraryImport, GameMetadata, Source)]
    real = operator.run(*arguments)

    assert (dry.code, real.code, written) == (3, 3, [0, 0, 0, 0])
    assert dry.lines[:-1] == real.lines[:-1]
    assert [(line["line"], line["verdict"], line["igdb_id"]) for line in real.lines[:-1]] == [
        (2, "new", 1),
        (3, "unsure", None),
        (4, "unknown", None),
    ]
    assert real.lines[-1]["counts"] == {"new": 1, "unsure": 1, "unknown": 1}


@pytest.mark.usefixtures("igdb")
def test_what_a_line_changes_is_said_as_people_write_it(operator: Operator, table: Path) -> None:
    arguments = ("library", "import", str(table), "--store", "gog", "--rating-scale", "5")
    operator.run(*arguments)
    table.write_text(TABLE.replace("Harbour Lights,12,4", "Harbour Lights,30,5"))

    said = " ".join(operator.run(*arguments).out.split())

    assert "played: 12 h → 30 h; rating: 80 → 100" in said


def test_a_shops_id_is_looked_up_at_igdb(operator: Operator, igdb: LocalIgdb) -> None:
    igdb.put({"id": 1, "uid": "20", "external_game_source": 1, "game": 2}, endpoint="external_games")
    path = operator.folder / "steam.json"
    path.write_text('{"response":{"game_count":1,"games":[{"appid":20,"name":"MR","playtime_forever":90}]}}')

    result = operator.run("library", "import", str(path))

    assert (result.code, count(operator, ExternalGame)) == (0, 1)
    assert "1 line: 1 new" in result.out
    assert "Moss Runner (2)" in result.out


@pytest.mark.usefixtures("igdb")
def test_lines_wait_are_settled_and_taken_back(operator: Operator, table: Path) -> None:
    first = operator.run("library", "import", str(table), "--store", "gog")
    review = operator.run("library", "review", "--json").lines
    settled = operator.run("library", "settle", "1", "igdb:4")
    skipped = operator.run("library", "settle", "2", "--skip")
    empty = operator.run("library", "review")
    again = operator.run("library", "import", str(table), "--store", "gog", "--json").lines[-1]
    undone = operator.run("library", "undo", "1")

    assert first.out.splitlines()[-1] == "What waits for you: lootwire library review"
    assert [(line["line"], line["written"], len(line["choices"])) for line in review] == [
        (1, "Quiet Orbit", 2),
        (2, "Nothing Like It", 0),
    ]
    assert (settled.code, "new" in settled.out, skipped.code) == (0, True, 0)
    assert empty.out == "Nothing waits for you.\n"
    assert again["counts"] == {"same": 2, "no_game": 1}
    assert undone.out == "1 line will wait again: Quiet Orbit\n"


def test_without_igdb_it_is_said_that_lines_wait_for_it(operator: Operator, table: Path) -> None:
    result = operator.run("library", "import", str(table))

    assert result.code == 3
    assert "IGDB could not be asked" in result.out
    assert "3 unknown" in result.out


def test_standard_input_is_a_file_and_again_changes_nothing(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for expected in (3, 3):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TABLE.encode())))
        assert operator.run("library", "import", "-").code == expected
    assert count(operator, LibraryImport) == 1


def test_a_file_that_is_no_library_says_so_and_the_others_are_imported(operator: Operator, table: Path) -> None:
    page = operator.folder / "page.html"
    page.write_text("<html><body>Sign in</body></html>")

    alone = operator.run("library", "import", str(page))
    both = operator.run("library", "import", str(page), str(table))

    assert (alone.code, "is HTML or XML" in alone.errors) == (2, True)
    assert (both.code, "is HTML or XML" in both.errors, "3 unknown" in both.out) == (2, True, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "{table}", "--map", "hours"), "is no COLUMN=FIELD"),
        (("import", "{table}", "--store", "stem"), "is none of steam, gog"),
        (("import", "{table}", "--as", "grouve"), "did you mean `grouvee`"),
        (("import", "/nowhere/games.csv"), "cannot be read"),
        (("settle", "igdb:1"), "say which lines and which game"),
        (("settle", "one", "igdb:1"), "'one' is no number of a line"),
        (("settle", "1", "--own", "--skip"), "two different answers"),
        (("settle", "7", "--skip"), "there is no line 7"),
        (("undo", "7"), "there is no line 7"),
    ],
)
def test_what_cannot_be_meant_is_named(
    operator: Operator, table: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    result = operator.run("library", *(each.replace("{table}", str(table)) for each in arguments))

    assert (result.code, sentence in " ".join(result.errors.split())) == (2, True)


@pytest.mark.usefixtures("igdb")
def test_the_library_says_how_many_lines_wait_also_while_no_game_of_it_is_known(operator: Operator) -> None:
    path = operator.folder / "games.csv"
    path.write_text("title\nNothing Like It\nNor This\n")
    operator.run("library", "import", str(path), "--store", "gog")
    assert operator.run("library").out.splitlines() == [
        "No game of the library is known yet.",
        "not known yet: 2 lines of files or accounts; lootwire library review shows them",
    ]
    assert operator.run("library", "list", "--json").lines == []
