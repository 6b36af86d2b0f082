"""Platforms that recordings name, where they are at hand: ../shared/recordings beside the project."""

import re

import pytest

from pipeline.roms.platforms import platform_called
from tests.paths import RECORDINGS

COLLECTIONS = RECORDINGS / "roms" / "metadata.pegasus_collections.txt"


@pytest.mark.recordings
@pytest.mark.skipif(not COLLECTIONS.is_file(), reason=f"there is no recording {COLLECTIONS}")
def test_each_collection_of_pegasus_is_a_platform_by_its_name_and_its_short_name() -> None:
    listed = re.findall(r"^(?:collection|shortname): (.+)$", COLLECTIONS.read_text(encoding="utf-8"), re.MULTILINE)

    assert len(listed) > 300
    assert [name for name in listed if platform_called(name) is None] == []
