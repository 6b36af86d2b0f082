"""Fixtures of the tests of libraries."""

import pytest
from sqlalchemy import Engine

from tests.pipeline.library.shelves import Library


@pytest.fixture
def library(engine: Engine) -> Library:
    return Library(engine)
