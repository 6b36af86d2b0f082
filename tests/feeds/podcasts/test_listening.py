"""Podcast programs that poll over HTTP: they see each episode once, fetch its file, and go on where they were cut off.

`reader` stands for what apps know of a feed, `Fetcher` for how they fetch, and newsboat with podboat is a real podcast
program without a screen, where it is installed.
"""

import contextlib
import os
import pty
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from reader import make_reader

from models import Show, Sound
from tests.feeds.podcasts.station import Station, tone
from tests.feeds.test_readers import Counting, served
from tests.waiting import wait_for

pytestmark = pytest.mark.long

REBUILDS = 50


@pytest.fixture
def on_air(station: Station) -> Iterator[tuple[Station, str, Counting]]:
    station.world.root.mkdir()
    with served(station.world.root) as (address, application):
        yield station, address, application


def address_of(station: Station, address: str) -> str:
    (feed,) = station.feeds()
    return f"{address}/{feed}"


def test_fifty_rebuilds_show_each_episode_once(on_air: tuple[Station, str, Counting], tmp_path: Path) -> None:
    station, address, application = on_air
    show = station.show("Captain Brine", station.sound("Episode 0"))
    station.publish(address)
    seen: Counter[str] = Counter()
    fetched: dict[str, bytes] = {}
    with make_reader(str(tmp_path / "reader.sqlite")) as reader:
        url = address_of(station, address)
        reader.add_feed(url)
        for number in range(REBUILDS):
            station.world.now += timedelta(hours=1)
            if number % 5 == 1:
                station.take(show, station.sound(f"Episode {number}", at=station.world.now))
            elif number % 5 == 2:
                station.change(Sound, 1, title=f"Episode 0, told {number} times")
            elif number % 5 == 3:
                station.render(1, tone(pitch=500 + number))
            elif number % 10 == 4:
                station.change(Show, show, description=f"After {number} rebuilds")
            assert station.publish(address, everything=number % 7 == 0).failures == []
            before = {entry.id for entry in reader.get_entries()}
            reader.update_feed(url)
            assert reader.get_feed(url).last_exception is None
            for entry in reader.get_entries():
                seen.update([entry.id] if entry.id not in before else [])
                (enclosure,) = entry.enclosures
                if enclosure.href not in fetched:
                    fetched[enclosure.href] = httpx.get(enclosure.href, timeout=60).raise_for_status().content
                assert len(fetched[enclosure.href]) == enclosure.length

    assert set(seen.values()) == {1}
    assert len(seen) == 11
    # The first, nine others, and the first again each time that it was made anew.
    assert len(fetched) == 11 + 10
    assert application.answers[200] > 0


def test_a_download_that_is_cut_off_goes_on_and_one_of_other_bytes_begins_anew(
    on_air: tuple[Station, str, Counting],
) -> None:
    station, address, _ = on_air
    data = tone(seconds=30)
    sound = station.sound()
    station.render(sound, data)
    station.show("Captain Brine", sound, is_public=False)
    station.publish(address)
    (entry,) = station.feed().iter("enclosure")
    url = entry.get("url")

    head = httpx.head(url)
    assert (head.headers["content-length"], head.headers["content-type"]) == (str(len(data)), "audio/mpeg")
    assert head.headers["accept-ranges"] == "bytes"
    with httpx.stream("GET", url) as answer:
        part = next(answer.iter_raw(10_000))
    station.publish(address, everything=True)
    headers = {"Range": f"bytes={len(part)}-", "If-Range": head.headers["etag"]}
    rest = httpx.get(url, headers=headers)
    assert (rest.status_code, part + rest.content) == (206, data)
    assert rest.headers["content-range"] == f"bytes {len(part)}-{len(data) - 1}/{len(data)}"
    other = httpx.get(url, headers=headers | {"If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, data)
    assert httpx.get(url, headers={"If-None-Match": head.headers["etag"]}).status_code == 304
    assert httpx.get(url, headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    assert httpx.get(url, headers={"Range": "bytes=-5"}).content == data[-5:]


def test_what_lies_beside_is_served_as_what_it_is(on_air: tuple[Station, str, Counting]) -> None:
    station, address, _ = on_air
    vtt = b"WEBVTT\n\n00:00.000 --> 00:01.000\nAhoy\n"
    transcripts = [{"language": "en", "format": "vtt", "path": station.file("transcripts/a.vtt", vtt)}]
    chapters = [{"start": 0, "title": "Harbour"}]
    sounds = [station.sound(ending=ending, chapters=chapters, transcripts=transcripts) for ending in ("m4a", "opus")]
    station.show("Captain Brine", *sounds)
    station.publish(address)

    types = {}
    for path in sorted((station.world.root / "shows").rglob("*")):
        if path.is_file():
            answer = httpx.get(f"{address}/{path.relative_to(station.world.root)}", timeout=60)
            types["".join(path.suffixes[-2:])] = (answer.headers["content-type"], answer.headers["cache-control"])
    assert types[".chapters.json"] == ("application/json+chapters", "no-cache")
    assert types[".en.srt"] == ("application/x-subrip", "no-cache")
    assert types[".en.vtt"] == ("text/vtt; charset=utf-8", "no-cache")
    assert types[".m4a"] == ("audio/x-m4a", "public, max-age=86400")
    assert types[".opus"] == ("audio/ogg", "public, max-age=86400")
    assert types[".rss.xml"] == ("application/rss+xml; charset=utf-8", "public, max-age=300")
    assert types[".jpg"][0] == "image/jpeg"


class Newsboat:
    """A person with newsboat, which queues what is new, and podboat, which fetches it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True)
        (folder / "urls").write_text(f"{url}\n")
        self.config = f'podcast-auto-enqueue yes\ndownload-path "{self.downloads}/"\nmax-downloads 1\n'
        (folder / "config").write_text(self.config)

    def polls(self) -> list[str]:
        """Ask for the feed; returns the addresses of what is to be fetched."""
        files = [*("-u", self.folder / "urls"), *("-C", self.folder / "config"), *("-c", self.folder / "cache.db")]
        environment = os.environ | {"HOME": str(self.folder)}
        command = ["newsboat", *map(str, files), "-x", "reload"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return self.queued()

    def queued(self) -> list[str]:
        queues = [path for path in self.folder.rglob("queue") if path.is_file()]
        return [line.split()[0] for queue in queues for line in queue.read_text().splitlines() if line]

    def fetches(self, is_enough: Callable[[], bool], *, kilobytes_a_second: int = 0) -> None:
        """Run podboat on a terminal until that is enough, and kill it."""
        (self.folder / "config").write_text(f"{self.config}max-download-speed {kilobytes_a_second}\n")
        [queue] = [path for path in self.folder.rglob("queue") if path.is_file()]
        outer, inner = pty.openpty()
        environment = os.environ | {"HOME": str(self.folder), "TERM": "xterm"}
        command = ["podboat", "-a", "-q", str(queue), "-C", str(self.folder / "config")]
        with subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environment) as podboat:
            os.close(inner)
            os.set_blocking(outer, False)
            try:
                if self.parts():
                    # It begins what is new by itself, and what was cut off when it is asked to.
                    wait_for(lambda: b"Queue" in _shown(outer))
                    os.write(outer, b"d")
                wait_for(lambda: _shown(outer) is not None and is_enough())
            finally:
                podboat.kill()
                os.close(outer)

    def parts(self) -> list[Path]:
        """What was fetched in part."""
        return list(self.downloads.rglob("*.part"))

    def files(self) -> list[Path]:
        return [path for path in self.downloads.rglob("*") if path.is_file() and not path.name.endswith(".part")]


def _shown(terminal: int) -> bytes:
    """Return what came to a terminal since it was asked last."""
    shown = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            shown += part
    return shown


@pytest.mark.skipif(shutil.which("podboat") is None, reason="newsboat is not installed")
def test_newsboat_queues_each_episode_once_and_podboat_fetches_and_resumes(
    on_air: tuple[Station, str, Counting], tmp_path: Path
) -> None:
    station, address, application = on_air
    first, data = station.sound("First"), tone(seconds=20)
    station.render(first, data)
    show = station.show("Captain Brine", first)
    station.publish(address)
    person = Newsboat(tmp_path / "newsboat", address_of(station, address))
    assert len(person.polls()) == 1
    assert len(person.polls()) == 1
    person.fetches(lambda: any(part.stat().st_size > 20_000 for part in person.parts()), kilobytes_a_second=20)
    [part] = person.parts()
    assert part.stat().st_size < len(data)

    station.publish(address, everything=True)
    person.fetches(lambda: len(person.files()) == 1)
    assert [path.read_bytes() for path in person.files()] == [data]
    assert application.answers[206] == 1

    for number in range(REBUILDS):
        station.change(Sound, first, description=f"Rebuilt {number} times")
        station.publish(address, everything=number % 10 == 0)
        if number % 5 == 0:
            person.polls()
    station.take(show, station.sound("Second"))
    station.publish(address)
    assert len(set(person.polls())) == len(person.queued())
    person.fetches(lambda: len(person.files()) == 2)
    assert len(person.files()) == 2
