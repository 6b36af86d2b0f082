import errno
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from feeds.write import DRAFTS, PublishError, sweep, write_file
from tests.processes import kill_when


def test_a_file_is_written_with_its_folders_for_a_web_server_to_read(tmp_path: Path) -> None:
    old_mask = os.umask(0o077)
    try:
        assert write_file(tmp_path / "public", "games/x.rss.xml", b"one")
    finally:
        os.umask(old_mask)

    path = tmp_path / "public" / "games" / "x.rss.xml"
    assert path.read_bytes() == b"one"
    assert oct(path.stat().st_mode)[-3:] == "644"
    assert {oct(folder.stat().st_mode)[-3:] for folder in (path.parent, path.parents[1])} == {"755"}


def test_a_file_with_the_same_bytes_is_not_touched(tmp_path: Path) -> None:
    write_file(tmp_path, "a", b"one")
    before = (tmp_path / "a").stat()

    assert not write_file(tmp_path, "a", b"one")

    after = (tmp_path / "a").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_other_bytes_of_the_same_length_are_written(tmp_path: Path) -> None:
    write_file(tmp_path, "a", b"one")
    assert write_file(tmp_path, "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "", ".", "a\0b"])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "public"
    root.mkdir()

    with pytest.raises(PublishError, match="Refused"):
        write_file(root, path, b"x")

    assert list(tmp_path.rglob("*")) == [root]


@pytest.mark.parametrize("name", ["games", DRAFTS])
def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path, name: str) -> None:
    root, outside = tmp_path / "public", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / name).symlink_to(outside)

    with pytest.raises(PublishError, match=str(root / "games")):
        write_file(root, "games/x", b"x")

    assert list(outside.iterdir()) == []


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "public").symlink_to(tmp_path / "disk")

    write_file(tmp_path / "public", "games/x", b"x")

    assert (tmp_path / "disk" / "games" / "x").read_bytes() == b"x"


def test_private_names_cannot_be_listed_by_others(tmp_path: Path) -> None:
    write_file(tmp_path, "private/7hk2/all.rss.xml", b"x")

    modes = [oct((tmp_path / path).stat().st_mode)[-3:] for path in ("private", "private/7hk2")]
    assert modes == ["711", "755"]


def test_a_file_that_is_a_link_is_replaced_and_what_it_names_is_left(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    root = tmp_path / "public"
    root.mkdir()
    (root / "a").symlink_to(tmp_path / "secret")

    write_file(root, "a", b"new")

    assert (root / "a").read_bytes() == b"new"
    assert (tmp_path / "secret").read_bytes() == b"secret"


def test_a_rename_that_fails_leaves_the_old_file_whole_and_nothing_beside_it(tmp_path: Path) -> None:
    # A folder of the same name is the one obstacle to a rename that root cannot walk through.
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "inside").write_bytes(b"old")

    with pytest.raises(PublishError, match=str(tmp_path / "a")):
        write_file(tmp_path, "a", b"new")

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "inside"]


def test_a_full_disk_is_told_by_name_and_leaves_the_old_file_whole() -> None:
    device = Path("/dev/shm")
    if not device.is_dir():
        pytest.skip("no memory file system to fill")
    # A limit on the size of a file stands in for a full disk: it too lets the write fail half-way.
    script = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from feeds.write import PublishError, write_file
        root = Path(sys.argv[1])
        write_file(root, "a", b"old" * 100)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_file(root, "a", b"new" * 10_000)
        except PublishError as error:
            print(error)
        print(sorted(path.name for path in root.iterdir()), (root / "a").read_bytes() == b"old" * 100)
    """)
    with tempfile.TemporaryDirectory(dir=device) as folder:
        result = subprocess.run([sys.executable, "-c", script, folder], check=True, capture_output=True, text=True)

    assert result.stdout.splitlines() == [f"Cannot write {folder}/a: {os.strerror(errno.EFBIG)}", "['a'] True"]


def test_what_a_killed_run_left_is_swept_and_the_old_file_is_whole(tmp_path: Path) -> None:
    write_file(tmp_path, "games/a", b"old")
    script = textwrap.dedent("""
        import os, sys, time
        from pathlib import Path
        from feeds import write
        os.fsync = lambda descriptor: time.sleep(600)
        write.write_file(Path(sys.argv[1]), "games/a", b"new")
    """)
    kill_when(lambda: any((tmp_path / DRAFTS).glob("*")), script, tmp_path)

    assert (tmp_path / "games" / "a").read_bytes() == b"old"
    assert sweep(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "games"]


def test_sweeping_leaves_everything_else(tmp_path: Path) -> None:
    for name in ("index.html", ".htaccess", "x.tmp", ".lootwire-kept"):
        write_file(tmp_path, name, b"x")

    assert sweep(tmp_path) == 0
    assert sweep(tmp_path / "missing") == 0
    assert len(list(tmp_path.iterdir())) == 4
