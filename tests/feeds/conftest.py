"""A real PostgreSQL of our own, a fresh database in it for each test, and a folder to publish to."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.feeds.world import Publishing


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "public"


@pytest.fixture
def world(engine: Engine, root: Path) -> Publishing:
    return Publishing(engine, root)
