"""A stream in the worker's tasks: ticks poll it, the clock ends it, and a second run adds no event."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from models import Source, StreamSession
from pipeline.runtime.runtime import utc_now
from tasks import fetch, ticks
from tests.pipeline.channels.streaming import Streaming
from tests.tasks.installation import AtWork
from tests.twitch import LocalTwitch


@pytest.fixture
def helix(installation: AtWork, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalTwitch]:
    """A Twitch that has an application of ours."""
    with LocalTwitch() as twitch:
        monkeypatch.setenv("TWITCH_CLIENT_ID", twitch.client_id)
        monkeypatch.setenv("TWITCH_CLIENT_SECRET", twitch.client_secret)
        monkeypatch.setenv("LOOTWIRE_HELIX_URL", twitch.helix_url)
        monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
        installation.reopen()
        yield twitch


def make_due(installation: AtWork) -> None:
    with installation.engine.begin() as connection:
        connection.execute(update(Source).values(next_due_at=utc_now()))


def stream_events(installation: AtWork) -> list[str]:
    return sorted((key for key in installation.event_keys() if key.startswith("stream.")), reverse=True)


def test_a_stream_is_polled_and_its_end_is_told_by_the_clock(installation: AtWork, helix: LocalTwitch) -> None:
    user, now = helix.add_user("ann"), utc_now()
    Streaming(installation.engine).follow_all([(user.id, user.login)], now - timedelta(hours=9))
    stream = helix.go_live("ann", started_at=now - timedelta(hours=1))
    make_due(installation)
    ticks.fetch_due()
    assert "twitch.streams" in {hint.args[0] for hint in installation.hints("fetch.source")}
    fetch.source("twitch.streams")
    make_due(installation)
    fetch.source("twitch.streams")
    assert stream_events(installation) == [f"stream.online:twitch:{stream.id}"]

    with installation.engine.begin() as connection:
        connection.execute(update(StreamSession).values(ended_at=now - timedelta(minutes=9.5)))
    ticks.advance_clock()
    assert len(stream_events(installation)) == 1
    with installation.engine.begin() as connection:
        connection.execute(update(StreamSession).values(ended_at=now - timedelta(minutes=10.5)))
    ticks.advance_clock()
    ticks.advance_clock()

    assert stream_events(installation) == [f"stream.online:twitch:{stream.id}", f"stream.offline:twitch:{stream.id}"]
    assert installation.hints("send.due")
