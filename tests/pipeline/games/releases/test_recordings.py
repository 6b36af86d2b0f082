"""Release dates that IGDB really listed, told as what they are: ../shared/recordings/igdb beside the project."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from models.events import EventKind
from tests.paths import RECORDINGS
from tests.pipeline.games.releases.releasing import Installation

IGDB = RECORDINGS / "igdb"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not IGDB.is_dir(), reason=f"there are no recordings in {IGDB}"),
]
SHARED = 1798675200


def rows() -> list[dict[str, Any]]:
    content = (IGDB / "recorded_2026-09-28" / "release_dates_upcoming_cut.json").read_bytes()
    recorded: list[dict[str, Any]] = json.loads(content)
    return recorded


def test_three_rows_that_share_one_date_are_told_as_three_different_things(engine: Engine, tmp_path: Path) -> None:
    installation = Installation(engine, tmp_path)
    shared = {row["date_format"]: row for row in rows() if row.get("date") == SHARED}
    installation.follow()

    installation.sync(*[shared[key] | {"game": 1} for key in (0, 6, 2)])

    assert len(shared) >= 3
    assert [event.kind for event in installation.events()] == [EventKind.RELEASE_ANNOUNCED] * 3
    assert [detail.when for detail in installation.details()] == ["2026-12-31", "2026-Q4", "2026"]
    dates = [title.partition("announced for ")[2].partition(" (")[0] for title in installation.titles()]
    assert dates == ["31 December 2026", "Q4 2026", "2026"]


def test_every_recorded_row_is_said_no_more_precisely_than_its_format_allows(engine: Engine, tmp_path: Path) -> None:
    installation = Installation(engine, tmp_path)
    installation.now = datetime(2026, 9, 25, tzinfo=UTC)
    rows_by_id = dict(enumerate(rows(), 1))
    installation.want(*rows_by_id)
    for number in rows_by_id:
        installation.sync(igdb_id=number)

    for number, row in rows_by_id.items():
        installation.sync(row | {"game": number}, igdb_id=number)

    parts = {0: 3, 1: 2, 2: 1, 3: 2, 4: 2, 5: 2, 6: 2}
    dates = [detail.when or "" for detail in installation.details()]
    assert [len(when.split("-")) for when in dates] == [parts[row["date_format"]] for row in rows_by_id.values()]
    assert ["Q" in when for when in dates] == [row["date_format"] in {3, 4, 5, 6} for row in rows_by_id.values()]
