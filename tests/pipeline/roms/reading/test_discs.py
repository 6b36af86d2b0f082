import struct
import zlib
from pathlib import Path

import pytest

from pipeline.roms.records import Hashes
from tests.pipeline.roms.reading.folder import hashes, read

SHA1 = bytes(range(20))
DISC = bytes(range(256)) * 40 + b"the end"


def chd_of(version: int, sha1: bytes = SHA1) -> bytes:
    size, at = {1: (76, 0), 2: (80, 0), 3: (120, 80), 4: (108, 48), 5: (124, 84)}[version]
    header = bytearray(b"MComprHD" + struct.pack(">LL", size, version) + bytes(size - 16))
    if at:
        header[at : at + 20] = sha1
    return bytes(header) + b"packed"


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_chd_has_the_sha1_of_its_header(tmp_path: Path, version: int) -> None:
    data = chd_of(version)
    (tmp_path / "Game.chd").write_bytes(data)

    reading = read(tmp_path, "Game.chd")

    assert (reading.container, reading.error) == ("chd", None)
    (content,) = reading.contents
    assert (content.hashes, content.disk_sha1) == (hashes(data), SHA1)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (chd_of(2), "a CHD of version 2, whose header has no SHA-1: convert it by `chdman copy`"),
        (chd_of(5)[:90], "its CHD header is damaged"),
        (chd_of(5)[:12], "its CHD header is cut off"),
        (chd_of(5, bytes(20)), "its CHD header has no SHA-1: it was never finished, or is written to"),
    ],
)
def test_a_chd_without_one_is_set_aside(tmp_path: Path, data: bytes, error: str) -> None:
    (tmp_path / "Game.chd").write_bytes(data)

    reading = read(tmp_path, "Game.chd")

    assert reading.error == error
    assert [(content.hashes, content.disk_sha1) for content in reading.contents] == [(hashes(data), None)]


def cso_of(disc: bytes, mark: bytes = b"CISO") -> bytes:
    blocks = []
    for at in range(0, len(disc), 2048):
        plain = disc[at : at + 2048]
        packed = zlib.compress(plain, wbits=-15)
        # Every other block is stored as it is.
        blocks.append((0x80000000, plain) if at % 4096 else (0, packed))
    place = 24 + 4 * (len(blocks) + 1)
    index = b""
    for flag, data in blocks:
        index += struct.pack("<L", place | flag)
        place += len(data)
    index += struct.pack("<L", place)
    header = struct.pack("<4sLQLBB2x", mark, 24, len(disc), 2048, 1, 0)
    return header + index + b"".join(data for _, data in blocks)


def test_a_cso_says_how_large_its_disc_is(tmp_path: Path) -> None:
    (tmp_path / "Game.cso").write_bytes(cso_of(DISC))

    reading = read(tmp_path, "Game.cso")

    assert (reading.container, reading.error) == ("cso", None)
    assert (reading.contents[1].member, reading.contents[1].hashes) == ("Game.iso", Hashes(size=len(DISC)))


def test_deep_reading_hashes_the_disc_in_a_cso(tmp_path: Path) -> None:
    (tmp_path / "Game.cso").write_bytes(cso_of(DISC))

    reading = read(tmp_path, "Game.cso", deep=True)

    assert reading.error is None
    assert reading.contents[1].hashes == hashes(DISC)


def test_the_disc_in_a_zso_is_known_by_its_size(tmp_path: Path) -> None:
    (tmp_path / "Game.zso").write_bytes(cso_of(DISC, b"ZISO"))

    assert read(tmp_path, "Game.zso").error is None
    reading = read(tmp_path, "Game.zso", deep=True)

    assert reading.error == "its LZ4 is not unpacked: only the size of the disc in it is known"
    assert reading.contents[1].hashes == Hashes(size=len(DISC))


@pytest.mark.parametrize("at", range(0, 52, 4))
def test_a_damaged_cso_is_an_error_and_nothing_more(tmp_path: Path, at: int) -> None:
    data = bytearray(cso_of(DISC))
    data[at] ^= 0xFF
    (tmp_path / "Game.cso").write_bytes(data)

    reading = read(tmp_path, "Game.cso", deep=True)

    assert reading.contents[0].hashes == hashes(bytes(data))
    whole = [content.hashes for content in reading.contents[1:]] == [hashes(DISC)]
    assert whole or reading.error is not None
