"""The receiver of webhooks: what it takes, what it refuses, and what it tells of the installation's health."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from models import Event, EventSubMessage, QuarantinedPayload, Source
from pipeline.channels.eventsub.secret import load_secret
from pipeline.programs.health import describe, look
from pipeline.runtime import heartbeat
from pipeline.runtime.runtime import Runtime, utc_now
from tests.pipeline.channels.eventsub.installation import Listening, running
from tests.pipeline.channels.eventsub.serving import post, serving
from tests.plain_http import NO_CERTIFICATES
from tests.waiting import wait_for

CALLBACK = "https://us.example/eventsub"


@pytest.fixture
def called_back(runtime: Runtime) -> Runtime:
    settings = runtime.settings.model_copy(update={"eventsub_callback_url": CALLBACK})
    return Runtime(settings=settings, database_url=runtime.database_url, redis_url=runtime.redis_url)


@pytest.fixture
def secret(called_back: Runtime) -> str:
    return load_secret(called_back.settings.data_dir).get_secret_value()


@pytest.fixture
def receiver(called_back: Runtime, installation: Listening) -> Iterator[str]:
    installation.follow("shroud")
    with serving(called_back) as url:
        installation.twitch.callback_to = f"{url}/eventsub"
        yield url
    called_back.redis.close()
    called_back.engine.dispose()


def test_subscriptions_are_verified_and_a_stream_that_goes_live_is_told(
    receiver: str, called_back: Runtime, installation: Listening
) -> None:
    with running(called_back):
        wait_for(lambda: [subscription.status for subscription in installation.twitch.subscriptions] == ["enabled"] * 3)
        installation.twitch.go_live("shroud", title="By webhook")
        installation.wait_for_events(1)
        assert installation.twitch.sessions == []
    assert installation.events()[0]["detail"]["name"] == "By webhook"
    assert {row["via"] for row in installation.rows(EventSubMessage)} == {"webhook"}


def test_a_premiere_is_no_live_stream_by_webhook(
    receiver: str, called_back: Runtime, installation: Listening, secret: str
) -> None:
    installation.twitch.go_live("shroud", type="premiere", announce=False)
    event = installation.twitch.event("stream.online", "shroud")
    message = installation.twitch.webhook_message("stream.online", event, secret=secret, message_id="m1")
    assert post(receiver, message).status_code == 204
    with running(called_back):
        installation.wait_for_events(1, "stream.rerun")
    assert installation.events() == []


def test_an_address_that_does_not_answer_is_no_subscription(called_back: Runtime, installation: Listening) -> None:
    installation.follow("shroud")
    with serving(called_back), running(called_back):
        installation.wait_for_events(1, "source.failing")
    assert installation.memory.subscribed == 0
    assert "webhook_callback_verification_failed" in installation.events("source.failing")[0]["detail"]["reason"]


def test_an_address_that_twitch_does_not_verify_is_no_subscription_and_the_operator_hears_of_it(
    receiver: str, called_back: Runtime, installation: Listening
) -> None:
    installation.twitch.verifies_webhooks = False
    with running(called_back):
        installation.wait_for_events(1, "source.failing")
    memory = installation.memory
    assert (memory.subscribed, memory.pending, memory.wanted) == (0, 3, 3)
    assert "not verified our address" in installation.events("source.failing")[0]["detail"]["reason"]


def test_nothing_is_subscribed_to_while_no_receiver_could_answer(called_back: Runtime, installation: Listening) -> None:
    installation.follow("shroud")
    with running(called_back):
        installation.wait_for_events(1, "source.failing")
    assert "the receiver of webhooks does not run" in installation.events("source.failing")[0]["detail"]["reason"]
    assert installation.twitch.subscriptions == []
    called_back.engine.dispose()


def test_a_message_is_answered_once_it_is_kept_and_a_second_one_changes_nothing(
    receiver: str, called_back: Runtime, installation: Listening, secret: str
) -> None:
    installation.twitch.go_live("shroud", announce=False)
    message = installation.twitch.webhook_message(
        "stream.online", installation.twitch.event("stream.online", "shroud"), secret=secret, message_id="m1"
    )
    for _ in range(3):
        answer = post(receiver, message)
        assert (answer.status_code, answer.content) == (204, b"")
        assert installation.count(EventSubMessage) == 1
    with running(called_back):
        installation.wait_for_events(1)


def test_a_forged_message_leaves_no_trace_and_the_real_one_of_its_id_has_its_effect(
    receiver: str, called_back: Runtime, installation: Listening, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    installation.twitch.go_live("shroud", announce=False)
    event = installation.twitch.event("stream.online", "shroud")
    message = installation.twitch.webhook_message
    long_ago = "2020-01-01T00:00:00.123456789Z"
    with caplog.at_level(logging.DEBUG, "pipeline"):
        forged = message("stream.online", event, secret=secret, message_id="m1", forged=True)
        assert post(receiver, forged).status_code == 403
        stale = message("stream.online", event, secret=secret, message_id="m1", timestamp=long_ago)
        assert post(receiver, stale).status_code == 403
        assert installation.count(EventSubMessage) == 0
        assert post(receiver, message("stream.online", event, secret=secret, message_id="m1")).status_code == 204
    with running(called_back):
        installation.wait_for_events(1)
    assert secret not in caplog.text


@pytest.mark.parametrize("name", ["Message-Id", "Message-Signature", "Message-Timestamp"])
def test_a_message_that_lacks_a_header_is_refused(
    receiver: str, installation: Listening, secret: str, name: str
) -> None:
    headers, body = installation.twitch.webhook_message("stream.offline", {}, secret=secret)
    del headers[f"Twitch-Eventsub-{name}"]
    assert post(receiver, (headers, body)).status_code == 403


def test_what_is_signed_but_cannot_be_read_is_not_sent_again(
    receiver: str, called_back: Runtime, installation: Listening, secret: str
) -> None:
    message = installation.twitch.webhook_message
    unreadable = message("stream.online", {"broadcaster_user_id": "7"}, secret=secret)
    assert post(receiver, unreadable).status_code == 204
    with running(called_back):
        wait_for(lambda: installation.count(QuarantinedPayload) == 1)
    assert post(receiver, message("channel.follow", {}, secret=secret)).status_code == 204
    assert installation.count(EventSubMessage) == 1
    assert installation.waiting() == 0


def test_a_webhook_that_is_unreadable_in_part_or_whole_is_set_aside_with_its_reason(
    receiver: str, called_back: Runtime, installation: Listening, secret: str
) -> None:
    installation.twitch.go_live("shroud", announce=False)
    event = installation.twitch.event("stream.online", "shroud") | {"new": msgspec.Raw(b"1e400")}
    in_part = installation.twitch.webhook_message("stream.online", event, secret=secret)
    subscription = {"type": "stream.online", "version": "1"}
    nothing: Any = msgspec.Raw(b"7")
    whole = installation.twitch.webhook_message("stream.online", nothing, secret=secret, subscription=subscription)

    assert [post(receiver, message).status_code for message in (in_part, whole)] == [204, 204]

    wait_for(lambda: installation.count(QuarantinedPayload) > 0)
    assert installation.count(EventSubMessage) == 1


def test_a_body_longer_than_any_message_is_cut_off_and_other_paths_are_none(receiver: str) -> None:
    assert httpx.post(f"{receiver}/eventsub", content=b"x" * 100_000, verify=NO_CERTIFICATES).status_code == 413
    assert httpx.get(f"{receiver}/eventsub", verify=NO_CERTIFICATES).status_code == 405
    assert httpx.get(receiver, verify=NO_CERTIFICATES).status_code == 404


def test_a_revocation_is_remembered_and_subscribed_to_again(
    receiver: str, called_back: Runtime, installation: Listening
) -> None:
    with running(called_back):
        wait_for(lambda: [subscription.status for subscription in installation.twitch.subscriptions] == ["enabled"] * 3)
        subscription = installation.twitch.subscriptions[0]
        installation.twitch.revoke_subscription(subscription.id)
        wait_for(lambda: subscription.id not in [other.id for other in installation.twitch.subscriptions])
        wait_for(lambda: [subscription.status for subscription in installation.twitch.subscriptions] == ["enabled"] * 3)
    assert [revoked.status for revoked in installation.memory.revoked] == ["authorization_revoked"]


def test_a_new_secret_replaces_what_was_subscribed_to_with_the_old_one(
    receiver: str, called_back: Runtime, installation: Listening
) -> None:
    with running(called_back):
        wait_for(lambda: installation.memory.subscribed == 3)
    old = {subscription.id for subscription in installation.twitch.subscriptions}
    (called_back.settings.data_dir / "eventsub.secret").unlink()
    with running(called_back):
        wait_for(lambda: len({subscription.id for subscription in installation.twitch.subscriptions} - old) == 3)
        wait_for(lambda: not {subscription.id for subscription in installation.twitch.subscriptions} & old)


def test_without_a_callback_there_is_nobody_to_be_called(runtime: Runtime, installation: Listening) -> None:
    with serving(runtime) as url:
        assert httpx.post(f"{url}/eventsub", content=b"{}", verify=NO_CERTIFICATES).status_code == 404


def test_many_at_once_are_kept_in_few_transactions(receiver: str, installation: Listening, secret: str) -> None:
    event = {"broadcaster_user_id": "7", "broadcaster_user_login": "x", "broadcaster_user_name": "X"}
    messages = [
        installation.twitch.webhook_message("stream.offline", event, secret=secret, message_id=f"m{number}")
        for number in range(40)
    ]
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda m=m: statuses.append(post(receiver, m).status_code)) for m in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [204] * 40
    assert installation.count(EventSubMessage) == 40
    commits = {row["received_at"] for row in installation.rows(EventSubMessage)}
    assert len(commits) < 35


def test_health_is_starting_until_all_gave_a_sign_and_then_well(receiver: str, installation: Listening) -> None:
    now = utc_now()
    answer = httpx.get(f"{receiver}/health", verify=NO_CERTIFICATES)
    assert (answer.status_code, answer.json()["status"], answer.json()["worker"]) == (503, "starting", "starting")
    heartbeat.beat(installation.engine, now)
    answer = httpx.get(f"{receiver}/health", verify=NO_CERTIFICATES)
    assert (answer.status_code, answer.json()["eventsub"]["state"]) == (503, "starting")
    heartbeat.beat(installation.engine, now, "eventsub")
    answer = httpx.get(f"{receiver}/health", verify=NO_CERTIFICATES)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["sources_failing"] == []


@pytest.mark.parametrize("program", ["worker", "eventsub"])
def test_health_fails_where_a_program_stands_still(runtime: Runtime, installation: Listening, program: str) -> None:
    now = utc_now()
    for name in ("worker", "eventsub"):
        ago = timedelta(minutes=5) if name == program else timedelta()
        heartbeat.beat(installation.engine, now - ago, *([] if name == "worker" else [name]))
    well, particulars = look(runtime.engine, runtime.redis_url, now, streams=True)
    state = particulars[program]
    assert (well, particulars["status"]) == (False, "failing")
    assert (state if isinstance(state, str) else state["state"]) == "stands still"


def test_health_tells_of_a_broker_that_is_away_and_of_a_service_that_fails(
    runtime: Runtime, installation: Listening
) -> None:
    from sqlalchemy import insert

    now = utc_now()
    heartbeat.beat(installation.engine, now)
    row = {"name": "kick.drops", "service": "kick", "next_due_at": now, "failing_since": now}
    with installation.engine.begin() as connection:
        connection.execute(insert(Source).values(row))
    settings = runtime.settings.model_copy(update={"twitch_client_id": None})
    away = Runtime(settings=settings, database_url=runtime.database_url, redis_url="redis://127.0.0.1:1/0")
    with serving(away) as url:
        answer = httpx.get(f"{url}/health", verify=NO_CERTIFICATES)
    assert answer.status_code == 503
    assert answer.json()["broker"].startswith("does not answer")
    assert answer.json()["sources_failing"] == ["kick.drops"]
    assert "eventsub" not in answer.json()
    away.engine.dispose()


def test_one_line_tells_how_messages_come_in(runtime: Runtime, installation: Listening) -> None:
    off = runtime.settings.model_copy(update={"twitch_client_secret": None})
    assert describe(runtime.engine, off, utc_now()).startswith("off: streams need TWITCH_CLIENT_SECRET")
    assert "has not been seen; `lootwire up` runs it" in describe(runtime.engine, runtime.settings, utc_now())
    installation.follow("shroud")
    with running(runtime):
        wait_for(lambda: installation.memory.subscribed == 4)
        assert describe(runtime.engine, runtime.settings, utc_now()) == "by websocket, 4 of 4 subscriptions"
    assert installation.count(Event) == 0
