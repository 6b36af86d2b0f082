"""Fixtures of the tests of syncing."""

import pytest
from sqlalchemy import Engine

from models.vault import Vault
from tests.pipeline.library.sources.syncing import STEAM_ID, Syncing
from tests.shops import LocalShops, SteamUser


@pytest.fixture
def syncing(engine: Engine, shops: LocalShops, vault: Vault) -> Syncing:
    return Syncing(engine, shops, vault)


@pytest.fixture
def user(syncing: Syncing) -> SteamUser:
    """An account at Steam that is signed in."""
    syncing.sign_in()
    return syncing.shops.add_user(STEAM_ID)
