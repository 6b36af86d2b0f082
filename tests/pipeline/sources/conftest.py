"""Fixtures of the sources' tests: a Twitch of our own, and sources that ask it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from notifiers.vault import Vault
from pipeline.sources.twitch_drops import TwitchDashboard, TwitchDashboardRewards
from tests.pipeline.sources.asking import FixedAccount, hashes
from tests.pipeline.sources.installation import Installation
from tests.pipeline.sources.local_twitch import LocalTwitch


@pytest.fixture
def twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch() as running:
        yield running


@pytest.fixture
def account(twitch: LocalTwitch) -> FixedAccount:
    return FixedAccount([twitch.session()])


@pytest.fixture
def dashboard(twitch: LocalTwitch, account: FixedAccount) -> TwitchDashboard:
    return TwitchDashboard(twitch.gql_url, account, poll_every=timedelta(minutes=15), hashes=hashes())


@pytest.fixture
def rewards(twitch: LocalTwitch, account: FixedAccount) -> TwitchDashboardRewards:
    return TwitchDashboardRewards(twitch.gql_url, account, poll_every=timedelta(minutes=15), hashes=hashes())


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "secret.key")


@pytest.fixture
def installation(engine: Engine, twitch: LocalTwitch, vault: Vault) -> Installation:
    return Installation(engine, twitch, vault)
