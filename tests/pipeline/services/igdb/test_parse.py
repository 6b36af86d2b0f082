"""The records that IGDB's documents become, and the parts of a bad document that are kept."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.errors import InvalidItem
from pipeline.services.igdb.documents import split_documents
from pipeline.services.igdb.parse import parse_game
from pipeline.services.igdb.records import ParsedGame, PlatformRecord
from pipeline.services.igdb.shapes import GAME_FIELDS, OLD_NAMES
from tests.paths import PAYLOADS
from tests.pipeline.games.documents import encode, game, release

GAMES = PAYLOADS / "igdb" / "games"
CASES = sorted(path for path in GAMES.glob("*.json") if not path.name.endswith(".expected.json"))


def readable(parsed: ParsedGame) -> dict[str, Any]:
    """The record, faults and old names of a document as JSON, without empty values."""
    record = msgspec.to_builtins(msgspec.structs.replace(parsed.record, untold=frozenset()))
    # test_titles.py covers the keys that titles are looked up by.
    titles = [{"kind": title.kind, "title": title.title} for title in parsed.record.titles]
    fields: dict[str, Any] = without_nothing(
        {
            "record": record | {"titles": titles, "untold": sorted(parsed.record.untold)},
            "faults": [fault.field for fault in parsed.faults],
            "old_names": parsed.old_names,
        }
    )
    return fields


def without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: without_nothing(inner) for key, inner in value.items() if inner is not None and inner not in ([], ())
        }
    return [without_nothing(inner) for inner in value] if isinstance(value, list | tuple) else value


def parsed(**fields: Any) -> ParsedGame:
    return parse_game(encode(game(**fields)))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_an_answer_becomes_the_records_that_are_written_down_beside_it(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_bytes())

    answer = split_documents(path.read_bytes())

    assert [readable(parse_game(document.raw)) for document in answer.documents] == expected
    assert list(answer.broken) == []


def test_every_answer_has_its_expectation() -> None:
    expectations = {path.name.replace(".expected.json", ".json") for path in GAMES.glob("*.expected.json")}
    assert len(CASES) >= 7
    assert expectations == {path.name for path in CASES}


def test_one_date_with_three_precisions_is_three_different_things() -> None:
    rows = [release(1, date_format=0), release(2, date_format=6), release(3, date_format=2)]

    day, quarter, year = parsed(release_dates=rows).record.releases

    assert {record.date for record in (day, quarter, year)} == {date(2026, 12, 31)}
    assert (day.precision, day.year, day.quarter, day.month) == ("day", 2026, None, 12)
    assert (quarter.precision, quarter.year, quarter.quarter, quarter.month) == ("quarter", 2026, 4, None)
    assert (year.precision, year.year, year.quarter, year.month) == ("year", 2026, None, None)


@pytest.mark.parametrize("date_format", [None, 8, 99, {"id": 8, "format": "YYYYW"}])
def test_a_date_whose_format_is_missing_or_unknown_is_believed_to_the_year_only(date_format: Any) -> None:
    row = {key: value for key, value in (release(1) | {"date_format": date_format}).items() if value is not None}

    (only,) = parsed(release_dates=[row]).record.releases

    assert (only.precision, only.year, only.month) == ("year", 2026, None)


def test_a_release_date_without_an_id_keeps_the_one_we_give_it_when_its_date_moves() -> None:
    first = {"date": 1798675200, "date_format": 0, "platform": 6}
    other = {"date": 1798675200, "date_format": 0, "platform": 48}

    before = parsed(release_dates=[first, other]).record.releases
    after = parsed(release_dates=[first | {"date": 1801353600}, other]).record.releases

    assert [release.igdb_id for release in before] == [release.igdb_id for release in after]
    assert before[0].igdb_id != before[1].igdb_id
    assert all(release.igdb_id < 0 for release in before)


def test_a_bad_part_is_set_aside_with_its_reason_and_the_game_still_lands() -> None:
    parsed_game = parsed(release_dates=[{"id": "x"}, release(2)], total_rating=900, first_release_date=1559001600)

    assert [record.igdb_id for record in parsed_game.record.releases] == [2]
    assert parsed_game.record.first_release_at == datetime(2019, 5, 28, tzinfo=UTC)
    assert parsed_game.record.rating is None
    assert {fault.field for fault in parsed_game.faults} == {"release_dates", "total_rating"}
    assert all(fault.reason for fault in parsed_game.faults)
    assert parsed_game.record.untold == {"releases", "rating"}


@pytest.mark.parametrize(
    "fields",
    [
        {"first_release_date": 10**15},
        {"first_release_date": -(10**15)},
        {"game_type": 2**31},
        {"parent_game": 2**63},
        {"total_rating_count": -1},
        {"cover": {"image_id": ["x"]}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_number_that_no_table_holds_is_set_aside(fields: dict[str, Any]) -> None:
    parsed_game = parsed(**fields)

    assert parsed_game.record.name == "Lanterns of Aldmoor"
    assert [fault.field for fault in parsed_game.faults] == list(fields)


@pytest.mark.parametrize("raw", [b"[]", b"7", b'{"name": "x"}', b'{"id": "x"}', b"{", b"", b"[" * 100_000])
def test_what_is_no_document_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidItem):
        parse_game(raw)


def test_a_title_that_repeats_a_better_ones_key_is_left_out() -> None:
    names = [{"id": 1, "name": "LANTERNS OF ALDMOOR"}, {"id": 2, "name": "Aldmoor"}, {"id": 3, "name": "aldmoor!"}]
    parsed_game = parsed(slug="lanterns-of-aldmoor", alternative_names=names)

    assert [(title.kind, title.title) for title in parsed_game.record.titles] == [
        ("name", "Lanterns of Aldmoor"),
        ("alternative", "Aldmoor"),
    ]


def test_a_slug_that_only_numbers_a_name_is_no_title() -> None:
    assert [title.kind for title in parsed(name="Doom", slug="doom--1").record.titles] == ["name"]
    assert [title.title for title in parsed(name="Δ", slug="delta").record.titles] == ["Δ", "delta"]


def test_every_old_name_is_reported_and_no_new_one() -> None:
    old = json.loads((GAMES / "old_names.json").read_bytes())
    new = json.loads((GAMES / "everything_expanded.json").read_bytes())

    assert set(parse_game(encode(old[0])).old_names) == set(OLD_NAMES)
    assert parse_game(encode(new[0])).old_names == ()


def test_no_old_name_is_asked_for() -> None:
    assert set(OLD_NAMES) & set(GAME_FIELDS) == set()
    assert len(set(GAME_FIELDS)) == len(GAME_FIELDS)


def test_a_release_date_knows_its_platform_and_status() -> None:
    row = release(925689, 1796256000, game=405448, status=6, platform={"id": 508, "name": "Nintendo Switch 2"})

    (record,) = parse_game(encode({"id": 405448, "release_dates": [row]})).record.releases

    assert (record.igdb_id, record.platform_id, record.status) == (925689, 508, 6)
    assert record.date == date(2026, 12, 3)


def test_a_platform_tells_all_of_itself_and_one_without_an_id_is_left_out() -> None:
    row = {"id": 48, "name": "PlayStation 4", "abbreviation": "PS4", "slug": "ps4--1", "generation": 8}

    rows = [row | {"platform_family": {"id": 1, "name": "PlayStation"}}, {"name": "x"}]
    platforms = parse_game(encode({"id": 1, "platforms": rows})).record.platform_records

    assert platforms == (PlatformRecord(48, "PlayStation 4", "PS4", "ps4--1", 8, "PlayStation"),)
