"""What the child asks of yt-dlp, beyond what a local server can show: names of files, muted parts, causes of errors."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yt_dlp

from pipeline.sound.downloading.attempt import Attempt, Stopped
from pipeline.sound.downloading.guard import Guard
from pipeline.sound.downloading.wire import Limits, Progress, Request
from pipeline.sound.records import MediaInfo, Muted
from tests.pipeline.sound.hostile import hostile_titles
from tests.pipeline.sound.media_server import MediaServer


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    request = Request(act="download", url="https://a.example/", workspace=str(tmp_path), limits=Limits())
    return Attempt(request, lambda _progress: None)


@pytest.fixture
def downloader(attempt: Attempt) -> Iterator[yt_dlp.YoutubeDL]:
    with yt_dlp.YoutubeDL(attempt._options()) as opened:
        yield opened


def test_a_thousand_hostile_names_are_files_of_the_workspace(downloader: yt_dlp.YoutubeDL) -> None:
    for name in hostile_titles():
        said = {"id": name, "title": name, "uploader": name, "format_id": name, "ext": "m4a"}

        path = downloader.prepare_filename(said)

        assert Path(path).name == path, repr(name)
        assert path.startswith("original-")
        assert path.endswith(".m4a")
        assert path.isascii()
        assert len(path) < 200


def test_the_muted_parts_of_a_video_of_twitch_come_from_its_playlist(
    attempt: Attempt, downloader: yt_dlp.YoutubeDL
) -> None:
    with MediaServer() as server:
        parts = [b"x", b"y", b"z"]
        clear = server.stream("/clear/index-dvr.m3u8", parts, seconds=10)
        muted = server.stream("/v/index-muted-AB12.m3u8", parts, seconds=10, name="{}-muted.ts")
        attempt.media = MediaInfo(service="twitch", external_id="1", title="x", is_muted=True)

        assert attempt._muted(downloader, {"url": muted}) == (Muted(start=0, seconds=30),)
        assert attempt._muted(downloader, {"url": clear}) is None
        assert attempt._muted(downloader, {"url": server.url("/gone.m3u8")}) is None
        attempt.media = MediaInfo(service="youtube", external_id="1", title="x", is_muted=True)
        assert attempt._muted(downloader, {"url": muted}) is None


def test_what_caused_an_error_is_known_by_every_way_to_note_it(attempt: Attempt, tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "original-0.mp4.part"))
    extractor = yt_dlp.utils.ExtractorError("cannot write", cause=full, expected=True)
    error = yt_dlp.utils.DownloadError(f"ERROR: in {tmp_path}", (type(extractor), extractor, None))

    failure = attempt.failure(error, Guard())

    assert {"DownloadError", "ExtractorError", "OSError"} <= set(failure.names)
    assert (failure.errno_name, failure.text, failure.is_expected) == ("ENOSPC", "cannot write", True)
    assert str(tmp_path) not in attempt.failure(yt_dlp.utils.DownloadError(f"in {tmp_path}"), Guard()).text


def test_the_disk_is_looked_at_while_bytes_come(tmp_path: Path) -> None:
    said: list[Progress] = []
    request = Request(act="download", url="https://a.example/", workspace=str(tmp_path), limits=Limits(size=100))
    attempt = Attempt(request, said.append)

    attempt._progress({"status": "finished", "downloaded_bytes": 50, "total_bytes_estimate": 200.5})
    with pytest.raises(Stopped) as stopped:
        attempt._progress({"status": "finished", "downloaded_bytes": 50, "total_bytes": 101})

    assert said == [Progress(size=50, total=200, part=50 / 200.5)]
    assert stopped.value.kind == "quota"


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"live_status": "is_live"}, "live"),
        ({"live_status": "post_live"}, "live"),
        ({"is_live": True}, "live"),
        ({"live_status": "is_upcoming"}, "upcoming"),
        ({"playlist_index": 2}, "unsupported"),
    ],
)
def test_what_is_not_yet_to_be_had_or_is_one_of_many_ends_the_attempt(
    attempt: Attempt, document: dict[str, Any], kind: str
) -> None:
    with pytest.raises(Stopped) as stopped:
        attempt._look({"id": "x", "title": "x", **document})

    assert stopped.value.kind == kind
