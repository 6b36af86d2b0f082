"""Fixtures of the tests of exports."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.pipeline.roms.exports.collection import Collection


@pytest.fixture
def collection(engine: Engine, tmp_path: Path) -> Collection:
    return Collection(engine, tmp_path / "roms" / "psx")
