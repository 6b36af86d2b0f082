"""The published folder as a store."""

import gzip
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import zstandard

from feeds.stores.folder import FolderStore
from feeds.stores.packing import ENDINGS, Packing
from feeds.write import DRAFTS, FolderUnusable, PublishError, sweep
from tests.processes import kill_when

pytestmark = pytest.mark.long
ENOUGH = b"<rss>" + b"a drop, and another one; " * 100 + b"</rss>"
PACKED: dict[Packing, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "zstd": zstandard.decompress}
GZIP: tuple[Packing, ...] = ("gzip",)
ZSTD: tuple[Packing, ...] = ("zstd",)
BOTH: tuple[Packing, ...] = ("gzip", "zstd")


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_what_is_written_is_there_once_the_store_has_finished(tmp_path: Path) -> None:
    with FolderStore(tmp_path / "public") as store:
        written = [store.write(f"games/{number}.rss.xml", b"%d" % number) for number in range(300)]
        assert store.finish() == {}
        assert all(written)
        files = {path.name: path.read_bytes() for path in (tmp_path / "public" / "games").iterdir()}

    assert files == {f"{number}.rss.xml": b"%d" % number for number in range(300)}
    assert not (tmp_path / "public" / DRAFTS).exists()


def test_a_file_with_the_same_bytes_is_not_opened_for_writing(tmp_path: Path) -> None:
    with FolderStore(tmp_path) as store:
        store.write("a.html", ENOUGH)
    before = (tmp_path / "a.html").stat()

    with FolderStore(tmp_path) as store:
        assert not store.write("a.html", ENOUGH)
        assert store.finish() == {}

    after = (tmp_path / "a.html").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_the_last_of_two_writes_of_one_file_counts(tmp_path: Path) -> None:
    with FolderStore(tmp_path) as store:
        for number in range(50):
            assert store.write("a", b"%d" % number)
    assert (tmp_path / "a").read_bytes() == b"49"


def test_a_file_that_cannot_be_written_is_named_and_the_others_are_there(tmp_path: Path) -> None:
    (tmp_path / "b" / "inside").mkdir(parents=True)

    with FolderStore(tmp_path) as store:
        for name in "abc":
            store.write(name, b"new")
        failed = store.finish()
        assert store.finish() == {}

    assert {path: str(error) for path, error in failed.items()} == {
        "b": f"Cannot write {tmp_path / 'b'}: Is a directory"
    }
    assert names(tmp_path) == ["a", "c"]
    assert not (tmp_path / DRAFTS).exists()


def test_a_link_on_the_way_is_refused_and_a_link_in_place_of_a_file_replaced(tmp_path: Path) -> None:
    root, outside = tmp_path / "public", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "a").write_bytes(b"secret")
    (root / "games").symlink_to(outside)
    (root / "a").symlink_to(outside / "a")

    with FolderStore(root) as store:
        with pytest.raises(PublishError, match="is a link"):
            store.write("games/a", b"new")
        with pytest.raises(PublishError, match="is a link"):
            store.remove("games/a")
        assert store.write("a", b"new")

    assert (root / "a").read_bytes() == b"new"
    assert not (root / "a").is_symlink()
    assert (outside / "a").read_bytes() == b"secret"


def test_more_folders_than_handles_are_written(tmp_path: Path) -> None:
    with FolderStore(tmp_path) as store:
        for number in range(200):
            store.write(f"private/{number}/all.rss.xml", b"x")
        assert store.finish() == {}
        assert open_files() < 150
    assert len(names(tmp_path)) == 200


def test_no_file_stays_open(tmp_path: Path) -> None:
    before = open_files()
    (tmp_path / "folder").mkdir()
    with FolderStore(tmp_path, packings=GZIP) as store:
        for number in range(20):
            store.write(f"games/{number}.html", ENOUGH)
        store.write("folder", b"x")
        store.stamp_of("games/1.html")
        store.remove("games/1.html")
    assert open_files() == before


def test_a_removed_file_takes_what_is_packed_of_it_and_its_private_folder_along(tmp_path: Path) -> None:
    with FolderStore(tmp_path, packings=BOTH) as store:
        for path in ("private/7hk2/all.html", "private/other/all.html", "games/a.html"):
            store.write(path, ENOUGH)
    with FolderStore(tmp_path, packings=BOTH) as store:
        assert store.remove("private/7hk2/all.html")
        assert store.remove("games/a.html")
        assert not store.remove("games/a.html")
        assert not store.remove("nowhere/a.html")
        # The folder is made anew where something else comes.
        store.write("private/7hk2/all.rss.xml", b"x")
        store.finish()
        store.remove("private/7hk2/all.rss.xml")

    assert names(tmp_path) == [f"private/other/all.html{ending}" for ending in ("", ".gz", ".zst")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["games", "private"]
    assert [path.name for path in (tmp_path / "private").iterdir()] == ["other"]


def test_a_stamp_is_read_of_the_file_that_was_written_last(tmp_path: Path) -> None:
    with FolderStore(tmp_path) as store:
        assert store.stamp_of("games/a.html") is None
        store.write("games/a.html", b"<!doctype html>\n<!-- lootwire 0123456789abcdef -->")
        assert store.stamp_of("games/a.html") == "0123456789abcdef"
        store.write("games/a.html", b"<!doctype html>")
        assert store.stamp_of("games/a.html") is None


def test_packed_files_lie_beside_those_that_are_worth_it_and_change_with_them(tmp_path: Path) -> None:
    with FolderStore(tmp_path, packings=BOTH) as store:
        store.write("all.rss.xml", ENOUGH)
        store.write("short.html", b"<p>")
        store.write("pictures/a.png", ENOUGH)
    assert names(tmp_path) == ["all.rss.xml", "all.rss.xml.gz", "all.rss.xml.zst", "pictures/a.png", "short.html"]

    newer = ENOUGH.replace(b"drop", b"loot")
    with FolderStore(tmp_path, packings=BOTH) as store:
        assert store.write("all.rss.xml", newer)
    for packing, unpack in PACKED.items():
        beside = tmp_path / f"all.rss.xml{ENDINGS[packing]}"
        assert unpack(beside.read_bytes()) == newer
        assert beside.stat().st_mtime_ns == (tmp_path / "all.rss.xml").stat().st_mtime_ns
        assert oct(beside.stat().st_mode)[-3:] == "644"


def test_the_same_bytes_are_packed_the_same_on_any_day(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        with FolderStore(tmp_path / folder, packings=BOTH) as store:
            store.write("all.rss.xml", ENOUGH)
    for ending in ENDINGS.values():
        one, two = (tmp_path / folder / f"all.rss.xml{ending}" for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_what_is_packed_comes_and_goes_with_the_setting(tmp_path: Path) -> None:
    with FolderStore(tmp_path) as store:
        store.write("a.html", ENOUGH)
    with FolderStore(tmp_path, packings=GZIP) as store:
        assert not store.write("a.html", ENOUGH)
        store.finish()
        assert not store.write("a.html", ENOUGH)
    assert names(tmp_path) == ["a.html", "a.html.gz"]

    with FolderStore(tmp_path, packings=ZSTD) as store:
        assert store.remove_unwanted() == 1
        store.write("a.html", ENOUGH)
    assert names(tmp_path) == ["a.html", "a.html.zst"]

    with FolderStore(tmp_path, packings=ZSTD) as store:
        # Too small to be worth it.
        store.write("a.html", b"<p>")
    assert names(tmp_path) == ["a.html"]


def test_what_a_killed_run_left_is_swept_and_every_file_is_whole(tmp_path: Path) -> None:
    with FolderStore(tmp_path) as store:
        for number in range(20):
            store.write(f"games/{number}.html", b"old" * 1000)
    script = textwrap.dedent("""
        import os, sys, time
        from pathlib import Path
        from feeds.stores.folder import FolderStore
        real, count = os.fsync, 0
        def fsync(descriptor):
            global count
            count += 1
            time.sleep(600) if count > 8 else real(descriptor)
        os.fsync = fsync
        with FolderStore(Path(sys.argv[1])) as store:
            for number in range(20):
                store.write(f"games/{number}.html", b"newer" * 1000)
    """)
    kill_when(lambda: len(list(tmp_path.glob(f"{DRAFTS}/*"))) == 12, script, tmp_path)

    assert sweep(tmp_path) == 12
    held = [(tmp_path / "games" / f"{number}.html").read_bytes() for number in range(20)]
    assert sorted(set(held)) == [b"newer" * 1000, b"old" * 1000]
    assert held.count(b"newer" * 1000) == 8
    assert not (tmp_path / DRAFTS).exists()


# Reads files until its input ends, and prints how often, and which were not whole. In a process of its own, since
# threads would only wait for one another.
READER = textwrap.dedent("""
    import gzip, select, sys
    from pathlib import Path

    def is_whole(data):
        line, end, _ = data.partition(b"\\n")
        return data == (line + end) * int(line[18:26] or 0) != b""

    torn, reads = [], 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        for path in sys.argv[1:]:
            for ending in ("", ".gz"):
                data = Path(path + ending).read_bytes()
                if not is_whole(gzip.decompress(data) if ending else data):
                    torn.append(path + ending)
                reads += 1
    print(reads, torn)
""")


@contextmanager
def read_all_the_time(root: Path, paths: list[str]) -> Iterator[None]:
    """Have a process read files with what is packed beside them while a `with` block lasts; fails where one is torn."""
    command = [sys.executable, "-c", READER, *(str(root / path) for path in paths)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield
        finally:
            answer, _ = process.communicate()
    reads, _, torn = answer.strip().partition(" ")
    assert torn == "[]"
    assert int(reads) >= 2 * len(paths)


def version(number: int, kilobytes: int = 20) -> bytes:
    """Return a file in which each line says which version it is of, and how many there are."""
    return b"version %6d of %8d lines\n" % (number, 32 * kilobytes) * (32 * kilobytes)


def is_whole(data: bytes) -> bool:
    line, end, _ = data.partition(b"\n")
    return data == (line + end) * int(line[18:26] or 0) != b""


def test_readers_see_whole_files_through_two_thousand_rewrites(tmp_path: Path) -> None:
    paths = [f"games/{number}.html" for number in range(10)]
    with FolderStore(tmp_path, packings=GZIP) as store:
        for path in paths:
            store.write(path, version(0))
        store.finish()
        with read_all_the_time(tmp_path, paths):
            for number in range(200):
                for path in paths:
                    assert store.write(path, version(number + 1, 1 + number % 20))
                assert store.finish() == {}

    assert all((tmp_path / path).read_bytes() == version(200, 20) for path in paths)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory that holds one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no disk may be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_readers_see_the_old_file_whole_through_two_thousand_rewrites_of_which_a_full_disk_takes_few(
    small_disk: Path,
) -> None:
    paths = [f"games/{number}.html" for number in range(10)]
    root, ballast = small_disk / "public", small_disk / "ballast"
    with FolderStore(root, packings=GZIP) as store:
        for path in paths:
            store.write(path, version(0))
    reasons, written = set(), 0
    with read_all_the_time(root, paths):
        for number in range(2000):
            if number % 100 == 50:
                fill(ballast)
            elif number % 100 == 0:
                ballast.unlink(missing_ok=True)
            try:
                with FolderStore(root, packings=GZIP) as store:
                    store.write(paths[number % 10], version(number))
                    store.finish()
                written += 1
            except FolderUnusable as error:
                reasons.add(str(error))

    assert written >= 1000
    assert reasons <= {f"Cannot write {root / path}: No space left on device" for path in paths}
    assert reasons
    ballast.unlink(missing_ok=True)
    sweep(root)
    assert len(names(root)) == 20
    assert all(is_whole((root / path).read_bytes()) for path in paths)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def test_a_full_disk_is_told_by_the_next_write_of_a_long_run(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import errno, os, sys
        from pathlib import Path
        from feeds.stores.folder import FolderStore
        from feeds.write import FolderUnusable
        def fsync(descriptor):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync = fsync
        root, count = Path(sys.argv[1]), 0
        try:
            with FolderStore(root) as store:
                while count < 10_000:
                    store.write(f"games/{count}.html", b"x")
                    count += 1
        except FolderUnusable as error:
            print(error, count < 100, list(root.rglob("*.*")))
    """)
    result = subprocess.run([sys.executable, "-c", script, tmp_path], check=True, capture_output=True, text=True)
    assert result.stdout == f"Cannot write {tmp_path}/games/0.html: No space left on device True []\n"
