"""Fixtures of the tests of sounds."""

import pytest
from sqlalchemy import Engine

from pipeline.sound.media.ffmpeg import Ffmpeg, find_ffmpeg
from tests.pipeline.sound.channel import Ann


@pytest.fixture
def ann(engine: Engine) -> Ann:
    """A channel at Twitch with videos."""
    return Ann(engine)


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    return find_ffmpeg()
