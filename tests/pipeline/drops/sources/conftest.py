"""Fixtures of the sources' tests: a Twitch of our own, and sources that ask it."""

from datetime import timedelta

import pytest

from pipeline.drops.sources.dashboard import TwitchDashboard, TwitchDashboardRewards
from tests.pipeline.drops.sources.asking import FixedAccount, hashes
from tests.pipeline.drops.sources.local_twitch import LocalTwitch


@pytest.fixture
def account(twitch: LocalTwitch) -> FixedAccount:
    return FixedAccount([twitch.session()])


@pytest.fixture
def dashboard(twitch: LocalTwitch, account: FixedAccount) -> TwitchDashboard:
    return TwitchDashboard(twitch.gql_url, account, poll_every=timedelta(minutes=15), hashes=hashes())


@pytest.fixture
def rewards(twitch: LocalTwitch, account: FixedAccount) -> TwitchDashboardRewards:
    return TwitchDashboardRewards(twitch.gql_url, account, poll_every=timedelta(minutes=15), hashes=hashes())
