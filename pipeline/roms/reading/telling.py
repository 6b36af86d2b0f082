"""Tell what a file is by its first bytes, whatever its name says. Pure."""

from typing import Literal

from pipeline.roms.reading.hashing import ending

Kind = Literal["plain", "zip", "7z", "rar", "tar", "gz", "chd", "cso", "zso"]
# What a name promises; a file without its mark is broken, or something else.
_PROMISED: dict[str, Kind] = {
    "zip": "zip",
    "dosz": "zip",
    "7z": "7z",
    "rar": "rar",
    "tar": "tar",
    "gz": "gz",
    "tgz": "gz",
    "chd": "chd",
    "cso": "cso",
    "zso": "zso",
}
_MARKS: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07\x00", "rar"),
    (0, b"Rar!\x1a\x07\x01\x00", "rar"),
    (0, b"\x1f\x8b\x08", "gz"),
    (0, b"MComprHD", "chd"),
    (0, b"CISO", "cso"),
    (0, b"ZISO", "zso"),
    (257, b"ustar", "tar"),
)
# Enough for the mark of a tar.
BEGIN = 512


def kind_of(begin: bytes) -> Kind:
    """Return what a file is that begins with these bytes."""
    for at, mark, kind in _MARKS:
        if begin.startswith(mark, at):
            return kind
    return "plain"


def is_part(name: str) -> bool:
    """Whether a name is that of a part of a split file: `Game.7z.001`, `Game.part2.rar`, `Game.r00`, `Game.z01`."""
    last = ending(name)
    if last == "rar":
        before = name[: -len(".rar")].rpartition(".")[2].lower()
        return before.startswith("part") and before[4:].isdigit()
    return last.isdigit() if len(last) == 3 and last[0].isdigit() else last[:1] in {"r", "z"} and _is_volume(last)


def _is_volume(last: str) -> bool:
    return len(last) == 3 and last[1:].isdigit()


def promise_broken(name: str, kind: Kind) -> str | None:
    """Return a sentence where a name promises an archive that the file is not; None where it keeps its word."""
    promised = _PROMISED.get(ending(name))
    if promised is None or kind != "plain" or is_part(name):
        return None
    return f"named .{ending(name)}, but its content is none: it is damaged, or something else"
