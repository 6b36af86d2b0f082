"""Fixtures of the tests of games."""

import pytest
from sqlalchemy import Engine

from tests.igdb.setting import IgdbSetting
from tests.pipeline.games.syncing import Syncing


@pytest.fixture
def syncing(engine: Engine, setting: IgdbSetting) -> Syncing:
    return Syncing(engine, setting)
