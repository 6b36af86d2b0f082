"""`lootwire demo`, as somebody runs it who has just cloned the repository."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import feedparser
import pytest

from tests.waiting import folder_of_processes, wait_for

pytestmark = pytest.mark.long


class Shown(NamedTuple):
    """What the demo left behind: its exit code, its summary in one line, and its files."""

    code: int
    summary: str
    errors: str
    published: Path


@pytest.fixture(scope="module")
def demo() -> Iterator[Shown]:
    """The demo, run once for all these tests and kept until it was ended, in a temporary folder of its own."""
    # Not pytest's folder, which has too long a name for sockets.
    with folder_of_processes() as folder:
        command = [sys.executable, "-c", "from pipeline.cli import main; main()", "demo", "--keep"]
        env = {name: value for name, value in os.environ.items() if not name.startswith("LOOTWIRE_")}
        # A database of the operator's must be left alone.
        env |= {"TMPDIR": str(folder), "COLUMNS": "200", "DATABASE_URL": "postgresql://127.0.0.1:1/precious"}
        out, err = folder / "out", folder / "err"
        with out.open("w") as stdout, err.open("w") as stderr:
            running = subprocess.Popen(command, env=env, cwd=folder, stdout=stdout, stderr=stderr)
        wait_for(lambda: running.poll() is not None or _stays_up(running.pid, out), 600)
        running.send_signal(signal.SIGINT)
        code = running.wait(600)
        [published] = folder.glob("lootwire-demo-*/public")
        yield Shown(code, " ".join(out.read_text().split()), err.read_text(), published)
        shutil.rmtree(published)


def _stays_up(pid: int, out: Path) -> bool:
    """Whether the demo waits for a signal: it says so a moment before it catches SIGTERM, which Python does not."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return (
        "It stays up" in out.read_text() and caught is not None and bool(int(caught[1], 16) >> signal.SIGTERM - 1 & 1)
    )


def test_it_ends_well_and_quietly(demo: Shown) -> None:
    assert demo.errors == ""
    assert demo.code == 0


def test_its_summary_tells_of_campaigns_events_and_feeds(demo: Shown) -> None:
    campaigns = re.search(r"campaigns (\d+) \((\d+) on chzzk, (\d+) on kick, (\d+) on twitch\)", demo.summary)
    assert campaigns
    assert int(campaigns[1]) >= 40
    events = re.search(r"events (\d+): .*campaign\.added", demo.summary)
    assert events
    assert int(events[1]) > 40
    formats = "feeds as RSS, Atom and JSON Feed, each with a page;"
    assert re.search(rf"feeds \d+ {formats} \d+ of them as calendars", demo.summary)


def test_streamers_go_live_and_one_of_them_off_again(demo: Shown) -> None:
    assert "3 stream.online" in demo.summary
    assert "1 stream.offline" in demo.summary
    assert "campaign.watchable" in demo.summary
    pages = sorted(path.name.rpartition("-")[0] for path in (demo.published / "channels").glob("*.html"))
    assert pages == ["coaltitsam", "ironteacup", "nimbusnell"]


def test_a_chat_badge_that_is_new_is_told_of(demo: Shown) -> None:
    [read] = [feedparser.parse(path.read_bytes()) for path in (demo.published / "services").glob("twitch.rss.xml")]
    assert "New chat badge on Twitch – Bureau Cat" in [entry.title for entry in read.entries]


def test_its_summary_tells_of_mail_and_webhook(demo: Shown) -> None:
    mail = re.search(r"mail (\d+) messages? received, the last: ", demo.summary)
    webhook = re.search(r"webhook (\d+) calls? received, the last: ", demo.summary)
    assert mail
    assert webhook
    assert int(mail[1]) >= 1
    assert int(webhook[1]) >= 1


def test_a_quiet_night_becomes_one_message_and_a_day_one_digest(demo: Shown) -> None:
    sleeper = re.search(
        r"sleeper (\d+) events waited until \d\d:\d\d UTC and came as: (?:\d+ [a-z ]+(?:, )?)+", demo.summary
    )
    digest = re.search(r"reader of digests (\d+) events waited until \d\d:\d\d UTC and came as: \d+ new", demo.summary)
    assert sleeper
    assert digest
    assert int(sleeper[1]) > 1
    assert int(digest[1]) > 1


def test_nothing_that_waited_comes_twice(demo: Shown) -> None:
    assert "perhaps again" not in demo.summary


def test_it_says_why_somebody_was_not_told(demo: Shown) -> None:
    reason = "no subscription wants it; games does not fit (wants Gloomtide Trawlers)"
    assert re.search(rf"why not\? The sleeper was not told “.+”: {re.escape(reason)}", demo.summary)


def test_a_show_has_two_episodes_to_hear_evenly_loud_and_with_chapters(demo: Shown) -> None:
    shown = re.search(
        r"show Last night at the gate: 2 episodes to hear, “The gate holds”, “Holding the gate with you”, "
        r"with chapters .*Nine Lanterns: Ashen Court; from (-\d+\.\d) to (-\d+\.\d) LUFS",
        demo.summary,
    )
    assert shown
    assert float(shown[1]) < -20
    assert abs(float(shown[2]) + 16) <= 0.5
    [path] = (demo.published / "shows").glob("*.rss.xml")
    read = feedparser.parse(path.read_bytes())
    assert not read.bozo
    for entry in read.entries:
        (enclosure,) = entry.enclosures
        file = demo.published / enclosure.href.split("/", 3)[3]
        assert file.stat().st_size == int(enclosure.length)


def test_it_names_files_that_are_there(demo: Shown) -> None:
    for name in ("index.html", "feeds.html", "all.rss.xml", "all.json", "all.ics", "feeds.opml"):
        assert re.search(rf"http://127\.0\.0\.1:\d+/{re.escape(name)}", demo.summary)
        assert (demo.published / name).stat().st_size > 0


def test_its_feeds_can_be_read(demo: Shown) -> None:
    feeds = [*demo.published.rglob("*.rss.xml"), *demo.published.rglob("*.atom.xml")]
    assert len(feeds) > 50
    for path in feeds:
        read: Any = feedparser.parse(path.read_bytes())
        assert not read.bozo, f"{path}: {read.get('bozo_exception')}"
        assert read.entries, path
        assert all(entry.id and entry.title for entry in read.entries), path


def test_its_databases_are_gone(demo: Shown) -> None:
    assert [path.name for path in demo.published.parent.iterdir()] == ["public"]
