import errno
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from models.errors import LootwireError, UsageError
from pipeline.roms.exports.destination import Existing, read_existing, write


def test_a_file_that_another_program_changed_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "gamelist.xml"
    path.write_text("old")
    read = read_existing(path)
    path.write_text("played")

    with pytest.raises(LootwireError, match="another program changed it meanwhile; export again"):
        write(path, b"ours", read)

    assert path.read_text() == "played"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_came_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "gamelist.xml"
    path.write_text("theirs")

    with pytest.raises(LootwireError, match="another program"):
        write(path, b"ours", Existing(None))

    assert path.read_text() == "theirs"


def test_a_full_disk_is_said_by_name_and_leaves_the_old_file_whole(tmp_path: Path) -> None:
    device = Path("/dev/shm")
    if not device.is_dir():
        pytest.skip("no memory file system to fill")
    # A limit on the size of a file stands in for a full disk: it too lets the write fail half-way.
    script = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from models.errors import LootwireError
        from pipeline.roms.exports.destination import read_existing, write
        path = Path(sys.argv[1]) / "gamelist.xml"
        path.write_bytes(b"old")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write(path, b"new" * 10_000, read_existing(path))
        except LootwireError as error:
            print(error)
        print(sorted(each.name for each in path.parent.iterdir()), path.read_bytes())
    """)
    with tempfile.TemporaryDirectory(dir=device) as folder:
        ran = subprocess.run([sys.executable, "-c", script, folder], check=True, capture_output=True, text=True)

    assert ran.stdout.splitlines() == [
        f"cannot write {folder}/gamelist.xml: {os.strerror(errno.EFBIG)}",
        "['gamelist.xml'] b'old'",
    ]


def test_a_folder_that_may_only_be_read_is_said(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from models.errors import LootwireError
        from pipeline.roms.exports.destination import read_existing, write
        if os.geteuid() == 0:
            os.setuid(65534)
        path = Path(sys.argv[1]) / "gamelist.xml"
        try:
            write(path, b"new", read_existing(path))
        except LootwireError as error:
            print(error)
    """)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "gamelist.xml").write_text("old")
        folder.chmod(0o555)
        ran = subprocess.run([sys.executable, "-c", script, name], check=True, capture_output=True, text=True)
        folder.chmod(0o755)
        assert (folder / "gamelist.xml").read_text() == "old"

    assert ran.stdout.splitlines() == [f"cannot write {name}/gamelist.xml: {os.strerror(errno.EACCES)}"]


def test_what_a_killed_run_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    old, young, other = (tmp_path / name for name in (f".{'0' * 16}.lootwire", f".{'1' * 16}.lootwire", ".x.lootwire"))
    for path in (old, young, other):
        path.write_text("")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    os.utime(other, (time.time() - 7200, time.time() - 7200))

    write(tmp_path / "a", b"a", Existing(None))

    assert sorted(tmp_path.iterdir()) == sorted([young, other, tmp_path / "a"])


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(UsageError, match="it is no plain file"):
        read_existing(tmp_path / "pipe")
