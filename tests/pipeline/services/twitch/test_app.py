"""The token of our application: one for all workers, against a Twitch of our own."""

import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from models.vault import Vault
from pipeline.embedded import Servers
from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import connect_redis
from pipeline.services.twitch.app_token import AppToken, SharedAppTokens
from tests.pipeline.fetch.own_redis import url_of
from tests.pipeline.services.twitch.helix_setting import HelixSetting, helix_setting
from tests.twitch import LocalTwitch

TOKEN_PATH = "/oauth2/token"


@pytest.fixture(scope="module")
def twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch() as running:
        yield running


@pytest.fixture
def setting(twitch: LocalTwitch, servers: Servers, tmp_path: Path) -> Iterator[HelixSetting]:
    lifetime = twitch.token_lifetime
    with helix_setting(twitch, servers, tmp_path) as setting:
        yield setting
    twitch.token_lifetime = lifetime


def token_requests(setting: HelixSetting) -> int:
    """How many requests for a token Twitch has had."""
    return sum(request.path == TOKEN_PATH for request in setting.twitch.requests)


def everything_kept(redis: Redis) -> bytes:
    return b"".join(redis.dump(key) or b"" for key in redis.scan_iter())


def test_one_token_serves_all_workers(setting: HelixSetting) -> None:
    tokens = [setting.tokens().current(setting.client) for _ in range(5)]

    assert len({token.token for token in tokens}) == 1
    assert token_requests(setting) == 1


def test_the_token_is_kept_encrypted_and_ends_where_it_is_kept_when_it_ends_at_twitch(setting: HelixSetting) -> None:
    token = setting.tokens().current(setting.client)

    (key,) = setting.redis.keys()
    assert token.token.encode() not in everything_kept(setting.redis)
    assert setting.twitch.token_lifetime - 60 < setting.redis.ttl(key) <= setting.twitch.token_lifetime


def test_a_lock_and_a_token_of_before_the_clock_of_redis_was_set_back_stop_nobody(setting: HelixSetting) -> None:
    tokens = setting.tokens()
    first = tokens.current(setting.client)
    # What Redis keeps until a time lives longer by as much as its clock is set back.
    setting.redis.expire(tokens._key, setting.twitch.token_lifetime + 7200)
    setting.redis.set(tokens._lock_key, "of a worker that is dead", ex=7200)

    assert tokens.current(setting.client) != first
    assert setting.redis.ttl(tokens._key) <= setting.twitch.token_lifetime


def test_nothing_tells_the_token_or_the_secret(setting: HelixSetting) -> None:
    tokens = setting.tokens()
    token = tokens.current(setting.client)

    printed = f"{tokens!r} {token!r} {token}"
    assert token.token not in printed
    assert setting.twitch.client_secret not in printed
    assert token.headers() == {"Authorization": f"Bearer {token.token}", "Client-Id": setting.twitch.client_id}


def test_eight_workers_whose_token_died_fetch_one_new_token(setting: HelixSetting, servers: Servers) -> None:
    dead = setting.tokens().current(setting.client)
    setting.twitch.revoke_app_tokens()
    # All eight ask before the first answer, so a second request would show.
    setting.twitch.fail(TOKEN_PATH, None, delay=0.1, times=math.inf)
    issued = setting.twitch.tokens_issued
    barrier = threading.Barrier(8)
    renewed: list[AppToken] = []

    def work() -> None:
        with Client() as client, connect_redis(url_of(servers)) as redis:
            barrier.wait()
            renewed.append(setting.tokens(redis).renew(client, dead))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert setting.twitch.tokens_issued == issued + 1
    assert len(renewed) == 8
    assert len({token.token for token in renewed} - {dead.token}) == 1


def test_eight_workers_that_start_at_once_fetch_one_token(setting: HelixSetting, servers: Servers) -> None:
    setting.twitch.fail(TOKEN_PATH, None, delay=0.1, times=math.inf)
    barrier = threading.Barrier(8)

    def work() -> None:
        with Client() as client, connect_redis(url_of(servers)) as redis:
            barrier.wait()
            setting.tokens(redis).current(client)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert token_requests(setting) == 1


def test_a_token_is_renewed_before_its_end(setting: HelixSetting) -> None:
    tokens = setting.tokens()
    old = tokens.current(setting.client)
    (key,) = setting.redis.keys()
    setting.redis.expire(key, 2 * 86400)
    assert tokens.current(setting.client) == old
    setting.redis.expire(key, 86000)

    new = tokens.current(setting.client)

    assert new != old
    assert tokens.current(setting.client) == new
    assert token_requests(setting) == 2


def test_a_token_that_lives_briefly_is_not_renewed_at_each_use(setting: HelixSetting) -> None:
    setting.twitch.token_lifetime = 3600
    tokens = setting.tokens()

    assert tokens.current(setting.client) == tokens.current(setting.client)


def test_a_token_near_its_end_serves_while_twitch_gives_no_other(setting: HelixSetting) -> None:
    tokens = setting.tokens()
    old = tokens.current(setting.client)
    (key,) = setting.redis.keys()
    setting.redis.expire(key, 600)
    setting.twitch.fail(TOKEN_PATH, 503, times=math.inf)

    with Client(attempts=1) as client:
        assert tokens.current(client) == old
        with pytest.raises(SourceUnavailable):
            tokens.renew(client, old)


@pytest.mark.parametrize(
    ("client_id", "secret", "named", "reason"),
    [
        ("someone0else", "", "TWITCH_CLIENT_ID must be", "invalid client"),
        ("", "w0rng", "TWITCH_CLIENT_SECRET is not", "invalid client secret"),
    ],
)
def test_a_wrong_setting_is_named_and_not_tried_again_and_again(
    setting: HelixSetting, client_id: str, secret: str, named: str, reason: str
) -> None:
    for _ in range(4):
        with pytest.raises(SourceRefused, match=named) as caught:
            setting.tokens(client_id=client_id, secret=secret).current(setting.client)
        assert reason in str(caught.value)
        assert "https://dev.twitch.tv/console" in str(caught.value)
        assert "w0rng" not in str(caught.value)

    assert token_requests(setting) == 1
    assert b"w0rng" not in everything_kept(setting.redis)


def test_a_corrected_setting_is_tried_at_once(setting: HelixSetting) -> None:
    with pytest.raises(SourceRefused):
        setting.tokens(secret="w0rng").current(setting.client)

    assert setting.tokens().current(setting.client).client_id == setting.twitch.client_id


def test_a_refusal_that_names_nothing_points_to_both_settings(setting: HelixSetting) -> None:
    setting.twitch.fail(TOKEN_PATH, 400, {"status": 400, "message": "invalid grant type"})

    with pytest.raises(SourceRefused, match="check TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET"):
        setting.tokens().current(setting.client)


@pytest.mark.parametrize("status", [302, 404, 418])
def test_a_page_that_is_no_answer_of_twitch_is_no_refusal(setting: HelixSetting, status: int) -> None:
    setting.twitch.fail(TOKEN_PATH, status, "<html>log in to this network</html>")

    with pytest.raises(SourceChanged, match=f"token answered {status}.* is LOOTWIRE_TWITCH_AUTH_URL right"):
        setting.tokens().current(setting.client)

    assert setting.tokens().current(setting.client).token


def test_too_many_questions_for_a_token_are_cured_by_time(setting: HelixSetting) -> None:
    setting.twitch.fail(TOKEN_PATH, 429, {"status": 429, "message": "slow down"})

    with pytest.raises(SourceUnavailable) as caught:
        setting.tokens().current(setting.client)

    assert caught.value.retry_after is not None
    assert setting.tokens().current(setting.client).token


@pytest.mark.parametrize("body", ["<html>s3cret", {"access_token": ["s3cret"]}, b"\xffs3cret"])
def test_an_unknown_answer_is_a_change_that_quotes_nothing(setting: HelixSetting, body: object) -> None:
    setting.twitch.fail(TOKEN_PATH, 200, body)

    with pytest.raises(SourceChanged) as caught:
        setting.tokens().current(setting.client)

    assert "s3cret" not in f"{caught.value} {caught.value.payload!r}"


def test_a_token_of_another_key_file_is_replaced(setting: HelixSetting, tmp_path: Path) -> None:
    old = setting.tokens().current(setting.client)
    setting.vault = Vault.open(tmp_path / "other.key")

    new = setting.tokens().current(setting.client)

    assert new != old
    assert setting.tokens().current(setting.client) == new


def test_a_key_file_that_others_may_read_is_for_a_person(setting: HelixSetting, tmp_path: Path) -> None:
    path = tmp_path / "open.key"
    Vault.open(path)
    path.chmod(0o644)
    tokens = SharedAppTokens(
        setting.redis, lambda: Vault.open(path), setting.twitch.auth_url, "abc", setting.tokens()._secret
    )
    setting.redis.set(tokens._key, b"something")

    with pytest.raises(SourceRefused, match="chmod 600"):
        tokens.current(setting.client)


def test_the_lock_of_a_worker_that_was_killed_ends_by_itself(setting: HelixSetting) -> None:
    tokens = setting.tokens()
    began = time.monotonic()
    setting.redis.set(tokens._lock_key, b"killed", px=300)

    assert tokens.current(setting.client).token
    assert time.monotonic() - began >= 0.25


def test_a_worker_does_not_wait_as_long_as_another_that_the_address_of_tokens_holds(setting: HelixSetting) -> None:
    tokens = setting.tokens()
    setting.redis.set(tokens._lock_key, "of a worker that is asking", ex=80)
    began = time.monotonic()

    with pytest.raises(SourceUnavailable, match="another worker is still asking"):
        tokens.current(setting.client)
    assert time.monotonic() - began < 30


def test_without_redis_there_is_no_token(setting: HelixSetting) -> None:
    with (
        connect_redis("redis://:hunter2@127.0.0.1:1/0") as nobody,
        pytest.raises(SourceUnavailable, match="the token of our application at Twitch is kept there") as caught,
    ):
        setting.tokens(nobody).current(setting.client)

    assert "hunter2" not in str(caught.value)
