"""Signing in to Twitch by device code."""

from collections.abc import Iterator

import pytest

from pipeline.fetch.http import Client
from pipeline.services.twitch.graphql import Session
from pipeline.services.twitch.sign_in import SignInError, Tokens, TwitchAuth
from tests.twitch.dashboard import CLIENT_ID, Dashboard


class Pauses:
    """A clock that moves only when a caller waits."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)

    def clock(self) -> float:
        return sum(self.waited)


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(attempts=1) as client:
        yield client


@pytest.fixture
def auth(client: Client, twitch: Dashboard) -> TwitchAuth:
    return TwitchAuth(client, twitch.auth_url, CLIENT_ID)


def sign_in_by_code(auth: TwitchAuth, pauses: Pauses) -> Tokens:
    return auth.wait(auth.begin(), pause=pauses, clock=pauses.clock)


def test_a_code_is_shown_and_once_it_was_entered_there_are_tokens(auth: TwitchAuth, twitch: Dashboard) -> None:
    code = auth.begin()
    twitch.token_says = ["authorization_pending"] * 3
    twitch.interval = 5
    pauses = Pauses()

    tokens = auth.wait(code, pause=pauses, clock=pauses.clock)

    assert code.user_code == "WXYZQRST"
    assert code.verification_uri.startswith("https://www.twitch.tv/activate")
    assert tokens.access_token == twitch.grants[0].access_token
    assert tokens.refresh_token == twitch.grants[0].refresh_token
    assert len(pauses.waited) == 4


def test_polling_keeps_to_the_interval_and_slows_down_when_asked(auth: TwitchAuth, twitch: Dashboard) -> None:
    twitch.interval = 5
    twitch.token_says = ["authorization_pending", "slow_down", "authorization_pending", "slow_down"]
    pauses = Pauses()

    sign_in_by_code(auth, pauses)

    assert pauses.waited == [5, 5, 10, 10, 15]


def test_a_service_that_stumbles_while_one_waits_does_not_end_the_wait(auth: TwitchAuth, twitch: Dashboard) -> None:
    twitch.token_says = ["503", "authorization_pending"]

    assert sign_in_by_code(auth, Pauses()).access_token


def test_a_code_that_nobody_enters_runs_out(auth: TwitchAuth, twitch: Dashboard) -> None:
    twitch.interval, twitch.expires_in = 5, 60
    twitch.token_says = ["authorization_pending"] * 100
    pauses = Pauses()

    with pytest.raises(SignInError, match="nobody entered the code in time; start again: `lootwire sources login"):
        sign_in_by_code(auth, pauses)
    assert pauses.clock() == 60


@pytest.mark.parametrize("reason", ["invalid device code", "access_denied", "expired_token"])
def test_a_refused_code_ends_the_wait_with_what_twitch_says(auth: TwitchAuth, twitch: Dashboard, reason: str) -> None:
    twitch.token_says = [reason]

    with pytest.raises(SignInError, match=f"Twitch says '{reason}'; start again"):
        sign_in_by_code(auth, Pauses())


def test_an_application_that_twitch_does_not_know_is_named_with_its_setting(client: Client, twitch: Dashboard) -> None:
    with pytest.raises(SignInError, match=r"unknownapp \(invalid client\): LOOTWIRE_TWITCH_DEVICE_CLIENT_ID"):
        TwitchAuth(client, twitch.auth_url, "unknownapp").begin()


def test_a_token_tells_whose_it_is_and_a_dead_one_tells_nothing(auth: TwitchAuth, twitch: Dashboard) -> None:
    granted = twitch.grant()

    viewer = auth.validate(granted.access_token)

    assert viewer is not None
    assert (viewer.login, viewer.user_id, viewer.client_id) == ("lamplighter", "424242", CLIENT_ID)
    granted.alive = False
    assert auth.validate(granted.access_token) is None


def test_a_refresh_token_works_once(auth: TwitchAuth, twitch: Dashboard) -> None:
    spent = twitch.grant().refresh_token or ""

    renewed = auth.refresh(spent)

    assert renewed is not None
    assert renewed.access_token == twitch.grants[-1].access_token
    assert auth.refresh(spent) is None


def test_neither_tokens_nor_codes_show_what_they_hold(auth: TwitchAuth, twitch: Dashboard) -> None:
    code = auth.begin()
    tokens = auth.wait(code, pause=Pauses())
    session = Session(token=tokens.access_token, client_id="app", device_id="d", session_id="s")

    printed = f"{code!r} {code} {tokens!r} {tokens} {session!r} {session}"
    assert not any(secret in printed for secret in [*twitch.secrets(), code.device_code])
