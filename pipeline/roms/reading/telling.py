"""Tell what a file is by its first bytes, whatever its name says. Pure."""

from collections.abc import Sequence
from typing import Literal

from pipeline.roms.reading.hashing import ending

Kind = Literal["plain", "zip", "7z", "rar", "tar", "gz", "chd", "cso", "zso"]
# What a name promises; a file without its mark is broken, or something else.
_PROMISED = frozenset({"zip", "dosz", "7z", "rar", "tar", "gz", "tgz", "chd", "cso", "zso"})
_ARCHIVES = _PROMISED - {"chd", "cso", "zso"}
_MARKS: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07\x00", "rar"),
    (b"Rar!\x1a\x07\x01\x00", "rar"),
    (b"\x1f\x8b\x08", "gz"),
    (b"MComprHD", "chd"),
    (b"CISO", "cso"),
    (b"ZISO", "zso"),
)
_FIRST = frozenset(mark[:1] for mark, _ in _MARKS)
# Enough for the mark of a tar.
BEGIN = 512


def kind_of(begin: bytes) -> Kind:
    """Return what a file is that begins with these bytes."""
    if begin[:1] in _FIRST:
        for mark, kind in _MARKS:
            if begin.startswith(mark):
                return kind
    return "tar" if begin.startswith(b"ustar", 257) else "plain"


def is_part(name: str) -> bool:
    """Whether a name is that of a part of a split file: `Game.7z.001`, `Game.part2.rar`, `Game.r00`, `Game.z01`."""
    last = ending(name)
    if last == "rar":
        before = ending(name[: -len(".rar")])
        return before.startswith("part") and before[4:].isdigit()
    # A `.z64` is a cartridge of the Nintendo 64.
    return len(last) == 3 and last[1:].isdigit() and last[0] in "rz0123456789" and last != "z64"


def broken_promise(name: str) -> str | None:
    """Return a sentence where a file that is plain is named like an archive; None where it keeps its word."""
    last = ending(name)
    if last not in _PROMISED or is_part(name):
        return None
    return f"named .{last}, but its content is none: it is damaged, or something else"


def only_archives(members: Sequence[str]) -> str | None:
    """Return a sentence where an archive holds nothing but archives, of which nobody knows what is in them."""
    if not members or not _ARCHIVES.issuperset(map(ending, members)):
        return None
    named = members[0] if len(members) == 1 else f"{members[0]} and {len(members) - 1} more"
    return f"holds only archives ({named}), and archives in archives are not looked into: unpack it"
