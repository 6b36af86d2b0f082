"""An API whose runtime knows a local Twitch."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine

from pipeline.embedded import Servers
from pipeline.runtime.runtime import Runtime
from tests.pipeline.channels.eventsub.installation import knows_twitch
from tests.twitch import LocalTwitch


def runtime_at(engine: Engine, servers: Servers, twitch: LocalTwitch, folder: Path) -> Iterator[Runtime]:
    """Give the runtime of a server that shares the sessions of the tests' database."""
    with knows_twitch(engine, servers, twitch, folder) as runtime:
        runtime.__dict__["engine"] = engine
        yield runtime
        runtime.reading_engine.dispose()
