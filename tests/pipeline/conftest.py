"""Fixtures of the pipeline's tests."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.pipeline.local_service import LocalService
from tests.pipeline.world import World


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


@pytest.fixture
def service() -> Iterator[LocalService]:
    with LocalService() as running:
        yield running
