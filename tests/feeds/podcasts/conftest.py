"""A station: sounds in a data directory beside the published folder."""

from pathlib import Path

import pytest

from tests.feeds.podcasts.station import Station
from tests.feeds.world import Publishing


@pytest.fixture
def station(world: Publishing, tmp_path: Path) -> Station:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    return Station(world, data)
