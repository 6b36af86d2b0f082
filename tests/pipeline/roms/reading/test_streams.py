import gzip
import io
import tarfile
from pathlib import Path

import pytest

from pipeline.roms.reading import Limits
from tests.pipeline.roms.reading.folder import hashes, read

DUMP = bytes(range(256)) * 3000


def tar_of(members: dict[str, bytes], mode: str = "w") -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return written.getvalue()


def test_a_gz_holds_what_its_name_says_before_the_ending(tmp_path: Path) -> None:
    header = b"NES\x1a" + bytes(12)
    data = gzip.compress(header + DUMP) + gzip.compress(b"more")
    (tmp_path / "Game.nes.gz").write_bytes(data)

    reading = read(tmp_path, "Game.nes.gz")

    assert (reading.container, reading.error) == ("gz", None)
    whole, member = reading.contents
    assert whole.hashes == hashes(data)
    assert (member.member, member.hashes) == ("Game.nes", hashes(header + DUMP + b"more"))
    assert member.headerless == hashes(DUMP + b"more")


def test_the_header_of_a_snes_dump_in_a_gz_is_told_by_the_size_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.smc.gz").write_bytes(gzip.compress(bytes(512) + DUMP))
    (tmp_path / "b.smc.gz").write_bytes(gzip.compress(DUMP))

    assert read(tmp_path, "a.smc.gz").contents[1].headerless == hashes(DUMP)
    assert read(tmp_path, "b.smc.gz").contents[1].headerless is None


@pytest.mark.parametrize(("mode", "name"), [("w", "Game.tar"), ("w:gz", "Game.tgz"), ("w:gz", "Game.tar.gz")])
def test_members_of_a_tar_are_hashed_whole_and_links_are_none(tmp_path: Path, mode: str, name: str) -> None:
    data = tar_of({"a.bin": DUMP, "../../b.bin": b"1", "x" * 300: b"2"}, mode)
    (tmp_path / name).write_bytes(data)

    reading = read(tmp_path, name)

    assert (reading.container, reading.error) == ("tar", None)
    assert [(content.member, content.hashes) for content in reading.contents] == [
        ("", hashes(data)),
        ("a.bin", hashes(DUMP)),
        ("../../b.bin", hashes(b"1")),
        ("x" * 300, hashes(b"2")),
    ]


@pytest.mark.parametrize("cut", [20, 3000])
def test_a_gz_that_was_cut_off_has_its_own_hashes(tmp_path: Path, cut: int) -> None:
    data = gzip.compress(DUMP)[:-cut]
    (tmp_path / "Game.bin.gz").write_bytes(data)

    reading = read(tmp_path, "Game.bin.gz")

    assert reading.error is not None
    assert [content.hashes for content in reading.contents] == [hashes(data)]


def test_a_tar_that_was_cut_off_keeps_the_members_before(tmp_path: Path) -> None:
    data = tar_of({"a.bin": b"1", "b.bin": DUMP})[:5000]
    (tmp_path / "Game.tar").write_bytes(data)

    reading = read(tmp_path, "Game.tar")

    assert reading.error is not None
    assert [content.hashes for content in reading.contents] == [hashes(data), hashes(b"1")]


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(ratio=100), "unpacks to more than 100 times its size: a decompression bomb"),
        (Limits(unpacked=2**20), "unpacks to more than 1,048,576 bytes"),
    ],
)
def test_a_bomb_is_stopped_and_the_file_hashed_to_its_end(tmp_path: Path, limits: Limits, error: str) -> None:
    data = gzip.compress(bytes(80 * 2**20), 1)
    (tmp_path / "Game.bin.gz").write_bytes(data)

    reading = read(tmp_path, "Game.bin.gz", limits)

    assert reading.error == error
    assert [content.hashes for content in reading.contents] == [hashes(data)]


def test_too_many_members_of_a_tar_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "Game.tar").write_bytes(tar_of({str(number): b"" for number in range(5)}))

    assert read(tmp_path, "Game.tar", Limits(members=4)).error == "more than 4 members"


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Game.tar").write_bytes(tar_of({"x" * 100_000: b""}))

    assert read(tmp_path, "Game.tar").error == "a header of 100,013 bytes"
