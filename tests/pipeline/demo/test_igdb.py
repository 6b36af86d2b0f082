"""The demo's IGDB: its entries are as IGDB writes them, and it answers the queries that Lootwire asks."""

import json
from datetime import UTC, datetime

from pipeline.demo.igdb import catalogue
from pipeline.demo.services import DemoServices
from pipeline.demo.world import GAMES
from pipeline.services.igdb.apicalypse import any_of, both, equal, multiquery, query
from pipeline.services.igdb.parse import parse_game
from pipeline.services.igdb.shapes import GAME_FIELDS

NOW = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)


def test_every_entry_is_read_whole_and_has_an_id_of_its_own() -> None:
    rows = catalogue.documents(NOW)

    parsed = [parse_game(json.dumps(row).encode()) for row in rows]

    assert [(game.faults, game.old_names) for game in parsed] == [((), ())] * len(rows)
    assert len({game.record.igdb_id for game in parsed}) == len(rows) > len(GAMES)


def test_some_games_are_still_to_come_out() -> None:
    coming = [row["name"] for row in catalogue.documents(NOW) if row["first_release_date"] > NOW.timestamp()]

    assert coming == ["Sporeways Online: Deep Roots", "Paper Dragon Tactics", "Dune Courier", "Whisker Protocol"]


def test_a_search_by_title_finds_the_game_and_what_belongs_to_it() -> None:
    services = DemoServices(NOW)

    status, answers, _ = services.ask_igdb(
        "multiquery", multiquery({"0": ("games", query(GAME_FIELDS, search="cinderhold", limit=10))})
    )

    assert status == 200
    assert [row["name"] for row in answers[0]["result"]] == ["Cinderhold", "Cinderhold: Remastered"]


def test_an_id_of_twitch_leads_to_its_entry() -> None:
    game = GAMES["cinderhold"]
    where = both(equal("external_game_source", catalogue.TWITCH), any_of("uid", [game.id]))

    status, rows, meant = DemoServices(NOW).ask_igdb("external_games", query(("uid", "game"), where=where))

    assert (status, meant, rows[0]["game"]) == (200, 1, catalogue.entry_id("cinderhold"))


def test_a_query_that_is_none_is_answered_as_igdb_does() -> None:
    status, body, _ = DemoServices(NOW).ask_igdb("games", "fields name; where")

    assert (status, body[0]["title"]) == (400, "Syntax Error")
