"""RetroArch's playlists (.lpl, JSON since version 1.2 of them), from RetroArch's own files. Pure.

A label is what its thumbnails are called, so it is the DAT's name and no other. Paths are those of the machine that
RetroArch runs on; of an archive with one file in it they go on with `#` and its name.
"""

import codecs
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pipeline.roms.exports.markup import MOST_BYTES, Unreadable
from pipeline.roms.exports.merging import Listed
from pipeline.roms.exports.records import GameToExport

_DETECT = "DETECT"
_MEMBER = re.compile(r"(?i)(\.(?:zip|7z|apk|rar))#(.+)\Z")
_NEW = (
    ("version", "1.5"),
    ("default_core_path", ""),
    ("default_core_name", ""),
    ("label_display_mode", 0),
    ("right_thumbnail_mode", 0),
    ("left_thumbnail_mode", 0),
    ("sort_mode", 0),
)
UNSET: Mapping[str, frozenset[str]] = {"crc32": frozenset({_DETECT, "00000000|crc"})}


class Playlist:
    """A playlist; without one, an empty one called `name`. It is a `merging.Document`."""

    def __init__(self, existing: bytes | None, name: str) -> None:
        """Read a playlist; raises `Unreadable`."""
        self._existing = existing
        self._name = name
        data = existing or b""
        self._bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        self._text = _decoded(data[len(self._bom) :])
        self._whole: dict[str, Any] = _read(self._text) if self._text.strip() else {**dict(_NEW), "items": []}
        items = self._whole.setdefault("items", [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Unreadable("it is no playlist: `items` is no list of entries")
        self._items: list[dict[str, Any]] = items
        self._count = len(items)
        self._is_changed = False

    def keys(self) -> Sequence[str | None]:
        return [
            _MEMBER.sub(r"\1", path) if (path := self.value(entry, "path")) else None for entry in range(self._count)
        ]

    def hashes(self) -> Mapping[int, Collection[str]]:
        crcs = (self.value(entry, "crc32") for entry in range(self._count))
        return {entry: {crc.casefold()} for entry, crc in enumerate(crcs) if crc and crc not in UNSET["crc32"]}

    def value(self, entry: int, field: str) -> str | None:
        value = self._items[entry].get(field)
        return value if isinstance(value, str) else None

    def has(self, entry: int, values: Mapping[str, str]) -> bool:
        return all(self.value(entry, name) == text for name, text in values.items())

    def set(self, entry: int, field: str, value: str) -> None:
        self._items[entry][field] = value
        self._is_changed = True

    def set_key(self, entry: int, key: str) -> None:
        member = _MEMBER.search(self.value(entry, "path") or "")
        self.set(entry, "path", f"{key}#{member[2]}" if member and key.casefold().endswith(_ARCHIVES) else key)

    def add(self, listed: Listed) -> None:
        member = listed.game.member
        path = f"{listed.key}#{member}" if member and listed.key.casefold().endswith(_ARCHIVES) else listed.key
        values = {"path": path, "label": "", "core_path": _DETECT, "core_name": _DETECT, "crc32": _DETECT}
        self._items.append({**values, **listed.values, "db_name": f"{self._name}.lpl"})
        self._is_changed = True

    def encode(self) -> bytes:
        if not self._is_changed and self._existing is not None:
            return self._existing
        indent = re.search(r"\n([ \t]+)\"", self._text)
        is_one_line = bool(self._text.strip()) and "\n" not in self._text.strip()
        written = json.dumps(
            self._whole, ensure_ascii=False, indent=None if is_one_line else indent[1] if indent else "  "
        )
        end = "\r\n" if "\r\n" in self._text else "\n"
        tail = self._text[len(self._text.rstrip()) :] if self._text.strip() else "\n"
        return self._bom + written.replace("\n", end).encode() + tail.encode()


_ARCHIVES = (".zip", ".7z", ".rar", ".apk")


def listed(game: GameToExport, key: str, tail: str) -> Listed:
    """Return a ROM as an item has it."""
    crc = "" if game.crc32 is None else f"{game.crc32:08X}|crc"
    values = {"label": game.dat_name, "crc32": crc}
    said = {name: text for name, text in values.items() if text}
    return Listed(game=game, key=key, tail=tail, values=said, hashes=(crc.casefold(),) if crc else ())


def _decoded(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise Unreadable(f"it is larger than {MOST_BYTES // 2**20} MiB")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("it is not UTF-8", data[: error.start].count(b"\n") + 1) from error


def _read(text: str) -> dict[str, Any]:
    if not text.lstrip().startswith("{"):
        raise Unreadable(
            "it is no playlist in JSON; RetroArch makes one of an old playlist when it opens and saves it", 1
        )
    try:
        whole = json.loads(text, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is no JSON: {error.msg}", error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise Unreadable(f"it is no playlist: {error}") from error
    return dict(whole)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; one that says a thing twice could not be written again as it is."""
    whole = dict(pairs)
    if len(whole) != len(pairs):
        twice = next(name for name, _ in pairs if sum(other == name for other, _ in pairs) > 1)
        raise ValueError(f"an object has {twice!r} twice")
    return whole
