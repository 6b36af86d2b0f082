"""A full disk is named at once, in one line, instead of a wait for servers that cannot start."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import embedded
from pipeline.embedded import EmbeddedError


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of four megabytes, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path, *, free: int = 0) -> None:
    """Fill a disk but for so many bytes."""
    status = os.statvfs(folder)
    (folder / "fill").write_bytes(bytes(status.f_bavail * status.f_frsize - free))


def test_a_full_disk_is_named_without_a_wait(small_disk: Path) -> None:
    (small_disk / "data").mkdir(mode=0o700)
    fill(small_disk)
    # The locks are there, as in a data directory that was used before the disk was full.
    began = time.monotonic()
    with pytest.raises(EmbeddedError, match=r"disk of the data directory .* is full.*make room") as caught:
        embedded.ensure(small_disk / "data", timeout=3600)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 300
    assert (embedded.disk_problem(small_disk / "data") or "").startswith("full")


def test_servers_that_find_no_room_when_they_start_say_so_in_one_line(small_disk: Path) -> None:
    # Enough for the start of one, and too little for a new cluster.
    with pytest.raises(EmbeddedError, match=r"disk of the data directory .* is full") as caught:
        embedded.ensure(small_disk / "data", timeout=3600)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_folder_that_nobody_can_write_to_is_not_called_a_full_disk() -> None:
    with pytest.raises(EmbeddedError, match="/proc/lootwire cannot be used: No such file") as caught:
        embedded.ensure(Path("/proc/lootwire"), timeout=3600)
    assert "full" not in str(caught.value)
    assert embedded.full_disk(Path("/proc/lootwire")) is None


def test_a_disk_that_may_only_be_read_is_not_called_full(small_disk: Path) -> None:
    fill(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(EmbeddedError) as caught:
        embedded.ensure(small_disk / "data", timeout=3600)
    assert "Read-only" in str(caught.value)
    assert embedded.full_disk(small_disk / "data") is None


def test_a_disk_with_room_is_no_problem(tmp_path: Path) -> None:
    assert not (embedded.disk_problem(tmp_path) or "").startswith("full")


def test_commands_name_the_data_directory_where_the_published_folder_shares_its_full_disk(small_disk: Path) -> None:
    data = small_disk / "data"
    data.mkdir(mode=0o700)
    fill(small_disk)
    environment = {"PATH": os.environ["PATH"], "LOOTWIRE_DATA_DIR": str(data)}
    full = f"The disk of the data directory {data} is full"
    for command in ("up", "once", "publish", "doctor"):
        code = "from pipeline.cli import main; main()"
        run = subprocess.run(
            [sys.executable, "-P", "-c", code, command], env=environment, capture_output=True, text=True, check=False
        )
        said = run.stdout + run.stderr
        assert run.returncode == 1
        assert full in said
        # Nothing of the database, the broker or the services is loaded to say so.
        assert "Traceback" not in said
