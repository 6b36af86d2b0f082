"""The watched inbox: the worker imports a file once it is whole, and no file vanishes."""

import os
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models import DropCampaign, Event
from pipeline.importer.inbox import INBOX, QUIET_FOR, Looked, look_into
from tests.pipeline.builders import NOON, campaign, campaigns, drops, encode, quest
from tests.pipeline.world import SOURCES, Ingesting
from tests.waiting import wait_for

NOW = NOON + timedelta(days=1)
QUIET = timedelta(milliseconds=40)
DAY = "2031-03-05"
FIRST, SECOND = drops(*campaigns("a", "b")), drops(*campaigns("a", "b", "c"))


class Inbox:
    """An inbox in a data directory of its own, whose files are old enough to be imported."""

    def __init__(self, engine: Engine, data_dir: Path) -> None:
        self.engine = engine
        self.data_dir = data_dir
        self.folder = data_dir / INBOX
        self.folder.mkdir()

    def put(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def look(self, *, quiet: bool = True, within: timedelta = timedelta(days=1)) -> Looked:
        if quiet:
            self.wait_until_quiet()
        return self.look_now(within=within, quiet_for=QUIET if quiet else QUIET_FOR)

    def look_now(self, **how: timedelta) -> Looked:
        return look_into(self.engine, SOURCES, self.data_dir, lambda: NOW, **how)

    def wait_until_quiet(self) -> None:
        """Wait until the files are old enough: the kernel sets the time of a file's last change, tests cannot."""
        newest = max((path.lstat().st_ctime for path in self.folder.rglob("*")), default=0)
        wait_for(lambda: time.time() - newest > QUIET.total_seconds())

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.data_dir)): path.read_bytes()
            for path in sorted(self.data_dir.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }


@pytest.fixture
def inbox(engine: Engine, tmp_path: Path) -> Inbox:
    return Inbox(engine, tmp_path)


def test_files_are_imported_oldest_first_and_moved_where_they_can_be_found(inbox: Inbox, world: Ingesting) -> None:
    inbox.put("x_2031-03-04T140000Z.json", SECOND)
    inbox.put("from a friend/y_2031-03-04T130000Z.json", FIRST)
    inbox.put("quests.json", encode([quest()]))
    inbox.put("page.json", b"<html>")
    inbox.put("other.json", b'{"what": 1}')

    looked = inbox.look()

    assert (looked.processed, looked.quarantined, looked.waiting) == (3, 2, 0)
    assert looked.events == {"campaign.added": 3, "reward.added": 1}
    assert [row.occurred_at.hour for row in world.events("campaign.added")] == [13, 13, 14]
    assert inbox.files() == {
        f"processed/twitch.drops/{DAY}/x_2031-03-04T140000Z.json": SECOND,
        f"processed/twitch.drops/{DAY}/y_2031-03-04T130000Z.json": FIRST,
        f"processed/twitch.rewards/{DAY}/quests.json": encode([quest()]),
        f"quarantine/html-or-xml-not-json/{DAY}/page.json": b"<html>",
        f"quarantine/a-json-object-of-no-source-that-we-know/{DAY}/other.json": b'{"what": 1}',
    }
    assert list(inbox.folder.iterdir()) == []


def test_what_is_not_whole_yet_waits(inbox: Inbox, world: Ingesting) -> None:
    for name in (".hidden.json", "big.json.part", "big.tar.xz.crdownload", "note~"):
        inbox.put(name, FIRST)
    slow = inbox.put("slow.json", FIRST[:100])
    with slow.open("ab") as writer:
        looked = inbox.look()
        assert (looked.processed, looked.quarantined, looked.waiting) == (0, 0, 1), "somebody writes to it still"
        writer.write(FIRST[100:])
    assert inbox.look(quiet=False).waiting == 1, "it has only just been written"

    looked = inbox.look()

    assert (looked.processed, looked.waiting) == (1, 0)
    assert world.count(DropCampaign) == 2
    assert len(list(inbox.folder.iterdir())) == 4


def test_files_of_one_name_are_all_kept(inbox: Inbox) -> None:
    for number, payload in enumerate((FIRST, SECOND, FIRST)):
        inbox.put(f"{number}/drops.json", payload)

    assert inbox.look().processed == 3

    kept = inbox.files()
    assert sorted(kept) == [f"processed/twitch.drops/{DAY}/drops{number}.json" for number in ("-2", "-3", "")]
    assert sorted(kept.values()) == sorted((FIRST, SECOND, FIRST))


def test_links_and_pipes_are_moved_aside_and_not_followed(inbox: Inbox, tmp_path: Path, world: Ingesting) -> None:
    secret = tmp_path / "outside.json"
    secret.write_bytes(FIRST)
    (inbox.folder / "link.json").symlink_to(secret)
    os.mkfifo(inbox.folder / "pipe.json")

    looked = inbox.look()

    assert (looked.processed, looked.quarantined) == (0, 2)
    assert world.count(DropCampaign) == 0
    assert (tmp_path / "quarantine" / "a-link" / DAY / "link.json").readlink() == secret
    assert secret.read_bytes() == FIRST
    assert list(inbox.folder.iterdir()) == []


def test_a_look_that_was_killed_after_the_import_is_made_up_for_and_changes_nothing(
    inbox: Inbox, world: Ingesting
) -> None:
    inbox.put("drops_2031-03-04T130000Z.json", FIRST)
    inbox.look()
    events = world.rows(Event)
    # The file is in the inbox again, as if the worker had died before or while it moved it.
    inbox.put("drops_2031-03-04T130000Z.json", FIRST)

    looked = inbox.look()

    assert (looked.processed, looked.events) == (1, {})
    assert world.rows(Event) == events
    assert len(inbox.files()) == 2


def test_two_workers_that_look_at_once_do_the_work_once(inbox: Inbox, world: Ingesting) -> None:
    for number in range(8):
        inbox.put(f"drops_2031-03-04T13{number:02}00Z.json", drops(*campaigns(*"abcdefgh"[: number + 1])))
    inbox.wait_until_quiet()
    looks: list[Looked] = []
    start = threading.Barrier(3)

    def look() -> None:
        start.wait()
        looks.append(inbox.look_now(quiet_for=QUIET))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(look.processed for look in looks) == 8
    assert len(inbox.files()) == 8
    assert len(world.events("campaign.added")) == 8


def test_what_does_not_fit_into_one_look_is_left_for_the_next(inbox: Inbox) -> None:
    inbox.put("drops_2031-03-04T130000Z.json", FIRST)

    looked = inbox.look(within=timedelta(seconds=-1))

    assert (looked.processed, looked.waiting) == (0, 1)
    assert inbox.look().processed == 1


def test_an_inbox_on_another_file_system_is_emptied_too(inbox: Inbox, other_file_system: Path) -> None:
    inbox.folder.rmdir()
    inbox.folder.symlink_to(other_file_system)
    inbox.folder = other_file_system
    inbox.put("drops_2031-03-04T130000Z.json", FIRST)

    assert inbox.look().processed == 1

    assert inbox.files() == {f"processed/twitch.drops/{DAY}/drops_2031-03-04T130000Z.json": FIRST}
    assert list(other_file_system.iterdir()) == []


@pytest.fixture
def other_file_system(tmp_path: Path) -> Iterator[Path]:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one file system")
    folder = memory / f"lootwire-inbox-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_an_archive_of_several_sources_lies_under_mixed(inbox: Inbox, tmp_path: Path) -> None:
    path = tmp_path / "both.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("drops/2031-03-04T130000Z.json", drops(campaign()))
        archive.writestr("rewards/2031-03-04T130000Z.json", encode([quest()]))
    path.rename(inbox.folder / "both.zip")

    assert inbox.look().processed == 1

    assert list(inbox.files()) == [f"processed/mixed/{DAY}/both.zip"]
