"""An installation that knows a local Twitch, and the program that brings its messages in."""

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pipeline.embedded import Servers
from pipeline.runtime.runtime import Runtime
from tests.pipeline.channels.eventsub.installation import Listening, knows_twitch
from tests.twitch import LocalTwitch

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def no_surprises(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fails a test in which a thread logged an unforeseen error, and went on."""
    caplog.set_level(logging.INFO)
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.exc_info] == []


@pytest.fixture
def twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch(client_id=f"client{next(_numbers)}of0lootwire") as running:
        yield running


@pytest.fixture
def runtime(engine: Engine, servers: Servers, twitch: LocalTwitch, tmp_path: Path) -> Iterator[Runtime]:
    with knows_twitch(engine, servers, twitch, tmp_path) as opened:
        yield opened


@pytest.fixture
def installation(runtime: Runtime, twitch: LocalTwitch) -> Iterator[Listening]:
    listening = Listening(runtime, twitch)
    with listening.kept:
        yield listening
