import io
import lzma
import struct
import zlib
from pathlib import Path

import py7zr
import pytest

from pipeline.roms.reading import Limits
from pipeline.roms.records import Hashes
from tests.pipeline.roms.reading.folder import hashes, read
from tests.pipeline.roms.reading.test_zips import grown

DUMP = bytes(range(256)) * 300
LZMA2 = {"id": lzma.FILTER_LZMA2, "preset": 1}


def write_7z(
    path: Path, members: dict[str, bytes], filters: list[dict[str, int]] | None = None, password: str | None = None
) -> bytes:
    with py7zr.SevenZipFile(path, "w", filters=filters or [LZMA2], password=password) as archive:
        for name, data in members.items():
            archive.writef(io.BytesIO(data), name)
    return path.read_bytes()


def test_a_list_of_contents_gives_size_and_crc32(tmp_path: Path) -> None:
    data = write_7z(tmp_path / "Game.7z", {"a.bin": DUMP, "folder/b.bin": b"1", "empty": b""})

    reading = read(tmp_path, "Game.7z")

    assert (reading.container, reading.error) == ("7z", None)
    assert [(content.member, content.hashes) for content in reading.contents] == [
        ("", hashes(data)),
        ("a.bin", Hashes(size=len(DUMP), crc32=hashes(DUMP).crc32)),
        ("folder/b.bin", Hashes(size=1, crc32=hashes(b"1").crc32)),
        ("empty", Hashes(size=0, crc32=0)),
    ]


@pytest.mark.parametrize(
    "filters",
    [
        [LZMA2],
        [{"id": py7zr.FILTER_X86}, LZMA2],
        [{"id": py7zr.FILTER_BZIP2}],
        [{"id": py7zr.FILTER_DEFLATE}],
        [{"id": py7zr.FILTER_COPY}],
        [{"id": py7zr.FILTER_ZSTD}],
        [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 20}],
    ],
)
def test_deep_reading_hashes_members_of_a_solid_block_whole(tmp_path: Path, filters: list[dict[str, int]]) -> None:
    members = {"a.bin": DUMP, "b.bin": bytes(3 * 2**20), "c.bin": DUMP[::-1]}
    write_7z(tmp_path / "Game.7z", members, filters)

    reading = read(tmp_path, "Game.7z", deep=True)

    assert reading.error is None
    assert [content.hashes for content in reading.contents[1:]] == [hashes(data) for data in members.values()]


def test_a_member_that_may_have_a_header_is_unpacked_anyway(tmp_path: Path) -> None:
    header = b"NES\x1a" + bytes(12)
    write_7z(tmp_path / "Game.7z", {"a.bin": DUMP, "b.nes": header + DUMP, "c.bin": DUMP})

    contents = read(tmp_path, "Game.7z").contents

    assert (contents[2].hashes, contents[2].headerless) == (hashes(header + DUMP), hashes(DUMP))
    assert contents[3].hashes.sha1 is None


def test_damage_is_an_error_and_the_file_has_its_hashes(tmp_path: Path) -> None:
    whole = write_7z(tmp_path / "Game.7z", {"a.bin": DUMP, "b.bin": DUMP})
    for at in range(6, len(whole), 11):
        data = bytearray(whole)
        data[at] ^= 0xFF
        (tmp_path / "Game.7z").write_bytes(data)

        reading = read(tmp_path, "Game.7z", deep=True)

        # Some bytes do not matter: the version, the end of a stream whose members are all there.
        is_whole = [content.hashes for content in reading.contents[1:]] == [hashes(DUMP)] * 2
        assert is_whole or reading.error is not None
        assert reading.contents[0].hashes == hashes(bytes(data))
        assert all(content.hashes.sha1 in {None, hashes(DUMP).sha1} for content in reading.contents[1:])


def test_a_7z_that_was_cut_off_is_an_error(tmp_path: Path) -> None:
    data = write_7z(tmp_path / "Game.7z", {"a.bin": DUMP})[:-40]
    (tmp_path / "Game.7z").write_bytes(data)

    reading = read(tmp_path, "Game.7z")

    assert reading.error is not None
    assert reading.error.startswith("damaged: ")
    assert [content.hashes for content in reading.contents] == [hashes(data)]


def test_an_encrypted_7z_is_listed_and_not_unpacked(tmp_path: Path) -> None:
    write_7z(tmp_path / "Game.7z", {"a.bin": DUMP}, [LZMA2, {"id": py7zr.FILTER_CRYPTO_AES256_SHA256}], password="x")

    reading = read(tmp_path, "Game.7z", deep=True)

    assert reading.error == "it is encrypted, and was not unpacked"
    assert reading.contents[1].hashes == Hashes(size=len(DUMP), crc32=hashes(DUMP).crc32)


def test_a_7z_that_needs_too_much_memory_is_known_by_its_list(tmp_path: Path) -> None:
    write_7z(tmp_path / "Game.7z", {"a.bin": bytes(3 * 2**20)})

    reading = read(tmp_path, "Game.7z", Limits(dictionary=2**16), deep=True)

    assert reading.error == "it needs 1,048,576 bytes of memory to unpack: its CRC32s are as listed"
    assert reading.contents[1].hashes == Hashes(size=3 * 2**20, crc32=hashes(bytes(3 * 2**20)).crc32)


def test_an_empty_7z_has_no_members(tmp_path: Path) -> None:
    write_7z(tmp_path / "Game.7z", {})

    reading = read(tmp_path, "Game.7z")

    assert (len(reading.contents), reading.error) == (1, None)


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(members=1), "more than 1 members"),
        (Limits(ratio=10), "unpacks to more than 10 times its size: a decompression bomb"),
    ],
)
def test_a_list_beyond_the_limits_is_set_aside(tmp_path: Path, limits: Limits, error: str) -> None:
    write_7z(tmp_path / "Game.7z", {"a.bin": b"1", "b.bin": bytes(65 * 2**20)})

    reading = read(tmp_path, "Game.7z", limits, deep=True)

    assert (len(reading.contents), reading.error) == (1, error)


def test_more_members_than_may_be_read_fail_before_they_fill_the_memory(tmp_path: Path) -> None:
    write_7z(tmp_path / "Game.7z", {str(number): b"" for number in range(30)})

    reading = read(tmp_path, "Game.7z", Limits(members=10))

    assert len(reading.contents) == 1
    assert reading.error is not None


def test_hostile_names_are_names_only(tmp_path: Path) -> None:
    with py7zr.SevenZipFile(tmp_path / "Game.7z", "w", filters=[{"id": py7zr.FILTER_COPY}]) as archive:
        archive.set_encoded_header_mode(False)
        archive.writestr(b"1", "aa/bbbb")
        archive.writestr(b"2", "cccc/dd")
    data = bytearray((tmp_path / "Game.7z").read_bytes())
    for before, after in (("aa/bbbb", "/../../"), ("cccc/dd", "../../x")):
        place = data.index(before.encode("utf-16-le"))
        data[place : place + 14] = after.encode("utf-16-le", "surrogatepass")[:14].ljust(14, b"y")
    offset, size = struct.unpack_from("<QQ", data, 12)
    data[28:32] = zlib.crc32(data[32 + offset : 32 + offset + size]).to_bytes(4, "little")
    data[8:12] = zlib.crc32(data[12:32]).to_bytes(4, "little")
    (tmp_path / "Game.7z").write_bytes(data)

    reading = read(tmp_path, "Game.7z", deep=True)

    assert [content.hashes for content in reading.contents[1:]] == [hashes(b"1"), hashes(b"2")]
    assert reading.contents[1].member == "/../../"
    assert reading.contents[2].member == "../../x"


def test_a_solid_block_takes_little_memory(tmp_path: Path) -> None:
    write_7z(tmp_path / "Game.7z", {f"{number}.bin": bytes(40 * 2**20) for number in range(3)})

    assert grown(tmp_path) < 40 * 1024
