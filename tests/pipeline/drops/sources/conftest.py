"""Fixtures of the sources' tests: a Twitch of our own, and sources that ask it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.vault import Vault
from pipeline.drops.sources.dashboard import TwitchDashboard, TwitchDashboardRewards
from tests.pipeline.drops.sources.asking import FixedAccount, hashes
from tests.pipeline.drops.sources.installation import Installation
from tests.twitch import LocalTwitch
from tests.twitch.dashboard import Dashboard


@pytest.fixture
def twitch() -> Iterator[Dashboard]:
    with LocalTwitch() as running:
        yield running.dashboard


@pytest.fixture
def account(twitch: Dashboard) -> FixedAccount:
    return FixedAccount([twitch.session()])


@pytest.fixture
def dashboard(twitch: Dashboard, account: FixedAccount) -> TwitchDashboard:
    return TwitchDashboard(twitch.gql_url, account, poll_every=timedelta(minutes=15), hashes=hashes())


@pytest.fixture
def rewards(twitch: Dashboard, account: FixedAccount) -> TwitchDashboardRewards:
    return TwitchDashboardRewards(twitch.gql_url, account, poll_every=timedelta(minutes=15), hashes=hashes())


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "secret.key")


@pytest.fixture
def installation(engine: Engine, twitch: Dashboard, vault: Vault) -> Installation:
    return Installation(engine, twitch, vault)
