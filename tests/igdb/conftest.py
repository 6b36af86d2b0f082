"""Fixtures of the local IGDB's own tests."""

from collections.abc import Iterator

import httpx
import pytest

from tests.igdb import LocalIgdb
from tests.igdb.games import game
from tests.plain_http import NO_CERTIFICATES
from tests.twitch.local import CLIENT_ID


@pytest.fixture
def igdb() -> Iterator[LocalIgdb]:
    with LocalIgdb([game(key) for key in range(1, 31)]) as running:
        running.limits.per_second = None
        yield running


@pytest.fixture
def client(igdb: LocalIgdb) -> Iterator[httpx.Client]:
    headers = {"Client-ID": CLIENT_ID, "Authorization": "Bearer any"}
    with httpx.Client(
        base_url=igdb.url, headers=headers, trust_env=False, timeout=60, verify=NO_CERTIFICATES
    ) as client:
        yield client
