"""Observations on their way into the database: sessions, their parts, snapshots and events."""

from tests.pipeline.streams.streaming import Streaming
from tests.pipeline.streams.told import ORBIT, RUNNER, info, live, offline, polled, stream, updated


def test_a_stream_from_its_start_to_its_end(streaming: Streaming) -> None:
    streaming.hear(live(0, info=info()))
    streaming.hear(polled(5, stream(viewers=100)))
    streaming.hear(updated(10, title="Lamps and boats"))
    streaming.hear(polled(15, stream(title="Lamps and boats", viewers=300)))
    streaming.hear(updated(20, title="Lamps and boats", playing=RUNNER))
    streaming.hear(offline(30))

    assert streaming.kinds() == ["stream.online", "stream.title_changed", "stream.category_changed"]
    assert streaming.tick(39.9) == {}
    assert streaming.tick(40) == {"stream.offline": 1}
    assert streaming.minutes() == (0, 30)
    assert [part[:2] for part in streaming.segments()] == [
        (0, "Lamps"),
        (10, "Lamps and boats"),
        (20, "Lamps and boats"),
    ]
    assert streaming.viewers() == [100, 300]


def test_what_events_of_a_stream_say(streaming: Streaming) -> None:
    streaming.hear(polled(1, stream(viewers=42)))
    streaming.hear(polled(6, stream(playing=ORBIT, title="Stars")))
    streaming.hear(offline(20), now=40)

    online, category, offline_event = (
        streaming.event(f"stream.{kind}") for kind in ("online", "category_changed", "offline")
    )
    assert online.detail == {
        "name": "Lamps",
        "url": "https://www.twitch.tv/keeper501",
        "image_url": "https://art.example.org/live-640x360.jpg",
        "game": "Harbour Lights",
        "start_at": "2031-03-04T12:00:00Z",
        "channel": "Keeper 501",
        "channel_login": "keeper501",
        "viewers": 42,
        "language": "en",
        "tags": ["cosy"],
    }
    assert online.title == "Keeper 501 is live: Harbour Lights – Lamps"
    assert category.detail["changes"] == [{"field": "category", "old": "Harbour Lights", "new": "Quiet Orbit"}]
    assert offline_event.detail["recap"]["seconds"] == 1200
    assert [c["name"] for c in offline_event.detail["recap"]["categories"]] == ["Quiet Orbit", "Harbour Lights"]
    assert offline_event.occurred_at == streaming.session().ended_at
    assert {row.channel_id for row in streaming.events()} == {streaming.session().channel_id}
