"""Fixtures of the tests of libraries."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from tests.pipeline.library.shelf import Shelf
from tests.pipeline.library.shelves import Library

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def library(engine: Engine) -> Library:
    return Library(engine)


@pytest.fixture
def shelf(engine: Engine) -> Shelf:
    return Shelf(engine, NOW)
