"""A newer yt-dlp, taken from a wheel of our own making by the real uv, and what the child loads then."""

from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest

from models.errors import LootwireError, UsageError
from pipeline.sound.downloading import FetchTroubled, Job, probe
from pipeline.sound.downloading.updating import FOLDER, days_old, newest, update
from tests.pipeline.sound.media_server import MediaServer
from tests.pipeline.sound.wheels import NEWER, wheel

pytestmark = pytest.mark.long

INSTALLED = version("yt-dlp")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server() -> Iterator[MediaServer]:
    with MediaServer() as running:
        yield running


def test_without_a_newer_one_the_installed_yt_dlp_is_the_newest(data_dir: Path) -> None:
    newest_one = newest(data_dir)

    assert newest_one is not None
    assert (newest_one.version, newest_one.folder) == (INSTALLED, None)


def test_a_newer_wheel_is_kept_in_the_data_directory(data_dir: Path, tmp_path: Path) -> None:
    updated = update(data_dir, wheel(tmp_path, NEWER))

    assert (updated.version, updated.folder) == (NEWER, data_dir / FOLDER / NEWER)
    assert newest(data_dir) == updated
    assert [path.name for path in (data_dir / FOLDER).iterdir()] == [NEWER]


def test_an_older_wheel_changes_nothing(data_dir: Path, tmp_path: Path) -> None:
    assert update(data_dir, wheel(tmp_path, "2020.1.1")).version == INSTALLED
    assert list((data_dir / FOLDER).iterdir()) == []


def test_the_same_update_twice_is_one_and_no_more_than_two_are_kept(data_dir: Path, tmp_path: Path) -> None:
    for each in (NEWER, NEWER, "2099.2.1", "2099.10.1"):
        updated = update(data_dir, wheel(tmp_path, each))

    assert updated.version == "2099.10.1"
    assert sorted(path.name for path in (data_dir / FOLDER).iterdir()) == ["2099.10.1", "2099.2.1"]


def test_a_wheel_that_cannot_be_loaded_leaves_the_one_before_it(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(LootwireError, match="cannot be loaded by this Python"):
        update(data_dir, wheel(tmp_path, NEWER, "import nothing_of_this_name"))

    assert list((data_dir / FOLDER).iterdir()) == []


def test_a_file_that_is_no_wheel_of_yt_dlp_is_named(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "other-1.0-py3-none-any.whl").write_bytes(b"")

    with pytest.raises(UsageError, match=r"other-1\.0"):
        update(data_dir, tmp_path / "other-1.0-py3-none-any.whl")
    broken = tmp_path / "yt_dlp-2099.9.9-py3-none-any.whl"
    broken.write_bytes(b"no zip")
    with pytest.raises(LootwireError, match="could not be installed"):
        update(data_dir, broken)


def test_the_child_loads_the_newer_one_first(data_dir: Path, tmp_path: Path, server: MediaServer) -> None:
    # This yt-dlp lacks all that the child uses.
    updated = update(data_dir, wheel(tmp_path, NEWER))
    url = server.file("/x.mp3", b"ID3")

    with pytest.raises(FetchTroubled) as refused:
        probe(Job(url=url, workspace=tmp_path / "w", extractors=updated.folder, loopback_ports=(server.port,)))

    assert refused.value.trouble.kind == "tool"
    assert "this yt-dlp cannot be loaded" in refused.value.trouble.reason
    assert server.requests == []


@pytest.mark.parametrize(
    ("its_version", "days"),
    [
        ("2026.10.26", 60),
        ("2026.10.26.123456", 60),
        ("2026.12.25", 0),
        ("2026.13.1", None),
        ("nightly", None),
        ("1.2", None),
    ],
)
def test_the_version_of_a_yt_dlp_says_how_old_it_is(its_version: str, days: int | None) -> None:
    assert days_old(its_version, date(2026, 12, 25)) == days
