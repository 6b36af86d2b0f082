"""Fixtures of the tests of collections."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.pipeline.roms.shelf import Shelf


@pytest.fixture
def shelf(engine: Engine, tmp_path: Path) -> Shelf:
    return Shelf(engine, tmp_path)
