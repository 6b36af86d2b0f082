"""The values of DATs' fields, which all formats write alike: hashes, sizes, years, a dump's status. Pure."""

import re
from collections.abc import Mapping
from typing import NoReturn

from models.errors import UsageError
from pipeline.roms.dats.limits import MAX_TEXT
from pipeline.roms.records import DatRomRecord, Role, Status

# What DATs write where they know no hash.
_NONE = frozenset({"", "-", "0x"})
_YEAR = re.compile(r"[12]\d{3}")
_STATUS: Mapping[str, Status] = {"baddump": "baddump", "bad": "baddump", "nodump": "nodump", "verified": "verified"}
_LARGEST = 2**63 - 1
_CRC32, _MD5, _SHA1 = 8, 32, 40


def rom(fields: Mapping[str, str], *, is_disk: bool = False) -> DatRomRecord:
    """Return a file of a game from its fields: name, size, crc, md5, sha1, status or flags.

    Raises `UsageError` for a hash or a size that is none; the caller says where it stands.
    """
    name = fields.get("name", "")
    status = fields.get("status") or fields.get("flags")
    return DatRomRecord(
        name=name[:MAX_TEXT],
        size=size(text) if (text := fields.get("size")) else None,
        crc32=_crc32(text) if (text := fields.get("crc")) else None,
        md5=_hash(text, _MD5) if (text := fields.get("md5")) else None,
        sha1=_hash(text, _SHA1) if (text := fields.get("sha1")) else None,
        is_disk=is_disk,
        status=_STATUS.get(status.lower(), "good") if status else "good",
    )


def size(text: str) -> int | None:
    """Return a size in bytes, which MAME also writes in hexadecimal."""
    if text.isdecimal() and len(text) < 19:
        return int(text)
    if text.strip() in _NONE:
        return None
    try:
        number = int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError:
        _no_value(text, "size")
    if not 0 <= number <= _LARGEST:
        _no_value(text, "size")
    return number


def year(text: str | None) -> int | None:
    """Return a year; "19??" and "1990?" are none that is known."""
    return int(text) if text and _YEAR.fullmatch(text.strip()) else None


def role(name: str, *, is_bios: bool = False, is_device: bool = False) -> Role:
    """Return what a game is for; No-Intro and Redump say it in the name."""
    if is_device:
        return "device"
    return "bios" if is_bios or name.startswith("[BIOS]") else "game"


def text_of(value: str | None) -> str | None:
    """Return a text without spaces around it, cut to what a text may have; None for one that is empty."""
    return (value.strip()[:MAX_TEXT] or None) if value else None


def _crc32(text: str) -> int | None:
    digits = text.strip().removeprefix("0x")
    if digits in _NONE:
        return None
    # Some programs leave zeros at the front out.
    if len(digits) > _CRC32:
        _no_value(text, "CRC32")
    try:
        return int.from_bytes(bytes.fromhex(digits.zfill(_CRC32)))
    except ValueError:
        _no_value(text, "CRC32")


def _hash(text: str, length: int) -> bytes | None:
    digits = text.strip()
    if digits in _NONE:
        return None
    what = "MD5" if length == _MD5 else "SHA-1"
    if len(digits) != length:
        _no_value(text, what)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        _no_value(text, what)


def _no_value(text: str, what: str) -> NoReturn:
    raise UsageError(f"“{text[:60]}” is no {what}")
