"""Compare the sets that files make with the ROMs that are known, and new files with lost ones. Pure."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from pipeline.roms.records import RomSet


class StoredRom(NamedTuple):
    """A ROM as it is stored: its files, of which the first is what a front end opens."""

    id: int
    kind: str
    written: str
    platform: str | None
    file_ids: tuple[int, ...]
    is_pinned: bool
    is_missing: bool
    game_id: int | None = None


class RomDifference(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the ROMs of a folder, each with the set that it is.

    `changed` are those whose name, kind, platform or files are others; of `returned` and `missing` all files are back,
    or gone. `absorbed` are those whose files belong to other ROMs now.
    """

    added: Sequence[RomSet]
    changed: Sequence[tuple[StoredRom, RomSet]]
    returned: Sequence[StoredRom]
    missing: Sequence[StoredRom]
    absorbed: Sequence[StoredRom]


def compare_sets(before: Sequence[StoredRom], sets: Sequence[RomSet], missing_files: Collection[int]) -> RomDifference:
    """Say of each set which ROM it is, and what became of the other ROMs.

    A set is the ROM that opens the same file; else the one that it shares most files with, a pinned one before others.
    """
    rom_of = _pair(before, sets)
    taken = {rom.id for rom in rom_of.values()}
    changed = [
        (rom, sets[number])
        for number, rom in sorted(rom_of.items())
        if (rom.kind, rom.written, rom.platform, rom.file_ids)
        != (sets[number].kind, sets[number].written, sets[number].platform, sets[number].file_ids)
    ]
    others = [rom for rom in before if rom.id not in taken]
    gone = [rom for rom in others if rom.file_ids and all(file_id in missing_files for file_id in rom.file_ids)]
    gone_ids = {rom.id for rom in gone}
    return RomDifference(
        added=[each for number, each in enumerate(sets) if number not in rom_of],
        changed=changed,
        returned=[rom for rom in rom_of.values() if rom.is_missing],
        missing=[rom for rom in gone if not rom.is_missing],
        absorbed=[rom for rom in others if rom.id not in gone_ids],
    )


def _pair(before: Sequence[StoredRom], sets: Sequence[RomSet]) -> dict[int, StoredRom]:
    """Return the ROM that each set is, by the set's number."""
    opening = {rom.file_ids[0]: rom for rom in before if rom.file_ids}
    known = ((number, opening.get(each.file_ids[0])) for number, each in enumerate(sets))
    rom_of = {number: rom for number, rom in known if rom is not None}
    taken = {rom.id for rom in rom_of.values()}
    left = {number: each for number, each in enumerate(sets) if number not in rom_of}
    if not left or len(taken) == len(before):
        return rom_of
    shared = _shared([rom for rom in before if rom.id not in taken], left)
    # The best pairs first; of equal ones the older ROM, and the set that comes first by its path.
    for number, rom in sorted(shared, key=lambda pair: (not pair[1].is_pinned, -shared[pair], pair[1].id, pair[0])):
        if number not in rom_of and rom.id not in taken:
            rom_of[number] = rom
            taken.add(rom.id)
    return rom_of


def _shared(roms: Iterable[StoredRom], sets: Mapping[int, RomSet]) -> Mapping[tuple[int, StoredRom], int]:
    """Return how many files ROMs and sets share, by the set's number and the ROM, of those that share any."""
    roms_with: defaultdict[int, list[StoredRom]] = defaultdict(list)
    for rom in roms:
        for file_id in rom.file_ids:
            roms_with[file_id].append(rom)
    return Counter(
        (number, rom)
        for number, each in sets.items()
        for file_id in each.file_ids
        for rom in roms_with.get(file_id, ())
    )


class Place(NamedTuple):
    """Where a file is, or was: `key` tells its contents, or its size, time and inode, from those of others."""

    id: int
    path: bytes
    key: Any


def pair_moved(lost: Iterable[Place], new: Iterable[Place]) -> Mapping[int, int]:
    """Return which new file each lost one is: one with the same key, of the same name where there is any.

    A lost or new file is in one pair at most.
    """
    by_key: defaultdict[Any, list[Place]] = defaultdict(list)
    for place in sorted(lost, key=lambda place: (place.path, place.id)):
        by_key[place.key].append(place)
    waiting: list[Place] = []
    pairs: dict[int, int] = {}
    for place in sorted(new, key=lambda place: (place.path, place.id)):
        of_same_name = [each for each in by_key.get(place.key, ()) if _name(each.path) == _name(place.path)]
        if of_same_name:
            by_key[place.key].remove(of_same_name[0])
            pairs[of_same_name[0].id] = place.id
        elif by_key.get(place.key):
            waiting.append(place)
    for place in waiting:
        if by_key[place.key]:
            pairs[by_key[place.key].pop(0).id] = place.id
    return pairs


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """Where known files are now, and what is left to read.

    `moved` are the paths of known files that are elsewhere; `displaced` the paths that those get whose place they took,
    and which are nowhere any more unless something else is there. `ids` are what is left of the paths to read, each
    with the known file that has it, None for a new one.
    """

    moved: Mapping[int, bytes]
    displaced: Mapping[int, bytes]
    ids: Mapping[bytes, int | None]


def place_files(lost: Sequence[Place], targets: Sequence[Place], at: Mapping[bytes, int]) -> Placing:
    """Say which known files are behind paths whose files are new or changed, by their keys; `id`s of targets are free.

    `lost` are known files that are not where they were, also those with another file in their place; `at` gives the
    known file of each target's path that has one. Each path belongs to one file before and after.
    """
    by_number = pair_moved(lost, targets)
    path_of = {target.id: target.path for target in targets}
    before = {place.id: place.path for place in lost}
    moved = {file_id: path_of[number] for file_id, number in by_number.items()}
    claimed = set(moved.values())
    vacated = sorted({before[file_id] for file_id in moved} - claimed)
    pushed = sorted(at[path] for path in claimed if path in at and at[path] not in moved)
    # As many paths became free as files lost theirs, or more.
    displaced = dict(zip(pushed, vacated, strict=False))
    holder = {path: file_id for path, file_id in at.items() if file_id not in moved} | {
        path: file_id for file_id, path in displaced.items()
    }
    ids = {path: holder.get(path) for path in path_of.values() if path not in claimed}
    return Placing(moved=moved, displaced=displaced, ids=ids)


def doubt(*, present: int, newly_gone: int, listed: int) -> str | None:
    """Say why a folder that lacks files is not believed: it is empty, or lacks half of what was there a scan ago."""
    if not present or not newly_gone:
        return None
    if not listed:
        return "it is empty, as a place is where nothing is mounted"
    if 2 * newly_gone >= present:
        return f"{newly_gone:,} of {present:,} files are gone at once"
    return None


# A directory with so few files is emptied by hand.
_FEW = 20


def doubt_empty(empty: Iterable[bytes], newly_gone: Iterable[bytes]) -> str | None:
    """Say why a folder is not believed though most of it is there: a directory of it is an empty mount point now.

    `empty` are directories in which there is nothing at all any more, each with a slash at its end, and `newly_gone`
    paths of files. One that is itself gone somebody has deleted.
    """
    gone = sorted(newly_gone)
    for directory in sorted(empty):
        count = bisect_left(gone, directory[:-1] + b"0") - bisect_left(gone, directory)
        if count > _FEW:
            name = directory[:-1].decode("utf-8", "backslashreplace")
            return f"{name}, which had {count:,} files, is empty, as a place is where nothing is mounted"
    return None


def _name(path: bytes) -> bytes:
    return path.rsplit(b"/", 1)[-1]
