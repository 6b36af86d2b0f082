"""Whatever documents say: storing them twice changes nothing, and the last answer is what is stored."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from pipeline.games.store.games import store_games
from pipeline.services.igdb.documents import split_documents
from tests.databases import Databases
from tests.examples import examples
from tests.pipeline.games.documents import encode
from tests.pipeline.games.store.test_games import HOUR, NOON

TABLES = ("game_metadata", "game_titles", "external_games", "platforms", "release_dates")
_text = st.text(st.characters(codec=None), min_size=1, max_size=8) | st.sampled_from(
    ["a\tb\\N", "Aldmoor", "\\x41\n", "{}"]
)
_id = st.integers(1, 3)
_named = st.lists(st.one_of(_id, st.fixed_dictionaries({"id": _id, "name": _text})), max_size=3)
_release = st.fixed_dictionaries(
    {},
    optional={
        "id": _id,
        "date": st.integers(0, 2 * 10**9) | _text,
        "date_format": st.integers(0, 9),
        "platform": _id | st.fixed_dictionaries({"id": _id, "name": _text}),
        "y": st.integers(0, 10_000),
        "m": st.integers(0, 13),
        "status": _id,
    },
)
_document = st.fixed_dictionaries(
    {"id": _id, "name": _text},
    optional={
        "slug": _text,
        "summary": _text,
        "game_type": st.integers(-1, 20),
        "total_rating": st.floats(0, 120),
        "genres": _named,
        "alternative_names": _named,
        "game_localizations": _named,
        "platforms": _named,
        "external_games": st.lists(
            st.fixed_dictionaries({"external_game_source": _id, "uid": _text}) | _id, max_size=3
        ),
        "release_dates": st.lists(_release | _id, max_size=3),
        "cover": _id | st.fixed_dictionaries({"image_id": _text}),
        "extra": st.recursive(_text | st.floats(allow_nan=False, allow_infinity=False), st.lists, max_leaves=3),
    },
)
_page = st.lists(_document, max_size=3, unique_by=lambda document: document["id"])


@pytest.fixture(scope="module")
def kept(databases: Databases) -> Iterator[Engine]:
    with databases.new() as engine:
        yield engine


def state(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return [
            sorted(connection.execute(text(f"SELECT ctid::text, t::text FROM {table} t")).all())  # noqa: S608
            for table in TABLES
        ]


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=st.lists(_page, min_size=1, max_size=3))
def test_storing_twice_changes_nothing(kept: Engine, pages: list[list[dict[str, Any]]]) -> None:
    with kept.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(TABLES)}"))
    now = NOON
    for page in pages:
        now += HOUR
        documents = split_documents(encode(page)).documents
        with kept.begin() as connection:
            store_games(connection, documents, now)
        before = state(kept)

        with kept.begin() as connection:
            again = store_games(connection, documents, now + timedelta(minutes=1))

        assert (again.added, again.changed) == ([], [])
        assert again.unchanged + len(again.refused) == len(documents)
        assert state(kept) == before
