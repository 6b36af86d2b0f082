"""Fixtures of what asks IGDB."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pipeline.embedded import Servers
from pipeline.http import Client
from pipeline.sources.igdb import Igdb
from tests.igdb.setting import IgdbSetting, igdb_setting
from tests.pipeline.igdb.syncing import Syncing


@pytest.fixture
def setting(servers: Servers, tmp_path: Path) -> Iterator[IgdbSetting]:
    with igdb_setting(servers, tmp_path) as setting:
        yield setting


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture
def asked(setting: IgdbSetting, client: Client) -> Igdb:
    """IGDB as one worker asks it."""
    return setting.open(client)


@pytest.fixture
def syncing(engine: Engine, setting: IgdbSetting) -> Syncing:
    return Syncing(engine, setting)
