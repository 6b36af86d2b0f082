"""A clock that was set makes no message of Twitch's old, or of the future: each is judged by Twitch's own time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from pipeline.channels.eventsub.inbox import handle, keep_all
from pipeline.channels.eventsub.messages import Notification
from tests.pipeline.channels.observations import FLAP, at, channel
from tests.pipeline.channels.streaming import Streaming


def message(kind: str, minutes: float, **event: str) -> Notification:
    """A message of the streamer ann's, sent so many minutes after noon."""
    ann = channel("1")
    broadcaster = {"broadcaster_user_id": "1", "broadcaster_user_login": ann.login, "broadcaster_user_name": ann.login}
    return Notification(
        message_id=f"{kind} {minutes}", type=kind, version="1", event=broadcaster | event, sent_at=at(minutes)
    )


@pytest.mark.parametrize("ahead", [timedelta(hours=26), timedelta(days=-1), timedelta(days=400)], ids=str)
def test_what_comes_while_the_clock_is_wrong_is_told_at_once_and_at_its_time(engine: Engine, ahead: timedelta) -> None:
    streaming = Streaming(engine)
    streaming.follow("1")

    def take(messages: Sequence[Notification], now: datetime) -> None:
        keep_all(engine, messages, via="websocket", now=now)
        handle(engine, lambda _: {}, lambda: now, flap=FLAP, on_events=lambda: None)

    take([message("stream.online", 0, id="s1", type="live", started_at=at(0).isoformat())], at(0.1) + ahead)
    take([message("stream.offline", 40)], at(40.1) + ahead)
    assert [(row.kind, row.silent, row.occurred_at) for row in streaming.events()] == [("stream.online", False, at(0))]
    # The next message comes when the flap's time is over.
    take([message("stream.online", 60, id="s2", type="live", started_at=at(60).isoformat())], at(60.1) + ahead)
    assert [(row.kind, row.silent, row.occurred_at) for row in streaming.events()][1:] == [
        ("stream.offline", False, at(40)),
        ("stream.online", False, at(60)),
    ]
