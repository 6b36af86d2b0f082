"""What a write of a playthrough tells."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from models.events import EventKind
from pipeline.library.journal.news import Played, event_of, is_recent, news_of

NOON, TODAY = datetime(2026, 11, 29, 12, tzinfo=UTC), date(2026, 11, 29)
PLAYING = Played(id=1, game_id=2, game="Ico", status="playing")
OVER = msgspec.structs.replace(PLAYING, status="finished", finished="2026-11-28", seconds=3600, rating=87.6)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, PLAYING, EventKind.PLAY_STARTED),
        (msgspec.structs.replace(PLAYING, status="backlog"), PLAYING, EventKind.PLAY_STARTED),
        (msgspec.structs.replace(PLAYING, status="paused"), PLAYING, None),
        (PLAYING, OVER, EventKind.PLAY_FINISHED),
        (OVER, msgspec.structs.replace(OVER, finished="2026-11"), None),
        (None, msgspec.structs.replace(PLAYING, status="abandoned", finished="2026"), None),
    ],
)
def test_a_beginning_and_an_end_are_news_and_an_edit_is_none(
    before: Played | None, after: Played, expected: EventKind | None
) -> None:
    assert news_of(before, after) == expected


def test_an_end_of_yesterday_is_told_and_one_of_2012_is_history() -> None:
    event, is_silent = event_of(EventKind.PLAY_FINISHED, 1, OVER, NOON, TODAY)
    old, is_old_silent = event_of(
        EventKind.PLAY_FINISHED, 1, msgspec.structs.replace(OVER, finished="2012"), NOON, TODAY
    )

    assert (is_silent, event.occurred_at, event.person_id, event.is_private) == (False, NOON, 1, True)
    assert (is_old_silent, old.occurred_at) == (True, datetime(2012, 12, 31, 12, tzinfo=UTC))
    assert event.event_key == old.event_key


@pytest.mark.parametrize(
    ("when", "expected"), [("2026-11-28", True), ("2026-11-27", False), ("2026", True), (None, True), ("2012", False)]
)
def test_a_date_may_be_recent_as_far_as_it_is_known(when: str | None, *, expected: bool) -> None:
    assert is_recent(when, TODAY) is expected
