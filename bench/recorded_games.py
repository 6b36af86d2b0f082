"""IGDB's games and Twitch's top games as they were recorded under ../shared/recordings, as documents of /games.

What each recording holds differs, so every game is rebuilt from all that they say of it: id, name, type, parents, first
release, number of ratings, other names. Nothing that none of them holds is added.
"""

import csv
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.recordings import RECORDINGS, existing

TOP_GAMES = RECORDINGS / "helix" / "real" / "games_top100_2023_with_igdb_id.json"
CATEGORIES = RECORDINGS / "helix" / "real" / "twitch_category_names_2019.json"
_FULL = (
    *("gamehub_games_50_expanded.json", "gamehub_previews.json", "gamedb_1942_excerpt.json", "dmc_enriched_games.json"),
    *("kamranayub_search_expanded.json", "recorded_2026-09-28/games_alternative_names_cut.json"),
    *("recorded_2026-09-28/game_cancelled_cut.json", "recorded_2026-09-28/game_outer_wilds.json"),
    *("recorded_2026-09-28/release_dates_upcoming_cut.json", "recorded_2026-09-29/games.json"),
    *("henry-sarabia_v4_2020/game_get.json", "henry-sarabia_v4_2020/game_list.json"),
    *("henry-sarabia_v4_2020/game_search.json", "romm_cassettes/test_scan_rom_1_api_games_200.json"),
    "romm_cassettes/test_scan_rom_3_hasheous_Game_200.json",
)
_COPIED = ("slug", "summary", "first_release_date", "total_rating_count", "alternative_names", "game_localizations")


class Category(NamedTuple):
    """A Twitch category and the IGDB game that Twitch says it is."""

    name: str
    igdb_id: int


def top_games() -> list[Category]:
    """Return those of Twitch's top games that have an IGDB id."""
    rows = json.loads(existing(TOP_GAMES).read_text())
    return [Category(row["name"], int(row["igdb_id"])) for row in rows if row["igdb_id"]]


def category_names() -> list[str]:
    """Return the names of Twitch's categories in 2019, some 61,000."""
    names: list[str] = json.loads(existing(CATEGORIES).read_text())
    return names


def recorded_games() -> dict[int, dict[str, Any]]:
    """Return every game of which a recording tells id and name, by id; the fuller recordings come first."""
    games: dict[int, dict[str, Any]] = {}
    for row in (*_full(), *_table_of_2024(), *_table_of_2022()):
        game = games.setdefault(row["id"], row)
        for name, value in row.items():
            game.setdefault(name, value)
    return games


def _full() -> Iterator[dict[str, Any]]:
    for name in _FULL:
        yield from _games_in(json.loads(existing(RECORDINGS / "igdb" / name).read_text()))


def _games_in(answer: Any) -> Iterator[dict[str, Any]]:
    """Yield each object that has a name and looks like a game, however deep."""
    if isinstance(answer, list):
        for part in answer:
            yield from _games_in(part)
    elif isinstance(answer, dict):
        looks_so = answer.keys() & {"cover", "genres", "game_type", "release_dates", "alternative_names"}
        number = answer.get("id", answer.get("_id"))
        if isinstance(number, int) and isinstance(answer.get("name"), str) and looks_so:
            yield _document(number, answer)
        for value in answer.values():
            yield from _games_in(value)


def _document(igdb_id: int, fields: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"id": igdb_id, "name": fields["name"]}
    row |= {name: fields[name] for name in _COPIED if name in fields and name != "alternative_names"}
    others = [other for other in fields.get("alternative_names", ()) if isinstance(other, dict)]
    if others:
        row["alternative_names"] = others
    kind = fields.get("game_type", fields.get("category"))
    if isinstance(kind, int):
        row["game_type"] = kind
    for name in ("parent_game", "version_parent"):
        parent = fields.get(name)
        parent = parent.get("id") if isinstance(parent, dict) else parent
        if isinstance(parent, int):
            row[name] = parent
    return row


def _table_of_2024() -> Iterator[dict[str, Any]]:
    csv.field_size_limit(10**8)
    with (RECORDINGS / "igdb" / "emilyzc_5000_games_2024.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            game: dict[str, Any] = {"id": int(row["id"]), "name": row["name"], "game_type": int(row["category"])}
            for name in ("first_release_date", "total_rating_count"):
                if row[name]:
                    game[name] = int(float(row[name]))
            yield game


def _table_of_2022() -> Iterator[dict[str, Any]]:
    rows = json.loads((RECORDINGS / "igdb" / "cglmaster_3000_games_2022.json").read_text())
    for igdb_id, row in rows.items():
        game = {"id": int(igdb_id), "name": row["name"]}
        yield game | ({"first_release_date": row["release_dates"]} if isinstance(row["release_dates"], int) else {})
