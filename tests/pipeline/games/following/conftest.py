"""Fixtures of the tests of lists."""

import pytest
from sqlalchemy import Engine

from tests.pipeline.games.following.listing import Lists


@pytest.fixture
def lists(engine: Engine) -> Lists:
    return Lists(engine)
