"""Which of a service's formats is fetched: sound alone first, else the smallest video that has sound."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yt_dlp

from pipeline.sound.downloading.attempt import FORMATS, item_of
from tests.paths import RECORDINGS

SOUND = RECORDINGS / "sound"
VIDEOS = sorted((SOUND / "twitch_vod_info").glob("*.json"))


def chosen(document: dict[str, Any]) -> str:
    with yt_dlp.YoutubeDL({"format": FORMATS, "quiet": True, "no_warnings": True, "js_runtimes": {}}) as downloader:
        return str(downloader.process_ie_result(document, download=False)["format_id"])


def offering(*formats: dict[str, Any]) -> dict[str, Any]:
    video = {"vcodec": "avc1", "acodec": "mp4a", "ext": "mp4"}
    listed = [{**video, "url": f"https://a.example/{each['format_id']}", **each} for each in formats]
    return {"id": "x", "title": "x", "extractor": "test", "extractor_key": "Test", "formats": listed}


def test_aac_alone_goes_before_other_sound_and_that_before_video() -> None:
    video = {"format_id": "video", "height": 1080}
    opus = {"format_id": "sound", "vcodec": "none", "acodec": "opus", "ext": "webm", "abr": 160}
    aac = {"format_id": "aac", "vcodec": "none", "acodec": "mp4a.40.2", "ext": "m4a", "abr": 128}

    assert chosen(offering(video, opus, aac)) == "aac"
    assert chosen(offering(video, opus)) == "sound"


def test_the_smallest_video_that_has_sound_is_fetched_where_there_is_no_sound_alone() -> None:
    small = {"format_id": "160p", "height": 160}
    silent = {"format_id": "silent", "height": 90, "acodec": "none"}

    assert chosen(offering(silent, small, {"format_id": "720p", "height": 720})) == "160p"


def test_a_format_of_which_nothing_is_said_is_fetched() -> None:
    assert chosen(offering({"format_id": "0", "vcodec": None, "acodec": None})) == "0"


@pytest.mark.parametrize(
    ("url", "item"),
    [("https://a/x", ("https://a/x", None)), ("https://a/x#lootwire-2", ("https://a/x", 2))]
    + [(f"https://a/x#{end}", (f"https://a/x#{end}", None)) for end in ("lootwire-", "lootwire-0", "lootwire-x", "2")],
)
def test_an_address_may_name_the_number_of_a_sound_on_its_page(url: str, item: tuple[str, int | None]) -> None:
    assert item_of(url) == item


@pytest.mark.recordings
@pytest.mark.skipif(not SOUND.is_dir(), reason=f"there are no recordings in {SOUND}")
@pytest.mark.parametrize("path", VIDEOS, ids=lambda path: path.name.partition(".")[0])
def test_of_every_recorded_video_of_twitch_the_sound_alone_is_fetched(path: Path) -> None:
    assert chosen(json.loads(path.read_bytes())) == "Audio_Only"


@pytest.mark.recordings
@pytest.mark.skipif(not SOUND.is_dir(), reason=f"there are no recordings in {SOUND}")
def test_of_a_recording_of_youtube_the_best_aac_is_fetched() -> None:
    recorded = json.loads(gzip.decompress((SOUND / "youtube_info" / "was_live_27_chapters.info.json.gz").read_bytes()))

    assert chosen(recorded) == "140"
