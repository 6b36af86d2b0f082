"""`--person NAME`: each person's library, journal, accounts and feeds are theirs alone."""

import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from models import GameList, GameListEntry, Link, Person
from models.people import OWNER_ID
from tests.pipeline.cli.operator import Operator
from tests.pipeline.library.shelf import Shelf
from tests.shops import LocalShops
from tests.shops.steam import KEY


@pytest.fixture
def kim(operator: Operator, now: datetime) -> int:
    """Another person than the owner, who has a game."""
    shelf = Shelf(operator.engine, now)
    shelf.entry(shelf.game("Ico", 1), "physical", platform="PlayStation 2")
    shelf.catalogue(2, "Okami")
    with operator.engine.begin() as connection:
        row = insert(Person).values(name="Kim", created_at=datetime.now(UTC))
        person_id: int = connection.execute(row.returning(Person.id)).scalar_one()
    return person_id


def names(operator: Operator, *command: str) -> list[str]:
    return [line.get("name") or line["game"] for line in operator.run(*command, "--json").lines]


@pytest.mark.usefixtures("kim")
def test_what_somebody_adds_and_plays_is_in_their_library_alone(operator: Operator) -> None:
    assert operator.run("library", "add", "igdb:2", "--store", "gog", "--person", "Kim").code == 0
    assert operator.run("library", "set", "okami", "--rating", "9/10", "--person", "Kim").code == 0
    assert operator.run("journal", "finish", "okami", "--person", "Kim").code == 0
    assert operator.run("library", "platforms", "set", "PC", "--person", "Kim").code == 0

    assert names(operator, "library", "list", "--person", "Kim") == ["Okami"]
    assert names(operator, "journal", "show", "--person", "Kim") == ["Okami"]
    assert (names(operator, "library"), names(operator, "journal")) == (["Ico"], [])
    assert operator.run("library", "platforms", "--json").lines == []
    assert operator.run("library", "show", "okami").code != 0


@pytest.mark.usefixtures("kim")
def test_a_file_waits_for_the_person_whose_it_is(operator: Operator) -> None:
    (operator.folder / "games.csv").write_text("Title,Store\nNever heard of it,gog\n")
    file = str(operator.folder / "games.csv")

    imported = operator.run("library", "import", file, "--person", "Kim")

    assert imported.out.endswith("What waits for you: lootwire library review --person 'Kim'\n")
    assert operator.run("library", "review", "--json").lines == []
    [line] = operator.run("library", "review", "--person", "Kim", "--json").lines
    assert "there is no line" in operator.run("library", "settle", str(line["line"]), "--skip").errors
    assert operator.run("library", "settle", str(line["line"]), "--own", "--person", "Kim").code == 0
    assert operator.run("library", "export", "--format", "csv", "--person", "Kim").out.count("Never heard of it") > 0


def test_personal_feeds_open_the_library_of_their_person(operator: Operator, kim: int) -> None:
    own = operator.run("feeds", "private", "library", "--json").lines
    theirs = operator.run("feeds", "private", "library", "--person", "Kim", "--json").lines

    assert own != theirs
    with operator.engine.connect() as connection:
        assert list(connection.scalars(select(Link.person_id).order_by(Link.id))) == [OWNER_ID, kim]
    assert "no --person has them" in operator.run("feeds", "private", "--health", "--person", "Kim").errors


def test_an_account_is_of_the_person_who_signs_in_and_says_when_it_is_asked(
    operator: Operator, kim: int, shops: LocalShops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOTWIRE_STEAM_URL", shops.steam_url)
    shops.add_user().own(10, "Glowmoor")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{KEY}\nlamp\n".encode())))

    assert operator.run("sources", "login", "steam", "--person", "Kim").code == 0

    [account] = operator.run("library", "accounts", "--person", "Kim", "--json").lines
    assert (account["service"], account["account"], account["asked_at"]) == ("steam", "Lamplighter", None)
    assert account["next_due_at"] is not None
    assert KEY not in str(account)
    assert operator.run("library", "accounts").out.startswith("No account is synced")
    assert "Nobody was signed in" in operator.run("sources", "logout", "steam").out
    assert "Signed Lamplighter out" in operator.run("sources", "logout", "steam", "--person", "Kim").out


@pytest.mark.usefixtures("kim")
def test_nobody_of_a_name_and_a_person_in_the_wrong_place_are_said(operator: Operator) -> None:
    assert "there is no person 'Kin'; there are: Kim" in operator.run("library", "list", "--person", "Kin").errors
    misplaced = operator.run("library", "--person", "Kim", "stats")
    assert "--person belongs after the command: lootwire library stats --person 'Kim'" in misplaced.errors
    assert "--person are for steam" in operator.run("sources", "login", "twitch", "--person", "Kim").errors


@pytest.mark.usefixtures("kim")
def test_a_line_of_a_list_is_reviewed_settled_and_undone_by_its_number(operator: Operator) -> None:
    operator.run("games", "lists", "create", "Later", "--person", "Kim")
    with operator.engine.begin() as connection:
        listed = connection.scalars(select(GameList.id)).one()
        connection.execute(insert(GameListEntry).values(list_id=listed, position=1, written="Ōk"))
    [line] = operator.run("library", "review", "--person", "Kim", "--json").lines

    settled = operator.run("library", "settle", line["line"], "igdb:2", "--person", "Kim", "--json").lines
    waiting = operator.run("library", "review", "--person", "Kim", "--json").lines
    undone = operator.run("library", "undo", line["line"], "--person", "Kim", "--json").lines

    assert (line["line"][:1], line["file"], line["verdict"]) == ("L", "the list Later", "unknown")
    assert ([each["igdb_id"] for each in settled], waiting) == ([2], [])
    assert [each["line"] for each in undone] == [line["line"]]
