"""`lootwire games`: a page of a game, searching the catalogue, and links that a person pins."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from models import GameExternalId
from models.names import public_id
from pipeline.catalogue.records import GameRecord
from pipeline.catalogue.storing import store_games as store_categories
from pipeline.games.store.games import store_games
from pipeline.games.store.links import Link, link
from tests.channels import Channels
from tests.igdb import LocalIgdb
from tests.igdb.tokens import tokens_of
from tests.pipeline.cli.operator import Operator
from tests.pipeline.games.documents import doc, game, release
from tests.twitch import LocalTwitch

T0 = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def igdb(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalIgdb]:
    with (
        LocalTwitch() as twitch,
        LocalIgdb([game(9, "Gloomtide"), game(10, "Gloomtide II")], accepts=tokens_of(twitch)) as igdb,
    ):
        monkeypatch.setenv("TWITCH_CLIENT_ID", twitch.client_id)
        monkeypatch.setenv("TWITCH_CLIENT_SECRET", twitch.client_secret)
        monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
        monkeypatch.setenv("LOOTWIRE_IGDB_URL", igdb.url)
        yield igdb


def add_category(operator: Operator, name: str = "Gloomtide", external_id: str = "33214") -> int:
    """Add a game with a campaign and return its id."""
    with operator.engine.begin() as connection:
        game_id = store_categories(connection, "twitch", [GameRecord(external_id=external_id, name=name)])[external_id]
    rows = Channels(operator.engine, datetime.now(UTC))
    rows.campaign([rows.channel(follow=False)], game_id=game_id)
    return game_id


def catalogue(operator: Operator, *documents: Any) -> None:
    with operator.engine.begin() as connection:
        store_games(connection, documents, T0)


def links(operator: Operator) -> dict[str, tuple[int, str, bool]]:
    columns = (GameExternalId.external_id, GameExternalId.game_id, GameExternalId.how, GameExternalId.pinned_at)
    with operator.engine.connect() as connection:
        rows = connection.execute(select(*columns).where(GameExternalId.service == "igdb"))
        return {row[0]: (row[1], row[2], row[3] is not None) for row in rows}


def test_a_page_tells_dates_as_precisely_as_they_are_known(operator: Operator) -> None:
    game_id = add_category(operator)
    dates = [
        release(1, 1798675200),
        release(2, 1798675200, 6, y=2026),
        release(3, 1798675200, 2, y=2026),
        release(4, 0, 7),
    ]
    fields: dict[str, Any] = {
        "summary": "Tend the lights before the tide comes in.",
        "genres": [{"id": 1, "name": "Adventure"}],
        "platforms": [{"id": 6, "name": "PC (Microsoft Windows)"}],
        "cover": {"id": 1, "image_id": "co1abc"},
        "url": "https://www.igdb.com/games/gloomtide",
        "first_release_date": 1798675200,
        "release_dates": dates,
    }
    catalogue(operator, doc(9, "Gloomtide", **fields), doc(10, "Gloomtide: Depths", parent_game=9, game_type=1))
    with operator.engine.begin() as connection:
        link(connection, [Link(game_id=game_id, igdb_id=9, how="igdb_id", confidence=1.0)])

    result = operator.run("games", "show", "Gloomtide")
    assert result.code == 0
    for line in (
        *(
            "Gloomtide (2026)",
            "main game · IGDB 9 · linked as Twitch says",
            "Tend the lights before the tide comes in.",
        ),
        *(
            "31 December 2026",
            "Q4 2026",
            "to be determined",
            "https://images.igdb.com/igdb/image/upload/t_720p/co1abc.jpg",
        ),
        *("Gloomtide: Depths (IGDB 10)", "1 campaigns, 1 open", "Gloomtide (twitch)", "Adventure"),
    ):
        assert line in result.out
    [page] = operator.run("games", "show", "Gloomtide", "--json").lines
    assert [release["when"] for release in page["igdb"]["releases"]] == ["2026", "2026-Q4", "2026-12-31", "tbd"]
    assert (page["campaigns"], page["link"]["how"], page["igdb"]["igdb_id"]) == (1, "igdb_id", 9)


@pytest.mark.parametrize("written", ["gloomtide", "GLOOMTIDE", "33214"])
def test_a_game_is_shown_by_name_or_by_what_a_service_calls_it(operator: Operator, written: str) -> None:
    add_category(operator)
    result = operator.run("games", "show", written)
    assert "1 campaigns, 1 open" in result.out


@pytest.mark.parametrize("written", ["Lanterns of Aldmoor", "lanterns-of-aldmoor", "77"])
def test_an_entry_that_no_service_has_named_is_shown_too(operator: Operator, written: str) -> None:
    catalogue(operator, doc(77, "Lanterns of Aldmoor", slug="lanterns-of-aldmoor"))
    result = operator.run("games", "show", written)
    assert "main game · IGDB 77" in result.out
    assert "campaigns" not in result.out


def test_a_game_that_nobody_knows_is_refused_with_similar_names(operator: Operator) -> None:
    add_category(operator)
    result = operator.run("games", "show", "Gloom")
    assert result.code == 2
    assert "there are: Gloomtide" in result.errors


def test_a_search_in_an_incomplete_catalogue_asks_igdb_and_keeps_what_it_finds(
    operator: Operator, igdb: LocalIgdb
) -> None:
    result = operator.run("games", "search", "gloomtide", "--json")
    assert [(line["igdb_id"], line["name"]) for line in result.lines] == [(9, "Gloomtide"), (10, "Gloomtide II")]
    assert result.lines[0]["score"] > result.lines[1]["score"]
    assert "the same but for capitals" in result.lines[0]["why"]
    table = operator.run("games", "search", "Gloomtide 2").out
    assert "Gloomtide II" in table


def test_a_search_in_a_mirror_asks_nobody(operator: Operator, igdb: LocalIgdb) -> None:
    operator.run("igdb", "sync", "--all")
    igdb.forget_requests()
    assert operator.run("games", "search", "gloomtide", "--json").lines[0]["igdb_id"] == 9
    assert igdb.requests == []


def test_a_search_without_application_says_what_would_find_more(operator: Operator) -> None:
    result = operator.run("games", "search", "gloomtide")
    assert result.code == 0
    assert "TWITCH_CLIENT_ID" in result.out


def test_a_link_by_hand_is_pinned_and_can_be_taken_back(operator: Operator, igdb: LocalIgdb) -> None:
    game_id = add_category(operator)
    result = operator.run("games", "link", "Gloomtide", "10")
    assert (result.code, result.out.strip()) == (0, "Gloomtide: Gloomtide II (IGDB 10), pinned")
    assert links(operator) == {"10": (game_id, "hand", True)}
    assert "by hand, pinned" in operator.run("games", "show", "Gloomtide").out

    assert operator.run("games", "link", "Gloomtide", "--unpin").code == 0
    assert links(operator) == {}


def test_a_category_can_be_said_to_be_no_game(operator: Operator) -> None:
    game_id = add_category(operator, "Just Chatting")
    result = operator.run("games", "link", "Just Chatting", "--none")
    assert "no game of IGDB, pinned" in result.out
    assert links(operator) == {f"none/{public_id('twitch', '33214')}": (game_id, "hand", True)}
    assert "no game of IGDB, by hand, pinned" in operator.run("games", "link", "Just Chatting").out


def test_an_id_that_igdb_does_not_have_is_not_pinned(operator: Operator, igdb: LocalIgdb) -> None:
    add_category(operator)
    result = operator.run("games", "link", "Gloomtide", "404")
    assert result.code == 2
    assert "IGDB has no game with the id 404" in result.errors
    assert links(operator) == {}


def test_without_an_id_the_link_and_the_candidates_are_told(operator: Operator) -> None:
    add_category(operator)
    catalogue(
        operator, doc(9, "Gloomtide", first_release_date=1798675200), doc(11, "Gloomtide", first_release_date=978307200)
    )
    result = operator.run("games", "link", "Gloomtide")
    assert "linked with nothing" in result.out
    assert "is as likely" in " ".join(result.out.split())


def test_an_id_and_none_at_once_are_refused(operator: Operator) -> None:
    assert operator.run("games", "link", "Gloomtide", "9", "--none").code == 2


def test_a_game_that_igdb_knows_is_no_typing_error_and_its_other_titles_are(operator: Operator) -> None:
    titles = [{"id": 1, "game": 77, "name": "LoA"}, {"id": 2, "game": 77, "name": "Aldmoor's Lanterns"}]
    catalogue(operator, doc(77, "Lanterns of Aldmoor", slug="lanterns-of-aldmoor", alternative_names=titles))
    operator.run("targets", "add", "home", "json://127.0.0.1:9/")

    known = operator.run("subscriptions", "add", "--to", "home", "--game", "LANTERNS OF ALDMOOR")
    assert (known.code, known.errors) == (0, "")
    for written in ("Lanterns of Adlmoor", "Aldmoor's Lanterns"):
        other = operator.run("subscriptions", "add", "--to", "home", "--game", written)
        assert (other.code, "did you mean Lanterns of Aldmoor?" in other.errors) == (0, True)
