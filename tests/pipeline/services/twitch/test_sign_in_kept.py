"""A sign-in that is kept: renewed while it can be, looked at every hour, and told when it is over."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from models import Credential
from models.vault import Vault
from pipeline.errors import SourceChanged, SourceError, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.services.twitch.account import VALIDATE_AFTER, StoredAccount
from pipeline.services.twitch.graphql import Session
from pipeline.services.twitch.graphql_answers import SignedOut
from tests.pipeline.drops.sources.installation import SignedIn, die, now
from tests.twitch import LocalTwitch
from tests.twitch.dashboard import CLIENT_ID, Dashboard


def session(installation: SignedIn) -> Session:
    with Client(attempts=1) as client:
        return installation.account.session(client)


def renew(installation: SignedIn, refused: Session) -> Session:
    with Client(attempts=1) as client:
        return installation.account.renew(client, refused)


def failure(action: Callable[[], object]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        action()
    return caught.value


def expire(installation: SignedIn, remaining: timedelta) -> None:
    with installation.engine.begin() as connection:
        connection.execute(update(Credential).values(expires_at=now() + remaining))


def test_a_sign_in_is_kept_encrypted_with_whose_it_is(installation: SignedIn, twitch: Dashboard) -> None:
    row = installation.credential()

    assert (row["service"], row["login"], row["user_id"], row["client_id"]) == (
        "twitch",
        "lamplighter",
        "424242",
        CLIENT_ID,
    )
    assert not any(secret.encode() in row["tokens_encrypted"] for secret in twitch.secrets())
    assert session(installation).token == twitch.grants[0].access_token


def test_without_a_sign_in_there_is_no_session(engine: Engine, vault: Vault, twitch: Dashboard) -> None:
    account = StoredAccount(engine, lambda: vault, twitch.auth_url, now)

    with Client() as client, pytest.raises(SignedOut, match="nobody is signed in to Twitch: `lootwire sources login"):
        account.session(client)


def test_tokens_are_renewed_shortly_before_they_end(installation: SignedIn, twitch: Dashboard) -> None:
    expire(installation, timedelta(minutes=5))

    renewed = session(installation)

    assert renewed.token == twitch.grants[1].access_token
    assert session(installation) == renewed
    assert installation.credential()["expires_at"] > now() + timedelta(hours=3)
    assert len(twitch.grants) == 2


def test_tokens_that_still_hold_are_used_while_they_cannot_be_renewed(
    installation: SignedIn, twitch: Dashboard
) -> None:
    twitch.token_status = 503
    expire(installation, timedelta(minutes=5))

    assert session(installation).token == twitch.grants[0].access_token

    expire(installation, timedelta(minutes=-1))
    assert isinstance(failure(lambda: session(installation)), SourceUnavailable)
    assert installation.credential()["dead_at"] is None


def test_a_refused_token_is_renewed_by_its_refresh_token(installation: SignedIn, twitch: Dashboard) -> None:
    refused = session(installation)
    twitch.grants[0].alive = False

    assert renew(installation, refused).token == twitch.grants[1].access_token
    assert installation.credential()["dead_at"] is None


def test_a_token_that_another_process_has_renewed_is_taken_over(installation: SignedIn, twitch: Dashboard) -> None:
    refused = session(installation)
    renewed = renew(installation, refused)

    # The refresh token is spent by now: asking for another would be the end of the sign-in.
    assert renew(installation, refused) == renewed
    assert len(twitch.grants) == 2


def test_a_token_without_any_refresh_token_dies_when_it_is_refused(engine: Engine, vault: Vault) -> None:
    with LocalTwitch() as running:
        twitch = running.dashboard
        twitch.gives_refresh_tokens = False
        installation = SignedIn(engine, twitch, vault)
        refused = session(installation)

        assert isinstance(failure(lambda: renew(installation, refused)), SignedOut)
        assert installation.credential()["dead_at"] is not None
        assert "lootwire sources login twitch" in str(failure(lambda: session(installation)))


def test_a_sign_in_that_was_made_meanwhile_is_not_taken_for_dead(installation: SignedIn, twitch: Dashboard) -> None:
    refused = session(installation)
    die(twitch)
    twitch.on_refresh = installation.sign_in

    assert renew(installation, refused).token == twitch.grants[-1].access_token
    assert installation.credential()["dead_at"] is None


def test_a_proxy_that_refuses_is_not_the_end_of_a_sign_in(installation: SignedIn, twitch: Dashboard) -> None:
    refused = session(installation)
    twitch.token_status = 403

    failure(lambda: renew(installation, refused))

    assert installation.credential()["dead_at"] is None


def test_a_key_that_does_not_open_the_sign_in_is_told_with_the_way_out(installation: SignedIn, tmp_path: Path) -> None:
    other = Vault.open(tmp_path / "other.key")
    installation.account = StoredAccount(installation.engine, lambda: other, "http://127.0.0.1:9", now)

    error = failure(lambda: session(installation))

    assert isinstance(error, SignedOut)
    assert str(tmp_path / "other.key") in str(error)
    assert installation.credential()["dead_at"] is None


# The hourly look


def validate(installation: SignedIn, at: datetime) -> bool | None:
    account = StoredAccount(installation.engine, lambda: installation.vault, installation.twitch.auth_url, lambda: at)
    with Client(attempts=1) as client:
        return account.validate_if_due(client)


def test_a_sign_in_is_validated_once_an_hour(installation: SignedIn, twitch: Dashboard) -> None:
    requests_before = len(twitch.paths)

    assert validate(installation, now()) is None
    assert len(twitch.paths) == requests_before
    assert validate(installation, now() + VALIDATE_AFTER) is True
    assert validate(installation, now() + VALIDATE_AFTER + timedelta(minutes=10)) is None
    assert twitch.paths[requests_before:] == ["/oauth2/validate"]


def test_a_sign_in_that_does_not_hold_any_more_is_renewed_if_it_can_be(
    installation: SignedIn, twitch: Dashboard
) -> None:
    twitch.grants[0].alive = False

    assert validate(installation, now() + VALIDATE_AFTER) is True
    assert session(installation).token == twitch.grants[1].access_token


def test_a_sign_in_that_is_over_is_told_by_the_source_that_needs_it(installation: SignedIn, twitch: Dashboard) -> None:
    die(twitch)

    assert validate(installation, now() + VALIDATE_AFTER) is False
    # Twitch is not asked again: the refusal is stored.
    requests_before = len(twitch.paths)
    assert validate(installation, now() + 3 * VALIDATE_AFTER) is None
    assert len(twitch.paths) == requests_before
    assert installation.row()["enabled"]
    assert not installation.row(installation.rewards)["enabled"]
    installation.fetch()
    (headline,) = installation.headlines("source.failing")
    assert "its hourly check says so" in headline
    assert "`lootwire sources login twitch`" in headline


@pytest.mark.parametrize(("status", "kind"), [(500, SourceUnavailable), (403, SourceError), (404, SourceChanged)])
def test_a_look_that_fails_says_nothing_about_the_sign_in(
    installation: SignedIn, twitch: Dashboard, status: int, kind: type[SourceError]
) -> None:
    twitch.validate_status = status

    assert isinstance(failure(lambda: validate(installation, now() + VALIDATE_AFTER)), kind)
    assert installation.credential()["dead_at"] is None


def test_where_nobody_is_signed_in_there_is_nothing_to_look_at(engine: Engine, vault: Vault, twitch: Dashboard) -> None:
    account = StoredAccount(engine, lambda: vault, twitch.auth_url, now)

    with Client() as client:
        assert account.validate_if_due(client) is None
    assert twitch.paths == []
