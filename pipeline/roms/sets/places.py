"""Tell where games begin in a folder: behind which folders, on which platform, in folders of their own or not. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from models.platforms import platform_called
from pipeline.roms.records import Layout
from pipeline.roms.sets.entries import Entry, stem_of

# There a game is a folder of files, whatever the layout.
FOLDER_GAMES = frozenset({"dos", "windows", "windows3x", "windows9x"})
# ES-DE shows a folder that is named like a file as one game: https://gitlab.com/es-de/emulationstation-de, USERGUIDE,
# "Directories interpreted as files".
LIKE_FILES = frozenset(
    {"m3u", "cue", "gdi", "ps3", "ps4", "psvita", "pc", "dosbox", "scummvm", "daphne", "singe", "wua"}
)
_SHELF = re.compile(r"[#0-9A-Za-z](?:\s?-\s?[#0-9A-Za-z])?|0-9|#")
_ARCHIVES = frozenset({"zip", "7z", "rar", "tar"})


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a file's games are: `root` counts the folders before them, `platform` is what these are called.

    `by_folder` says that each folder there is a game.
    """

    root: int
    platform: str | None
    by_folder: bool


def place_of(folders: Sequence[str], layout: Layout, platform: str | None) -> Place:
    """Return the place that these folders are, from the outermost on; `platform` is a person's word."""
    named_by = next(((number, slug) for number, each in enumerate(folders, 1) if (slug := _slug(each))), None)
    root, slug = named_by or (0, None)
    romm = _romm_root(folders, layout)
    named = platform or slug
    by_folder = named in FOLDER_GAMES or romm is not None or layout == "romm"
    if romm is not None:
        root = romm
    elif layout == "flat" and not by_folder:
        root = 0
    return Place(root=root, platform=named, by_folder=by_folder)


def game_folders(entries: Iterable[Entry], layout: Layout, platform: str | None) -> dict[int, tuple[str, ...]]:
    """Return by the ids of files the folder that is their game, for those that lie in such a one."""
    places: dict[tuple[str, ...], Place] = {}
    direct: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    listed = list(entries)
    for entry in listed:
        direct[entry.folders].append(entry)
    folders: dict[int, tuple[str, ...]] = {}
    for entry in listed:
        place = places.get(entry.folders)
        if place is None:
            place = places[entry.folders] = place_of(entry.folders, layout, platform)
        depth = _game_depth(entry, place, direct, layout)
        if depth:
            folders[entry.file.id] = entry.folders[:depth]
    return folders


def _game_depth(entry: Entry, place: Place, direct: dict[tuple[str, ...], list[Entry]], layout: Layout) -> int:
    """Return how many folders lead to the game's own, itself counted; 0 where the file is in none."""
    if layout != "flat":
        for depth in range(place.root + 1, len(entry.folders) + 1):
            if stem_of(entry.folders[depth - 1])[1] in LIKE_FILES:
                return depth
    if not place.by_folder:
        return 0
    depth = place.root + 1
    while depth <= len(entry.folders) and _is_shelf(entry.folders[:depth], direct):
        depth += 1
    return depth if depth <= len(entry.folders) else 0


def _is_shelf(folder: tuple[str, ...], direct: dict[tuple[str, ...], list[Entry]]) -> bool:
    """Whether a folder holds games, and is none: `A-F`, or nothing in it but archives."""
    inside = [entry for entry in direct.get(folder, ()) if not entry.is_ignored]
    if not inside:
        return _SHELF.fullmatch(folder[-1]) is not None
    return len(inside) > 1 and all(entry.file.container in _ARCHIVES for entry in inside)


def _romm_root(folders: Sequence[str], layout: Layout) -> int | None:
    """Return how many folders lead to games where they are as in RomM: `n64/roms`; None where they are not.

    `roms/n64`, which RomM knows too, is also ES-DE's, whose folders are no games: it needs a person's word.
    """
    if layout not in {"auto", "romm"}:
        return None
    for number, folder in enumerate(folders):
        if number and folder.lower() == "roms" and (layout == "romm" or _slug(folders[number - 1])):
            behind = folders[number + 1] if number + 1 < len(folders) else ""
            return number + 1 if _slug(folders[number - 1]) or not _slug(behind) else number + 2
    return None


def _slug(folder: str) -> str | None:
    platform = platform_called(folder)
    return platform.slug if platform is not None else None
