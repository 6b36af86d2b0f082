"""M3U files for games of several discs: the path of a disc on each line, as emulators change them. Pure.

Where a collection has an M3U of its own it is one ROM already. Lines that are there stay, comments too; a disc that is
missing comes behind the others. Paths are bytes: names need not be UTF-8.
"""

import codecs
import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from pipeline.roms.exports.markup import MOST_BYTES, Unreadable
from pipeline.roms.exports.merging import Listed
from pipeline.roms.exports.records import GameToExport, LeftOut

_DISC = re.compile(r"\s*[(\[](?:disc|disk|cd)\s*(?:\d+|[a-d])(?:\s*of\s*\d+)?[)\]]", re.IGNORECASE)
_COMMENT = "#"
_BOM = codecs.BOM_UTF8.decode("latin-1")


class Discs(msgspec.Struct, frozen=True, kw_only=True):
    """The discs of a game in their order; `name` is that of its file, without an ending."""

    name: str
    platform: str | None
    games: tuple[GameToExport, ...]


def find_discs(games: Sequence[GameToExport]) -> tuple[list[Discs], list[LeftOut]]:
    """Return games of two or more discs, by name, and the ROMs that are a disc of one a second time."""
    by_name: defaultdict[tuple[bytes, str | None, str], dict[int, GameToExport]] = defaultdict(dict)
    twice: list[LeftOut] = []
    for game in sorted(games, key=lambda game: game.path):
        if game.disc is None or game.kind == "m3u":
            continue
        folder, name = posixpath.split(game.path)
        written = _DISC.sub("", os.fsdecode(name).rpartition(".")[0] or os.fsdecode(name)).strip()
        discs = by_name[folder, game.platform, written]
        if discs.setdefault(game.disc, game) is not game:
            reason = (
                f"disc {game.disc} of {written} is {os.fsdecode(posixpath.basename(discs[game.disc].path))!r} already"
            )
            twice.append(LeftOut(shown=shown(game.path), reason=reason))
    games_of_discs = [
        Discs(name=name, platform=platform, games=tuple(discs[disc] for disc in sorted(discs)))
        for (_, platform, name), discs in by_name.items()
        if len(discs) > 1
    ]
    return sorted(games_of_discs, key=lambda each: (each.name, each.games[0].path)), twice


class DiscList:
    """An M3U file; without one, an empty one. It is a `merging.Document`."""

    def __init__(self, existing: bytes | None) -> None:
        """Read a file; raises `Unreadable`."""
        if existing is not None and (len(existing) > MOST_BYTES or b"\0" in existing):
            raise Unreadable("it is no list of discs")
        self._existing = existing
        # Each byte as one character: names need not be UTF-8.
        text = (existing or b"").decode("latin-1")
        self._end = "\r\n" if "\r\n" in text else "\n"
        self._lines = re.findall(r"[^\n]*\n|[^\n]+", text)
        self._places = [
            number
            for number, line in enumerate(self._lines)
            if line.strip() and not line.removeprefix(_BOM).startswith(_COMMENT)
        ]
        self._added: list[str] = []
        self._is_changed = False

    def keys(self) -> Sequence[str | None]:
        return [self._lines[place].removeprefix(_BOM).strip("\r\n") for place in self._places]

    def hashes(self) -> Mapping[int, Collection[str]]:
        return {}

    def value(self, entry: int, field: str) -> str | None:
        raise AssertionError(f"a list of discs has no {field} of {entry}")

    def has(self, entry: int, values: Mapping[str, str]) -> bool:
        del entry
        return not values

    def set(self, entry: int, field: str, value: str) -> None:
        raise AssertionError(f"a list of discs has no {field} of {entry}: {value}")

    def set_key(self, entry: int, key: str) -> None:
        place = self._places[entry]
        line = self._lines[place]
        bom = _BOM if line.startswith(_BOM) else ""
        self._lines[place] = bom + key + line[len(line.rstrip("\r\n")) :]
        self._is_changed = True

    def add(self, listed: Listed) -> None:
        self._added.append(listed.key)
        self._is_changed = True

    def encode(self) -> bytes:
        if not self._is_changed and self._existing is not None:
            return self._existing
        lines = list(self._lines)
        if self._added and lines and not lines[-1].endswith("\n"):
            lines[-1] += self._end
        return "".join([*lines, *(f"{key}{self._end}" for key in self._added)]).encode("latin-1")


def listed(game: GameToExport, key: bytes, tail: str) -> Listed:
    """Return a disc as a line, whose bytes are its key's characters."""
    return Listed(game=game, key=key.decode("latin-1"), tail=os.fsencode(tail).decode("latin-1"), values={})


def shown(path: bytes) -> str:
    """Return a path as text; bytes that are no UTF-8 are shown as such."""
    return path.decode(errors="backslashreplace")
