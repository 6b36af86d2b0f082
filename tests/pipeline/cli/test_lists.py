"""`lootwire games lists` and `games work`: lists that are made and changed by hand, and which games are one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from models import Event, ListActivity, Person, TitleDecision, WantedGame
from pipeline.games import clock
from pipeline.games.store.games import store_games
from tests.igdb import LocalIgdb
from tests.igdb.tokens import tokens_of
from tests.pipeline.cli.operator import Operator
from tests.pipeline.games.documents import doc, game
from tests.twitch import LocalTwitch

pytestmark = pytest.mark.long

RELEASED = int(datetime(2001, 5, 1, tzinfo=UTC).timestamp())
ENTRIES: list[dict[str, Any]] = [
    {"igdb_id": 1, "name": "Harbour Lights", "collections": [{"id": 1, "name": "Harbours"}]},
    {"igdb_id": 2, "name": "Moss Runner"},
    {"igdb_id": 3, "name": "Quiet Orbit", "first_release_date": RELEASED},
    {"igdb_id": 4, "name": "Quiet Orbit", "first_release_date": RELEASED + 10 * 365 * 86400},
    {"igdb_id": 5, "name": "Harbour Lights HD", "game_type": 9, "parent_game": 1},
    {"igdb_id": 6, "name": "Harbour Lights Reborn", "game_type": 8, "parent_game": 1},
]


@pytest.fixture
def kept(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """An operator whose catalogue holds all games; IGDB has no others."""
    entries = [{"total_rating_count": 100} | fields for fields in ENTRIES]
    with LocalTwitch() as twitch, LocalIgdb([game(**entry) for entry in entries], accepts=tokens_of(twitch)) as igdb:
        monkeypatch.setenv("TWITCH_CLIENT_ID", twitch.client_id)
        monkeypatch.setenv("TWITCH_CLIENT_SECRET", twitch.client_secret)
        monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
        monkeypatch.setenv("LOOTWIRE_IGDB_URL", igdb.url)
        operator.run("status")
        with operator.engine.begin() as connection:
            store_games(connection, [doc(**entry) for entry in entries], datetime.now(UTC) - timedelta(hours=1))
        yield operator


@pytest.fixture
def top(kept: Operator) -> Operator:
    """An operator with a ranked list of three games."""
    assert kept.run("games", "lists", "create", "Top 25", "--ranked").code == 0
    for title in ("Harbour Lights", "igdb:4", "Moss Runner"):
        assert kept.run("games", "lists", "add", "Top 25", title).code == 0
    return kept


def titles(operator: Operator, name: str = "Top 25") -> list[tuple[int, str]]:
    lines = operator.run("games", "lists", "show", name, "--json").lines
    return [(line["position"], line["name"] or line["written"]) for line in lines]


def wanted(operator: Operator) -> list[int]:
    with operator.engine.connect() as connection:
        return list(connection.scalars(select(WantedGame.igdb_id).order_by(WantedGame.igdb_id)))


def test_a_ranked_list_is_made_and_changed_and_wants_nothing(top: Operator) -> None:
    assert titles(top) == [(1, "Harbour Lights"), (2, "Quiet Orbit"), (3, "Moss Runner")]
    assert wanted(top) == []

    moved = top.run("games", "lists", "move", "Top 25", "moss runner", "1")
    added = top.run("games", "lists", "add", "Top 25", "igdb:3", "--at", "2", "--note", "the older one", "--json")
    note = top.run("games", "lists", "note", "top-25", "1", "in one night")
    removed = top.run("games", "lists", "remove", "Top 25", "igdb:1")

    assert moved.out == "Top 25: Moss Runner from 3 to 1 (of 3)\n"
    assert added.lines == [{"list": "Top 25", "name": "Quiet Orbit", "place": 2, "place_before": None, "of": 4}]
    assert note.out == "Moss Runner: in one night\n"
    assert removed.out == "Harbour Lights, which was at 3, removed\n"
    assert titles(top) == [(1, "Moss Runner"), (2, "Quiet Orbit"), (3, "Quiet Orbit")]
    lines = top.run("games", "lists", "show", "Top 25", "--json").lines
    assert [line["notes"] for line in lines] == ["in one night", "the older one", None]


def test_a_list_of_what_is_waited_for_wants_its_games(kept: Operator) -> None:
    assert "releases of its games are told" in kept.run("games", "lists", "create", "Waiting").out
    kept.run("games", "lists", "add", "Waiting", "Moss Runner")
    assert wanted(kept) == [2]

    described = kept.run("games", "lists", "describe", "Waiting", "For winter", "--no-wants", "--ranked")

    assert described.out == "Waiting: For winter (ranked, no releases are told for it)\n"
    assert wanted(kept) == []
    [row] = kept.run("games", "lists", "--json").lines
    assert (row["slug"], row["description"], row["ranked"], row["wants"]) == ("waiting", "For winter", True, False)


def test_the_log_tells_what_happened(top: Operator) -> None:
    top.run("games", "lists", "move", "Top 25", "3", "1")
    top.run("games", "lists", "note", "Top 25", "Moss Runner", "in one night")

    log = top.run("games", "lists", "log", "Top 25", "--json").lines

    assert [activity["verb"] for activity in log] == ["created", "added", "added", "added", "moved", "noted"]
    [move] = log[4]["changes"]
    assert (move["name"], move["place_before"], move["place"]) == ("Moss Runner", 3, 1)
    newest, before = top.run("games", "lists", "log", "Top 25").out.splitlines()[1:3]
    assert "noted" in newest
    assert "in one night" in newest
    assert before.split()[-2:] == ["3", "1"]


def test_a_move_is_one_activity_and_one_event(top: Operator) -> None:
    clock.advance(top.engine, datetime.now(UTC) + timedelta(minutes=10))
    top.run("games", "lists", "move", "Top 25", "3", "1")
    for minutes in (10, 20):
        clock.advance(top.engine, datetime.now(UTC) + timedelta(minutes=minutes))

    with top.engine.connect() as connection:
        moves = connection.scalars(select(ListActivity.id).where(ListActivity.verb == "moved")).all()
        events = connection.scalars(select(Event.title).where(Event.kind == "list.changed")).all()
    assert len(moves) == 1
    assert events[1:] == ["Top 25 – Moss Runner from 3 to 1"]


@pytest.mark.parametrize("form", ["text", "csv", "json"])
def test_a_list_is_exported_so_that_it_is_read_again(top: Operator, form: str) -> None:
    exported = top.run("games", "lists", "export", "Top 25", "--format", form)
    (top.folder / "again").write_text(exported.out)

    assert top.run("games", "lists", "import", "again", "--name", "Again").code == 0
    assert titles(top, "Again") == titles(top)
    again = top.run("games", "lists", "show", "Again", "--json").lines
    assert [line["igdb_id"] for line in again] == [1, 4, 2]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("create", "Top 25"), "there is a list 'Top 25' already"),
        (("create", " "), "a list needs a name"),
        (("add", "Top 25", "Quiet Orbit"), "'Quiet Orbit' may be several games"),
        (("add", "Top 25", "moss RUNNER"), "'Moss Runner' is on the list 'Top 25' already, at 3"),
        (("add", "Top 25", "igdb:3", "--at", "9"), "9 is no place of the list 'Top 25': they go from 1 to 4"),
        (("add", "Top 25", "igdb:3", "--own"), "--own needs one"),
        (("move", "Top 25", "Moss Runer", "1"), "did you mean Moss Runner?"),
        (("move", "Top 52", "Moss Runner", "1"), "there is no list 'Top 52'; did you mean Top 25?"),
        (("remove", "Top 25", "7"), "'7' is not on the list 'Top 25'"),
        (("log", "Top 25", "--person", "Kim"), "there is no person 'Kim'; there are:"),
        (("settle", "Top 25", "1"), "say which game the line means"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    top: Operator, arguments: tuple[str, ...], sentence: str
) -> None:
    before = titles(top)

    result = top.run("games", "lists", *arguments)

    assert (result.code, sentence in result.errors) == (2, True), result.errors
    assert titles(top) == before


def test_a_title_that_igdb_lacks_is_a_game_of_ours(top: Operator) -> None:
    assert "--own" in top.run("games", "lists", "add", "Top 25", "Grandpa's Chess").errors

    assert top.run("games", "lists", "add", "Top 25", "Grandpa's Chess", "--own", "--at", "1").code == 0

    [first, *_] = top.run("games", "lists", "show", "Top 25", "--json").lines
    assert (first["written"], first["verdict"], first["igdb_id"]) == ("Grandpa's Chess", "sure", None)
    assert first["work_id"] is not None
    assert top.run("games", "work", "Grandpas Chess").out.startswith("Grandpa's Chess\n")


def test_a_line_that_was_settled_settles_its_title_everywhere(kept: Operator) -> None:
    (kept.folder / "one.txt").write_text("Quiet Orbit\nGrandpa's Chess\n")
    for name in ("One", "Two"):
        assert kept.run("games", "lists", "import", "one.txt", "--name", name).code == 3

    kept.run("games", "lists", "settle", "One", "1", "igdb:3")
    assert kept.run("games", "lists", "settle", "One", "2", "--own").out == "line 2 is a game that IGDB lacks\n"

    assert wanted(kept) == [3]
    for name in ("One", "Two"):
        lines = kept.run("games", "lists", "show", name, "--json").lines
        assert [(line["verdict"], line["igdb_id"]) for line in lines] == [("sure", 3), ("sure", None)]
    assert kept.run("games", "lists", "import", "one.txt", "--name", "Three").code == 0
    kept.run("games", "lists", "create", "Four")
    assert kept.run("games", "lists", "add", "Four", "quiet orbit").code == 0
    with kept.engine.connect() as connection:
        decisions = connection.execute(select(TitleDecision.name_key, TitleDecision.verdict)).all()
    assert sorted(decisions) == [("grandpaschess", "own"), ("quietorbit", "is")]


def test_lists_are_their_persons(top: Operator) -> None:
    with top.engine.begin() as connection:
        connection.execute(insert(Person).values(name="Kim", created_at=datetime.now(UTC)))

    assert top.run("games", "lists", "create", "Top 25", "--person", "Kim").code == 0
    assert top.run("games", "lists", "add", "Top 25", "igdb:3", "--person", "Kim").code == 0

    assert [row["entries"] for row in top.run("games", "lists", "list", "--person", "Kim", "--json").lines] == [1]
    assert [row["entries"] for row in top.run("games", "lists", "--json").lines] == [3]


def test_the_games_of_a_work_are_shown_and_pinned(kept: Operator) -> None:
    for igdb_id in (1, 2, 5, 6):
        assert kept.run("games", "follow", f"igdb:{igdb_id}").code == 0

    shown = kept.run("games", "work", "Harbour Lights HD")
    assert shown.out.startswith("Harbour Lights, of the series Harbours\n")
    assert "remaster" in shown.out
    family = kept.run("games", "work", "Harbour Lights", "--json").lines[0]
    assert [member["igdb_id"] for member in family["members"]] == [1, 5]
    assert "a remake of Harbour Lights\n" in kept.run("games", "work", "Harbour Lights Reborn").out
    assert "Harbour Lights Reborn is a remake of it\n" in kept.run("games", "work", "Harbour Lights").out

    pinned = kept.run("games", "work", "Moss Runner", "--with", "Harbour Lights", "--json").lines[0]
    assert [member["igdb_id"] for member in pinned["members"]] == [1, 2, 5]
    alone = kept.run("games", "work", "Harbour Lights HD", "--alone", "--json").lines[0]
    assert ([member["igdb_id"] for member in alone["members"]], alone["how"]) == ([5], "hand")
    assert "pinned 20" in kept.run("games", "work", "Harbour Lights HD").out
    for title in ("Moss Runner", "Harbour Lights HD"):
        assert kept.run("games", "work", title, "--unpin").code == 0
    family = kept.run("games", "work", "Harbour Lights", "--json").lines[0]
    assert [member["igdb_id"] for member in family["members"]] == [1, 5]


def test_a_work_is_asked_for_one_thing_at_a_time(kept: Operator) -> None:
    kept.run("games", "follow", "igdb:1")

    assert kept.run("games", "work", "Harbour Lights", "--alone", "--unpin").code == 2
    assert "needs another game" in kept.run("games", "work", "Harbour Lights", "--with", "harbour lights").errors
    assert kept.run("games", "work", "Nonesuch").code == 2
