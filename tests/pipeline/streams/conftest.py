"""Fixtures of the tests of streams."""

import pytest
from sqlalchemy import Engine

from tests.pipeline.streams.streaming import Streaming


@pytest.fixture
def streaming(engine: Engine) -> Streaming:
    return Streaming(engine)
