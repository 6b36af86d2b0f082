"""Refusals of Helix, and their cures: time, a person, a new token, or none."""

import math
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.embedded import Servers
from pipeline.errors import SourceError, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import Budget, connect_redis
from pipeline.services.twitch.helix import Helix
from pipeline.services.twitch.helix_eventsub import Transport
from pipeline.services.twitch.helix_requests import (
    EventSubLimit,
    RequestRejected,
    TooManyConduits,
    TooManySubscriptions,
    TooManyTransports,
    TooMuchCost,
)
from tests.pipeline.fetch.own_redis import url_of
from tests.pipeline.services.twitch.helix_setting import HelixSetting, helix_setting
from tests.twitch import LocalTwitch

SOMEBODY = "100"
TOO_MANY = "Request limit exceeded"


@pytest.fixture(scope="module")
def twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch() as running:
        running.add_user("somebody", id=SOMEBODY)
        yield running


@pytest.fixture
def setting(twitch: LocalTwitch, servers: Servers, tmp_path: Path) -> Iterator[HelixSetting]:
    with helix_setting(twitch, servers, tmp_path) as setting:
        yield setting


def finds_user(helix: Helix) -> bool:
    return bool(helix.users(ids=[SOMEBODY]))


def in_seconds(seconds: float) -> str:
    return str(int(time.time() + seconds))


def test_a_token_that_died_is_renewed_and_the_question_asked_again(setting: HelixSetting) -> None:
    assert finds_user(setting.helix)
    setting.twitch.revoke_app_tokens()

    assert finds_user(setting.helix)
    assert setting.statuses("users") == [200, 401, 200]


def test_eight_workers_with_a_dead_token_make_one_new_one(setting: HelixSetting, servers: Servers) -> None:
    assert finds_user(setting.helix)
    setting.twitch.revoke_app_tokens()
    setting.twitch.fail("/oauth2/token", None, delay=0.1, times=math.inf)
    issued = setting.twitch.tokens_issued
    barrier = threading.Barrier(8)
    answered: list[bool] = []

    def work() -> None:
        with Client() as client, connect_redis(url_of(servers)) as redis:
            helix = Helix(client, setting.twitch.helix_url, setting.tokens(redis), Budget(redis, "helix"))
            barrier.wait()
            answered.append(finds_user(helix))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answered == [True] * 8
    assert setting.twitch.tokens_issued == issued + 1


def test_a_new_token_that_is_refused_too_is_not_renewed_for_ever(setting: HelixSetting) -> None:
    setting.fail("users", 401, "Invalid OAuth token", times=5)

    with pytest.raises(SourceRefused, match="Invalid OAuth token"):
        finds_user(setting.helix)

    assert setting.statuses("users") == [401, 401]


def test_a_token_of_another_application_is_not_renewed_but_names_the_settings(setting: HelixSetting) -> None:
    setting.fail("users", 401, "Client ID and OAuth token do not match")
    issued = setting.twitch.tokens_issued

    with pytest.raises(SourceRefused, match="TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET"):
        finds_user(setting.helix)

    assert setting.twitch.tokens_issued == issued + 1


def test_a_403_of_helix_needs_a_person(setting: HelixSetting) -> None:
    setting.fail("users", 403, "subscription missing proper authorization")

    with pytest.raises(SourceRefused, match="missing proper authorization") as caught:
        finds_user(setting.helix)

    assert caught.value.status == 403


def test_a_user_token_without_the_permission_says_which_is_missing(setting: HelixSetting) -> None:
    class Session:
        token = setting.twitch.user_token(SOMEBODY, scopes=())
        client_id = setting.twitch.client_id

    with pytest.raises(SourceRefused, match="user:read:follows"):
        setting.helix.followed(SOMEBODY, Session())


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_that_passes_is_not_noticed(setting: HelixSetting, status: int) -> None:
    setting.fail("channels", status, "", times=2)

    assert setting.helix.channels([SOMEBODY])
    assert setting.statuses("channels") == [status, status, 200]


def test_a_server_error_that_stays_is_unavailable_after_three_tries(setting: HelixSetting) -> None:
    setting.fail("channels", 500, "", times=9)

    with pytest.raises(SourceUnavailable) as caught:
        setting.helix.channels([SOMEBODY])

    assert caught.value.status == 500
    assert setting.statuses("channels") == [500] * 3


def test_each_try_costs_a_point_of_the_budget(setting: HelixSetting) -> None:
    setting.fail("channels", 500, "", times=9)
    budget = setting.budget()

    with pytest.raises(SourceUnavailable):
        setting.helix_with(budget).channels([SOMEBODY])

    assert int(setting.redis.hget(budget._state, "points") or 0) == setting.twitch.budget - 3


def test_a_rate_limit_is_waited_until_the_bucket_is_full_and_the_question_asked_again(setting: HelixSetting) -> None:
    headers = {"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": in_seconds(-0.5)}
    setting.fail("users", 429, TOO_MANY, headers=headers)

    assert finds_user(setting.helix)

    assert setting.statuses("users") == [429, 200]


def test_a_rate_limit_beyond_our_patience_is_for_later_and_nobody_else_runs_into_it(setting: HelixSetting) -> None:
    headers = {"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": in_seconds(45)}
    setting.fail("users", 429, TOO_MANY, headers=headers)

    for _ in range(3):
        with pytest.raises(SourceUnavailable) as caught:
            finds_user(setting.helix)
        assert caught.value.retry_after is not None
        assert timedelta(seconds=40) < caught.value.retry_after < timedelta(seconds=48)

    assert setting.statuses("users") == [429]


def test_a_rate_limit_that_tells_no_time_means_a_minute(setting: HelixSetting) -> None:
    setting.fail("users", 429, TOO_MANY)

    with pytest.raises(SourceUnavailable) as caught:
        finds_user(setting.helix)

    assert caught.value.retry_after is not None
    assert timedelta(seconds=55) < caught.value.retry_after <= timedelta(seconds=60)


def test_a_rate_limit_that_does_not_end_is_given_up(setting: HelixSetting) -> None:
    headers = {"Ratelimit-Remaining": "0", "Ratelimit-Reset": in_seconds(-30)}
    setting.fail("users", 429, TOO_MANY, times=9, headers=headers)

    with pytest.raises(SourceUnavailable, match="again after the wait"):
        finds_user(setting.helix)

    assert setting.statuses("users") == [429] * 3


def subscribe(helix: Helix) -> None:
    transport = Transport(method="conduit", conduit_id="x")
    helix.create_subscription("stream.online", "1", {"broadcaster_user_id": SOMEBODY}, transport)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("maximum subscriptions with type and condition exceeded", TooManySubscriptions),
        ("number of websocket transports limit exceeded", TooManyTransports),
        ("total cost exceeded", TooMuchCost),
        ("conduit limit reached", TooManyConduits),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Ratelimit-Limit": "800", "Ratelimit-Remaining": "700"}])
def test_a_limit_of_eventsub_is_no_rate_limit_and_told_at_once(
    setting: HelixSetting, text: str, kind: type[SourceError], headers: dict[str, str]
) -> None:
    setting.fail("eventsub/subscriptions", 429, text, times=9, headers=headers)

    with pytest.raises(kind, match=text):
        subscribe(setting.helix)

    assert setting.statuses("eventsub/subscriptions") == [429]
    # Requests for anything else go on.
    assert finds_user(setting.helix)


def test_an_unknown_limit_that_leaves_points_is_no_rate_limit_either(setting: HelixSetting) -> None:
    setting.fail("eventsub/subscriptions", 429, "something new", headers={"Ratelimit-Remaining": "700"})

    with pytest.raises(EventSubLimit, match="something new"):
        subscribe(setting.helix)


def test_a_rate_limit_on_subscriptions_is_waited(setting: HelixSetting) -> None:
    headers = {"Ratelimit-Remaining": "0", "Ratelimit-Reset": "1"}
    setting.fail("eventsub/subscriptions", 429, TOO_MANY, headers=headers)

    with pytest.raises(RequestRejected, match="conduit does not exist"):
        subscribe(setting.helix)

    assert setting.statuses("eventsub/subscriptions") == [429, 400]


def test_a_redirect_of_what_we_send_is_not_followed(setting: HelixSetting) -> None:
    setting.twitch.fail("/helix/eventsub/subscriptions", 307, {}, headers={"Location": "/helix/users"})

    with pytest.raises(RequestRejected) as caught:
        subscribe(setting.helix)

    assert caught.value.status == 307
    assert setting.requests("users") == []


def test_no_error_tells_the_token(setting: HelixSetting) -> None:
    token = setting.tokens().current(setting.client).token
    setting.twitch.fail("/helix/users", 400, {"message": "no"}, times=2)

    with pytest.raises(RequestRejected) as caught:
        finds_user(setting.helix)

    assert token not in f"{caught.value!r} {caught.value.payload!r}"
