"""Videos: when channels are looked at, and which videos are news."""

from collections import Counter
from datetime import timedelta
from typing import Any

from models import StreamSession, Video
from pipeline.channels.sources.videos import TwitchVideos
from pipeline.fetch.http import Client
from pipeline.ingest.source import Answer, Validators
from tests.pipeline.channels.polls import Polls

DAY = 60 * 24


def look(polls: Polls, minutes: float = 0) -> Any:
    return polls.round(minutes, "twitch.videos")


def announced(polls: Polls) -> list[str]:
    return [row.detail["name"] for row in polls.streaming.events("video.published")]


def test_the_first_look_is_silent_and_the_next_one_a_day_later_tells_what_is_new(polls: Polls) -> None:
    polls.follow("ann")
    polls.twitch.add_video("ann", title="Old one", type="upload", published_at=polls.now - timedelta(days=90))
    assert (look(polls).items, announced(polls)) == (1, [])
    new = polls.twitch.add_video("ann", title="How to trim a wick", type="highlight", seconds=600)
    assert look(polls, 60).items == 0

    assert dict(look(polls, DAY).events) == {"video.published": 1}
    (event,) = polls.streaming.events("video.published")
    assert event.detail["name"] == "How to trim a wick"
    assert (event.detail["seconds"], event.detail["channel_login"], event.occurred_at) == (600, "ann", new.published_at)
    assert event.channel_id == polls.channel("ann").id
    assert look(polls, DAY).events == {}
    assert {row.title: row.type for row in polls.streaming.rows(Video)} == {
        "Old one": "upload",
        "How to trim a wick": "highlight",
    }


def test_the_archive_of_a_stream_is_found_soon_after_its_end_and_not_before(polls: Polls) -> None:
    polls.follow("ann")
    look(polls)
    stream = polls.twitch.go_live("ann", title="Lamps")
    polls.round(1)
    polls.twitch.add_video("ann", title="Lamps", stream_id=stream.id, seconds=60)
    look(polls, DAY)
    assert announced(polls) == []

    polls.twitch.go_offline("ann")
    polls.round(5)
    assert dict(polls.round(5.5).events) == {"stream.offline": 1}
    assert look(polls, 1).items == 0
    look(polls, 2.5)

    assert announced(polls) == ["Lamps"]
    assert polls.streaming.rows(Video)[0].stream_id == stream.id


def test_a_title_that_changes_is_stored_and_is_no_new_video(polls: Polls) -> None:
    polls.follow("ann")
    look(polls)
    video = polls.twitch.add_video("ann", title="Draft")
    look(polls, DAY)
    video.title = "Final"
    look(polls, DAY)

    assert (announced(polls), [row.title for row in polls.streaming.rows(Video)]) == (["Draft"], ["Final"])


def test_a_video_that_is_found_days_later_is_told_to_nobody(polls: Polls) -> None:
    polls.follow("ann")
    look(polls)
    polls.twitch.add_video("ann", published_at=polls.now - timedelta(hours=30))
    look(polls, DAY)

    assert [row.silent for row in polls.streaming.events("video.published")] == [True]


def test_a_channel_without_videos_is_looked_at_once_a_day_like_any_other(polls: Polls) -> None:
    polls.follow("ann", "ben")
    polls.twitch.ban("ben")
    assert (look(polls).outcome, Counter(polls.new_requests())) == ("unchanged", {"videos": 2})
    look(polls, 60)
    assert polls.new_requests() == []


def test_many_channels_are_looked_at_some_at_a_time(polls: Polls) -> None:
    polls.follow(*(f"keeper{number}" for number in range(60)))
    look(polls)
    first = polls.new_requests()
    look(polls, 1)

    assert (len(first), len(polls.new_requests())) == (50, 10)


def test_a_stream_that_ends_while_twitch_is_asked_is_looked_for_again(polls: Polls) -> None:
    polls.follow("ann")
    look(polls)
    stream = polls.twitch.go_live("ann")
    polls.round(1)
    polls.wait(DAY)

    class Slow(TwitchVideos):
        asks = "what does not keep the polls waiting"

        def fetch(self, client: Client, validators: Validators) -> Answer:
            answer = super().fetch(client, validators)
            polls.twitch.go_offline("ann")
            polls.twitch.add_video("ann", title="Archive", stream_id=stream.id)
            polls.round(5)
            polls.round(5)
            return answer

    quick = polls.sources["twitch.videos"]
    polls.sources["twitch.videos"] = Slow(polls.engine, polls.helix, polls.clock)
    look(polls)
    polls.sources["twitch.videos"] = quick
    look(polls, 4)

    assert announced(polls) == ["Archive"]


def test_a_stream_that_began_and_ended_while_nobody_asked_is_found_by_its_video_and_told(polls: Polls) -> None:
    polls.follow("ann", "ben")
    look(polls)
    polls.round(1)
    began_at = polls.wait(10)
    stream = polls.twitch.go_live("ann", title="Short")
    polls.wait(6)
    polls.twitch.go_offline("ann")
    polls.twitch.add_video("ann", title="Short", stream_id=stream.id, seconds=360, published_at=began_at)

    gap = polls.round(14)
    assert "nobody asked from " in (gap.error or "")
    assert polls.streaming.rows(StreamSession) == []
    look(polls, 4)

    (session,) = polls.streaming.rows(StreamSession)
    assert (session.stream_id, session.title, session.silent) == (stream.id, "Short", False)
    assert (session.started_at, session.ended_at) == (began_at, began_at + timedelta(minutes=6))
    assert polls.tick(10) == {"stream.offline": 1}
    (event,) = polls.streaming.events("stream.offline")
    assert (event.occurred_at, event.silent) == (session.ended_at, False)
    assert polls.tick(10) == {}
    assert announced(polls) == ["Short"]


def test_a_round_that_comes_in_time_has_nothing_to_say_and_looks_for_nothing(polls: Polls) -> None:
    polls.follow("ann")
    look(polls)
    polls.round(5)
    assert polls.round(5).error is None
    polls.new_requests()
    look(polls, 10)
    assert polls.new_requests() == []
