"""Chapters and muted parts, from documents of services and from our own segments."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.sound.chapters import (
    NO_CATEGORY,
    Part,
    chapters_of_info,
    chapters_of_stream,
    muted_of_helix,
    muted_of_playlist,
)
from pipeline.sound.records import Chapter, Muted

BEGAN = datetime(2026, 11, 1, 20, tzinfo=UTC)


def part(minutes: float, game: str | None, title: str | None = None, game_id: int | None = None) -> Part:
    return Part(started_at=BEGAN + timedelta(minutes=minutes), game=game, game_id=game_id, title=title)


def starts(chapters: tuple[Chapter, ...]) -> list[tuple[float, str]]:
    return [(chapter.start, chapter.title) for chapter in chapters]


def test_a_documents_chapters_are_in_order_each_once_and_none_is_beyond_the_end() -> None:
    raw = [
        {"start_time": 60, "title": " Rust\n"},
        {"start_time": 0, "title": "Talk"},
        {"start_time": 60.0, "title": "Rust again"},
        {"start_time": 90, "title": ""},
        {"start_time": 600, "title": "Beyond"},
    ]

    assert starts(chapters_of_info(raw, 600)) == [(0, "Talk"), (60, "Rust"), (90, "Chapter 3")]


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        ["Rust", None, 3],
        [{"start_time": None, "title": "x"}],
        [{"start_time": -1, "title": "x"}, {"start_time": float("nan")}, {"start_time": "0"}, {"start_time": True}],
    ],
)
def test_what_is_no_chapter_is_left_out(raw: list[object] | None) -> None:
    assert chapters_of_info(raw, None) == ()


def test_a_chapter_that_goes_on_with_the_one_before_it_is_none() -> None:
    raw = [
        {"start_time": 0, "title": "Rust"},
        {"start_time": 50, "title": "Rust"},
        {"start_time": 70, "title": "Chess"},
    ]

    assert starts(chapters_of_info(raw, None)) == [(0, "Rust"), (70, "Chess")]


def test_a_chapters_title_is_one_line_that_moves_no_cursor() -> None:
    (chapter,) = chapters_of_info([{"start_time": 0, "title": "a\x1b[2J\u202eb\r\n" + "c" * 500}], None)

    assert chapter.title.isprintable()
    assert len(chapter.title) <= 200


def test_a_stream_has_a_chapter_for_each_of_its_categories_in_the_recordings_time() -> None:
    parts = [
        part(-5, "Just Chatting", game_id=1),
        part(30, "Rust", game_id=2),
        part(40, "Rust", game_id=2, title="new"),
    ]

    chapters = chapters_of_stream(parts, BEGAN, 3600)

    assert chapters == (
        Chapter(start=0.0, title="Just Chatting", game_id=1),
        Chapter(start=1800.0, title="Rust", game_id=2),
    )


def test_parts_before_and_after_a_recording_are_none_of_its_chapters() -> None:
    parts = [part(-60, "Chess"), part(-10, "Talk"), part(5, "Rust"), part(90, "Dota")]

    assert starts(chapters_of_stream(parts, BEGAN, 3600)) == [(0, "Talk"), (300, "Rust")]


def test_a_slip_of_seconds_is_no_chapter() -> None:
    parts = [part(0, "Talk"), part(5, "Chess"), part(5.1, "Talk"), part(20, "Rust")]

    assert starts(chapters_of_stream(parts, BEGAN, 3600)) == [(0, "Talk"), (1200, "Rust")]


def test_the_first_chapter_begins_with_the_recording_also_where_the_stream_was_seen_later() -> None:
    assert starts(chapters_of_stream([part(3, "Rust"), part(9, "Chess")], BEGAN, 3600)) == [(0, "Rust"), (540, "Chess")]


def test_a_part_without_a_category_is_named_by_its_title() -> None:
    parts = [part(0, None, "Drawing"), part(5, None, " ")]

    assert starts(chapters_of_stream(parts, BEGAN, 3600)) == [(0, "Drawing"), (300, NO_CATEGORY)]


def test_where_the_length_is_unknown_the_streams_end_is_the_recordings() -> None:
    parts = [part(0, "Talk"), part(59, "Rust"), part(61, "Chess")]

    assert starts(chapters_of_stream(parts, BEGAN, None, BEGAN + timedelta(hours=1))) == [(0, "Talk"), (3540, "Rust")]
    assert len(chapters_of_stream(parts, BEGAN, None)) == 3


def test_a_recording_of_a_few_seconds_has_its_one_chapter_and_one_that_nobody_saw_none() -> None:
    assert starts(chapters_of_stream([part(0, "Rust")], BEGAN, 4)) == [(0, "Rust")]
    assert chapters_of_stream([], BEGAN, 3600) == ()


def test_muted_parts_of_helix_that_touch_are_one() -> None:
    raw = [{"duration": 180, "offset": 360}, {"duration": 180, "offset": 180}, {"duration": 30, "offset": 900}]

    assert muted_of_helix(raw) == (Muted(start=180, seconds=360), Muted(start=900, seconds=30))


def test_where_helix_said_nothing_of_muting_nothing_is_known_and_nonsense_is_left_out() -> None:
    assert muted_of_helix(None) is None
    assert muted_of_helix([]) == ()
    assert muted_of_helix([{"duration": 0, "offset": 5}, {"offset": 5}, {"duration": -1, "offset": "x"}]) == ()


def test_a_playlist_of_twitch_names_its_muted_parts() -> None:
    playlist = "#EXTM3U\n#EXTINF:10.000,\n0.ts\n#EXTINF:10.005,\n1-muted.ts\n#EXTINF:9.995,\n2-unmuted.ts?x=1\n#EXTINF:10,\n3.ts\n#EXTINF:4.5,\nhttps://edge.example/a-muted.b/4-muted.ts\n#EXT-X-ENDLIST"

    assert muted_of_playlist(playlist) == (Muted(start=10.0, seconds=20.0), Muted(start=40.0, seconds=4.5))
    assert muted_of_playlist("<html>") == ()
