"""The program against a Twitch that speaks the protocol: messages come in whatever happens to the websocket."""

import math
from contextlib import ExitStack
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import insert, update

from models import Event, EventSubMessage, QuarantinedPayload, Source, StreamSession
from pipeline.channels.eventsub.close_codes import LIVED_WELL, LONGEST_PAUSE, Backoff, ending
from pipeline.channels.eventsub.subscriptions import Settling
from pipeline.programs.health import describe
from pipeline.runtime.runtime import Runtime, utc_now
from tests.pipeline.channels.eventsub.installation import Listening, environment_of, program, running
from tests.twitch.messages import envelope
from tests.waiting import wait_for

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def one_channel(installation: Listening) -> None:
    installation.follow("shroud")


def test_a_stream_that_goes_live_is_told_with_its_title_and_when_it_ends_its_session_does(
    installation: Listening, runtime: Runtime
) -> None:
    installation.twitch.add_category("33214", "Fortnite")
    with running(runtime):
        installation.wait_until_subscribed(1)
        installation.twitch.go_live("shroud", title="Drops on", category="Fortnite", viewers=10)
        installation.wait_for_events(1)
        wait_for(lambda: installation.open_sessions() == 1)
        installation.twitch.go_offline("shroud")
        wait_for(lambda: installation.open_sessions() == 0)
    event = installation.events()[0]
    assert (event["detail"]["name"], event["detail"]["game"]) == ("Drops on", "Fortnite")
    assert installation.waiting() == 0
    assert installation.count(EventSubMessage) == 2
    assert installation.source["last_success_at"] is not None


def test_a_rerun_is_no_live_stream_by_websocket(installation: Listening, runtime: Runtime) -> None:
    with running(runtime):
        installation.wait_until_subscribed(1)
        installation.twitch.go_live("shroud", title="Best of", type="rerun")
        installation.wait_for_events(1, "stream.rerun")
    assert installation.events("stream.rerun")[0]["detail"]["type"] == "rerun"
    assert installation.events() == []


def test_a_title_that_is_not_to_be_had_keeps_no_message_waiting(installation: Listening, runtime: Runtime) -> None:
    with running(runtime):
        installation.wait_until_subscribed(1)
        installation.twitch.fail("/streams", None, hang=True, times=math.inf)
        installation.twitch.fail("/channels", 500, times=math.inf)
        installation.twitch.go_live("shroud", title="Late")
        installation.wait_for_events(1)
    assert "name" not in installation.events()[0]["detail"]


def test_a_stream_that_is_not_listed_yet_has_the_title_of_its_channel(
    installation: Listening, runtime: Runtime
) -> None:
    installation.twitch.list_lag = 60
    with running(runtime):
        installation.wait_until_subscribed(1)
        installation.twitch.go_live("shroud", title="Not listed yet")
        installation.wait_for_events(1)
    assert installation.events()[0]["detail"]["name"] == "Not listed yet"


def test_after_every_close_code_there_is_a_new_session_and_a_poll_for_what_was_missed(
    installation: Listening, runtime: Runtime
) -> None:
    later = utc_now() + timedelta(minutes=5)
    polls = Source.name == "twitch.streams"
    with installation.engine.begin() as connection:
        connection.execute(insert(Source).values(name="twitch.streams", service="twitch", next_due_at=later))
    codes = [4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 1000, 1001, 1011, 1012, 4999]
    with running(runtime) as listening:
        installation.wait_until_subscribed(1)
        for number, code in enumerate(codes, 1):
            with installation.engine.begin() as connection:
                connection.execute(update(Source).where(polls).values(next_due_at=later))
            first = listening.reader.session_id
            installation.twitch.close_sockets(code)
            wait_for(lambda: listening.reader.session_id not in {None, first} and installation.has_shard)  # noqa: B023
            wait_for(lambda: installation.rows(Source, polls)[0]["next_due_at"] < later)
            # Each is a story of its own.
            installation.twitch.go_live("shroud", stream_id=str(number))
            wait_for(lambda: installation.count(StreamSession) == number)  # noqa: B023
    assert len(installation.twitch.conduits) == 1
    assert installation.waiting() == 0


def test_a_connection_that_breaks_is_opened_again(installation: Listening, runtime: Runtime) -> None:
    with running(runtime) as listening:
        installation.wait_until_subscribed(1)
        first = listening.reader.session_id
        installation.twitch.drop_sockets()
        wait_for(lambda: listening.reader.session_id not in {None, first} and installation.has_shard)
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)


def test_a_session_that_falls_silent_is_given_up(installation: Listening, runtime: Runtime) -> None:
    installation.twitch.keepalive_seconds = 0.2
    with running(runtime) as listening:
        installation.wait_until_subscribed(1)
        first = listening.reader.session_id
        installation.twitch.mute_sockets()
        wait_for(lambda: listening.reader.session_id not in {None, first} and installation.has_shard)
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)


@pytest.mark.parametrize("keeps_id", [True, False])
def test_a_session_moves_to_another_server_without_a_gap(
    installation: Listening, runtime: Runtime, keeps_id: bool
) -> None:
    twitch = installation.twitch
    twitch.reconnect_keeps_id = keeps_id
    logins = [f"streamer{number}" for number in range(20)]
    installation.follow(*logins)
    with running(runtime) as listening:
        installation.wait_until_subscribed(21)
        first, conduits = listening.reader.session_id, len(twitch.requests)
        twitch.ask_to_reconnect()
        for login in logins:
            twitch.go_live(login)
        wait_for(lambda: len([request for request in twitch.requests if request.path == "/ws"]) == 2)
        wait_for(lambda: len(twitch.sessions) == 1)
        installation.wait_for_events(20)
        paths = [request.path for request in twitch.requests[conduits:] if request.method == "PATCH"]
        assert (listening.reader.session_id == first) is keeps_id
    assert paths == ([] if keeps_id else ["/helix/eventsub/conduits/shards"])
    assert [sent.to for sent in twitch.sent if sent.message.subscription["type"] == "stream.online"].count("") == 0


def test_a_move_to_an_address_that_does_not_answer_ends_in_a_session_at_the_usual_one(
    installation: Listening, runtime: Runtime
) -> None:
    with running(runtime) as listening:
        installation.wait_until_subscribed(1)
        first = listening.reader.session_id
        installation.twitch.ask_to_reconnect("ws://127.0.0.1:1/ws")
        wait_for(lambda: listening.reader.session_id not in {None, first} and installation.has_shard)
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)


def test_a_conduit_is_used_again_after_a_restart_with_its_subscriptions(
    installation: Listening, runtime: Runtime
) -> None:
    for _ in range(2):
        with running(runtime):
            installation.wait_until_subscribed(1)
            wait_for(lambda: installation.memory.subscribed == 4)
    assert len(installation.twitch.conduits) == 1
    made = [request for request in installation.twitch.requests if request.method == "POST"]
    assert [request.path for request in made].count("/helix/eventsub/subscriptions") == 4


def test_a_conduit_that_twitch_has_deleted_is_made_anew(installation: Listening, runtime: Runtime) -> None:
    with running(runtime) as listening:
        installation.wait_until_subscribed(1)
        old = listening.listener.conduit_id
        assert old is not None
        installation.twitch.delete_conduit(old)
        wait_for(lambda: listening.listener.conduit_id != old)
        wait_for(
            lambda: [subscription.status for subscription in installation.twitch.subscriptions].count("enabled") == 4
        )
        wait_for(lambda: installation.has_shard)
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)
    assert installation.memory.conduit_id == listening.listener.conduit_id


def test_whoever_takes_our_shard_keeps_it_and_we_make_a_conduit_of_our_own(
    installation: Listening, runtime: Runtime
) -> None:
    with running(runtime) as listening:
        installation.wait_until_subscribed(1)
        old = listening.listener.conduit_id
        assert old is not None
        take_shard(installation, old)
        wait_for(lambda: listening.listener.conduit_id not in {None, old})
        wait_for(
            lambda: (
                [subscription.transport.conduit_id for subscription in installation.twitch.subscriptions].count(old)
                == 4
            )
        )
        wait_for(lambda: len(installation.twitch.subscriptions) == 8)
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)


def take_shard(installation: Listening, conduit_id: str) -> None:
    """Attach another session to our conduit, as another program that knows its id would."""
    import httpx
    from websockets.sync.client import connect

    twitch = installation.twitch
    headers = {"Authorization": f"Bearer {twitch.app_token()}", "Client-Id": twitch.client_id}
    connection = connect(twitch.eventsub_url).__enter__()
    session_id = msgspec.json.decode(connection.recv())["payload"]["session"]["id"]
    shard = {"id": "0", "transport": {"method": "websocket", "session_id": session_id}}
    body = {"conduit_id": conduit_id, "shards": [shard]}
    httpx.patch(f"{twitch.helix_url}/eventsub/conduits/shards", headers=headers, json=body).raise_for_status()
    installation.kept.enter_context(connection)


def test_a_shard_that_twitch_disables_is_attached_again(installation: Listening, runtime: Runtime) -> None:
    with running(runtime) as listening:
        installation.wait_until_subscribed(1)
        first = listening.reader.session_id
        assert listening.listener.conduit_id is not None
        installation.twitch.disable_shard(listening.listener.conduit_id)
        wait_for(lambda: listening.reader.session_id not in {None, first} and installation.has_shard)
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)


def test_a_shard_that_twitch_does_not_take_is_tried_again(installation: Listening, runtime: Runtime) -> None:
    error = {"id": "0", "message": "The websocket session does not exist", "code": "invalid_parameter"}
    installation.twitch.fail("/eventsub/conduits/shards", 202, {"data": [], "errors": [error]}, times=2, method="PATCH")
    with running(runtime):
        installation.wait_until_subscribed(1)
        wait_for(lambda: "source.recovered" in installation.kinds())
    assert installation.kinds() == ["source.failing", "source.recovered"]
    assert "The websocket session does not exist" in installation.events("source.failing")[0]["detail"]["reason"]


def test_wrong_credentials_are_told_at_once_with_what_to_set(installation: Listening, runtime: Runtime) -> None:
    body = {"status": 403, "message": "invalid client secret"}
    installation.twitch.fail("/oauth2/token", 403, body, times=math.inf)
    with running(runtime):
        installation.wait_for_events(1, "source.failing")
        assert "TWITCH_CLIENT_SECRET" in installation.events("source.failing")[0]["detail"]["reason"]
    assert installation.source["failing_since"] is not None


def test_an_application_with_five_conduits_is_told_what_to_do(installation: Listening, runtime: Runtime) -> None:
    for _ in range(5):
        installation.twitch.add_conduit()
    with running(runtime):
        installation.wait_for_events(1, "source.failing")
    assert "delete one that is not used" in installation.events("source.failing")[0]["detail"]["reason"]


def test_a_frame_that_cannot_be_read_is_set_aside_and_the_next_is_read(
    installation: Listening, runtime: Runtime
) -> None:
    with running(runtime):
        installation.wait_until_subscribed(1)
        installation.twitch.sessions[0].put(b'{"metadata": {}, "payload": {}}')
        installation.twitch.sessions[0].say("session_party")
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)
        wait_for(lambda: installation.count(QuarantinedPayload) == 1)
    assert "message_id" in installation.rows(QuarantinedPayload)[0]["detail"]


def test_a_message_with_a_number_that_no_machine_reads_is_told_and_set_aside_with_the_reason(
    installation: Listening, runtime: Runtime
) -> None:
    with running(runtime):
        installation.wait_until_subscribed(1)
        installation.twitch.go_live("shroud", announce=False)
        event = installation.twitch.event("stream.online", "shroud") | {"new": "BAD"}
        subscription = {"type": "stream.online", "version": "1"}
        at = utc_now().isoformat()
        sent = envelope("m1", "notification", at, {"subscription": subscription, "event": event})
        installation.twitch.sessions[0].put(sent.replace(b'"BAD"', b"1e400"))
        installation.wait_for_events(1)
        wait_for(lambda: installation.count(QuarantinedPayload) == 1)
    assert "$.new" in installation.rows(QuarantinedPayload)[0]["detail"]
    assert installation.rows(EventSubMessage)[0]["event"]["new"] is None


def test_a_message_that_comes_twice_has_one_effect_with_the_same_id_or_another(
    installation: Listening, runtime: Runtime
) -> None:
    with running(runtime):
        installation.wait_until_subscribed(1)
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)
        installation.twitch.repeat_last_message()
        installation.twitch.repeat_last_message(new_id=True)
        wait_for(lambda: installation.count(EventSubMessage) == 2 and installation.waiting() == 0)
    assert installation.count(Event) == 1
    assert installation.count(StreamSession) == 1


def test_who_is_followed_later_is_subscribed_to_and_who_is_not_followed_any_more_is_not(
    installation: Listening, runtime: Runtime
) -> None:
    with running(runtime):
        installation.wait_until_subscribed(1)
        installation.follow("ninja")
        installation.wait_until_subscribed(2)
        installation.unfollow("shroud")
        installation.wait_until_subscribed(1)
    about = {subscription.condition.get("broadcaster_user_id") for subscription in installation.twitch.subscriptions}
    assert about == {None, installation.twitch.event("stream.offline", "ninja")["broadcaster_user_id"]}


def test_a_subscription_that_is_revoked_is_remembered_and_made_again(installation: Listening, runtime: Runtime) -> None:
    with running(runtime):
        installation.wait_until_subscribed(1)
        subscription = next(
            subscription for subscription in installation.twitch.subscriptions if subscription.type == "stream.online"
        )
        installation.twitch.revoke_subscription(subscription.id, "authorization_revoked")
        wait_for(lambda: subscription.id not in [other.id for other in installation.twitch.subscriptions])
        installation.wait_until_subscribed(1)
    (revoked,) = installation.memory.revoked
    assert (revoked.type, revoked.status) == ("stream.online", "authorization_revoked")


def test_what_the_cost_limit_leaves_out_is_told_and_remembered(
    installation: Listening, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    installation.twitch.max_total_cost = 4
    installation.follow("ninja")
    with running(runtime):
        wait_for(lambda: installation.memory.left_out_total == 2)
    assert installation.memory.subscribed == 5
    assert "subscriptions are right" in caplog.text
    types = sorted(subscription.type for subscription in installation.twitch.subscriptions)
    assert types == ["conduit.shard.disabled", "stream.offline", "stream.offline", "stream.online", "stream.online"]


@pytest.mark.parametrize(("answer", "reason"), [(409, "exist already (409)"), (202, "made them (202)")])
def test_subscriptions_that_twitch_does_not_list_are_none_until_it_does(
    installation: Listening, runtime: Runtime, answer: int, reason: str
) -> None:
    installation.twitch.forgets_subscriptions = answer
    with running(runtime):
        installation.wait_for_events(1, "source.failing")
        memory = installation.memory
        assert (memory.subscribed, memory.wanted, memory.refused_total) == (0, 4, 1)
        assert len(memory.left_out) == memory.left_out_total == 1
        assert reason in (memory.refusal or "")
        ill = describe(runtime.engine, runtime.settings, utc_now())
        assert "0 of 4 subscriptions" in ill
        assert "refused and polled" in ill
        assert "failing" in ill
        installation.twitch.forgets_subscriptions = None
        installation.wait_until_subscribed(1)
        wait_for(lambda: installation.memory.subscribed == 4 and installation.memory.refused_total == 0)
        installation.wait_for_events(1, "source.recovered")
    assert "4 of 4 subscriptions are not there" in installation.events("source.failing")[0]["detail"]["reason"]


def test_after_a_restart_nothing_works_again_before_the_subscriptions_do(
    installation: Listening, runtime: Runtime
) -> None:
    installation.twitch.forgets_subscriptions = 409
    with running(runtime):
        installation.wait_for_events(1, "source.failing")
    looks = sum(request.path == "/helix/eventsub/subscriptions" for request in installation.twitch.requests)
    with running(runtime):
        wait_for(
            lambda: (
                sum(request.path == "/helix/eventsub/subscriptions" for request in installation.twitch.requests)
                > looks + 8
            )
        )
    assert installation.events("source.recovered") == []


def test_what_is_not_there_yet_is_looked_at_soon_and_then_ever_more_rarely() -> None:
    settling = Settling(timedelta(seconds=10), timedelta(minutes=1))
    minute, unsettled = timedelta(minutes=1), [settling.pause_after(at, settled=False) for at in (7, 17, 37, 77)]
    assert unsettled == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=40), minute]
    first_look = settling.since
    assert settling.pause_after(137, settled=True) == minute
    assert (first_look, settling.since) == (7, None)
    assert settling.pause_after(197, settled=False) == timedelta(seconds=10)


def test_a_shard_that_twitch_takes_without_naming_it_is_tried_again(installation: Listening, runtime: Runtime) -> None:
    installation.twitch.fail("/eventsub/conduits/shards", 202, {"data": [], "errors": []}, times=2, method="PATCH")
    with running(runtime):
        installation.wait_until_subscribed(1)
        wait_for(lambda: "source.recovered" in installation.kinds())
    assert "not named in its answer" in installation.events("source.failing")[0]["detail"]["reason"]


def test_of_two_programs_one_listens_and_the_other_takes_over_when_it_ends(
    installation: Listening, runtime: Runtime
) -> None:
    with ExitStack() as first_ends, ExitStack() as second_ends:
        first = first_ends.enter_context(running(runtime))
        installation.wait_until_subscribed(1)
        second = second_ends.enter_context(running(runtime))
        installation.follow("ninja")
        installation.wait_until_subscribed(2)
        assert (first.overseer.leads, second.overseer.leads) == (True, False)
        assert len(installation.twitch.sessions) == 1
        first_ends.close()
        wait_for(lambda: second.reader.session_id is not None and installation.has_shard)
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)
    assert len(installation.twitch.conduits) == 1


def test_a_program_that_is_killed_is_followed_by_another_within_seconds(
    installation: Listening, runtime: Runtime
) -> None:
    environment = environment_of(runtime)
    with program("pipeline.channels.eventsub", environment) as first:
        installation.wait_until_subscribed(1)
        session = installation.twitch.sessions[0].id
        with program("pipeline.channels.eventsub", environment) as second:
            first.kill()
            wait_for(lambda: installation.has_shard and installation.twitch.sessions[0].id != session)
            installation.twitch.go_live("shroud")
            installation.wait_for_events(1)
            second.terminate()
            assert second.wait(60) == 0
    assert len(installation.twitch.conduits) == 1


def test_a_database_that_was_away_for_a_moment_costs_no_message(installation: Listening, runtime: Runtime) -> None:
    with running(runtime) as listening:
        installation.wait_until_subscribed(1)
        session_id = listening.reader.session_id
        installation.cut_connections()
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)
        wait_for(lambda: listening.overseer.leads)
        assert listening.reader.session_id == session_id


def test_pauses_grow_with_short_lives_and_begin_anew_after_a_long_one() -> None:
    backoff = Backoff(jitter=lambda: 1.0)
    short, pause = timedelta(seconds=1), ending(1006).pause
    pauses = [backoff.after(pause, short).total_seconds() for _ in range(10)]
    assert pauses[:5] == [0, 1, 2, 4, 8]
    assert pauses[-1] == LONGEST_PAUSE.total_seconds()
    assert backoff.after(pause, LIVED_WELL) == timedelta(0)
    assert backoff.after(ending(4001).pause, LIVED_WELL) == timedelta(seconds=30)


def test_the_program_shows_that_it_lives(installation: Listening, runtime: Runtime) -> None:
    from pipeline.runtime.heartbeat import last_beat

    began = utc_now()
    with running(runtime):
        wait_for(lambda: (last_beat(installation.engine, "eventsub") or began) > began)


def test_streams_whose_polls_fail_keep_their_time(installation: Listening, runtime: Runtime) -> None:
    later = utc_now() + timedelta(minutes=5)
    row = {"name": "twitch.streams", "service": "twitch", "next_due_at": later, "consecutive_failures": 1}
    with installation.engine.begin() as connection:
        connection.execute(insert(Source).values(row))
    with running(runtime):
        installation.wait_until_subscribed(1)
        installation.twitch.go_live("shroud")
        installation.wait_for_events(1)
    assert installation.rows(Source, Source.name == "twitch.streams")[0]["next_due_at"] == later
    with installation.engine.begin() as connection:
        connection.execute(update(Source).values(consecutive_failures=0))
