"""Real answers of IGDB, where they are at hand: ../shared/recordings/igdb beside the project.

Its MANIFEST.md says which of them are answers, and which were derived from answers.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, func, select

from models import GameMetadata
from pipeline.errors import SourceChanged
from pipeline.games.store.games import store_games
from pipeline.services.igdb.documents import document, split_documents, split_rows
from pipeline.services.igdb.parse import parse_game
from pipeline.services.igdb.records import ParsedGame, ReleaseRecord
from tests.paths import RECORDINGS
from tests.pipeline.games.documents import encode, game

IGDB = RECORDINGS / "igdb"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not IGDB.is_dir(), reason=f"there are no recordings in {IGDB}"),
]
SMALL = IGDB / "henry-sarabia_v4_2020"
# Answers of /games, how many games each holds, and which old names they use.
GAMES = {
    "gamehub_games_50_expanded.json": (50, {"category": 50, "platforms.category": 50, "websites.category": 50}),
    "gamehub_previews.json": (50, {}),
    "kamranayub_mixed_content.json": (3, {"release_dates.category": 3, "release_dates.region": 3}),
    "kamranayub_search_expanded.json": (
        9,
        {
            "category": 9,
            "collection": 5,
            "platforms.category": 8,
            "release_dates.category": 8,
            "release_dates.region": 8,
        },
    ),
    "recorded_2026-09-28/game_cancelled_cut.json": (3, {}),
    "recorded_2026-09-28/game_outer_wilds.json": (1, {}),
    "recorded_2026-09-28/games_alternative_names_cut.json": (42, {}),
    "recorded_2026-09-29/games.json": (2, {}),
    "romm_cassettes/test_scan_rom_1_api_games_200.json": (1, {}),
    "henry-sarabia_v4_2020/game_get.json": (1, {"category": 1, "collection": 1}),
    "henry-sarabia_v4_2020/game_list.json": (5, {"category": 5}),
    "henry-sarabia_v4_2020/game_search.json": (5, {"category": 5, "collection": 5}),
}
# Endpoints whose rows also come as parts of a game, and what they are called there.
PARTS = {
    "agerating": "age_ratings",
    "alternativename": "alternative_names",
    "artwork": "artworks",
    "collection": "collections",
    "externalgame": "external_games",
    "franchise": "franchises",
    "gameengine": "game_engines",
    "gamemode": "game_modes",
    "gamevideo": "videos",
    "genre": "genres",
    "involvedcompany": "involved_companies",
    "keyword": "keywords",
    "multiplayermode": "multiplayer_modes",
    "platform": "platforms",
    "playerperspective": "player_perspectives",
    "releasedate": "release_dates",
    "screenshot": "screenshots",
    "theme": "themes",
    "website": "websites",
}


def read(name: str) -> bytes:
    return (IGDB / name).read_bytes()


def games(name: str) -> list[ParsedGame]:
    answer = split_documents(read(name))
    assert list(answer.broken) == []
    return [parse_game(document.raw) for document in answer.documents]


def faults(parsed: Iterable[ParsedGame]) -> list[str]:
    return [f"{game.record.igdb_id}: {fault.field}: {fault.reason}" for game in parsed for fault in game.faults]


@pytest.mark.parametrize("name", GAMES)
def test_every_game_of_an_answer_is_read_whole_and_its_old_names_are_reported(name: str) -> None:
    count, old_names = GAMES[name]

    parsed = games(name)

    assert len(parsed) == count
    assert faults(parsed) == []
    assert Counter(old for parsed_game in parsed for old in parsed_game.old_names) == old_names


SMALL_PARTS = [
    pytest.param(path, part, id=path.stem)
    for path in sorted(SMALL.glob("*.json"))
    if (part := PARTS.get(path.stem.partition("_")[0])) is not None
]


@pytest.mark.parametrize(("path", "part"), SMALL_PARTS)
def test_a_row_of_a_small_endpoint_is_also_read_as_a_part_of_a_game(path: Path, part: str) -> None:
    rows = [msgspec.json.decode(raw) for raw in split_rows(path.read_bytes())]

    parsed = parse_game(encode(game() | {part: rows}))

    assert len(rows) >= 1
    assert faults([parsed]) == []


@pytest.mark.parametrize("path", sorted(SMALL.glob("*.json")), ids=lambda path: path.stem)
def test_every_small_answer_is_cut_into_its_rows(path: Path) -> None:
    payload = path.read_bytes()
    if path.name == "empty.json":
        with pytest.raises(SourceChanged):
            split_rows(payload)
        return

    assert len(split_rows(payload)) == len(json.loads(payload))


def test_the_small_answers_mean_what_they_say() -> None:
    document = game(
        release_dates=json.loads((SMALL / "releasedate_list.json").read_bytes()),
        external_games=json.loads((SMALL / "externalgame_list.json").read_bytes()),
        alternative_names=json.loads((SMALL / "alternativename_get.json").read_bytes()),
    )

    record = parse_game(encode(document)).record

    assert len(record.releases) == 5
    first = record.releases[0]
    assert (first.igdb_id, first.region, first.precision, first.date) == (16309, 8, "day", date(2007, 10, 8))
    assert [(external.source, external.uid) for external in record.external_games] == [
        (1, "some-uid"),
        (5, "another-uid"),
    ]
    assert "Teiruzu obu za Reizu" in {title.title for title in record.titles}


def released(rows: bytes) -> tuple[ReleaseRecord, ...]:
    """The releases in a list of release dates, parsed as parts of a game."""
    return parse_game(encode({"id": 1, "release_dates": json.loads(rows)})).record.releases


def test_rows_that_share_one_date_with_three_precisions_are_three_different_things() -> None:
    rows = released(read("recorded_2026-09-28/release_dates_upcoming_cut.json"))

    shared = [row for row in rows if row.date == date(2026, 12, 31)]

    assert len(rows) == 35
    periods = {(row.precision, row.year, row.quarter, row.month) for row in shared}
    assert periods == {("day", 2026, None, 12), ("quarter", 2026, 4, None), ("year", 2026, None, None)}
    assert {row.precision for row in rows} == {"day", "month", "quarter", "year"}


def test_release_dates_of_the_day_before_know_their_platforms() -> None:
    rows = released(read("recorded_2026-09-29/release_dates.json"))

    assert [(row.platform_id, row.precision, row.date, row.month) for row in rows] == [
        (6, "year", date(2026, 12, 31), None),
        (508, "day", date(2026, 12, 3), 12),
    ]


def test_a_cancelled_game_an_edition_and_an_expansion_are_told_apart() -> None:
    cancelled = games("recorded_2026-09-28/game_cancelled_cut.json")[0].record
    expansion, edition = (parsed.record for parsed in games("recorded_2026-09-29/games.json"))

    assert (cancelled.game_status, cancelled.first_release_at, cancelled.cover_id) == (6, None, None)
    assert (expansion.game_type, expansion.parent_igdb_id) == (10, 191411)
    assert (edition.game_type, edition.version_parent_igdb_id) == (0, 52189)


def test_a_company_that_is_named_twice_is_one_and_the_developer_comes_first() -> None:
    (parsed,) = games("recorded_2026-09-28/game_outer_wilds.json")

    assert parsed.record.companies == ("Mobius Digital", "Annapurna Interactive", "Limited Run Games")


def test_a_dumped_game_knows_its_twitch_category() -> None:
    parsed = parse_game(read("gamedb_1942_excerpt.json"))

    assert faults([parsed]) == []
    assert (14, "115977") in {(external.source, external.uid) for external in parsed.record.external_games}
    # The excerpt has no formats: nothing finer than the year is believed.
    assert {(release.precision, release.year) for release in parsed.record.releases} == {
        ("year", 2015),
        ("year", 2021),
        ("year", 2022),
    }


def test_a_game_that_came_through_a_proxy_is_the_game() -> None:
    parsed = parse_game(read("romm_cassettes/test_scan_rom_3_hasheous_Game_200.json"))
    (direct,) = games("romm_cassettes/test_scan_rom_1_api_games_200.json")

    assert faults([parsed]) == []
    assert (parsed.record.igdb_id, parsed.record.name) == (direct.record.igdb_id, direct.record.name)
    assert parsed.record.first_release_at == direct.record.first_release_at == datetime(2000, 8, 11, tzinfo=UTC)
    assert {title.key for title in parsed.record.titles} == {title.key for title in direct.record.titles}


@pytest.mark.parametrize(
    ("name", "key", "count"), [("dmc_platforms_2025.json", None, 131), ("zaparoo_platforms_216.json", "results", 216)]
)
def test_platforms_of_a_dump_are_read(name: str, key: str | None, count: int) -> None:
    rows = json.loads(read(name))
    # One author renamed `id`, the other wrapped the rows.
    platforms = [{"id": row.get("_id")} | row for row in (rows[key] if key else rows)]
    records = parse_game(encode({"id": 1, "platforms": platforms})).record.platform_records

    assert len(records) == count
    assert all(platform.name for platform in records)


def reshaped() -> Iterator[tuple[str, dict[str, Any]]]:
    """Games of which their authors kept something in shapes of their own."""
    for igdb_id, row in json.loads(read("cglmaster_3000_games_2022.json")).items():
        yield "cglmaster", {"id": int(igdb_id)} | row
    for row in json.loads(read("dmc_enriched_games.json")):
        yield "dmc", {"id": row["_id"]} | row
    with (IGDB / "emilyzc_5000_games_2024.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield "emilyzc", {key: csv_value(key, value) for key, value in row.items() if value}


def csv_value(key: str, value: str) -> Any:
    if key == "name":
        return value
    if "rating" in key and "count" not in key:
        return float(value)
    numbers = [int(float(number)) for number in value.split(",")]
    return numbers if key.endswith("s") else numbers[0]


def test_games_in_shapes_that_others_made_of_answers_land_with_what_is_igdbs_in_them() -> None:
    by_origin: dict[str, list[ParsedGame]] = {}
    for origin, row in reshaped():
        by_origin.setdefault(origin, []).append(parse_game(encode(row)))

    assert {origin: len(parsed) for origin, parsed in by_origin.items()} == {
        "cglmaster": 3000,
        "dmc": 32,
        "emilyzc": 5000,
    }
    set_aside = {
        origin: {fault.field for parsed_game in parsed for fault in parsed_game.faults}
        for origin, parsed in by_origin.items()
    }
    # One of them put a time where IGDB lists rows.
    assert set_aside == {"cglmaster": {"release_dates"}, "dmc": set(), "emilyzc": set()}
    assert all(parsed_game.record.name for parsed in by_origin.values() for parsed_game in parsed)
    assert all(parsed_game.record.cover_id for parsed_game in by_origin["dmc"])
    assert {parsed_game.old_names for parsed_game in by_origin["emilyzc"]} == {("category",)}


def test_all_games_that_were_recorded_are_stored_and_the_second_time_nothing_is(engine: Engine) -> None:
    rows = [raw for name in GAMES for raw in split_rows(read(name))]
    documents = [*map(document, rows), *(document(encode(row)) for _, row in reshaped())]
    now = datetime(2026, 10, 1, tzinfo=UTC)
    with engine.begin() as connection:
        first = store_games(connection, documents, now)
    with engine.begin() as connection:
        again = store_games(connection, documents, now)
        count = connection.scalar(select(func.count()).select_from(GameMetadata))

    assert len(first.added) == count
    assert count is not None
    assert count > 8000
    assert {key for key, _ in first.refused} <= {32125}
    assert (again.added, again.changed, again.unchanged) == ([], [], count)
