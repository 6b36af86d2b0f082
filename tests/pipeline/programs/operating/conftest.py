"""An installation with an operator, and what he reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.vault import Vault
from pipeline.demo.sinks import WebhookSink
from tests.healthchecks import Healthchecks
from tests.pipeline.programs.operating.world import Operated, operated


@pytest.fixture
def admin() -> Iterator[WebhookSink]:
    with WebhookSink() as sink:
        yield sink


@pytest.fixture
def installation(engine: Engine, vault: Vault, tmp_path: Path, admin: WebhookSink) -> Operated:
    """An installation whose operator has a target."""
    world = operated(engine, vault, tmp_path)
    world.target(admin)
    return world


@pytest.fixture
def checks() -> Iterator[Healthchecks]:
    with Healthchecks() as running:
        yield running


@pytest.fixture
def pinging(engine: Engine, vault: Vault, tmp_path: Path, checks: Healthchecks) -> Operated:
    """An installation that pings."""
    return operated(engine, vault, tmp_path, ping=checks.address)
