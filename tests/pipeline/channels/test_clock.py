"""Stories that are over, and sessions of channels that are no longer watched."""

from datetime import timedelta

from sqlalchemy import update

from models import Channel, StreamSession
from tests.pipeline.channels.observations import ANN, LIGHTS, ORBIT, at, live, offline, polled, stream, updated
from tests.pipeline.channels.streaming import Streaming


def test_a_story_of_several_streams_is_told_once_at_its_end_with_its_whole_recap(streaming: Streaming) -> None:
    streaming.hear(live(0, info=stream(viewers=100)))
    streaming.hear(offline(60))
    streaming.hear(live(65, "s2", info=stream(stream_id="s2", start=65, viewers=300)))
    assert streaming.tick(70) == {}
    streaming.hear(offline(125))
    assert streaming.tick(134) == {}

    assert streaming.tick(135) == {"stream.offline": 1}
    assert streaming.tick(136) == {}
    event = streaming.event("stream.offline")
    recap = event.detail["recap"]
    assert (recap["seconds"], recap["peak_viewers"]) == (120 * 60, 300)
    assert (event.occurred_at, recap["started_at"]) == (at(125), "2031-03-04T12:00:00Z")
    assert {row.told_at for row in streaming.rows(StreamSession)} == {at(135)}
    assert streaming.kinds() == ["stream.online", "stream.offline"]


def test_a_stream_that_is_back_after_its_end_was_told_is_told_no_second_time(streaming: Streaming) -> None:
    streaming.hear(live(0), offline(30))
    streaming.tick(40)
    streaming.hear(polled(45, stream()))
    assert streaming.minutes() == (0, None)
    streaming.hear(offline(60))
    streaming.tick(70)

    assert streaming.kinds() == ["stream.online", "stream.offline"]
    assert (streaming.minutes(), streaming.session().told_at) == ((0, 60), at(70))


def test_ends_are_told_where_only_observations_come_and_no_clock_ticks(streaming: Streaming) -> None:
    streaming.follow("502")
    streaming.hear(live(0), offline(30))

    assert streaming.hear(polled(41, channels=[ANN, "502"])) == {"stream.offline": 1}


def test_a_clock_that_was_stopped_tells_what_is_over_when_it_goes_again(streaming: Streaming) -> None:
    streaming.follow("502")
    streaming.hear(live(0), offline(30), live(20, "s2", key="502"))

    assert streaming.tick(90) == {"stream.offline": 1}
    assert streaming.event("stream.offline").occurred_at == at(30)
    assert streaming.minutes("s2") == (20, None)


def test_an_end_that_nobody_could_tell_for_a_day_is_told_to_nobody(streaming: Streaming) -> None:
    streaming.hear(live(0), offline(30))
    streaming.tick(30 + 60 * 24)

    assert [row.silent for row in streaming.events()] == [False, True]


def test_a_channel_that_is_unfollowed_in_the_middle_of_its_stream_is_closed_in_silence(streaming: Streaming) -> None:
    streaming.hear(live(0), polled(20, stream()))
    streaming.unfollow()
    streaming.tick(25)
    streaming.tick(60)

    assert streaming.kinds() == ["stream.online"]
    assert (streaming.minutes(), streaming.session().told_at) == ((0, 20), at(25))
    streaming.hear(polled(65, stream(), channels=()))
    assert streaming.minutes() == (0, 20)


def test_a_channel_that_is_followed_again_goes_on_with_its_stream(streaming: Streaming) -> None:
    streaming.hear(live(0), polled(20, stream()))
    streaming.unfollow()
    streaming.tick(25)
    streaming.follow(ANN, since=30)
    streaming.hear(polled(35, stream()))
    streaming.hear(offline(50))
    streaming.tick(60)

    assert (streaming.minutes(), streaming.kinds()) == ((0, 50), ["stream.online", "stream.offline"])


def test_an_end_that_was_not_told_when_the_channel_was_unfollowed_is_not_told_at_all(streaming: Streaming) -> None:
    streaming.hear(live(0), offline(20))
    streaming.unfollow()
    streaming.tick(40)

    assert (streaming.kinds(), streaming.session().told_at) == (["stream.online"], at(40))


def test_a_stream_that_was_recorded_for_its_category_is_not_closed(streaming: Streaming) -> None:
    streaming.unfollow()
    streaming.follow_category(LIGHTS)
    streaming.hear(polled(5, stream(), channels=()))
    streaming.hear(updated(10, playing=ORBIT))
    streaming.tick(12)

    assert streaming.minutes() == (0, None)


def test_videos_are_to_be_looked_for_soon_after_a_stream(streaming: Streaming) -> None:
    with streaming.engine.begin() as connection:
        connection.execute(update(Channel).values(videos_due_at=at(500)))
    streaming.hear(live(0), offline(20))
    streaming.tick(30)

    (channel,) = streaming.rows(Channel)
    assert channel.videos_due_at - at(30) < timedelta(minutes=10)


def test_the_end_of_a_rerun_is_settled_and_told_to_nobody(streaming: Streaming) -> None:
    streaming.hear(live(0, type="rerun", info=stream()), offline(30))

    assert streaming.tick(41) == {}
    assert streaming.kinds() == ["stream.rerun"]
    assert streaming.session().told_at == at(41)
    assert (streaming.session().type, streaming.event("stream.rerun").detail["type"]) == ("rerun", "rerun")


def test_the_end_of_a_live_stream_is_told_while_a_rerun_follows_it(streaming: Streaming) -> None:
    streaming.hear(live(0, info=stream(viewers=100)), offline(60))
    streaming.hear(live(62, "s2", type="rerun", info=stream(stream_id="s2", start=62, viewers=900)))

    assert streaming.tick(71) == {"stream.offline": 1}
    recap = streaming.event("stream.offline").detail["recap"]
    assert (recap["seconds"], recap["peak_viewers"]) == (60 * 60, 100)
    assert streaming.minutes("s2") == (62, None)
