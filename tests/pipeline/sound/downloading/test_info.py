"""What yt-dlp says of an address, read: real documents, hostile ones, and lists."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pipeline.sound.downloading.info import identity, read_info, read_listing
from pipeline.sound.downloading.wire import Entry
from pipeline.sound.records import Chapter, MediaInfo, Subtitles
from tests.paths import RECORDINGS
from tests.pipeline.sound.hostile import hostile_titles

SOUND = RECORDINGS / "sound"
needs_recordings = pytest.mark.skipif(not SOUND.is_dir(), reason=f"there are no recordings in {SOUND}")

TWITCH = {
    "extractor": "twitch:vod",
    "extractor_key": "TwitchVod",
    "id": "v123",
    "title": "Rust &amp; more",
    "webpage_url": "https://www.twitch.tv/videos/123",
    "uploader": "Shroud",
    "uploader_id": "shroud",
    "description": "one\r\n\x1b[2Jtwo",
    "duration": 3600,
    "timestamp": 1_700_000_000,
    "thumbnail": "https://img.example/1.jpg",
    "live_status": "was_live",
    "chapters": [{"start_time": 0, "title": "Rust", "end_time": 3600}],
    "formats": [{"url": "https://cdn.example/audio_only/index-muted-AB12CD.m3u8"}, "x", {"url": None}],
    "subtitles": {
        "rechat": [{"ext": "json"}],
        "en_US": [{"ext": "srt", "url": "x"}, {"ext": "vtt", "url": "y"}],
        "de": [{"ext": "srt", "url": "z"}],
        "../x": [{"ext": "vtt"}],
    },
}


def test_a_document_says_what_a_video_is() -> None:
    assert read_info(TWITCH) == MediaInfo(
        service="twitch",
        external_id="123",
        title="Rust & more",
        webpage_url="https://www.twitch.tv/videos/123",
        artist="Shroud",
        channel="Shroud",
        channel_id="shroud",
        description="one\n [2Jtwo",
        seconds=3600.0,
        published_at=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        thumbnail_url="https://img.example/1.jpg",
        chapters=(Chapter(start=0.0, title="Rust"),),
        is_muted=True,
        subtitles=(Subtitles(language="en-US", format="vtt"), Subtitles(language="de", format="srt")),
        live_status="was_live",
    )


@pytest.mark.parametrize(
    ("document", "its"),
    [
        ({"extractor_key": "Youtube", "extractor": "youtube", "id": "abc"}, ("youtube", "abc")),
        ({"ie_key": "TwitchVod", "id": "v12"}, ("twitch", "12")),
        (
            {"extractor_key": "TwitchClips", "extractor": "twitch:clips", "id": "9", "display_id": "BoldCow"},
            ("twitch", "BoldCow"),
        ),
        ({"extractor_key": "SoundcloudSet", "id": 77}, ("soundcloud", "77")),
        ({"extractor_key": "BiliBili", "extractor": "BiliBili", "id": "BV1"}, ("bilibili", "BV1")),
        ({"extractor_key": "Generic", "id": "x"}, ("generic", "x")),
        ({}, ("generic", "unknown")),
        (
            {"extractor_key": "Generic", "id": "x", "webpage_url": "https://me:pw@a.example/b/x.mp3"},
            ("generic", "a.example/b/x.mp3"),
        ),
    ],
)
def test_a_service_and_its_id_tell_a_sound_from_all_others(document: dict[str, Any], its: tuple[str, str]) -> None:
    assert identity(document) == its


def test_two_addresses_that_differ_in_their_query_are_two_sounds_whose_ids_hold_no_secret() -> None:
    pages = [f"https://a.example/get?token=SECRET&id={number}" for number in (1, 2)]
    ids = {identity({"extractor_key": "Generic", "id": "get", "webpage_url": page})[1] for page in pages}

    assert len(ids) == 2
    assert not any("SECRET" in each for each in ids)


@pytest.mark.parametrize(
    ("fields", "moment"),
    [
        ({"timestamp": 1_700_000_000}, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ({"upload_date": "20221301", "release_date": "20220617"}, datetime(2022, 6, 17, tzinfo=UTC)),
        ({"timestamp": "x", "upload_date": 20220617}, None),
        ({"timestamp": 1e11}, None),
        ({"timestamp": True}, None),
    ],
)
def test_the_time_of_publication_is_one_or_none(fields: dict[str, Any], moment: datetime | None) -> None:
    assert read_info(fields).published_at == moment


def test_a_premiere_says_when_it_begins() -> None:
    premiere = read_info({"live_status": "is_upcoming", "release_timestamp": 1_700_000_000})

    assert premiere.starts_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert read_info({"is_live": True}).live_status == "is_live"
    assert read_info({"was_live": True, "live_status": "odd"}).live_status == "was_live"


def test_a_document_of_wrong_types_is_a_sound_without_them() -> None:
    wrong = dict.fromkeys((*TWITCH, "language", "thumbnails", "channel", "track"), 7.5)

    media = read_info({**wrong, "title": ["x"], "formats": {}, "subtitles": [1], "webpage_url": "https://[::1"})

    assert media == MediaInfo(
        service="generic", external_id="unknown", title="unknown", seconds=7.5, published_at=media.published_at
    )


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "https://", "https://a b/", "https://a\n/", 3]
)
def test_an_address_of_the_web_is_one_and_no_other_is_taken(url: object) -> None:
    assert read_info({"webpage_url": url, "thumbnail": url, "thumbnails": [{"url": url}, url]}).thumbnail_url is None
    assert read_info({"webpage_url": url}).webpage_url is None


def test_a_thousand_hostile_titles_are_lines_that_can_be_stored_and_sent() -> None:
    for title in hostile_titles():
        media = read_info(
            {
                **TWITCH,
                **dict.fromkeys(("title", "uploader", "id", "description"), title),
                "chapters": [{"start_time": 0, "title": title}],
            }
        )

        lines = (media.title, media.artist or "", media.external_id, *(chapter.title for chapter in media.chapters))
        assert all(line.isprintable() and len(line) <= 500 for line in lines), repr(title)
        assert "\0" not in (media.description or "")
        assert msgspec.json.decode(msgspec.json.encode(media), type=MediaInfo) == media


def test_a_list_has_entries_with_addresses_of_their_own() -> None:
    listing = read_listing(
        {
            "_type": "playlist",
            "extractor_key": "YoutubeTab",
            "id": "PL1",
            "title": "Best of",
            "channel": "Shroud",
            "webpage_url": "https://www.youtube.com/playlist?list=PL1",
            "entries": [
                {
                    "ie_key": "Youtube",
                    "id": "a",
                    "url": "https://www.youtube.com/watch?v=a",
                    "title": "A",
                    "duration": 5,
                },
                {"ie_key": "Youtube", "id": "b", "url": "ytsearch:x"},
                {"url": "https://www.youtube.com/playlist?list=PL1"},
                None,
                {"ie_key": "Youtube", "id": "c", "url": "https://www.youtube.com/watch?v=c", "upload_date": "20260101"},
                {"ie_key": "Youtube", "id": "d", "url": "https://www.youtube.com/watch?v=d", "live_status": "is_live"},
            ],
        },
        most=2,
    )

    assert (listing.title, listing.service, listing.external_id, listing.author) == (
        "Best of",
        "youtube",
        "PL1",
        "Shroud",
    )
    assert listing.entries == (
        Entry(service="youtube", external_id="a", url="https://www.youtube.com/watch?v=a", title="A", seconds=5.0),
        Entry(
            service="youtube",
            external_id="c",
            url="https://www.youtube.com/watch?v=c",
            published_at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
    )


def test_sounds_of_one_page_are_told_apart_by_their_number() -> None:
    page = "https://a.example/page"
    entries = [{"extractor_key": "Generic", "id": "page", "webpage_url": page, "playlist_index": n} for n in (1, 2)]

    listing = read_listing({"extractor_key": "Generic", "id": "page", "webpage_url": page, "entries": entries}, 50)

    assert [entry.url for entry in listing.entries] == [f"{page}#lootwire-1", f"{page}#lootwire-2"]
    assert [entry.external_id for entry in listing.entries] == ["a.example/page#1", "a.example/page#2"]


def recorded(name: str) -> dict[str, Any]:
    path = SOUND / name
    document: dict[str, Any] = json.loads(
        gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes()
    )
    return document


# Its length, the starts of its chapters, and whether it is muted in parts.
VIDEOS = {
    "v317954062": (42325, [0, 34, 300, 1515, 3296, 17007, 21673], True),
    "v40803565": (None, [0], False),
    "v42748842": (89907, [0], False),
    "v42752098": (7545, [0], False),
    "v42752815": (78983, [0], False),
    "v438358809": (79574, [0, 898, 4823, 4952, 8386, 8936, 10406, 13622, 23331, 25896], False),
    "v440322282": (23384, [0, 4226, 4321, 9852, 14390, 16950], True),
    "v440826386": (36636, [0, 444, 2795, 5220, 8609], True),
}


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("name", VIDEOS)
def test_every_recorded_video_of_twitch_is_read(name: str) -> None:
    seconds, starts, is_muted = VIDEOS[name]

    media = read_info(recorded(f"twitch_vod_info/{name}.info.json"))

    assert (media.service, media.external_id) == ("twitch", name[1:])
    assert (media.channel, media.channel_id, media.live_status) == ("Reckful", "reckful", "was_live")
    assert (media.seconds, [chapter.start for chapter in media.chapters]) == (seconds, starts)
    assert (media.is_muted, media.muted, media.subtitles) == (is_muted, None, ())
    assert media.published_at is not None


@needs_recordings
@pytest.mark.recordings
def test_no_recorded_video_is_left_out() -> None:
    assert {path.name.partition(".")[0] for path in (SOUND / "twitch_vod_info").glob("*.json")} == set(VIDEOS)


@needs_recordings
@pytest.mark.recordings
def test_a_recording_of_youtube_has_its_27_chapters() -> None:
    media = read_info(recorded("youtube_info/was_live_27_chapters.info.json.gz"))

    assert (media.service, media.external_id, media.seconds) == ("youtube", "gogEJyoSB9s", 7205.0)
    assert (len(media.chapters), media.chapters[-1].start) == (27, 6873.0)
    assert media.chapters[0] == Chapter(start=0.0, title="Intro")
    assert media.published_at == datetime(2022, 6, 17, 17, 59, 49, tzinfo=UTC)


@needs_recordings
@pytest.mark.recordings
def test_a_recorded_channel_is_a_list() -> None:
    listing = read_listing(recorded("youtube_info/channel_tab.playlist.json"), 50)

    assert (listing.title, listing.service, listing.entries) == ("PinchflatTestChannel", "youtube", ())
