"""Which entries of a list and which clips a show wants."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.services.twitch.records import ClipRecord
from pipeline.sound.downloading.wire import Entry
from pipeline.sound.following.wanting import Wish, wants_clip, wants_entry

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
WISH = Wish(kinds=("clip",), since=NOW)


def entry(**fields: object) -> Entry:
    return Entry(service="x", external_id="1", url="https://x.example/1", **fields)  # type: ignore[arg-type]


def clip(**fields: object) -> ClipRecord:
    usual = {"title": "Ace", "url": "https://clips.example/Ace", "created_at": NOW, "seconds": 30.0}
    return ClipRecord(**{"external_id": "Ace", "channel_id": "1", **usual, **fields})  # type: ignore[arg-type]


def test_what_a_list_leaves_out_is_no_reason_against_an_entry() -> None:
    assert wants_entry(Wish(kinds=(), since=NOW, longer_than=60), entry())


@pytest.mark.parametrize(
    "unwanted",
    [
        entry(published_at=NOW - timedelta(seconds=1)),
        entry(live_status="is_live"),
        entry(live_status="is_upcoming"),
        entry(title="Something else"),
        entry(title="The NEWS", seconds=59),
    ],
)
def test_an_entry_that_is_old_live_short_or_called_otherwise_is_unwanted(unwanted: Entry) -> None:
    assert not wants_entry(Wish(kinds=(), since=NOW, title_has="news", longer_than=60), unwanted)
    assert wants_entry(Wish(kinds=(), since=NOW, title_has="news", longer_than=60), entry(title="The NEWS", seconds=60))


def test_clips_are_wanted_where_they_are_asked_for_and_new() -> None:
    assert wants_clip(WISH, clip())
    assert not wants_clip(Wish(kinds=("archive",), since=NOW), clip())
    assert not wants_clip(WISH, clip(created_at=NOW - timedelta(minutes=1)))


def test_a_clip_of_another_category_is_unwanted() -> None:
    of_rust = Wish(kinds=("clip",), since=NOW, twitch_game_id="263490", is_of_a_game=True)
    assert wants_clip(of_rust, clip(game_id="263490"))
    assert not wants_clip(of_rust, clip(game_id="1"))
    # A game that Twitch does not know has no clips there.
    assert not wants_clip(Wish(kinds=("clip",), since=NOW, is_of_a_game=True), clip(game_id=None))
