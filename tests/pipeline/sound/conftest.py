"""Fixtures of the tests of sounds."""

import pytest
from sqlalchemy import Engine

from tests.pipeline.sound.channel import Ann


@pytest.fixture
def ann(engine: Engine) -> Ann:
    """A channel at Twitch with videos."""
    return Ann(engine)
