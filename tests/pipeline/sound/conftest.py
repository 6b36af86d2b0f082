"""What tests of sounds share."""

import pytest

from pipeline.sound.media.ffmpeg import Ffmpeg, find_ffmpeg


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    return find_ffmpeg()
