"""Join discs and their tracks by the sheets that list them, and the parts of split files. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property

from models.platforms import platform_called
from pipeline.roms.records import SetKind
from pipeline.roms.sets.entries import Entry, key_of, natural, stem_of

_SHEETS = ("m3u", "m3u8", "cue", "gdi", "ccd", "mds")
_TRACKS = {"cue": ("bin", "img", "iso", "wav"), "gdi": (), "ccd": ("img", "sub"), "mds": ("mdf",)}
# What a split file is one of, by the ending before the number.
_PACKED = frozenset({"7z", "zip", "rar", "gz", "tar"})
# What other programs keep of the same disc.
_BESIDE = ("ccd", "sub", "sbi", "img", "mds", "mdf")
_SAYS_NOTHING = re.compile(r"dis[ck]|game|(?:cd)?image|tracks?", re.IGNORECASE)
_PARTS = (
    re.compile(r"(?P<stem>.+)\.part(?P<number>\d+)\.rar$", re.IGNORECASE),
    re.compile(r"(?P<stem>.+)\.(?P<number>\d{3})$"),
    re.compile(r"(?P<stem>.+)\.(?P<number>[rz]\d\d)$", re.IGNORECASE),
)
# All of them end so, and few other names do.
_MAY_BE_PART = re.compile(r"\.(?:\d{3}|[rz]\d\d|rar)$", re.IGNORECASE)


class Discs:
    """Finds what sheets list among the files of a folder; each file is given away once."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self.taken: set[int] = set()

    # Most collections have no sheet that asks.
    @cached_property
    def _by_key(self) -> dict[str, Entry]:
        by_key: dict[str, Entry] = {}
        for entry in self._entries:
            by_key.setdefault(entry.key, entry)
        return by_key

    @cached_property
    def _exact(self) -> dict[str, Entry]:
        return {"/".join((*entry.folders, entry.name)): entry for entry in self._entries}

    def sheets(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return the sheets, those first that list others."""
        sheets = (entry for entry in entries if entry.ending in _SHEETS)
        return sorted(sheets, key=lambda entry: (_SHEETS.index(entry.ending), entry.file.path, entry.file.id))

    def take(self, sheet: Entry) -> list[Entry]:
        """Return a sheet with all that it lists, directly or by a sheet that it lists, as far as it is there."""
        if sheet.file.id in self.taken:
            return []
        self.taken.add(sheet.file.id)
        joined = [sheet]
        waiting = list(reversed(self._listed(sheet)))
        while waiting:
            entry = waiting.pop()
            if entry.file.id in self.taken:
                continue
            self.taken.add(entry.file.id)
            joined.append(entry)
            if entry.ending in _SHEETS:
                waiting += reversed(self._listed(entry))
        return joined

    def _listed(self, sheet: Entry) -> list[Entry]:
        listed = [entry for name in sheet.file.sheet if (entry := self._named(sheet, name)) is not None]
        if sheet.ending in {"m3u", "m3u8"}:
            return listed
        # A disc that was renamed without its sheet keeps its tracks by the name.
        beside = () if listed else _TRACKS[sheet.ending]
        return listed + [entry for ending in (*beside, *_BESIDE) if (entry := self._beside(sheet, ending)) is not None]

    def _named(self, sheet: Entry, name: str) -> Entry | None:
        folders = list(sheet.folders)
        *between, last = name.replace("\\", "/").split("/")
        for part in between:
            if part == "..":
                if not folders:
                    return None
                folders.pop()
            elif part not in {"", "."}:
                folders.append(part)
        return self._at((*folders, last)) or self._at((*sheet.folders, last))

    def _beside(self, sheet: Entry, ending: str) -> Entry | None:
        return self._at((*sheet.folders, f"{sheet.stem}.{ending}"))

    def _at(self, parts: tuple[str, ...]) -> Entry | None:
        path = "/".join(parts)
        return self._exact.get(path) or self._by_key.get(key_of(path))


def name_of(sheet: Entry) -> str:
    """Return what a set is called that a sheet begins: of `Crazy Taxi (USA)/disc.gdi` the folder's name.

    Programs that write discs for loaders call each sheet the same; a platform's folder names no game.
    """
    if sheet.folders and _SAYS_NOTHING.fullmatch(sheet.stem) and platform_called(sheet.folders[-1]) is None:
        return sheet.folders[-1]
    return sheet.stem


def sheet_kind(sheet: Entry) -> SetKind:
    """Return what a set is that a sheet begins."""
    if sheet.ending in {"m3u", "m3u8"}:
        return "m3u"
    return "gdi" if sheet.ending == "gdi" else "cue"


def splits(entries: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Yield the names and the parts of split files, the part first that a program opens."""
    by_stem: dict[tuple[tuple[str, ...], str], list[tuple[str, Entry]]] = defaultdict(list)
    for entry in entries:
        if not _MAY_BE_PART.match(entry.name, len(entry.name) - 4):
            continue
        match = next((match for pattern in _PARTS if (match := pattern.match(entry.name)) is not None), None)
        if match is not None:
            by_stem[entry.folders, key_of(match["stem"])].append((match["stem"], entry))
    whole = {
        (entry.folders, key_of(entry.stem)): entry for entry in reversed(entries) if entry.ending in {"rar", "zip"}
    }
    for place, parts in by_stem.items():
        joined = [
            entry for _, entry in sorted(parts, key=lambda part: (natural(part[1].name.lower()), part[1].file.id))
        ]
        # `Game.rar` begins `Game.r00`, and `Game.zip` ends `Game.z01`; without it a `.z64` is a cartridge.
        first = whole.get(place)
        if first is not None and first not in joined:
            joined.insert(0, first)
        if len(joined) > 1 or joined[0].ending == "rar" or stem_of(parts[0][0])[1] in _PACKED:
            yield min(stem for stem, _ in parts), joined
