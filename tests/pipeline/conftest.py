"""Fixtures of the pipeline's tests: a database with what was stored in it, and stand-ins for the services."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.vault import Vault
from pipeline.embedded import Servers
from pipeline.fetch.http import Client
from pipeline.services.igdb.client import Igdb
from tests.igdb.setting import IgdbSetting, igdb_setting
from tests.pipeline.drops.sources.installation import SignedIn
from tests.pipeline.fetch.local_service import LocalService
from tests.pipeline.world import Ingesting
from tests.shops import LocalShops
from tests.twitch import LocalTwitch
from tests.twitch.dashboard import Dashboard


@pytest.fixture
def world(engine: Engine) -> Ingesting:
    return Ingesting(engine)


@pytest.fixture
def service() -> Iterator[LocalService]:
    with LocalService() as running:
        yield running


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture
def setting(servers: Servers, tmp_path: Path) -> Iterator[IgdbSetting]:
    with igdb_setting(servers, tmp_path) as setting:
        yield setting


@pytest.fixture
def igdb(setting: IgdbSetting, client: Client) -> Igdb:
    """IGDB as one worker asks it."""
    return setting.open(client)


@pytest.fixture
def twitch() -> Iterator[Dashboard]:
    with LocalTwitch() as running:
        yield running.dashboard


@pytest.fixture
def shops() -> Iterator[LocalShops]:
    with LocalShops() as running:
        yield running


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "secret.key")


@pytest.fixture
def installation(engine: Engine, twitch: Dashboard, vault: Vault) -> SignedIn:
    return SignedIn(engine, twitch, vault)
