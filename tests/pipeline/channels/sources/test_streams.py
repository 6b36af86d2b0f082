"""Rounds of polling from end to end: the worker's own code polls the local Twitch, and rows and events follow."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update
from sqlalchemy.event import listen, remove

from models import AllowedChannel, DropCampaign, EventSubMessage, Game, Source, StreamSession, StreamSnapshot
from pipeline.channels.sources.streams import TwitchStreams
from pipeline.fetch.http import Client
from pipeline.ingest.fetching import fetch_source
from pipeline.ingest.source import Answer, Validators
from pipeline.programs.clock_jump import put_right
from pipeline.runtime.heartbeat import CLOCK, beat
from pipeline.runtime.runtime import utc_now
from tests.pipeline.channels.observations import FLAP
from tests.pipeline.channels.polls import EVERY, Polls


def test_a_stream_that_only_polls_see(polls: Polls) -> None:
    polls.twitch.add_category("7001", "Harbour Lights")
    polls.follow("ann", "ben")
    polls.round()
    polls.wait(1)
    began = polls.twitch.go_live("ann", title="Lamps", category="7001", viewers=40)

    seen = polls.round(4)
    assert (seen.outcome, seen.items, dict(seen.events)) == ("ok", 1, {"stream.online": 1})
    session = polls.streaming.session(began.id)
    assert (session.started_at, session.title, session.silent) == (began.started_at, "Lamps", False)
    assert polls.streaming.event("stream.online").detail["game"] == "Harbour Lights"

    polls.twitch.set_viewers("ann", 60)
    assert polls.round(5).outcome == "unchanged"
    last_seen = polls.now
    polls.twitch.go_offline("ann")
    polls.round(5)
    assert polls.streaming.session(began.id).ended_at is None
    # When the second round misses it, more than the flap's time has passed since it was last seen.
    assert dict(polls.round(5.5).events) == {"stream.offline": 1}
    assert polls.streaming.session(began.id).ended_at == last_seen
    assert polls.streaming.viewers(began.id) == [40, 60]
    assert polls.streaming.event("stream.offline").detail["recap"]["peak_viewers"] == 60


def test_a_stream_that_was_live_before_the_channel_was_followed_is_told_to_nobody(polls: Polls) -> None:
    polls.follow("ann")
    polls.twitch.go_live("ann", started_at=polls.now - timedelta(hours=2))

    polls.round()
    polls.twitch.go_offline("ann")
    polls.round(5)
    polls.round(5)
    polls.tick(10)

    assert [(row.kind, row.silent) for row in polls.streaming.events()] == [
        ("stream.online", True),
        ("stream.offline", True),
    ]


def test_what_happened_more_than_a_day_ago_is_told_to_nobody(polls: Polls) -> None:
    polls.follow("ann")
    polls.wait(5)
    polls.twitch.go_live("ann")
    polls.round(60 * 25)

    assert [row.silent for row in polls.streaming.events()] == [True]


def test_the_network_is_away_for_an_hour_and_the_stream_goes_on(polls: Polls) -> None:
    polls.follow("ann")
    began = polls.twitch.go_live("ann")
    polls.round(1)
    polls.twitch.fail("/helix/streams", 503, times=3)
    assert polls.round(30).outcome == "failed"
    polls.round(30)

    assert polls.streaming.kinds() == ["stream.online"]
    assert [row.stream_id for row in polls.streaming.rows(StreamSession, ended_at=None)] == [began.id]


def test_the_network_is_away_for_an_hour_in_which_one_stream_ends_and_another_begins(polls: Polls) -> None:
    polls.follow("ann", "ben")
    gone, before = polls.twitch.go_live("ann"), polls.twitch.go_live("ben")
    polls.round(1)
    last_seen = polls.now
    polls.wait(20)
    polls.twitch.go_offline("ann")
    polls.twitch.go_offline("ben")
    polls.wait(30)
    after = polls.twitch.go_live("ben")
    polls.round(9)
    polls.round(5)

    ended = {row.stream_id: row.ended_at for row in polls.streaming.rows(StreamSession)}
    assert ended == {gone.id: last_seen, before.id: last_seen, after.id: None}
    assert sorted(polls.streaming.kinds()) == ["stream.offline"] * 2 + ["stream.online"] * 3


def test_a_list_that_lags_shows_a_stream_late_and_its_end_too(polls: Polls) -> None:
    polls.follow("ann")
    polls.twitch.list_lag = 150
    began = polls.twitch.go_live("ann")
    assert polls.round(2).items == 0
    assert polls.round(2).items == 1
    polls.twitch.go_offline("ann")
    assert polls.round(2).items == 1
    polls.round(2)
    polls.round(5)

    session = polls.streaming.session(began.id)
    assert (session.ended_at - session.started_at, polls.streaming.count(StreamSession)) == (timedelta(minutes=6), 1)


def test_a_rename_is_noticed_and_the_channel_stays(polls: Polls) -> None:
    polls.follow("ann")
    polls.round()
    row_id = polls.channel("ann").id
    polls.twitch.rename("ann", "anna", "Anna")
    polls.round(60 * 23)
    assert polls.channel("ann").former_logins == []

    polls.round(60 * 1.1)
    renamed = polls.channel("anna")
    assert (renamed.id, renamed.former_logins, renamed.display_name) == (row_id, ["ann"], "Anna")


def test_a_rename_shows_in_a_stream_at_once(polls: Polls) -> None:
    polls.follow("ann")
    polls.round()
    polls.twitch.rename("ann", "anna")
    polls.twitch.go_live("anna")
    polls.round(1)

    assert polls.channel("anna").former_logins == ["ann"]
    assert polls.streaming.event("stream.online").detail["url"] == "https://www.twitch.tv/anna"


def test_the_box_art_of_a_category_is_asked_for_once(polls: Polls) -> None:
    polls.twitch.add_category("7001", "Harbour Lights", igdb_id="12")
    polls.follow("ann")
    polls.twitch.go_live("ann", category="7001")
    polls.round()
    polls.new_requests()
    polls.round(5)
    assert Counter(polls.new_requests()) == {"streams": 1, "games": 1}
    (known,) = polls.streaming.rows(Game)
    assert known.box_art_url == "https://static-cdn.jtvnw.net/ttv-boxart/7001_IGDB-285x380.jpg"
    polls.round(5)
    assert polls.new_requests() == ["streams"]


def test_a_user_that_is_gone_is_not_asked_for_in_every_round(polls: Polls) -> None:
    polls.follow("ann")
    polls.twitch.ban("ann")
    polls.round()
    polls.new_requests()
    polls.round(5)

    assert polls.new_requests() == ["streams"]


def test_the_most_watched_streams_of_a_category_are_recorded_until_they_end(polls: Polls) -> None:
    polls.twitch.add_category("7001", "Harbour Lights")
    polls.twitch.add_category("7002", "Moss Runner")
    streams = {}
    for number, login in enumerate(["ann", "ben", "cid"]):
        polls.twitch.add_user(login)
        polls.wait(1)
        streams[login] = polls.twitch.go_live(login, category="7001", viewers=100 - number).id
    polls.streaming.follow_category("7001", top=2, since=-1e7)
    polls.round(1)
    assert {row.stream_id for row in polls.streaming.rows(StreamSession)} == {streams["ann"], streams["ben"]}

    # Another category, and no place among the first two: the stream is still the one that was recorded.
    polls.twitch.update_channel("ann", category="7002", announce=False)
    polls.round(5)
    polls.tick()
    polls.twitch.go_offline("ben")
    polls.round(5)
    polls.round(5)
    polls.tick(10)

    ended = {row.stream_id: row.ended_at is not None for row in polls.streaming.rows(StreamSession)}
    assert ended == {streams["ann"]: False, streams["ben"]: True, streams["cid"]: False}
    assert polls.streaming.kinds().count("stream.online") == 3
    assert polls.streaming.event("stream.category_changed").detail["channel_login"] == "ann"
    assert polls.streaming.event("stream.offline").detail["channel_login"] == "ben"


def test_rows_that_pages_repeat_or_miss_double_nothing_and_end_nothing(polls: Polls) -> None:
    polls.twitch.add_category("7001", "Harbour Lights")
    logins = [user.login for user in polls.twitch.add_users(120)]
    for login in logins:
        polls.twitch.go_live(login, category="7001")
    polls.streaming.follow_category("7001", top=500, since=-1e7)
    for repeated in (10, -10, 0):
        polls.twitch.repeated_rows = repeated
        polls.round(5)

    sessions = polls.streaming.rows(StreamSession)
    assert (len(sessions), {row.ended_at for row in sessions}) == (120, {None})


@pytest.mark.parametrize("ahead", [timedelta(hours=26), timedelta(days=-1), timedelta(days=400)], ids=str)
def test_a_clock_that_is_wrong_for_a_while_changes_nothing_about_streams(polls: Polls, ahead: timedelta) -> None:
    polls.follow("ann", "ben")
    polls.round()
    early = polls.twitch.go_live("ben")
    polls.round(4)

    polls.ahead = ahead
    polls.round(1)
    late = polls.twitch.go_live("ann")
    polls.round(5)
    polls.twitch.go_offline("ben")
    seen_at = polls.now
    polls.round(5)
    polls.round(5)
    polls.tick(10)
    polls.round()

    polls.ahead = timedelta(0)
    put_right(polls.engine, polls.now)
    for _ in range(3):
        polls.round(5)
        polls.tick()

    assert [(row.kind, row.silent, row.occurred_at) for row in polls.streaming.events()] == [
        ("stream.online", False, early.started_at),
        ("stream.online", False, late.started_at),
        ("stream.offline", False, seen_at),
    ]
    session = polls.streaming.session(late.id)
    assert (session.started_at, session.ended_at) == (late.started_at, None)
    assert session.last_seen_at == polls.now


@pytest.mark.parametrize("by", [timedelta(hours=26), timedelta(days=-1), timedelta(days=400)], ids=str)
def test_a_clock_that_is_set_while_twitch_is_asked_changes_nothing_about_streams(polls: Polls, by: timedelta) -> None:
    polls.follow("ann")
    polls.round()
    stream = polls.twitch.go_live("ann")
    polls.round(4)
    polls.twitch.go_offline("ann")
    seen_at = polls.now
    # Missed twice it is over, and not yet told.
    polls.round(5)
    polls.round(1)
    polls.wait(1)

    def set_our_clock() -> datetime:
        polls.ahead = by
        return polls.now

    polls.twitch.now = set_our_clock
    polls.round()
    polls.round(5)
    polls.round(5)
    assert [(row.kind, row.silent, row.occurred_at) for row in polls.streaming.events()] == [
        ("stream.online", False, stream.started_at),
        ("stream.offline", False, seen_at),
    ]


@pytest.mark.parametrize("is_polled_first", [True, False])
def test_when_a_stream_was_seen_is_not_taken_for_the_future_where_our_clock_was_set_back(
    polls: Polls, is_polled_first: bool
) -> None:
    polls.follow("ann")
    polls.round()
    stream = polls.twitch.go_live("ann")
    polls.round(4)
    beat(polls.engine, polls.clock(), CLOCK)
    polls.ahead = timedelta(hours=-1)
    if is_polled_first:
        polls.round(1)
    seen_at = polls.now
    assert put_right(polls.engine, polls.clock()) is not None
    polls.twitch.go_offline("ann")
    for _ in range(4):
        polls.round(5)
    assert abs(polls.streaming.session(stream.id).ended_at - seen_at) < timedelta(seconds=1)


def test_a_stream_ended_when_twitch_said_so_also_where_our_clock_agreed_longer_ago_and_is_set_back(
    polls: Polls,
) -> None:
    polls.follow("ann")
    polls.round()
    stream = polls.twitch.go_live("ann")
    polls.round(4)
    beat(polls.engine, polls.clock(), CLOCK)
    said_at = polls.now + timedelta(minutes=4)
    with polls.engine.begin() as connection:
        message = {"message_id": "1", "subscription_type": "stream.offline", "subscription_version": "1", "event": {}}
        times = {"via": "websocket", "sent_at": said_at, "received_at": polls.now}
        connection.execute(insert(EventSubMessage).values(message | times))
        connection.execute(update(StreamSession).values(ended_at=said_at))
    polls.ahead = timedelta(days=-366)

    assert put_right(polls.engine, polls.clock(), was_set_back=True) is not None
    assert polls.streaming.session(stream.id).ended_at == said_at


def test_a_round_of_two_thousand_channels_takes_few_requests_and_few_statements(polls: Polls) -> None:
    users = polls.twitch.add_users(2000)
    polls.streaming.follow_all([(user.id, user.login) for user in users], polls.now - timedelta(hours=1))
    for user in users[:300]:
        polls.twitch.go_live(user.login)

    polls.new_requests()
    first = polls.round(1)
    assert (first.items, dict(first.events), Counter(polls.new_requests())) == (
        300,
        {"stream.online": 300},
        {"streams": 20, "users": 2},
    )
    with statements(polls.engine) as executed:
        second = polls.round(5)
    assert (second.outcome, second.items) == ("unchanged", 300)
    assert polls.streaming.count(StreamSnapshot) == 600
    assert len([text for text in executed if text.startswith("INSERT INTO stream_snapshots")]) == 1
    assert len([text for text in executed if text.startswith("UPDATE stream_sessions")]) == 1
    # Those of the fetch itself among them.
    assert len(executed) <= 28
    assert len(polls.new_requests()) <= 25


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    executed: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        executed.append(statement)

    listen(engine, "before_cursor_execute", hear)
    yield executed
    remove(engine, "before_cursor_execute", hear)


def test_channels_in_campaigns_are_asked_for_by_themselves(polls: Polls) -> None:
    polls.follow("ann", "ben")
    named = polls.channel("ben").id
    with polls.engine.begin() as connection:
        fields = {"service": "twitch", "external_id": "c", "name": "C", "first_seen_at": polls.now}
        campaign = connection.scalar(insert(DropCampaign).values(fields).returning(DropCampaign.id))
        allowed = {"campaign_id": campaign, "channel_id": named, "first_seen_at": polls.now}
        connection.execute(insert(AllowedChannel).values(allowed))
    polls.twitch.go_live("ann")
    polls.twitch.go_live("ben")

    fetched = polls.round(1, "twitch.streams_in_campaigns")
    assert (fetched.items, dict(fetched.events)) == (1, {"stream.online": 1})
    assert polls.streaming.event("stream.online").channel_id == named
    assert fetched.next_due_at - datetime.now(UTC) <= timedelta(minutes=1)


def test_a_worker_that_dies_in_the_middle_of_a_stream_leaves_it_to_the_next_one(polls: Polls, tmp_path: Path) -> None:
    polls.follow("ann")
    began = polls.twitch.go_live("ann")
    polls.round(1)
    # The next process has the database alone.
    restarted = Polls(polls.streaming, polls.setting, polls.now)
    restarted.round(5)
    restarted.twitch.go_offline("ann")
    restarted.round(5)
    restarted.round(5)
    restarted.tick(10)

    assert [row.stream_id for row in restarted.streaming.rows(StreamSession)] == [began.id]
    assert restarted.streaming.kinds() == ["stream.online", "stream.offline"]


def test_an_answer_that_comes_when_another_worker_has_taken_over_is_not_stored(polls: Polls) -> None:
    polls.follow("ann")
    polls.twitch.go_live("ann")
    with polls.engine.begin() as connection:
        connection.execute(update(Source).values(next_due_at=polls.now))

    class Overtaken(TwitchStreams):
        def fetch(self, client: Client, validators: Validators) -> Answer:
            answer = super().fetch(client, validators)
            with polls.engine.begin() as connection:
                connection.execute(update(Source).values(fence=Source.fence + 1))
            return answer

    slow = Overtaken(polls.engine, polls.helix, polls.clock, poll_every=EVERY, flap=FLAP)
    assert fetch_source(polls.engine, slow, utc_now) is None
    assert polls.streaming.rows(StreamSession) == []


def test_a_rerun_that_a_round_lists_is_no_live_stream_until_the_list_says_so(polls: Polls) -> None:
    polls.follow("ann")
    polls.round()
    polls.wait(1)
    began = polls.twitch.go_live("ann", listed_type="rerun")

    assert dict(polls.round(4).events) == {"stream.rerun": 1}
    assert polls.streaming.session(began.id).listed_type == "rerun"
    # What Twitch says of an error of its own.
    began.listed_type = ""
    assert dict(polls.round(5).events) == {}
    began.listed_type = "live"
    assert dict(polls.round(5).events) == {"stream.online": 1}
