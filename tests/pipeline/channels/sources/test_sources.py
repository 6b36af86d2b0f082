"""The sources of streams exist only while there is an application of ours and a channel to watch."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine

from models import Source
from pipeline.ingest.fetching import due
from pipeline.programs.sources import register, sources
from pipeline.runtime.runtime import Runtime
from pipeline.runtime.settings import Settings
from tests.pipeline.channels.streaming import Streaming

NAMES = {"twitch.streams", "twitch.streams_in_campaigns", "twitch.videos"}


@contextmanager
def runtime(engine: Engine, folder: Path, *, application: bool) -> Iterator[Runtime]:
    settings = Settings(
        data_dir=folder,
        twitch_client_id="made-up" if application else None,
        twitch_client_secret=SecretStr("made up") if application else None,
    )
    url = engine.url.render_as_string(hide_password=False)
    surroundings = Runtime(settings=settings, database_url=url, redis_url="redis://127.0.0.1:9")
    yield surroundings
    surroundings.engine.dispose()


def names(surroundings: Runtime) -> set[str]:
    return {source.name for source in sources(surroundings)} & NAMES


def test_there_are_none_without_an_application_or_anybody_to_watch(engine: Engine, tmp_path: Path) -> None:
    with runtime(engine, tmp_path, application=True) as ours, runtime(engine, tmp_path, application=False) as nobodys:
        assert names(ours) == set()
        Streaming(engine).follow("501")
        assert (names(ours), names(nobodys)) == (NAMES, set())


def test_a_source_that_exists_no_more_is_off_until_it_is_back(engine: Engine, tmp_path: Path) -> None:
    streaming, now = Streaming(engine), datetime(2040, 1, 1, tzinfo=UTC)
    with runtime(engine, tmp_path, application=True) as ours:

        def due_now() -> set[str]:
            with engine.begin() as connection:
                register(connection, ours, now)
                return set(due(connection, now)) & NAMES

        assert due_now() == set()
        streaming.follow("501")
        assert due_now() == NAMES
        streaming.unfollow("501")
        assert due_now() == set()
        streaming.follow("501")
        assert due_now() == NAMES
    assert len([row for row in streaming.rows(Source) if row.name in NAMES]) == len(NAMES)
