"""What events of sounds show, and what makes them the same event."""

from datetime import UTC, datetime, timedelta

from models.details import SoundDetail
from models.words import title
from pipeline.sound.details import Shown, expiring_event, failed_event, ready_event
from pipeline.sound.records import Chapter, Muted, Trouble

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
SHOWN = Shown(
    person_id=1,
    title="Wipe day",
    url="https://twitch.tv/videos/1",
    show="Ann, last night",
    seconds=3600.4,
    chapters=[Chapter(start=0, title="Rust")],
    muted=[Muted(start=10, seconds=180), Muted(start=400, seconds=180)],
)


def test_a_sound_is_ready_once() -> None:
    event = ready_event(SHOWN, "abc", NOW)
    assert event.event_key == ready_event(SHOWN, "abc", NOW + timedelta(days=1)).event_key
    assert isinstance(event.detail, SoundDetail)
    assert (event.detail.seconds, event.detail.chapters, event.detail.muted_seconds) == (3600, ("Rust",), 360)
    assert title(event.kind, None, event.detail) == "Ready to hear – Ann, last night: Wipe day (1 h)"


def test_each_try_that_fails_is_an_event_with_its_way_out() -> None:
    trouble = Trouble(kind="sign_in", reason="it wants a sign-in", way_out="give cookies")
    first, second = (failed_event(SHOWN, 7, fence, trouble, NOW) for fence in (1, 2))
    assert first.event_key != second.event_key
    assert isinstance(first.detail, SoundDetail)
    assert (first.detail.error_kind, first.detail.way_out) == ("sign_in", "give cookies")


def test_a_sound_expires_once_for_a_show_and_a_time() -> None:
    keys = {
        expiring_event(SHOWN, "abc", show_id, NOW + timedelta(days=days), NOW, "the show keeps 2 episodes").event_key
        for show_id, days in ((1, 1), (1, 1), (2, 1), (1, 2))
    }
    assert len(keys) == 3
