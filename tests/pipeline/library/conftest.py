"""A shelf for what a person has."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from tests.pipeline.library.shelf import Shelf

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def shelf(engine: Engine) -> Shelf:
    return Shelf(engine, NOW)
