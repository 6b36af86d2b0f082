"""Observations on their way into the database: sessions, their parts, snapshots and events."""

from models import HeldChange, StreamSession
from tests.pipeline.channels.observations import LIGHTS, ORBIT, RUNNER, at, info, live, offline, polled, stream, updated
from tests.pipeline.channels.streaming import Streaming

DAY = 24 * 60


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


def test_a_title_that_flaps_is_told_once_each_way(streaming: Streaming) -> None:
    streaming.hear(live(0, info=info("A")))
    for minutes, title in ((10, "B"), (20, "A"), (30, "B"), (40, "A")):
        streaming.hear(updated(minutes, title))
    streaming.hear(updated(50, "B"), updated(60, "A"), updated(70, "C"), updated(80, "A"), updated(90, "C"))

    changes = [row.detail["changes"][0] for row in streaming.events("stream.title_changed")]
    assert [(change["old"], change["new"]) for change in changes] == [("A", "B"), ("B", "A"), ("A", "C"), ("C", "A")]
    assert [row.detail["name"] for row in streaming.events("stream.title_changed")] == ["B", "A", "C", "A"]
    assert len(streaming.segments()) == 10


def test_a_title_that_rests_is_told_when_the_day_of_its_flap_is_over(streaming: Streaming) -> None:
    streaming.hear(live(0, info=info("A")))
    streaming.hear(*[updated(minutes, title) for minutes, title in ((10, "B"), (20, "A"), (30, "B"))])
    assert len(streaming.events("stream.title_changed")) == 2

    assert streaming.tick(DAY + 9) == {}
    assert streaming.tick(DAY + 11) == {"stream.title_changed": 1}
    assert streaming.tick(DAY + 12) == {}
    last = streaming.events("stream.title_changed")[-1]
    assert (last.detail["name"], last.detail["changes"]) == ("B", [{"field": "title", "old": "A", "new": "B"}])
    assert last.occurred_at == at(DAY + 10)


def test_a_category_that_rests_is_told_too_though_the_stream_broke_off(streaming: Streaming) -> None:
    streaming.hear(live(0, info=info()))
    streaming.hear(*[updated(minutes, playing=key) for minutes, key in ((10, ORBIT), (20, LIGHTS), (30, ORBIT))])
    streaming.hear(offline(DAY + 8), live(DAY + 9, "s2", info=info(playing=ORBIT)))
    streaming.tick(DAY + 11)

    changes = [row.detail["changes"][0] for row in streaming.events("stream.category_changed")]
    assert [change["new"] for change in changes] == ["Quiet Orbit", "Harbour Lights", "Quiet Orbit"]


def test_of_a_stream_that_ended_its_end_shows_what_was_held_back(streaming: Streaming) -> None:
    streaming.hear(live(0, info=info("A")))
    streaming.hear(*[updated(minutes, title) for minutes, title in ((10, "B"), (20, "A"), (30, "B"))])
    streaming.hear(offline(40))
    streaming.tick(60)
    streaming.tick(DAY + 11)

    assert len(streaming.events("stream.title_changed")) == 2
    assert streaming.event("stream.offline").detail["name"] == "B"
    assert streaming.rows(HeldChange) == []


def test_messages_that_come_twice_change_nothing(streaming: Streaming) -> None:
    messages = (live(0, info=info()), updated(10, "Boats"), polled(15, stream(title="Boats")), offline(30))
    for message in messages:
        streaming.hear(message)
    streaming.tick(40)
    kinds, times, parts = streaming.kinds(), streaming.minutes(), streaming.segments()
    for message in messages:
        assert streaming.hear(message, now=41) == {}
    streaming.hear(*messages, now=42)
    streaming.tick(60)

    assert (streaming.kinds(), streaming.minutes(), streaming.segments()) == (kinds, times, parts)
    assert streaming.viewers() == [100]


def test_many_channels_at_once_and_one_of_them_in_several_streams(streaming: Streaming) -> None:
    keys = [str(600 + number) for number in range(50)]
    streaming.follow(*keys)
    streaming.hear(*(live(number, f"s{key}", key=key) for number, key in enumerate(keys)), now=50)
    streaming.hear(live(0), offline(10), live(15, "s2"), offline(20), live(25, "s3"), now=51)

    assert streaming.count(StreamSession) == 53
    first, *others = (streaming.session(key) for key in ("s1", "s2", "s3"))
    assert (first.story_id, {row.story_id for row in others}) == (None, {first.id})
    assert streaming.kinds().count("stream.online") == 51


def test_a_stream_without_a_category_or_a_title_is_told_as_it_is(streaming: Streaming) -> None:
    streaming.hear(polled(5, stream(playing=None, title=None, viewers=None, thumbnail_url=None, tags=None)))

    online = streaming.event("stream.online")
    assert (online.game_id, online.detail.get("name"), online.title) == (None, None, "Keeper 501 is live")
    assert (streaming.viewers(), streaming.segments()) == ([], [(0, None, None)])


def test_the_details_that_a_message_came_with_are_in_its_event(streaming: Streaming) -> None:
    streaming.hear(live(0, info=stream(title="Nets", viewers=9)))

    detail = streaming.event("stream.online").detail
    assert (detail["name"], detail["viewers"], detail["game"]) == ("Nets", 9, "Harbour Lights")
    assert streaming.viewers() == [9]
