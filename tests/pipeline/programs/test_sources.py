"""The sources that each subject registers, when they are switched off, and the ids of their items."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert

from models import Source
from models.errors import LootwireError
from models.people import OWNER_ID
from pipeline.games.mirror.state import MIRROR, MirrorState
from pipeline.ingest import fetching
from pipeline.ingest.precedence import outranked
from pipeline.ingest.source import Item, id_under
from pipeline.library.store.accounts import save_account
from pipeline.programs.sources import ON_DEMAND, drop_sources, register, source, sources
from pipeline.runtime.runtime import Runtime
from pipeline.runtime.settings import Settings
from tests.pipeline.channels.streaming import Streaming

NOW = datetime(2040, 1, 1, tzinfo=UTC)


@contextmanager
def opened(engine: Engine, folder: Path, *, application: bool) -> Iterator[Runtime]:
    settings = Settings(
        data_dir=folder,
        twitch_client_id="made-up" if application else None,
        twitch_client_secret=SecretStr("made up") if application else None,
        eventsub_callback_url="https://lootwire.example/eventsub",
    )
    url = engine.url.render_as_string(hide_password=False)
    runtime = Runtime(settings=settings, database_url=url, redis_url="redis://127.0.0.1:9")
    yield runtime
    runtime.engine.dispose()


def enabled(streaming: Streaming) -> set[str]:
    return {row.name for row in streaming.rows(Source) if row.enabled}


def sign_in(engine: Engine, service: str) -> None:
    with engine.begin() as connection:
        save_account(
            connection,
            person_id=OWNER_ID,
            service=service,
            external_id="1",
            name=None,
            key_encrypted=b"made up",
            now=NOW,
        )


def test_every_source_that_comes_and_goes_is_named_by_its_subject(engine: Engine, tmp_path: Path) -> None:
    Streaming(engine).follow("501")
    cursor = MirrorState(completed_at=NOW, swept_to=NOW).cursor()
    with engine.begin() as connection:
        mirror = {"name": MIRROR, "service": "igdb", "cursor": cursor, "next_due_at": NOW}
        connection.execute(insert(Source).values(mirror))

    with (
        opened(engine, tmp_path, application=True) as everything,
        opened(engine, tmp_path, application=False) as little,
    ):
        always = {s.name for s in sources(little)}
        for service in ("steam", "retroachievements"):
            sign_in(engine, service)
        come_and_go = {s.name for s in sources(everything)} - always

    assert come_and_go == set(ON_DEMAND)


def test_sources_of_one_subject_do_not_switch_off_those_of_another(engine: Engine, tmp_path: Path) -> None:
    streaming = Streaming(engine)
    streaming.follow("501")
    with opened(engine, tmp_path, application=True) as runtime:
        with engine.begin() as connection:
            register(connection, runtime, NOW)
        before = enabled(streaming)

        # An import registers the drops' sources alone.
        with engine.begin() as connection:
            fetching.register(connection, drop_sources(runtime), NOW)

    assert "twitch.streams" in before
    assert enabled(streaming) == before


def test_a_source_is_found_by_its_name(engine: Engine, tmp_path: Path) -> None:
    with opened(engine, tmp_path, application=False) as runtime:
        assert source(runtime, "kick.drops").name == "kick.drops"
        with pytest.raises(LootwireError, match=r"no source `igdb.wanted`; there are: twitch.drops, .*, chzzk.drops$"):
            source(runtime, "igdb.wanted")


@pytest.mark.parametrize(
    ("raw", "external_id"),
    [
        (b'{"id": "a"}', "a"),
        (b'{"name": "x", "id": 7}', "7"),
        (b'{"id": " a\\u0000 ", "name": 5}', "a"),
        (b'{"id": ""}', None),
        (b'{"id": null}', None),
        (b'{"id": {"id": "a"}}', None),
        (b'{"key": "a"}', None),
        (b'{"id": "a"', None),
        (b"[]", None),
    ],
)
def test_an_id_is_read_also_of_an_item_that_cannot_be_decoded(raw: bytes, external_id: str | None) -> None:
    assert id_under("id", Item(b"", raw)) == external_id


def test_an_id_is_read_as_its_service_spells_it() -> None:
    assert id_under("campaignNo", Item(b"", b'{"id": 1, "campaignNo": 905}')) == "905"


def test_only_what_a_better_source_lists_too_is_outranked() -> None:
    elsewhere = {"a": {"twitch.dashboard"}, "b": {"somebody.else"}, "c": {"twitch.details", "somebody.else"}}

    assert outranked(elsewhere, ("twitch.dashboard", "twitch.details")) == {"a", "c"}
    assert outranked(elsewhere, ()) == set()
