"""Compares what is in a folder with what was in it: which files are read, were moved, or are gone. Pure."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import msgspec

Stat = tuple[int, int, int]


class KnownFile(NamedTuple):
    """A file as its row has it; `stat` is its size, its time of change and its inode. It has a sound or an error."""

    id: int
    path: bytes
    stat: Stat
    sound_id: int | None
    error: str | None
    is_missing: bool


class Place(NamedTuple):
    """A file as it lies in the folder now."""

    path: bytes
    stat: Stat


class Target(NamedTuple):
    """A file that is to be read; `id` is its row, where it has one."""

    id: int | None
    path: bytes
    stat: Stat


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a folder says: `moved` have new paths, `returned` are back where they were, `gone` is gone."""

    to_read: Sequence[Target]
    moved: Sequence[tuple[KnownFile, bytes]]
    returned: Sequence[KnownFile]
    gone: Sequence[KnownFile]
    unchanged: int


def compare(
    known: Iterable[KnownFile], listed: Sequence[Place], unlisted: Collection[bytes] = (), *, full: bool = False
) -> Comparison:
    """Return what is new, moved, back and gone in a folder; of files below `unlisted` directories nobody knows.

    Only what differs by size, time of change or inode is read, and what could not be read the last time; with `full`
    every file. A file that has another path and is otherwise the same was moved, also where others changed places.
    """
    rows = {file.path: file for file in known}
    places = {place.path: place for place in listed}
    apart = {place.path for place in listed if place.path not in rows or rows[place.path].stat != place.stat}
    # Where a file was is nothing now, or another one.
    displaced = {
        file.stat: file
        for file in rows.values()
        if (file.path not in places or file.path in apart) and file.sound_id is not None
    }
    moved: dict[int, tuple[KnownFile, bytes]] = {}
    for path in sorted(apart):
        if (file := displaced.pop(places[path].stat, None)) is not None:
            moved[file.id] = (file, path)
    settled = {path for _, path in moved.values()}
    to_read, returned, unchanged = [], [], 0
    for place in listed:
        if place.path in settled:
            continue
        row = rows.get(place.path)
        if row is None or row.id in moved:
            to_read.append(Target(None, *place))
        elif full or place.path in apart or row.sound_id is None or row.error is not None:
            to_read.append(Target(row.id, *place))
        elif row.is_missing:
            returned.append(row)
        else:
            unchanged += 1
    # One that was displaced by a file that was moved onto its path is gone too.
    gone = [
        file
        for file in rows.values()
        if file.id not in moved
        and (file.path not in places or file.path in settled)
        and not any(file.path.startswith(directory) for directory in unlisted)
    ]
    return Comparison(to_read=to_read, moved=list(moved.values()), returned=returned, gone=gone, unchanged=unchanged)
