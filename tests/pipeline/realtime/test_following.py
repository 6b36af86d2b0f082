"""Followers hear of each event they may see and want, soon after it commits, and go on where they stopped."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from models.details import CampaignDetail
from models.errors import UsageError
from models.events import EventKind
from pipeline.events.append import append_events
from pipeline.events.event import NewEvent
from pipeline.events.listing import EventFilter, Viewer
from pipeline.operations.events import follow_events
from pipeline.realtime.cursor import ForeignCursor
from pipeline.realtime.epoch import begin_epoch
from pipeline.realtime.following import Followed
from pipeline.realtime.reader import beginning
from tests.waiting import wait_for

T0 = datetime(2026, 11, 1, tzinfo=UTC)
ALL = EventFilter()


def append(
    engine: Engine, *names: str, kind: EventKind = EventKind.CAMPAIGN_ADDED, person_id: int | None = None
) -> None:
    events = [
        NewEvent(kind=kind, subject=name, occurred_at=T0, detail=CampaignDetail(name=name), person_id=person_id)
        for name in names
    ]
    with engine.begin() as connection:
        append_events(connection, events, source_id=None, silent=True, now=T0)


def start_of(engine: Engine) -> str:
    with engine.begin() as connection:
        return str(beginning(connection))


@contextmanager
def following(
    engine: Engine, wanted: EventFilter = ALL, *, viewer: Viewer | None = None, after: str | None = None
) -> Iterator[list[Followed]]:
    """Follow in a thread, and give what was heard so far."""
    heard: list[Followed] = []
    ends = threading.Event()

    def run() -> None:
        # One by one, as they come.
        heard.extend(follow_events(engine, viewer, wanted, after=after, ends=ends))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield heard
    finally:
        ends.set()
        thread.join()


def test_a_follower_goes_on_where_another_stopped(engine: Engine) -> None:
    start = start_of(engine)
    append(engine, "first")
    with following(engine, after=start) as heard:
        wait_for(lambda: len(heard) == 1)
        append(engine, "second")
        wait_for(lambda: len(heard) == 2)
    append(engine, "third", "fourth")

    with following(engine, after=str(heard[0].cursor)) as again:
        wait_for(lambda: len(again) == 3)

    assert again[0] == heard[1]
    assert [each.event.id for each in [heard[0], *again]] == sorted(each.event.id for each in [heard[0], *again])


def test_a_follower_hears_what_it_wants_and_may_see(engine: Engine) -> None:
    start = start_of(engine)
    append(engine, "a campaign")
    append(engine, "its end", kind=EventKind.CAMPAIGN_ENDED)
    append(engine, "of the owner", person_id=1)

    wanted = EventFilter(kinds=["campaign.added"])
    with following(engine, wanted, viewer=Viewer(person_id=2), after=start) as heard:
        append(engine, "the last")
        wait_for(lambda: len(heard) == 2)

    assert {each.event.kind for each in heard} == {"campaign.added"}
    assert not any("of the owner" in each.event.title for each in heard)


def test_a_cursor_from_before_a_restore_is_refused(engine: Engine) -> None:
    start = start_of(engine)
    with engine.begin() as connection:
        begin_epoch(connection)

    with pytest.raises(ForeignCursor, match="begin without"):
        next(follow_events(engine, None, ALL, after=start))
    with pytest.raises(UsageError, match="no cursor"):
        next(follow_events(engine, None, ALL, after="12"))
