import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline.roms.reading import Limits
from pipeline.roms.records import Hashes
from tests.pipeline.roms.reading.folder import hashes, read, zip_of

DUMP = bytes(range(256)) * 300


def write_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path.read_bytes()


def test_a_list_of_contents_gives_size_and_crc32(tmp_path: Path) -> None:
    data = write_zip(tmp_path / "Game.zip", {"folder/": b"", "folder/a.bin": DUMP, "b.bin": b""})

    reading = read(tmp_path, "Game.zip")

    assert (reading.container, reading.error) == ("zip", None)
    assert [(content.member, content.hashes) for content in reading.contents] == [
        ("", hashes(data)),
        ("folder/a.bin", Hashes(size=len(DUMP), crc32=hashes(DUMP).crc32)),
        ("b.bin", Hashes(size=0, crc32=0)),
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("data", [DUMP, b"", bytes(3 * 2**20), DUMP[:5]])
def test_deep_reading_hashes_members_whole(tmp_path: Path, method: int, data: bytes) -> None:
    write_zip(tmp_path / "Game.zip", {"a.bin": data}, method)

    reading = read(tmp_path, "Game.zip", deep=True)

    assert reading.error is None
    assert reading.contents[1].hashes == hashes(data)


def test_a_member_that_may_have_a_header_is_unpacked_anyway(tmp_path: Path) -> None:
    header = b"NES\x1a" + bytes(12)
    write_zip(tmp_path / "Game.zip", {"a.nes": header + DUMP, "b.bin": DUMP})

    nes, other = read(tmp_path, "Game.zip").contents[1:]

    assert (nes.hashes, nes.headerless) == (hashes(header + DUMP), hashes(DUMP))
    assert other.hashes.sha1 is None


def test_an_archive_in_an_archive_is_a_plain_member(tmp_path: Path) -> None:
    inner = write_zip(tmp_path / "inner.zip", {"a.bin": DUMP})
    write_zip(tmp_path / "Game.zip", {"inner.zip": inner})

    reading = read(tmp_path, "Game.zip", deep=True)

    assert [content.member for content in reading.contents] == ["", "inner.zip"]
    assert reading.contents[1].hashes == hashes(inner)


def test_an_empty_zip_has_no_members(tmp_path: Path) -> None:
    write_zip(tmp_path / "Game.zip", {})

    reading = read(tmp_path, "Game.zip")

    assert (len(reading.contents), reading.error) == (1, None)


def test_hostile_names_are_names_only(tmp_path: Path) -> None:
    names = [b"../../etc/passwd", b"/etc/passwd", b"C:\\x", b"a\x00b", b"same", b"same", b"\xff\xfe", b"x" * 4000]
    (tmp_path / "Game.zip").write_bytes(zip_of([(name, name) for name in names], flags=0x800))

    reading = read(tmp_path, "Game.zip", deep=True)

    assert reading.error is None
    assert [content.member for content in reading.contents[1:]] == [
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\x",
        "a\\x00b",
        "same",
        "same",
        "\\xff\\xfe",
        "x" * 4000,
    ]
    assert [content.hashes for content in reading.contents[1:]] == [hashes(name) for name in names]


def test_names_without_a_mark_are_utf_8_or_else_of_the_old_code_page(tmp_path: Path) -> None:
    (tmp_path / "Game.zip").write_bytes(zip_of([("é".encode(), b"1"), (b"\x82", b"2")]))

    assert [content.member for content in read(tmp_path, "Game.zip").contents[1:]] == ["é", "é"]


def test_members_larger_than_four_gigabytes_are_listed(tmp_path: Path) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive, archive.open("a.bin", "w", force_zip64=True) as member:
        member.write(DUMP)
    data = bytearray(written.getvalue())
    at = data.rindex(b"PK\x01\x02")
    # The list then gives size and packed size in a field of 64 bits each.
    name_size, extra = int.from_bytes(data[at + 28 : at + 30], "little"), (1).to_bytes(2, "little")
    large = (5 * 2**30).to_bytes(8, "little")
    data[at + 20 : at + 28] = b"\xff" * 8
    data[at + 30 : at + 32] = (20).to_bytes(2, "little")
    begin = at + 46 + name_size
    data[begin:begin] = extra + (16).to_bytes(2, "little") + large + len(DUMP).to_bytes(8, "little")
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 16] = (end - at).to_bytes(4, "little")
    (tmp_path / "Game.zip").write_bytes(data)

    reading = read(tmp_path, "Game.zip", Limits(ratio=10**9))

    assert reading.error is None
    assert reading.contents[1].hashes.size == 5 * 2**30


def test_an_encrypted_member_is_listed_and_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "Game.zip").write_bytes(zip_of([(b"a.bin", DUMP)], flags=1))

    assert read(tmp_path, "Game.zip").error is None
    reading = read(tmp_path, "Game.zip", deep=True)

    assert reading.error == "a.bin: it is encrypted, and was not unpacked"
    assert reading.contents[1].hashes == Hashes(size=len(DUMP), crc32=hashes(DUMP).crc32)


def test_a_member_with_a_wrong_crc32_is_known_by_its_size_alone(tmp_path: Path) -> None:
    data = zip_of([(b"a.bin", DUMP), (b"b.bin", DUMP)])
    (tmp_path / "Game.zip").write_bytes(data.replace(DUMP, DUMP[:-1] + b"!", 1))

    reading = read(tmp_path, "Game.zip", deep=True)

    assert reading.error == "a.bin: its CRC32 is not the listed one"
    assert [content.hashes for content in reading.contents[1:]] == [Hashes(size=len(DUMP)), hashes(DUMP)]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_within_a_member_is_an_error_and_nothing_more(tmp_path: Path, method: int) -> None:
    data = bytearray(write_zip(tmp_path / "Game.zip", {"a.bin": DUMP, "b.bin": b"whole"}, method))
    data[60:90] = bytes(30)
    (tmp_path / "Game.zip").write_bytes(data)

    reading = read(tmp_path, "Game.zip", deep=True)

    assert reading.error is not None
    assert reading.error.startswith("a.bin: ")
    assert reading.contents[1].hashes == Hashes(size=len(DUMP))
    assert reading.contents[2].hashes == hashes(b"whole")


def test_a_zip_that_was_cut_off_has_its_own_hashes(tmp_path: Path) -> None:
    data = zip_of([(b"a.bin", DUMP)])[:-30]
    (tmp_path / "Game.zip").write_bytes(data)

    reading = read(tmp_path, "Game.zip")

    assert reading.error == "its end is missing: it was cut off, or only partly downloaded"
    assert [content.hashes for content in reading.contents] == [hashes(data)]


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_any_damage_to_the_list_ends_in_a_sentence(tmp_path: Path, cut: int) -> None:
    data = bytearray(zip_of([(b"a.bin", b"1" * 40), (b"b.nes", b"2" * 40)], method=8))
    data[cut % len(data)] ^= 0xFF
    (tmp_path / "Game.zip").write_bytes(data)

    reading = read(tmp_path, "Game.zip", deep=True)

    assert reading.contents[0].hashes == hashes(bytes(data))
    assert reading.error is None or reading.error


def test_a_bomb_is_set_aside_by_what_its_list_says(tmp_path: Path) -> None:
    packed = zip_of([(b"a", bytes(100 * 2**20))], method=8)
    (tmp_path / "Game.zip").write_bytes(packed)

    reading = read(tmp_path, "Game.zip")

    assert reading.error == "unpacks to more than 500 times its size: a decompression bomb"
    assert len(reading.contents) == 1


def test_a_bomb_that_lies_about_its_size_is_stopped_there(tmp_path: Path) -> None:
    data = bytearray(zip_of([(b"a.bin", bytes(2**20))], method=8))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    (tmp_path / "Game.zip").write_bytes(data)

    assert read(tmp_path, "Game.zip", deep=True).error == "a.bin: it is longer than the list says"


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(members=1), "more than 1 members"),
        (Limits(directory=50), "its list of contents has 102 bytes"),
    ],
)
def test_a_list_beyond_the_limits_is_not_read(tmp_path: Path, limits: Limits, error: str) -> None:
    (tmp_path / "Game.zip").write_bytes(zip_of([(b"a.bin", b"1"), (b"b.bin", b"2")]))

    reading = read(tmp_path, "Game.zip", limits)

    assert (len(reading.contents), reading.error) == (1, error)


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(unpacked=len(DUMP) + 5), f"unpacks to more than {len(DUMP) + 5:,} bytes"),
        (Limits(seconds=-1), "unpacking took longer than -1 seconds"),
    ],
)
def test_unpacking_ends_at_the_limits_and_the_list_holds(tmp_path: Path, limits: Limits, error: str) -> None:
    (tmp_path / "Game.zip").write_bytes(zip_of([(b"a.bin", DUMP), (b"b.bin", DUMP), (b"c.bin", DUMP)]))

    reading = read(tmp_path, "Game.zip", limits, deep=True)

    assert reading.error == error
    assert [content.hashes.crc32 for content in reading.contents[1:]] == [hashes(DUMP).crc32] * 3


def test_an_unknown_method_is_named(tmp_path: Path) -> None:
    (tmp_path / "Game.zip").write_bytes(zip_of([(b"a.bin", DUMP)], method=6))

    reading = read(tmp_path, "Game.zip", deep=True)

    assert reading.error == "a.bin: it is compressed by method 6, which is not read"


_MEASURE = """
import os, resource, sys
from pipeline.roms.reading import Limits, read_file
import py7zr
root = os.open(sys.argv[1], os.O_RDONLY)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in os.listdir(root):
    read_file(root, os.fsencode(name), Limits(), deep=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def grown(folder: Path) -> int:
    """Return by how many KiB a process grows that reads the files of a folder."""
    done = subprocess.run([sys.executable, "-c", _MEASURE, str(folder)], check=True, capture_output=True, text=True)
    return int(done.stdout)


def test_a_million_members_and_bombs_take_little_memory(tmp_path: Path) -> None:
    whole = zip_of([(b"a", b"")])
    entry, end = whole[31 : 31 + 47], whole[-22:]
    length = len(entry) * 10**6
    listed = end[:8] + b"\xff\xff\xff\xff" + length.to_bytes(4, "little") + end[16:]
    (tmp_path / "many.zip").write_bytes(whole[:31] + entry * 10**6 + listed)
    fifty = zip_of([(b"%05d.bin" % number, b"") for number in range(100)])
    (tmp_path / "some.zip").write_bytes(fifty)
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        write_zip(tmp_path / f"{method}.zip", {"a.bin": bytes(60 * 2**20)}, method)

    assert grown(tmp_path) < 40 * 1024


@pytest.mark.parametrize(
    ("members", "error"),
    [
        (("inner.zip",), "holds only archives (inner.zip), and archives in archives are not looked into: unpack it"),
        (("a.7z", "b.RAR"), "holds only archives (a.7z and 1 more), and archives in archives are not looked into"),
        (("inner.zip", "GAME.EXE"), None),
        (("disc.chd",), None),
    ],
)
def test_an_archive_of_nothing_but_archives_says_so_and_is_hashed_all_the_same(
    tmp_path: Path, members: tuple[str, ...], error: str | None
) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of([(name.encode(), b"inside") for name in members]))

    reading = read(tmp_path, "a.zip")

    assert (reading.error is None) if error is None else (reading.error or "").startswith(error)
    assert [content.member for content in reading.contents] == ["", *members]
