"""Fixtures of the tests of streams."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pipeline.embedded import Servers
from tests.pipeline.channels import polls as polling
from tests.pipeline.channels.observations import ANN
from tests.pipeline.channels.polls import Polls
from tests.pipeline.channels.streaming import Streaming


@pytest.fixture
def streaming(engine: Engine) -> Streaming:
    """Ann is followed."""
    streaming = Streaming(engine)
    streaming.follow(ANN)
    return streaming


@pytest.fixture
def polls(engine: Engine, servers: Servers, tmp_path: Path) -> Iterator[Polls]:
    with polling.polls(engine, servers, tmp_path) as running:
        yield running
