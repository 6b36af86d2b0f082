"""Real recorded payloads, where they are at hand: ../shared/recordings beside the project."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import DropCampaign, Event
from pipeline.errors import InvalidItem
from pipeline.importer.reading import Listing
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from pipeline.ingest.source import ListSource
from tests.paths import RECORDINGS
from tests.pipeline.world import CHZZK, DROPS, KICK, REWARDS, SOURCES, Ingesting

SUNKWI = RECORDINGS / "sunkwi"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not SUNKWI.is_dir(), reason=f"there are no recordings in {RECORDINGS}"),
]
OUTAGE = ("drops_outage_1_before.json", "drops_outage_2_empty.json", "drops_outage_3_after.json")
SNAPSHOTS = sorted(path for path in SUNKWI.glob("*drops_*.json") if path.name not in OUTAGE)
OTHERS = [
    *((KICK, path) for path in sorted((RECORDINGS / "kick").glob("*.json"))),
    *((CHZZK, path) for path in sorted((RECORDINGS / "chzzk").glob("*.json"))),
    *((REWARDS, path) for path in sorted(SUNKWI.glob("rewards_*.json"))),
]


def import_all(world: Ingesting, *paths: Path) -> Summary:
    steps = import_paths(world.engine, SOURCES, paths, parse_time=time_parser(), now=lambda: world.now)
    return [Summary(), *steps][-1]


def reasons_of_lost_items(source: ListSource, payload: bytes) -> Iterator[str]:
    """Yield the source's reason for each item that it cannot read."""
    snapshot = source.split(payload)
    yield from (reason for _, reason in snapshot.broken)
    for item in snapshot.items:
        try:
            source.parse(item)
        except InvalidItem as error:
            yield str(error)


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem)
def test_no_item_of_a_recorded_snapshot_is_lost(path: Path) -> None:
    payload = path.read_bytes()

    assert list(reasons_of_lost_items(DROPS, payload)) == []
    assert len(DROPS.split(payload).items) >= 50


@pytest.mark.parametrize(("source", "path"), OTHERS, ids=lambda value: getattr(value, "stem", ""))
def test_no_item_of_a_recorded_answer_of_another_kind_is_lost(source: ListSource, path: Path) -> None:
    assert list(reasons_of_lost_items(source, path.read_bytes())) == []


def test_the_snapshots_around_the_schema_change_land_whole(world: Ingesting) -> None:
    summary = import_all(world, SUNKWI / "drops_2026-03-21_before_schema_change.json")
    assert (summary.quarantined, summary.events) == ([], {"campaign.added": summary.records})

    after = import_all(world, SUNKWI / "drops_2026-03-22_after_schema_change.json")
    assert after.quarantined == []
    # Only the news of an hour, although the JSON of every campaign looks different now.
    assert after.events.total() < after.records / 10


def test_a_real_outage_ends_withdraws_and_adds_nothing(world: Ingesting) -> None:
    before, empty, after = (import_all(world, SUNKWI / name) for name in OUTAGE)

    assert before.events == {"campaign.added": 104}
    assert empty.events == {"source.changed": 1}
    assert [aside.reason.split(":")[0] for aside in empty.quarantined] == ["empty"]
    # Between the first and the third, one campaign came to its own end and the next of its series began.
    assert after.events == {"source.recovered": 1, "campaign.added": 1, "campaign.ended": 1}
    assert {row.detail["name"] for row in world.rows(Event)[-3:]} == {
        "GOALS - 18th of August",
        "GOALS - 19th of August",
        "twitch.drops",
    }
    assert [row for row in world.rows(DropCampaign) if row.withdrawn_at] == []


def test_a_second_import_of_a_real_day_adds_no_event(world: Ingesting, tmp_path: Path) -> None:
    week = Listing([SUNKWI / "week_2025-09-20.tar.xz"], time_parser()).entries()
    for entry in itertools.islice(week, 25):
        path = tmp_path / entry.path.rpartition(":")[2]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(entry.read())

    first = import_all(world, tmp_path)
    before = world.written()
    second = import_all(world, tmp_path)

    assert (first.snapshots, second.snapshots, first.quarantined, second.quarantined) == (25, 25, [], [])
    assert first.events.total() == world.count(Event) > 100
    assert second.events.total() == 0
    assert world.written() == before
    assert second.unchanged == second.records
