"""`lootwire games follow`, `unfollow`, `followed` and `games lists`, with and without a mirror of IGDB."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from models import Event, Follow, Game, GameExternalId, WantedGame
from models.names import name_key
from pipeline.games import clock
from pipeline.games.store.games import store_games
from pipeline.games.store.links import Link, link
from pipeline.programs.rules import RulesFiles
from pipeline.runtime.runtime import open_runtime, utc_now
from pipeline.runtime.settings import load_settings
from pipeline.services.igdb.documents import document
from tests.igdb import LocalIgdb
from tests.igdb.tokens import tokens_of
from tests.pipeline.cli.operator import Operator
from tests.pipeline.games.releases.releasing import PLATFORMS, Q4, dated
from tests.twitch import LocalTwitch

YEAR = datetime.now(UTC).year + 1


def entry(igdb_id: int, name: str, year: int = 2020, **fields: Any) -> dict[str, Any]:
    """A game of IGDB that enough people know."""
    released = int(datetime(year, 5, 1, tzinfo=UTC).timestamp())
    slug = name.lower().replace(":", "").replace(" ", "-")
    row = {"id": igdb_id, "name": name, "slug": slug, "first_release_date": released, "game_type": 0}
    return row | {"total_rating_count": 100, "platforms": PLATFORMS, "updated_at": 1} | fields


GAMES = [
    entry(
        1,
        "Harbour Lights",
        release_dates=[dated(1, datetime(YEAR, 12, 31, tzinfo=UTC).date(), Q4)],
        cover={"id": 9, "image_id": "co9"},
        external_games=[{"id": 1, "external_game_source": 14, "uid": "7001"}],
    ),
    entry(2, "Moss Runner"),
    entry(3, "Quiet Orbit", 1993, slug="quiet-orbit--1"),
    entry(4, "Quiet Orbit", 2016),
]


@pytest.fixture
def igdb(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalIgdb]:
    with LocalTwitch() as twitch, LocalIgdb(GAMES, accepts=tokens_of(twitch)) as igdb:
        monkeypatch.setenv("TWITCH_CLIENT_ID", twitch.client_id)
        monkeypatch.setenv("TWITCH_CLIENT_SECRET", twitch.client_secret)
        monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
        monkeypatch.setenv("LOOTWIRE_IGDB_URL", igdb.url)
        yield igdb


@pytest.fixture
def kept(operator: Operator) -> Operator:
    """An operator whose catalogue holds all games, without access to IGDB."""
    operator.run("status")
    with operator.engine.begin() as connection:
        documents = [document(json.dumps(game).encode()) for game in GAMES]
        store_games(connection, documents, datetime.now(UTC) - timedelta(hours=1))
    return operator


def rows(operator: Operator, model: Any) -> list[Any]:
    with operator.engine.connect() as connection:
        return list(connection.execute(select(model).order_by(*model.__table__.primary_key)))


def test_a_game_is_followed_by_its_title_without_a_mirror(operator: Operator, igdb: LocalIgdb) -> None:
    result = operator.run("games", "follow", "harbour lights")

    assert (result.code, result.out.startswith("Harbour Lights (IGDB 1, ")) == (0, True), result.errors
    assert result.out.endswith("followed from now on\n")
    assert [(wanted.igdb_id, wanted.reasons) for wanted in rows(operator, WantedGame)] == [(1, ["follow"])]
    [ours] = rows(operator, Game)
    assert (ours.name, ours.box_art_url) == (
        "Harbour Lights",
        "https://images.igdb.com/igdb/image/upload/t_cover_big/co9.jpg",
    )
    assert [(follow.kind, follow.game_id) for follow in rows(operator, Follow)] == [("game", ours.id)]
    # Events about what is known already are published, but nobody is notified.
    assert [(event.kind, event.silent, event.game_id) for event in rows(operator, Event)] == [
        ("game.added", True, ours.id),
        ("release.announced", True, ours.id),
    ]
    [followed] = operator.run("games", "followed", "--json").lines
    assert (followed["name"], followed["igdb_id"], followed["releases"]) == ("Harbour Lights", 1, [f"Q4 {YEAR} (PC)"])
    assert f"Q4 {YEAR} (PC)" in operator.run("games", "followed").out
    again = operator.run("games", "follow", "1", "--json")
    assert (again.code, again.lines[0]["new"], again.lines[0]["how"]) == (0, False, "id")
    assert len(rows(operator, Event)) == 2


@pytest.mark.parametrize(
    "named", ["2", "igdb:2", "moss-runner", "https://www.igdb.com/games/moss-runner", "Moss Runner"]
)
def test_a_game_may_be_named_in_any_way(operator: Operator, igdb: LocalIgdb, named: str) -> None:
    assert operator.run("games", "follow", named).out.startswith("Moss Runner (IGDB 2, ")

    assert operator.run("games", "unfollow", named).out == "Moss Runner: followed no longer\n"
    assert (rows(operator, Follow), rows(operator, WantedGame)) == ([], [])
    result = operator.run("games", "unfollow", named)
    assert (result.code, "is not followed" in result.errors) == (2, True)


def test_where_several_games_may_be_meant_the_operator_is_asked(operator: Operator, igdb: LocalIgdb) -> None:
    result = operator.run("games", "follow", "Quiet Orbit")

    assert (result.code, result.out) == (2, "")
    assert "'Quiet Orbit' may be several games: " in result.errors
    assert {"Quiet Orbit (1993) is 3", "Quiet Orbit (2016) is 4"} <= set(
        result.errors.split(": ", 2)[2].split(";")[0].split(", ")
    )
    assert rows(operator, Follow) == []
    assert operator.run("games", "follow", "Quiet Orbit (1993)").out.startswith("Quiet Orbit (IGDB 3, ")


def test_a_game_that_nobody_knows_is_refused(operator: Operator, igdb: LocalIgdb) -> None:
    for named in ("999", "https://www.igdb.com/games/nothing", "Zzyzx Nonesuch Qwert"):
        result = operator.run("games", "follow", named)
        assert (result.code, result.out) == (2, "")
        assert "is no game that is known" in result.errors
    assert rows(operator, Follow) == []


def test_a_followed_game_is_the_one_that_twitch_knows(kept: Operator) -> None:
    with kept.engine.begin() as connection:
        for name, twitch_id in (("Harbor Lights!", "7001"), ("Moss Runner", "7002")):
            row = {"name": name, "name_key": name_key(name), "public_id": twitch_id}
            game_id = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
            link = {"service": "twitch", "external_id": twitch_id, "game_id": game_id}
            connection.execute(insert(GameExternalId).values(link))

    for number in ("1", "2", "3"):
        assert kept.run("games", "follow", number).code == 0

    games = rows(kept, Game)
    links = [link for link in rows(kept, GameExternalId) if link.service == "igdb"]
    assert [game.name for game in games] == ["Harbor Lights!", "Moss Runner", "Quiet Orbit"]
    assert [(link.external_id, link.how) for link in links] == [("1", "external_game"), ("2", "name"), ("3", "igdb_id")]
    assert [link.game_id for link in links] == [game.id for game in games]


def test_a_line_that_may_mean_several_games_waits_for_a_hand(operator: Operator, igdb: LocalIgdb) -> None:
    result = operator.run("games", "lists", "import", str(_list(operator, "Quiet Orbit\nMoss Runner")))

    assert (result.code, "1 sure, 1 unsure" in result.out) == (3, True)
    assert "lootwire games lists settle 'one' LINE ID" in result.out
    unsure, _ = operator.run("games", "lists", "show", "one", "--json").lines
    assert (unsure["verdict"], unsure["igdb_id"]) == ("unsure", None)
    assert "Quiet Orbit (1993) is 3" in unsure["why"]
    assert operator.run("games", "lists", "settle", "one", "1", "3").out == "line 1 is Quiet Orbit (IGDB 3)\n"
    assert [wanted.igdb_id for wanted in rows(operator, WantedGame)] == [2, 3]


def test_a_followed_game_that_is_linked_anew_is_followed_as_what_it_is_now(kept: Operator) -> None:
    assert kept.run("games", "follow", "3").code == 0
    with kept.engine.begin() as connection:
        [ours] = connection.scalars(select(Game.id))
        link(connection, [Link(game_id=ours, igdb_id=4, how="hand", pinned_at=datetime.now(UTC))])
    clock.advance(kept.engine, datetime.now(UTC))

    assert [wanted.igdb_id for wanted in rows(kept, WantedGame)] == [4]
    assert [line["igdb_id"] for line in kept.run("games", "followed", "--json").lines] == [4]
    assert kept.run("games", "unfollow", "3").code == 2
    assert kept.run("games", "unfollow", "4").code == 0
    assert rows(kept, WantedGame) == []


def test_lists_are_imported_shown_settled_and_removed(operator: Operator, igdb: LocalIgdb) -> None:
    file = operator.folder / "wishes.csv"
    file.write_text("title,igdb_id\nMoss Runner,\nZzyzx Nonesuch Qwert,\nOrbit,4\n")

    result = operator.run("games", "lists", "import", str(file))

    assert result.code == 3
    assert "wishes: 3 games, read as CSV (igdb_id): 2 sure, 1 none" in result.out
    assert "line 2, Zzyzx Nonesuch Qwert: none" in result.errors
    assert [(wanted.igdb_id, wanted.reasons) for wanted in rows(operator, WantedGame)] == [(2, ["list"]), (4, ["list"])]
    assert len(rows(operator, Game)) == 2
    lines = operator.run("games", "lists", "show", "wishes", "--json").lines
    assert [(line["written"], line["verdict"], line["igdb_id"]) for line in lines] == [
        ("Moss Runner", "sure", 2),
        ("Zzyzx Nonesuch Qwert", "none", None),
        ("Orbit", "sure", 4),
    ]
    assert lines[2]["why"] == "by its id"

    assert operator.run("games", "lists", "settle", "wishes", "2", "1").code == 0
    [summary] = operator.run("games", "lists", "--json").lines
    assert (summary["name"], summary["entries"], summary["sure"], summary["none"]) == ("wishes", 3, 3, 0)
    assert [wanted.igdb_id for wanted in rows(operator, WantedGame)] == [1, 2, 4]

    # A second import replaces the list.
    file.write_text("Moss Runner\n")
    again = operator.run("games", "lists", "import", str(file), "--name", "wishes", "--json")
    assert (again.code, [line["igdb_id"] for line in again.lines]) == (0, [2])
    assert [wanted.igdb_id for wanted in rows(operator, WantedGame)] == [2]
    assert operator.run("games", "lists", "remove", "wishes").code == 0
    assert rows(operator, WantedGame) == []
    assert operator.run("games", "lists").out.startswith("No lists yet")


def test_what_a_list_cannot_be_is_said(operator: Operator, igdb: LocalIgdb) -> None:
    file = operator.folder / "empty.txt"
    file.write_text("\n")

    assert "names no games" in operator.run("games", "lists", "import", str(file)).errors
    assert "there is no list 'x'; there are none yet" in operator.run("games", "lists", "show", "x").errors
    assert operator.run("games", "lists", "import", str(operator.folder / "missing.txt")).code == 2
    operator.run("games", "lists", "import", str(_list(operator, "Moss Runner")))
    result = operator.run("games", "lists", "settle", "one", "9", "2")
    assert (result.code, "has no line 9" in result.errors) == (2, True)


def _list(operator: Operator, text: str) -> Any:
    file = operator.folder / "one.txt"
    file.write_text(text)
    return file


def test_without_an_application_at_twitch_the_way_out_is_said(operator: Operator) -> None:
    result = operator.run("games", "follow", "Harbour Lights")

    assert result.code == 1
    assert "TWITCH_CLIENT_ID" in result.errors


@pytest.fixture
def ruled(operator: Operator, igdb: LocalIgdb) -> Operator:
    """An operator whose rules name a list beside them, of which one line was settled by hand."""
    wishes(operator, "Moss Runner\nQuiet Orbit\n")
    (operator.folder / "rules.toml").write_text('[[follow]]\nlists = "wishes.txt"\n')
    assert "+ follow list wishes" in operator.run("apply", "rules.toml").out
    assert operator.run("games", "lists", "settle", "wishes", "2", "3").code == 0
    assert operator.run("apply", "rules.toml").out.strip() == "all is as the rules say"
    return operator


def wishes(operator: Operator, text: str) -> None:
    (operator.folder / "wishes.txt").write_text(text)


def meant(operator: Operator) -> list[tuple[str, int | None]]:
    lines = operator.run("games", "lists", "show", "wishes", "--json").lines
    return [(line["written"], line["igdb_id"]) for line in lines]


def test_a_list_of_the_rules_is_read_again_when_its_file_says_something_else(ruled: Operator) -> None:
    wishes(ruled, "Harbour Lights\nMoss Runner\n")
    applied = ruled.run("apply", "rules.toml")
    assert "~ follow list wishes" in applied.out
    assert "its file says something else" in applied.out
    assert meant(ruled) == [("Harbour Lights", 1), ("Moss Runner", 2)]
    assert ruled.run("apply", "rules.toml").out.strip() == "all is as the rules say"


def test_what_was_settled_by_hand_stays_settled_when_a_list_is_read_again(ruled: Operator) -> None:
    wishes(ruled, "Harbour Lights\nQuiet Orbit\n")
    ruled.run("apply", "rules.toml")
    assert meant(ruled) == [("Harbour Lights", 1), ("Quiet Orbit", 3)]


def test_a_list_whose_file_is_gone_is_named_and_stays_as_it_was(ruled: Operator) -> None:
    (ruled.folder / "wishes.txt").unlink()
    applied = ruled.run("apply", "rules.toml")
    assert applied.code == 3
    assert "list wishes: cannot read wishes.txt: No such file or directory" in applied.errors
    assert meant(ruled) == [("Moss Runner", 2), ("Quiet Orbit", 3)]


def test_the_program_notices_a_list_that_changed(ruled: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    (ruled.folder / "rules.toml").rename(ruled.folder / "lootwire.toml")
    runtime = open_runtime(load_settings().settings)
    files = RulesFiles()
    assert files.apply_if_changed(runtime, utc_now()) is not None
    assert files.apply_if_changed(runtime, utc_now()) is None
    wishes(ruled, "Harbour Lights\n")
    applied = files.apply_if_changed(runtime, utc_now())
    runtime.engine.dispose()
    assert applied is not None
    assert (applied.changes, applied.problems) == (1, ())
    assert meant(ruled) == [("Harbour Lights", 1)]
