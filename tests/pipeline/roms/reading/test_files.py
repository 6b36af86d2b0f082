import os
import threading
from pathlib import Path

import pytest

from tests.pipeline.roms.reading.folder import hashes, read

DUMP = bytes(range(256)) * 64


def test_a_file_has_the_three_hashes_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "Game.bin").write_bytes(DUMP)

    reading = read(tmp_path, "Game.bin")

    assert (reading.container, reading.error) == ("plain", None)
    assert [content.hashes for content in reading.contents] == [hashes(DUMP)]


def test_a_file_of_several_blocks_is_hashed_whole(tmp_path: Path) -> None:
    data = DUMP * 40
    (tmp_path / "Game.bin").write_bytes(data)

    assert read(tmp_path, "Game.bin").contents[0].hashes == hashes(data)


def test_an_empty_file_has_hashes_too(tmp_path: Path) -> None:
    (tmp_path / "Empty.rom").touch()

    assert read(tmp_path, "Empty.rom").contents[0].hashes == hashes(b"")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.nes", b"NES\x1a" + bytes(12)),
        ("a.fds", b"FDS\x1a" + bytes(12)),
        ("a.lnx", b"LYNX" + bytes(60)),
        ("a.a78", b"\x01ATARI7800" + bytes(118)),
        ("a.smc", bytes(512)),
        ("named otherwise.bin", bytes(8) + b"\xaa\xbb\x04" + bytes(501)),
        ("named otherwise", b"NES\x1a" + bytes(12)),
    ],
)
@pytest.mark.parametrize("times", [1, 30])
def test_a_dump_is_also_hashed_without_its_header(tmp_path: Path, name: str, header: bytes, times: int) -> None:
    (tmp_path / name).write_bytes(header + DUMP * times)

    (content,) = read(tmp_path, name).contents

    assert content.hashes == hashes(header + DUMP * times)
    assert (content.header_bytes, content.headerless) == (len(header), hashes(DUMP * times))


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.smc", bytes(1024)), ("a.bin", bytes(1536)), ("a.smc", bytes(512)), ("a.nes", b"NES\x1a"), ("a.nes", DUMP)],
)
def test_what_begins_with_no_header_is_hashed_once(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)

    (content,) = read(tmp_path, name).contents

    assert (content.header_bytes, content.headerless) == (0, None)


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    reading = read(tmp_path, "folder/Game.bin")

    assert (reading.contents, reading.error) == ((), "cannot be opened: No such file or directory")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_must_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "Game.bin").touch(mode=0)

    assert read(tmp_path, "Game.bin").error == "cannot be opened: Permission denied"


def test_no_link_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file").symlink_to(outside / "secret")
    (inside / "folder").symlink_to(outside)

    for path in ("file", "folder/secret", "../outside/secret", "./../outside/secret", str(outside / "secret")):
        reading = read(inside, path)
        assert reading.contents == ()
        assert reading.error is not None


def test_a_pipe_and_a_folder_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()

    assert read(tmp_path, "pipe").error == "cannot be opened: not a regular file"
    assert read(tmp_path, "folder").error == "cannot be opened: not a regular file"


def test_a_path_longer_than_the_system_takes_is_read(tmp_path: Path) -> None:
    part = "x" * 200
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir(part, dir_fd=at)
        within = os.open(part, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = within
    file = os.open("Game.bin", os.O_WRONLY | os.O_CREAT, dir_fd=at)
    os.write(file, DUMP)
    os.close(file)
    os.close(at)

    assert read(tmp_path, "/".join([part] * 25 + ["Game.bin"])).contents[0].hashes == hashes(DUMP)


def test_a_name_that_is_no_utf_8_is_read(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"Pok\xe9mon.gb")).write_bytes(DUMP)

    assert read(tmp_path, b"Pok\xe9mon.gb").contents[0].hashes == hashes(DUMP)


def test_a_name_longer_than_any_file_has_is_an_error(tmp_path: Path) -> None:
    assert read(tmp_path, "x" * 5000).error == "cannot be opened: File name too long"


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "Game.iso"
    path.touch()
    os.truncate(path, 64 * 2**20)
    begun, ended = threading.Event(), threading.Event()

    def change() -> None:
        moment = 0
        while not ended.is_set():
            moment += 1
            os.utime(path, ns=(moment, moment))
            begun.set()

    changing = threading.Thread(target=change)
    changing.start()
    begun.wait()
    try:
        reading = read(tmp_path, "Game.iso")
    finally:
        ended.set()
        changing.join()

    assert (reading.contents, reading.error) == ((), "changed while it was read: the next scan reads it again")


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "Game.bin"
    path.write_bytes(DUMP)
    os.utime(path, ns=(1, 2))

    read(tmp_path, "Game.bin")

    assert (path.stat().st_atime_ns, path.stat().st_mtime_ns) == (1, 2)
    assert [each.name for each in tmp_path.iterdir()] == ["Game.bin"]


@pytest.mark.parametrize("ending", ["zip", "7z", "rar", "tar", "gz", "chd", "cso", "dosz"])
def test_a_file_that_is_not_what_its_name_says_is_set_aside_with_its_hashes(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"Game.{ending}").write_bytes(b"nothing")

    reading = read(tmp_path, f"Game.{ending}")

    assert reading.error == f"named .{ending}, but its content is none: it is damaged, or something else"
    assert [content.hashes for content in reading.contents] == [hashes(b"nothing")]


@pytest.mark.parametrize("name", ["Game.7z.001", "Game.part2.rar", "Game.r00", "Game.z01", "Game.zip.002"])
def test_a_part_of_a_split_archive_is_not_looked_into(tmp_path: Path, name: str) -> None:
    data = b"Rar!\x1a\x07\x00 and so on"
    (tmp_path / name).write_bytes(data)

    reading = read(tmp_path, name)

    assert (reading.container, reading.error) == ("plain", None)
    assert [content.hashes for content in reading.contents] == [hashes(data)]
