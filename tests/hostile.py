"""Files that somebody might make to harm whoever imports them, each with the reason for which it is set aside."""

import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import zstandard

from tests.pipeline.builders import campaign, campaigns, drops, encode, group, version_2

WHOLE = drops(*campaigns("a", "b", "c", "d"), campaign("e", game_id="7002"))
MEBIBYTE = 2**20
DICE = random.Random(1)  # noqa: S311 - the same files each time
# What may come of a file: its reason holds this text; or nothing is wrong with it.
FINE = None
# Those with which nothing is wrong. Tests are named by them, and to make them all takes half a second.
ODD = (
    "an id that no index takes",
    "UTF-8 with a mark",
    "UTF-16",
    "UTF-16 without a mark",
    "UTF-32",
    "NUL characters",
    "keys that are told twice",
    "markup and control characters",
    "a time that has not come",
    "a tar of absolute names",
    "a tar of names that lead out",
)


class Hostile(msgspec.Struct, frozen=True):
    """A file's content, and a part of the reason that must be given for it."""

    data: bytes
    reason: str | None


def payloads() -> dict[str, Hostile]:
    """One of each kind."""
    return {
        **_broken_json(),
        **_too_much(),
        **_encodings(),
        **_unstorable(),
        **_archives(),
    }


def _broken_json() -> dict[str, Hostile]:
    a, rest = campaign("a"), campaigns("b", "c")
    head = encode([group("7001", [a, *rest])])
    return {
        "empty": Hostile(b"", "the file is empty"),
        "spaces": Hostile(b" " * 5 * MEBIBYTE, "the file is empty"),
        "a truncated payload": Hostile(WHOLE[: len(WHOLE) // 2], "repaired: not JSON"),
        "truncated in its first item": Hostile(WHOLE[:400], "nothing whole is in it"),
        "truncated in its head": Hostile(WHOLE[:20], "not JSON"),
        "a comma too many": Hostile(WHOLE[:-1] + b",]", "repaired: not JSON"),
        "single quotes": Hostile(head.replace(b'"', b"'"), "repaired: not JSON"),
        "unquoted keys": Hostile(head.replace(b'"gameId"', b"gameId"), "repaired: not JSON"),
        "not a number": Hostile(head.replace(b'"requiredSubs": 0', b'"requiredSubs": NaN'), "repaired: not JSON"),
        "infinity": Hostile(head.replace(b'"requiredSubs": 0', b'"requiredSubs": -Infinity'), "repaired: not JSON"),
        "two payloads in one": Hostile(WHOLE + WHOLE, "repaired: not JSON"),
        "quotation marks": Hostile(b'["' + b'a"' * 50_000, "not JSON"),
        "backslashes": Hostile(b'["' + b"\\" * 100_000, "not JSON"),
        "commas": Hostile(b"[" + b"," * 100_000, "not JSON"),
        "noise": Hostile(DICE.randbytes(50_000), "not JSON"),
        "HTML": Hostile(b"<!doctype html><title>502</title>", "HTML or XML"),
        "a number": Hostile(b"123456789", "not JSON that we know"),
        "a string": Hostile(b'"drops"', "not JSON that we know"),
        "null": Hostile(b"null", "not JSON that we know"),
        "a list of numbers": Hostile(b"[1, 2, 3]", "not JSON that we know"),
        "a list of nulls": Hostile(b"[null, null]", "not JSON that we know"),
        "an object of nobody": Hostile(b'{"hello": "world"}', "of no source that we know"),
        "rewards that are no list": Hostile(b'[{"gameId": "1", "rewards": "all of them"}]', "invalid_item"),
        "a game that is a list": Hostile(drops(campaign("x", game=[])), "invalid_item"),
        "drops that are an object": Hostile(drops(campaign("x", timeBasedDrops={"a": 1})), "invalid_item"),
        "a name that is a number": Hostile(drops(campaign("x", name=7)), "invalid_item"),
        "no name at all": Hostile(drops(campaign("x", name=...)), "invalid_item"),
        "a start that is no time": Hostile(drops(campaign("x", startAt="yesterday")), "invalid_item"),
        "a start without a zone": Hostile(drops(campaign("x", startAt="2031-03-01T00:00:00")), "invalid_item"),
    }


def _too_much() -> dict[str, Hostile]:
    huge = b"9" * 10_000
    return {
        "deep lists": Hostile(b"[" * 10_000 + b"]" * 10_000, "not JSON that we know"),
        "deep objects": Hostile(b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "not JSON that we know"),
        "deep and open": Hostile(b"[" * 100_000, "not JSON that we know"),
        "deep inside an item": Hostile(
            b'[{"gameId":"1","rewards":[{"id":"x","more":' + b"[" * 10_000 + b"]" * 10_000 + b"}]}]",
            "maximum recursion depth",
        ),
        "larger than any payload": Hostile(b"[" + b" " * 17 * MEBIBYTE + b"]", "larger than 16 MiB"),
        "a million values": Hostile(b"[" + b"{}," * (MEBIBYTE - 9) + b"{}]", "of no source that we know"),
        "millions of values": Hostile(b"[" + b"{}," * 2 * MEBIBYTE + b"{}]", "JSON values: more than"),
        "millions of numbers": Hostile(b"[" + b"1," * 3 * MEBIBYTE + b"1]", "JSON values: more than"),
        "a name of megabytes": Hostile(
            drops(campaign("x", name=DICE.randbytes(7 * MEBIBYTE).hex())), "bytes: larger than 2 MiB"
        ),
        "an army of channels": Hostile(
            drops(campaign("x", channels=list(range(1, 100_000)))), "bytes: larger than 2 MiB"
        ),
        "huge numbers": Hostile(
            drops(campaign("x")).replace(b'"requiredMinutesWatched": 60', b'"requiredMinutesWatched": ' + huge),
            "invalid_item",
        ),
        "a huge exponent": Hostile(
            drops(campaign("x")).replace(b'"requiredMinutesWatched": 60', b'"requiredMinutesWatched": 1e999999'),
            "invalid_item",
        ),
        "more minutes than the database counts": Hostile(
            drops(campaign("x")).replace(b'"requiredMinutesWatched": 60', b'"requiredMinutesWatched": 4294967296'),
            "invalid_item",
        ),
        "less than no minutes": Hostile(
            drops(campaign("x")).replace(b'"requiredMinutesWatched": 60', b'"requiredMinutesWatched": -5'),
            "invalid_item",
        ),
        "an id that no index takes": Hostile(drops(*campaigns("a", "b", "c", DICE.randbytes(9000).hex())), FINE),
    }


def _encodings() -> dict[str, Hostile]:
    text = drops(campaign("marked", name="Größe 대")).decode()
    return {
        "UTF-8 with a mark": Hostile(b"\xef\xbb\xbf" + text.encode(), FINE),
        "UTF-16": Hostile(text.encode("utf-16"), FINE),
        "UTF-16 without a mark": Hostile(text.encode("utf-16-be"), FINE),
        "UTF-32": Hostile(text.encode("utf-32"), FINE),
        "UTF-16 that ends early": Hostile(text.encode("utf-16")[:-1], "not UTF-16-LE, as its first bytes claim"),
        "Latin-1": Hostile(text.replace("대", "").encode("latin-1"), "invalid_item"),
        "NUL bytes in the text": Hostile(text.replace("Größe", "Gr\0ße").encode(), "repaired: not JSON"),
        "nothing but NUL bytes": Hostile(bytes(4096), "not JSON that we know"),
    }


def _unstorable() -> dict[str, Hostile]:
    return {
        "NUL characters": Hostile(drops(campaign("n\0ul", name="N\0ul")), FINE),
        "half of a surrogate pair": Hostile(
            drops(campaign("x", name="HALF")).replace(b"HALF", b"\\ud800"), "unexpected end of hex escape"
        ),
        "keys that are told twice": Hostile(
            drops(campaign("twice")).replace(b'"id": "camp-twice"', b'"id": "one", "id": "camp-twice"'), FINE
        ),
        "a time before all calendars": Hostile(
            drops(campaign("x", startAt="0001-01-01T00:00:00+23:59")), "invalid_item"
        ),
        "markup and control characters": Hostile(drops(campaign("m", name="<script>\x1b[31m\u202e@everyone")), FINE),
        "a time that has not come": Hostile(version_2(drops(campaign("later"))).replace(b"2031-", b"9031-"), FINE),
    }


def _archives() -> dict[str, Hostile]:
    return {
        "half of a gzip": Hostile(gzip.compress(WHOLE)[:500], "cannot be read"),
        "half of an xz": Hostile(lzma.compress(WHOLE)[:500], "cannot be read"),
        "half of a zstd": Hostile(zstandard.compress(WHOLE)[:300], "cannot be read"),
        "only the mark of a gzip": Hostile(b"\x1f\x8b", "cannot be read"),
        "only the mark of an xz": Hostile(b"\xfd7zXZ\x00", "cannot be read"),
        "only the mark of a zip": Hostile(b"PK\x03\x04", "cannot be read"),
        "a gigabyte of spaces in a gzip": Hostile(_gigabyte("gzip"), "a decompression bomb"),
        "a gigabyte of spaces in an xz": Hostile(_gigabyte("xz"), "larger than 16 MiB"),
        "a gigabyte of spaces in a zstd": Hostile(_gigabyte("zstd"), "a decompression bomb"),
        "an xz that asks for gigabytes": Hostile(_hungry_xz(), "of memory to unpack"),
        "a zip bomb": Hostile(zip_of({"drops.json": b" " * 15 * MEBIBYTE}), "a decompression bomb"),
        "a zip of one file many times": Hostile(_overlapping_zip(), "a decompression bomb"),
        "a zip in a zip": Hostile(zip_of({"in.zip": zip_of({"drops.json": WHOLE})}), "an archive inside an archive"),
        "an encrypted zip": Hostile(_encrypted_zip(), "cannot be read"),
        "a zip with a wrong checksum": Hostile(_wrong_zip(), "cannot be read"),
        "a zip with a link": Hostile(_zip_with_link(), "links, pipes and devices"),
        "a zip with half of a payload": Hostile(zip_of({"drops.json": WHOLE[:900]}), "repaired: not JSON"),
        "an empty zip": Hostile(zip_of({}), "nothing in it"),
        "an empty tar": Hostile(tar_of([]), "not JSON that we know"),
        "half of a tar": Hostile(tar_of([("a.json", WHOLE * 3)])[:3000], "cannot be read"),
        "a tar with a link": Hostile(tar_of([_link(tarfile.SYMTYPE, "/etc/passwd")]), "links, pipes and devices"),
        "a tar with a hard link": Hostile(tar_of([_link(tarfile.LNKTYPE, "../x")]), "links, pipes and devices"),
        "a tar with a device": Hostile(tar_of([_link(tarfile.CHRTYPE, "")]), "links, pipes and devices"),
        "a tar with a pipe": Hostile(tar_of([_link(tarfile.FIFOTYPE, "")]), "links, pipes and devices"),
        "a tar with a sparse file": Hostile(tar_of([_link(tarfile.GNUTYPE_SPARSE, "")]), "sparse"),
        "a tar with a huge header": Hostile(tar_of([("a" * 2 * MEBIBYTE, b"[]")]), "a header of"),
        "a tar with a damaged header": Hostile(_damaged_tar(), "damaged inside"),
        "a tar of absolute names": Hostile(tar_of([("/tmp/absolute.json", WHOLE)]), FINE),
        "a tar of names that lead out": Hostile(tar_of([("../../out.json", WHOLE)]), FINE),
        "a tar with a huge file": Hostile(gzip_tar(b"[" + b"1," * 9 * MEBIBYTE + b"1]"), "decompression bomb"),
        "a tar in a tar": Hostile(
            tar_of([("in.tar", tar_of([("drops.json", WHOLE)]))]), "an archive inside an archive"
        ),
    }


def _gigabyte(kind: str) -> bytes:
    piece = b" " * MEBIBYTE
    if kind == "gzip":
        # The same compressed piece again and again is one gzip of many members.
        return gzip.compress(piece) * 1024
    if kind == "xz":
        return lzma.compress(piece, preset=0) * 1024
    return zstandard.compress(piece) * 1024


def _hungry_xz() -> bytes:
    return lzma.compress(b"[]", filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 512 * MEBIBYTE}])


def zip_of(files: dict[str, bytes]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2031, 3, 4, 12, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _overlapping_zip() -> bytes:
    """A list of contents whose thousand entries all mean the same data."""
    zipped = zip_of({"0.json": b" " * MEBIBYTE})
    start = zipped.rindex(b"PK\x01\x02")
    end = zipped.rindex(b"PK\x05\x06")
    directory = zipped[start:end] * 1000
    end_record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1000, 1000, len(directory), start, 0)
    return zipped[:start] + directory + end_record


def _encrypted_zip() -> bytes:
    data = bytearray(zip_of({"drops.json": WHOLE}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


def _wrong_zip() -> bytes:
    data = bytearray(zip_of({"drops.json": WHOLE}))
    at = data.index(b"PK\x01\x02") + 16
    data[at : at + 4] = b"\0\0\0\1"
    return bytes(data)


def _zip_with_link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("drops.json", (2031, 3, 4, 12, 0, 0))
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def _link(kind: bytes, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo("drops.json")
    member.type, member.linkname = kind, target
    return member


def tar_of(members: list[tuple[str, bytes] | tarfile.TarInfo]) -> bytes:
    """A tar archive, not compressed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


def gzip_tar(data: bytes) -> bytes:
    """A tar.gz of one file."""
    return gzip.compress(tar_of([("drops.json", data)]))


def _damaged_tar() -> bytes:
    data = bytearray(tar_of([("a.json", WHOLE), ("b.json", WHOLE)]))
    second = data.index(b"b.json")
    data[second + 150] ^= 0xFF
    return bytes(data)


def many(seed: int = 7) -> Iterator[tuple[str, bytes]]:
    """Yield files that are wrong at a random place: cut off, with a byte too many, or packed and then damaged."""
    dice = random.Random(seed)  # noqa: S311 - the same files each time
    for number in range(60):
        yield f"cut off {number}.json", WHOLE[: dice.randrange(1, len(WHOLE) - 1)]
    for number in range(30):
        at = dice.randrange(1, len(WHOLE) - 1)
        yield f"with a control character {number}.json", WHOLE[:at] + bytes([dice.randrange(1, 9)]) + WHOLE[at:]
    for number in range(15):
        yield f"deep {number}.json", b'{"data":[' * dice.randrange(2_000, 20_000)
    packed = {"gz": gzip.compress(WHOLE), "xz": lzma.compress(WHOLE), "zst": zstandard.compress(WHOLE)}
    for number in range(20):
        for ending, data in packed.items():
            yield f"half {number}.json.{ending}", data[: dice.randrange(20, len(data) - 20)]


def write_all(folder: Path) -> dict[str, str | None]:
    """Write all of them into a folder, with links and a pipe; returns names with a part of their reasons."""
    expected: dict[str, str | None] = {}
    for name, hostile in payloads().items():
        (folder / name).write_bytes(hostile.data)
        expected[name] = hostile.reason
    for name, data in many():
        (folder / name).write_bytes(data)
        expected[name] = ""
    with (folder / "a gigabyte of spaces").open("wb") as file:
        file.truncate(2**30)
    expected["a gigabyte of spaces"] = "larger than 16 MiB"
    (folder / "link out of the folder").symlink_to("/etc/passwd")
    (folder / "link to the folder").symlink_to(folder, target_is_directory=True)
    (folder / "link to nothing").symlink_to("nothing")
    expected |= dict.fromkeys(("link out of the folder", "link to the folder", "link to nothing"), "a link")
    os.mkfifo(folder / "pipe")
    expected["pipe"] = "not a file"
    (folder / os.fsdecode(b"na\xffme\n\x1b[31m")).write_bytes(b"{")
    return expected
