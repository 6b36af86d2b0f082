"""Imports of damaged and hostile files; tests/campaigns imports hundreds of them at once."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from models import DropCampaign, Event, QuarantinedPayload
from pipeline.importer import limits
from pipeline.importer.repair import Mender
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from tests.hostile import FINE, ODD, WHOLE, payloads, tar_of, zip_of
from tests.pipeline.builders import NOON, campaign, campaigns, drop, drops, kick, kick_campaign
from tests.pipeline.world import SOURCES, Ingesting
from tests.waiting import wait_for

NOW = NOON + timedelta(days=1)
FIRST, SECOND = "drops_2031-03-04T130000Z.json", "drops_2031-03-04T140000Z.json"


def import_into(world: Ingesting, *paths: Path) -> Summary:
    steps = import_paths(world.engine, SOURCES, paths, parse_time=time_parser(), now=lambda: NOW)
    return [Summary(), *steps][-1]


def reasons(summary: Summary) -> list[str]:
    return [aside.reason for aside in summary.quarantined]


@pytest.fixture(scope="module")
def odd() -> dict[str, bytes]:
    """The files that only look odd, by their names; all of them are tried."""
    files = {name: hostile.data for name, hostile in payloads().items() if hostile.reason is FINE}
    assert tuple(files) == ODD
    return files


@pytest.mark.parametrize("name", ODD)
def test_a_file_that_only_looks_odd_is_understood(
    name: str, odd: dict[str, bytes], world: Ingesting, tmp_path: Path
) -> None:
    (tmp_path / "odd.json").write_bytes(odd[name])

    summary = import_into(world, tmp_path)

    assert (summary.snapshots, summary.quarantined) == (1, [])
    assert world.count(DropCampaign) >= 1


def test_a_file_that_was_cut_off_adds_what_is_whole_and_ends_nothing(world: Ingesting, tmp_path: Path) -> None:
    (tmp_path / FIRST).write_bytes(drops(*campaigns("a", "b", "c", "d", "e", "f", "g", "h")))
    listed = drops(campaign("new"), campaign("a", name="Renamed"), *campaigns("b", "c", "d"))
    (tmp_path / SECOND).write_bytes(listed[: listed.rindex(b'"Campaign d"') + 6])

    summary = import_into(world, tmp_path)

    assert reasons(summary) == ["repaired: not JSON that we know: Input data was truncated; it ended nothing"]
    assert world.kinds("campaign")[8:] == ["campaign.added", "campaign.changed"]
    assert world.campaign("new")
    assert world.campaign("a").name == "Renamed"
    # The file ends in the middle of its name, so the stored one stays.
    assert world.campaign("d").name == "Campaign d"
    assert [row.reason for row in world.rows(QuarantinedPayload)] == ["repaired"]


@pytest.mark.parametrize(
    "packed", [lambda files: zip_of(dict(files)), tar_of, lambda files: gzip.compress(tar_of(files))]
)
def test_of_an_archive_with_too_many_members_not_even_the_first_are_read(
    packed: Callable[[list[tuple[str, bytes]]], bytes],
    world: Ingesting,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A million members take the time that so many headers take, and a test has no 20 s.
    monkeypatch.setattr(limits, "MAX_ENTRIES", 20)
    listed = drops(campaign("a"))
    (tmp_path / "many").write_bytes(packed([(f"{number}/{FIRST}", listed) for number in range(21)]))

    summary = import_into(world, tmp_path)

    assert (summary.files, summary.snapshots, reasons(summary)) == (1, 0, ["cannot be read: more than 20 entries"])


@pytest.mark.parametrize("bad", [b"\\ud83d", b"\\udc00", b"\0", b"\\x"], ids=repr)
def test_a_file_with_a_bad_character_is_read_whole_and_says_so(world: Ingesting, tmp_path: Path, bad: bytes) -> None:
    (tmp_path / FIRST).write_bytes(drops(*campaigns("a", "b", "c", "gone")))
    for hour in range(14, 20):
        payload = drops(campaign("a", name="Lamp HERE"), *campaigns("b", "new")).replace(b"HERE", bad)
        (tmp_path / f"drops_2031-03-04T{hour}0000Z.json").write_bytes(payload)

    summary = import_into(world, tmp_path)

    assert len(summary.quarantined) == 6
    assert all(reason.startswith("repaired: ") and "ended nothing" not in reason for reason in reasons(summary))
    assert world.campaign("a").name in {"Lamp", "Lamp x"}
    assert world.campaign("new")
    assert world.state("gone") == "withdrawn", "the list is whole, so what it lacks is gone"


def test_one_bad_line_costs_no_other_line(world: Ingesting, tmp_path: Path) -> None:
    listed = [drops(campaign(key, name=f"Lamp {key} HERE")) for key in ("a", "b", "c")]
    lines = b"\n".join(line.replace(b"HERE", b"\\ud83d" if n == 1 else b"") for n, line in enumerate(listed))
    (tmp_path / FIRST).write_bytes(lines)

    import_into(world, tmp_path)

    assert [world.campaign(key).name for key in ("a", "b", "c")] == ["Lamp a", "Lamp b", "Lamp c"]


def test_however_often_a_mended_file_lacks_a_campaign_it_is_not_withdrawn(world: Ingesting, tmp_path: Path) -> None:
    (tmp_path / FIRST).write_bytes(drops(*campaigns("a", "b", "c")))
    for hour in range(14, 20):
        payload = drops(*campaigns("a", "b"))[:-1] + b",]"
        (tmp_path / f"drops_2031-03-04T{hour}0000Z.json").write_bytes(payload)

    summary = import_into(world, tmp_path)

    assert len(summary.quarantined) == 6
    assert world.state("c") == "open"
    assert world.kinds("campaign") == ["campaign.added"] * 3


def test_a_mended_file_takes_no_channels_and_no_drops_away(world: Ingesting, tmp_path: Path) -> None:
    whole = campaign("a", channels=[1, 2, 3], drops=[drop("one"), drop("two")])
    fewer = campaign("a", channels=[1, 4], drops=[drop("one"), drop("three")])
    (tmp_path / FIRST).write_bytes(drops(whole))
    (tmp_path / SECOND).write_bytes(drops(fewer)[:-1] + b",]")

    import_into(world, tmp_path)

    assert world.channels() == {"keeper1", "keeper2", "keeper3", "keeper4"}
    assert set(world.drops()) == {"drop-one", "drop-two", "drop-three"}


def test_a_mended_file_ends_nothing_by_its_own_word(world: Ingesting, tmp_path: Path) -> None:
    over = kick_campaign(status="expired", end=NOON - timedelta(hours=1))
    (tmp_path / "kick_2031-03-04T110000Z.json").write_bytes(kick(kick_campaign(end=NOON - timedelta(hours=1))))
    (tmp_path / "kick_2031-03-04T130000Z.json").write_bytes(kick(over)[:-1] + b",}")

    import_into(world, tmp_path)

    assert world.kinds("campaign") == ["campaign.added"]
    assert world.kick_campaign().ended_at is None


REFUSING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'too long a name' USING ERRCODE = 'string_data_right_truncation'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON drop_campaigns FOR EACH ROW WHEN (NEW.name = 'refused')
EXECUTE FUNCTION refuse()
"""


def test_a_value_that_the_database_refuses_sets_its_payload_aside_and_the_run_goes_on(
    world: Ingesting, tmp_path: Path
) -> None:
    # We know of no value that still comes so far.
    with world.engine.begin() as connection:
        connection.execute(text(REFUSING))
    (tmp_path / FIRST).write_bytes(drops(campaign("x", name="refused")))
    (tmp_path / SECOND).write_bytes(drops(campaign("a")))

    summary = import_into(world, tmp_path)

    (reason,) = reasons(summary)
    assert reason.startswith("the database does not take it: too long a name")
    assert world.count(DropCampaign) == 1
    assert [row.origin for row in world.rows(QuarantinedPayload)] == [str(tmp_path / FIRST)]


def test_a_name_of_a_time_that_has_not_come_does_not_make_all_later_ones_late(world: Ingesting, tmp_path: Path) -> None:
    (tmp_path / "drops_2099-12-31T235959Z.json").write_bytes(drops(campaign("a")))
    import_into(world, tmp_path / "drops_2099-12-31T235959Z.json")

    (tmp_path / FIRST).write_bytes(drops(*campaigns("a", "b")))
    import_into(world, tmp_path / FIRST)

    assert [row.occurred_at <= NOW for row in world.rows(Event)] == [True, True]
    assert world.source().last_snapshot_at <= NOW


def test_what_stands_before_the_damage_of_an_archive_is_taken_in(world: Ingesting, tmp_path: Path) -> None:
    files = [(f"drops_2031-03-04T1{hour}0000Z.json", drops(*campaigns(*"abcdef"[:hour]))) for hour in range(1, 6)]
    whole = tar_of([*files])
    (tmp_path / "half.tar").write_bytes(whole[: whole.index(files[3][0].encode()) + 700])
    (tmp_path / "later.json").write_bytes(drops(*campaigns("a", "b", "c", "z")))

    summary = import_into(world, tmp_path)

    assert {row.external_id for row in world.rows(DropCampaign)} == {f"camp-{key}" for key in "abcz"}
    assert all("half.tar" in aside.path for aside in summary.quarantined)
    assert any("ended inside" in reason or "unexpected end" in reason for reason in reasons(summary))


def test_names_of_archives_are_never_written(world: Ingesting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    absolute = tmp_path / "absolute.json"
    # Out of order, so that the importer must unpack the archive before it reads it.
    (folder / "x.tar").write_bytes(
        tar_of(
            [
                ("../drops_2031-03-04T150000Z.json", drops(campaign("b"))),
                (str(absolute), drops(campaign("c"))),
                ("../../drops_2031-03-04T130000Z.json", drops(campaign("a"))),
            ]
        )
    )
    (folder / "x.zip").write_bytes(zip_of({"../../out.json": drops(campaign("d")), "/e.json": drops(campaign("e"))}))

    summary = import_into(world, folder)

    assert summary.snapshots == 5
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["x.tar", "x.zip"]


def test_links_in_folders_are_reported_and_not_followed(world: Ingesting, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / FIRST).write_bytes(WHOLE)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file.json").symlink_to(outside / FIRST)
    (inside / "folder").symlink_to(outside)
    (inside / "circle").symlink_to(inside)
    os.mkfifo(inside / "pipe")

    summary = import_into(world, inside)

    assert {(Path(aside.path).name, aside.reason.split(":")[1].strip()) for aside in summary.quarantined} == {
        ("file.json", "a link"),
        ("folder", "a link"),
        ("circle", "a link"),
        ("pipe", "not a file"),
    }
    assert summary.snapshots == 0
    # The importer follows a link that is named on the command line.
    assert import_into(world, inside / "file.json").snapshots == 1


def test_names_that_are_no_text_can_be_printed_and_stored(world: Ingesting, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"na\xffme\n\x1b[31m.json")).write_bytes(b"{")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("b\udcff\x07.json"))
    (tmp_path / "x.tar").write_bytes(archive.getvalue())

    summary = import_into(world, tmp_path)

    names = [Path(aside.path).name for aside in summary.quarantined]
    assert names[0] == r"na\xffme\n\x1b[31m.json"
    assert names[1].startswith("x.tar:b")
    assert names[1].isprintable()
    json.dumps(names).encode()
    assert world.count(QuarantinedPayload) == 2


def test_a_hundred_archives_of_one_time_are_read_with_few_open_at_once(world: Ingesting, tmp_path: Path) -> None:
    for number in range(100):
        names = [f"drops_2031-03-04T{hour:02}{number % 60:02}{number // 60:02}Z.json" for hour in (3, 9)]
        members = [(name, drops(campaign("a", name=f"At {name}"))) for name in names]
        (tmp_path / f"{number}.tar").write_bytes(tar_of([*members]))

    summary = import_into(world, tmp_path)

    assert (summary.snapshots, summary.quarantined) == (200, [])
    times = [row.occurred_at for row in world.events("campaign.changed")]
    assert len(times) == 199
    assert times == sorted(times)


def test_an_archive_that_unpacks_to_far_more_than_any_history_is_left(world: Ingesting, tmp_path: Path) -> None:
    (tmp_path / "bomb.tar.gz").write_bytes(gzip.compress(tar_of([(f"{n}.json", b" " * 2**20) for n in range(30)])))
    (tmp_path / "later.json").write_bytes(drops(campaign("a")))

    summary = import_into(world, tmp_path)

    # The first megabyte of blanks counts as an empty file.
    assert reasons(summary)[0] == "the file is empty"
    assert all("a decompression bomb" in reason for reason in reasons(summary)[1:])
    assert 1 < len(reasons(summary)) < 4
    assert summary.snapshots == 1


def test_json_that_takes_for_ever_to_mend_is_given_up_and_the_next_is_mended() -> None:
    with Mender() as mender:
        assert mender.mend(b'["' + b'a"' * 50_000) is None
        assert mender.mend(b'[{"gameId": "1",}]') == b'[{"gameId":"1"}]'
        assert mender.mend(b"hello") is None
        assert mender.mend(b"[" * 100_000) is None
        assert mender.mend(b'{"a": [1, 2') == b'{"a":[1,2]}'


def test_a_mender_ends_with_the_process_that_uses_it() -> None:
    code = (
        "import os, signal; from pipeline.importer.repair import Mender; m = Mender(); m.mend(b'[1,]');"
        "print(m._process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=False)

    def is_gone() -> bool:
        try:
            return "State:\tZ" in Path(f"/proc/{int(done.stdout)}/status").read_text(encoding="utf-8")
        except FileNotFoundError:
            return True

    wait_for(is_gone)
