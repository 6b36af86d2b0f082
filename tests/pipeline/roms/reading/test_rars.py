import struct
import zlib
from pathlib import Path

import rarfile

from pipeline.roms.reading import Limits
from pipeline.roms.records import Hashes
from tests.pipeline.roms.reading.folder import hashes, read

DUMP = bytes(range(256)) * 300


def block(kind: int, flags: int, fields: bytes, packed: bytes = b"") -> bytes:
    header = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
    return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header + packed


def rar_of(members: list[tuple[bytes, bytes]], *, method: int = 0x30, flags: int = 0) -> bytes:
    """Return a rar of version 4 whose members are stored, or said to be packed."""
    data = b"Rar!\x1a\x07\x00" + block(0x73, 0, bytes(6))
    for name, content in members:
        sizes = struct.pack(
            "<LLBLLBBHL", len(content), len(content), 3, zlib.crc32(content), 0, 29, method, len(name), 0
        )
        data += block(0x74, 0x8000 | flags, sizes + name, content)
    return data + block(0x7B, 0x4000, b"")


def test_a_list_of_contents_gives_size_and_crc32_without_a_program(tmp_path: Path) -> None:
    data = rar_of([(b"a.bin", DUMP), (b"b.bin", b"1")], method=0x33)
    (tmp_path / "Game.rar").write_bytes(data)

    reading = read(tmp_path, "Game.rar")

    assert (reading.container, reading.error) == ("rar", None)
    assert [(content.member, content.hashes) for content in reading.contents] == [
        ("", hashes(data)),
        ("a.bin", Hashes(size=len(DUMP), crc32=hashes(DUMP).crc32)),
        ("b.bin", Hashes(size=1, crc32=hashes(b"1").crc32)),
    ]


def test_stored_members_are_hashed_whole(tmp_path: Path) -> None:
    (tmp_path / "Game.rar").write_bytes(rar_of([(b"a.bin", DUMP), (b"b.bin", b"1")]))

    reading = read(tmp_path, "Game.rar", deep=True)

    assert reading.error is None
    assert [content.hashes for content in reading.contents[1:]] == [hashes(DUMP), hashes(b"1")]


def test_without_a_program_a_packed_member_says_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "Game.rar").write_bytes(rar_of([(b"a.bin", DUMP)], method=0x33))
    try:
        rarfile.tool_setup()
    except rarfile.RarCannotExec:
        expected = "no program here unpacks RAR: install unrar, unar, 7-Zip (7z) or bsdtar, then scan with --full"
    else:
        expected = "a.bin: "

    error = read(tmp_path, "Game.rar", deep=True).error

    assert error is not None
    assert error.startswith(expected)


def test_a_wrong_crc32_leaves_the_size_alone(tmp_path: Path) -> None:
    data = rar_of([(b"a.bin", DUMP)])
    (tmp_path / "Game.rar").write_bytes(data.replace(DUMP, DUMP[:-1] + b"!"))

    reading = read(tmp_path, "Game.rar", deep=True)

    assert reading.error is not None
    assert reading.contents[1].hashes == Hashes(size=len(DUMP))


def test_an_encrypted_member_is_listed_and_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "Game.rar").write_bytes(rar_of([(b"a.bin", DUMP)], flags=4))

    reading = read(tmp_path, "Game.rar", deep=True)

    assert reading.error == "a.bin: it is encrypted, and was not unpacked"


def test_a_rar_that_is_damaged_or_too_large_is_set_aside(tmp_path: Path) -> None:
    whole = rar_of([(b"a.bin", b"1"), (b"b.bin", b"2")])
    (tmp_path / "Game.rar").write_bytes(whole)
    (tmp_path / "Cut.rar").write_bytes(whole[:25])

    assert read(tmp_path, "Game.rar", Limits(members=1)).error == "more than 1 members"
    cut = read(tmp_path, "Cut.rar")
    assert cut.error is not None
    assert [content.hashes for content in cut.contents] == [hashes(whole[:25])]
