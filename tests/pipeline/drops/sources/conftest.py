"""Fixtures of the sources' tests: a local Twitch, and sources that fetch from it."""

from datetime import timedelta

import pytest

from pipeline.drops.sources.dashboard import TwitchDashboard, TwitchDashboardRewards
from tests.pipeline.drops.sources.asking import FixedAccount, hashes
from tests.twitch.dashboard import Dashboard


@pytest.fixture
def account(twitch: Dashboard) -> FixedAccount:
    return FixedAccount([twitch.session()])


@pytest.fixture
def dashboard(twitch: Dashboard, account: FixedAccount) -> TwitchDashboard:
    return TwitchDashboard(twitch.gql_url, account, poll_every=timedelta(minutes=15), hashes=hashes())


@pytest.fixture
def rewards(twitch: Dashboard, account: FixedAccount) -> TwitchDashboardRewards:
    return TwitchDashboardRewards(twitch.gql_url, account, poll_every=timedelta(minutes=15), hashes=hashes())
