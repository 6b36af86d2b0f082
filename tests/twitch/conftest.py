"""Fixtures of the local Twitch's own tests."""

from collections.abc import Iterator

import httpx
import pytest

from tests.twitch import LocalTwitch
from tests.twitch.asking import helix


@pytest.fixture
def twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch() as running:
        yield running


@pytest.fixture
def client(twitch: LocalTwitch) -> Iterator[httpx.Client]:
    with helix(twitch) as client:
        yield client
