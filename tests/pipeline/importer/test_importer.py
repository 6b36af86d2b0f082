"""Importing kept payloads from files, folders and archives, oldest first."""

import hashlib
import itertools
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from models import DropCampaign, Event, Sighting
from models.errors import LootwireError
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from tests.databases import Databases
from tests.pipeline.builders import (
    NOON,
    campaign,
    campaigns,
    chzzk,
    drops,
    encode,
    kick,
    kick_campaign,
    quest,
    version_2,
)
from tests.pipeline.importer import archives
from tests.pipeline.importer.archives import COMPRESSORS, PACKERS, name_of, tar, write
from tests.pipeline.world import SOURCES, Ingesting

NOW = NOON + timedelta(days=2)
LATEST = NOON + timedelta(hours=5)
# Six snapshots an hour apart: a campaign is added, one is renamed, channels come, one is missed three times.
HISTORY = {
    NOON + timedelta(hours=hour): drops(*listed)
    for hour, listed in enumerate(
        [
            campaigns("a", "b"),
            campaigns("a", "b", "c"),
            [campaign("a", name="Renamed"), *campaigns("b", "c")],
            [campaign("a", name="Renamed", channels=[301]), campaign("b")],
            [campaign("a", name="Renamed", channels=[301]), campaign("b")],
            [campaign("a", name="Renamed", channels=[301]), campaign("b")],
        ]
    )
}
FILES = {name_of(at): payload for at, payload in HISTORY.items()}
EVENTS = {"campaign.added": 3, "campaign.changed": 1, "campaign.channels_changed": 1, "campaign.withdrawn": 1}


class Importer:
    """Imports into one database at a fixed time."""

    def __init__(self, world: Ingesting) -> None:
        self.world = world

    def __call__(self, *paths: Path, pattern: str | None = None, now: datetime = NOW, notify: bool = False) -> Summary:
        summaries = import_paths(
            self.world.engine, SOURCES, paths, parse_time=time_parser(pattern), now=lambda: now, notify=notify
        )
        return [Summary(), *summaries][-1]

    def history(self) -> list[tuple[Any, ...]]:
        """The events without their row numbers."""
        return [(row.kind, row.event_key, row.occurred_at, row.detail) for row in self.world.rows(Event)]


@pytest.fixture
def run(world: Ingesting) -> Importer:
    return Importer(world)


def test_a_folder_is_imported_in_the_order_of_time_whatever_the_names(run: Importer, tmp_path: Path) -> None:
    names = [f"{letter}_{name}" for letter, name in zip("fbdeac", FILES, strict=True)]
    write(tmp_path, dict(zip(names, FILES.values(), strict=True)))

    summary = run(tmp_path)

    assert (summary.files, summary.snapshots, summary.records, summary.quarantined) == (6, 6, 14, [])
    assert summary.events == EVENTS
    assert summary.unchanged == 14 - 3 - 1 - 1
    assert run.world.source().last_snapshot_at == LATEST


def test_nested_folders_and_compressed_files_are_imported_alike(run: Importer, tmp_path: Path) -> None:
    endings = itertools.cycle(COMPRESSORS)
    for number, (at, payload) in enumerate(HISTORY.items()):
        ending = next(endings)
        name = name_of(at).replace("json", ending)
        write(tmp_path / f"deep/{number % 2}", {name: COMPRESSORS[ending](payload)})

    assert run(tmp_path).events == EVENTS


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("order", ["in order", "out of order"])
def test_an_archive_of_any_kind_and_order_is_imported_oldest_first(
    run: Importer, tmp_path: Path, ending: str, order: str
) -> None:
    names = list(FILES) if order == "in order" else [*list(FILES)[3:], *list(FILES)[:3]]
    files = {name: FILES[name] for name in names}
    # The importer recognises an archive by its bytes, not by its name.
    (tmp_path / "history.bin").write_bytes(PACKERS[ending](files))

    summary = run(tmp_path / "history.bin")

    assert (summary.snapshots, summary.events, summary.quarantined) == (6, EVENTS, [])


def test_archives_and_files_together_are_one_history(run: Importer, tmp_path: Path) -> None:
    names = list(FILES)
    for number, ending in enumerate(("tar.xz", "zip")):
        part = {name: FILES[name] for name in names[number::3]}
        (tmp_path / f"part{number}.{ending}").write_bytes(PACKERS[ending](part))
    write(tmp_path / "files", {name: FILES[name] for name in names[2::3]})

    assert run(tmp_path).events == EVENTS


def test_a_second_run_adds_nothing(run: Importer, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    run(tmp_path)
    before, written = run.history(), run.world.written()

    summary = run(tmp_path)

    assert (summary.snapshots, summary.events.total(), summary.unchanged) == (6, 0, 14)
    assert (run.history(), run.world.written()) == (before, written)


@pytest.mark.parametrize("after", [1, 3, 5])
def test_an_import_that_is_interrupted_and_run_again_tells_the_same(
    run: Importer, engine: Engine, tmp_path: Path, after: int
) -> None:
    write(tmp_path, FILES)
    steps = import_paths(engine, SOURCES, [tmp_path], parse_time=time_parser(), now=lambda: NOW)
    for _ in range(after):
        next(steps)
    steps.close()
    assert len(run.history()) < sum(EVENTS.values())

    run(tmp_path)

    assert sorted(kind for kind, *_ in run.history()) == sorted(
        kind for kind, count in EVENTS.items() for _ in range(count)
    )


def test_an_import_does_not_notify_of_what_is_older_than_a_day_unless_asked_to(run: Importer, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    run(tmp_path)
    assert {row.silent for row in run.world.rows(Event)} == {True}


def test_what_is_imported_fresh_is_told_aloud_but_for_the_first_snapshot(run: Importer, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    run(tmp_path, now=NOON + timedelta(hours=6))

    assert [row.silent for row in run.world.rows(Event)] == [True] * 2 + [False] * 4


def test_old_events_are_told_aloud_where_that_is_asked_for(run: Importer, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    run(tmp_path, notify=True)

    assert [row.silent for row in run.world.rows(Event)] == [True] * 2 + [False] * 4


def test_a_list_of_answers_of_chzzk_is_read_and_what_is_cut_costs_no_other(run: Importer, tmp_path: Path) -> None:
    cut = chzzk(7).replace(b'"title": "', b'"title": "\\ud83d', 1)
    path = tmp_path / "2026-09-21T000000Z.json"
    path.write_bytes(b"[%s,%s]" % (chzzk(6), cut))
    run(path)
    assert {row.external_id for row in run.world.rows(DropCampaign)} == {"6", "7"}


def test_every_source_is_recognised_by_its_payload(run: Importer, tmp_path: Path) -> None:
    payloads = {
        "drops": drops(campaign("a")),
        "rewards": encode([quest("q")]),
        "kick": kick(kick_campaign()),
        "chzzk": chzzk(),
        "v2": version_2(drops(campaign("b")), NOON + timedelta(hours=9)),
    }
    write(tmp_path, {f"{number}_2031-03-04T12000{number}Z.json": p for number, p in enumerate(payloads.values())})

    summary = run(tmp_path)

    assert (summary.snapshots, summary.quarantined) == (5, [])
    assert {row.service for row in run.world.rows(DropCampaign)} == {"twitch", "kick", "chzzk"}
    assert run.world.quest().name == "Quest q"


def test_empty_lists_are_told_apart_by_their_path(run: Importer, tmp_path: Path) -> None:
    names = ["drops_2031-03-04T120000Z.json", "rewards/2031-03-04T130000Z.json"]
    write(tmp_path, dict.fromkeys(names, b"[]"))

    assert run(tmp_path).snapshots == 2
    times = [run.world.source(name).last_snapshot_at for name in ("twitch.drops", "twitch.rewards")]
    assert times == [NOON, NOON + timedelta(hours=1)]


def test_an_empty_version_in_a_collection_of_the_mirror_s_is_no_empty_answer_of_kick_s(
    run: Importer, tmp_path: Path
) -> None:
    versions = [encode([quest()]), b"[]", encode([quest("r")])]
    lines = [
        b'{"firstSeen":"%s","data":%s}' % ((NOON + timedelta(hours=hour)).isoformat().encode(), data)
        for hour, data in enumerate(versions)
    ]
    write(tmp_path, {"rewards.jsonl": b"\n".join(lines)})
    assert run(tmp_path).taken_for == {"rewards of the Twitch mirror": 3}


def test_snapshots_that_share_a_transaction_give_what_each_gives_alone(
    run: Importer, tmp_path: Path, databases: Databases
) -> None:
    run(write(tmp_path / "together", FILES))
    with databases.new() as engine:
        alone = Importer(Ingesting(engine))
        for number, (name, payload) in enumerate(FILES.items()):
            alone(write(tmp_path / str(number), {name: payload}))
        assert run.history() == alone.history()
        assert run.world.rows(Sighting) == alone.world.rows(Sighting)
        assert run.world.source().last_snapshot_at == alone.world.source().last_snapshot_at == LATEST


def test_a_campaign_that_leaves_and_returns_within_a_transaction_keeps_when_it_was_first_seen(
    run: Importer, tmp_path: Path
) -> None:
    brief = campaign("a", end=NOON + timedelta(minutes=30))
    longer = campaign("a", end=NOON + timedelta(hours=9))
    listed = [[brief, campaign("b")], [campaign("b")], [longer, campaign("b")]]
    write(tmp_path, {name_of(NOON + timedelta(hours=hour)): drops(*entries) for hour, entries in enumerate(listed)})
    run(tmp_path)
    assert run.world.kinds("campaign")[2:4] == ["campaign.ended", "campaign.returned"]
    [sighting] = run.world.rows(Sighting, external_id="camp-a")
    assert (sighting.first_seen_at, sighting.closed_at) == (NOON, None)


def test_a_pattern_tells_where_in_the_name_the_time_stands(run: Importer, tmp_path: Path) -> None:
    write(tmp_path, {f"snap {at:%d.%m.%Y %H-%M} (final).json": payload for at, payload in HISTORY.items()})

    assert run(tmp_path, pattern="%d.%m.%Y %H-%M").events == EVENTS
    assert run.world.source().last_snapshot_at == LATEST


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2025-03-04T09:30:00Z", datetime(2025, 3, 4, 9, 30, tzinfo=UTC)),
        ("2025-02-01T00:00:00Z", datetime(2025, 3, 4, tzinfo=UTC)),
        ("2025-03-09T00:00:00Z", datetime(2025, 3, 4, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
    ids=["the day", "before", "after"],
)
def test_a_name_that_tells_only_the_day_lets_the_newest_start_tell_the_hour(
    run: Importer, tmp_path: Path, start: str, expected: datetime
) -> None:
    listed = drops(campaign("a", startAt=start), campaign("b", startAt="2025-01-01T00:00:00Z"))
    write(tmp_path, {"drops-2025-03-04.json": listed})
    run(tmp_path)

    assert run.world.source().last_snapshot_at == expected


def test_a_payload_that_tells_its_own_time_needs_no_name(run: Importer, tmp_path: Path) -> None:
    write(tmp_path, {"latest.json": version_2(drops(campaign("a")), NOON)})
    run(tmp_path)

    assert run.world.source().last_snapshot_at == NOON


def test_files_without_any_time_are_taken_in_the_order_of_their_names(run: Importer, tmp_path: Path) -> None:
    write(tmp_path, {f"snapshot-{number + 8}.json": payload for number, payload in enumerate(HISTORY.values())})

    summary = run(tmp_path)

    assert (summary.snapshots, summary.events["campaign.added"], summary.events["campaign.changed"]) == (6, 3, 1)
    # The importer takes them for seconds apart, so no campaign is absent long enough to be withdrawn.
    assert "campaign.withdrawn" not in summary.events


def test_links_are_not_followed(run: Importer, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {name_of(NOON): drops(campaign("secret"))})
    folder = write(tmp_path / "folder", {name_of(LATEST): drops(campaign("a"))})
    (folder / "loop").symlink_to(folder)
    (folder / "away").symlink_to(outside)
    (folder / name_of(NOON)).symlink_to(outside / name_of(NOON))

    assert run(folder).snapshots == 1
    assert [row.external_id for row in run.world.rows(DropCampaign)] == ["camp-a"]


def test_only_files_of_an_archive_are_read_and_none_is_unpacked_where_its_name_points(
    run: Importer, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "links.tar").write_bytes(archives.tar_with_links(drops(campaign("a")), name_of(NOON)))

    assert run(folder).snapshots == 2
    assert [path.name for path in tmp_path.rglob("*.json")] == []


GARBAGE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "HTML": (b"<html>Just a moment</html>", "not JSON"),
    "truncated": (drops(campaign("a"))[:100], "truncated"),
    "binary": (bytes(range(256)), "not JSON"),
    "another list": (b'[{"id":1}]', "a list of no source that we know"),
    "another object": (b'{"hello":"world"}', "a JSON object of no source that we know"),
    "a number": (b"42", "not JSON that we know"),
    "nested without end": (b'[{"gameId":"1","rewards":[' + b"[" * 200_000, "recursion depth"),
    "a gzip that breaks off": (COMPRESSORS["json.gz"](drops(campaign("a")))[:60], "cannot be read"),
    "an xz that breaks off": (COMPRESSORS["json.xz"](drops(campaign("a")))[:60], "cannot be read"),
    "a damaged zstd": (COMPRESSORS["json.zst"](drops(campaign("a")))[:-20] + b"\0" * 20, ""),
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage_among_the_files_is_set_aside_with_its_reason_and_the_rest_goes_on(
    run: Importer, tmp_path: Path, case: str
) -> None:
    payload, reason = GARBAGE[case]
    write(tmp_path, {**FILES, "drops_2031-03-04T123000Z.json": payload})

    summary = run(tmp_path)

    (aside,) = summary.quarantined
    assert aside.path.endswith("T123000Z.json")
    assert reason in aside.reason
    assert summary.events == EVENTS


def test_garbage_with_a_name_that_is_no_text_is_set_aside_too(run: Importer, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path / "drops_\udcff_2031-03-04T123000Z.json")))
    path.write_bytes(b"<html>")
    write(tmp_path, FILES)

    summary = run(tmp_path)

    assert len(summary.quarantined) == 1
    assert summary.events == EVENTS


def test_broken_items_are_set_aside_under_the_path_of_their_file(run: Importer, tmp_path: Path) -> None:
    write(tmp_path, {name_of(NOON): drops(*[campaign(f"n{n}") for n in range(25)], campaign("x", name=None))})

    summary = run(tmp_path)

    assert {aside.path for aside in summary.quarantined} == {str(tmp_path / name_of(NOON))}
    assert summary.quarantined[0].reason.startswith("invalid_item: ")
    assert (summary.records, summary.events) == (26, {"campaign.added": 25})


def noise(name: str) -> bytes:
    """Return bytes that do not compress, so that damage to an archive damages its content."""
    return hashlib.shake_256(name.encode()).digest(3000)


def broken_off(ending: str) -> bytes:
    packed = PACKERS[ending]({name: noise(name) for name in FILES})
    return packed[: len(packed) * 2 // 3]


def damaged(ending: str) -> bytes:
    packed = bytearray(PACKERS[ending]({name: noise(name) for name in FILES}))
    middle = len(packed) // 2
    packed[middle : middle + 60] = bytes(byte ^ 0xFF for byte in packed[middle : middle + 60])
    return bytes(packed)


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("harm", [broken_off, damaged], ids=["broken off", "damaged"])
def test_a_harmed_archive_is_set_aside_and_the_files_beside_it_are_imported(
    run: Importer, tmp_path: Path, ending: str, harm: Callable[[str], bytes]
) -> None:
    write(tmp_path, {**FILES, "harmed.bin": harm(ending)})

    summary = run(tmp_path)

    assert summary.events == EVENTS
    assert summary.quarantined
    assert all(aside.path.startswith(str(tmp_path / "harmed.bin")) for aside in summary.quarantined)


def test_a_harmed_archive_among_whole_ones_loses_nothing_of_theirs(run: Importer, tmp_path: Path) -> None:
    names = list(FILES)
    for number, part in enumerate((names[::2], names[1::2])):
        (tmp_path / f"{number}.tar.gz").write_bytes(PACKERS["tar.gz"]({name: FILES[name] for name in part}))
    (tmp_path / "harmed.tar.gz").write_bytes(broken_off("tar.gz"))

    summary = run(tmp_path)

    assert summary.events == EVENTS
    (aside,) = summary.quarantined
    assert aside.path == str(tmp_path / "harmed.tar.gz")
    assert aside.reason


ODD_TIMES: dict[str, Callable[[str, bytes], bytes]] = {
    "a zip of no date": archives.zip_of_no_date,
    "a tar from after all calendars": archives.tar_of_odd_time,
}


@pytest.mark.parametrize("case", ODD_TIMES)
def test_a_member_whose_own_time_is_nonsense_is_imported(run: Importer, tmp_path: Path, case: str) -> None:
    (tmp_path / "odd.bin").write_bytes(ODD_TIMES[case](name_of(NOON), FILES[name_of(NOON)]))

    assert run(tmp_path).events == {"campaign.added": 2}


def test_a_path_that_does_not_exist_is_named(run: Importer, tmp_path: Path) -> None:
    with pytest.raises(LootwireError, match="nowhere: no such file or folder"):
        run(tmp_path / "nowhere")


def test_an_empty_folder_imports_nothing(run: Importer, tmp_path: Path) -> None:
    assert run(tmp_path).files == 0


def test_the_connections_of_the_pool_are_as_they_were_before(run: Importer, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "history.tar").write_bytes(tar(FILES))
    run(tmp_path)

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
