"""Tell how far the sets of some directories reach: which others must be known to make them. Pure."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from pipeline.roms.records import FoundFile, Layout
from pipeline.roms.sets.entries import key_of, stem_of
from pipeline.roms.sets.exodos import LAUNCHERS
from pipeline.roms.sets.places import LIKE_FILES, place_of


def directories_with(
    changed: Iterable[bytes],
    directories: Iterable[bytes],
    sheets: Iterable[FoundFile],
    *,
    layout: Layout,
    platform: str | None,
) -> set[bytes]:
    """Return the directories whose files make the sets of the changed ones, themselves too.

    Made of the files of these alone, their sets are the same as `make_sets` makes of all, and no set of another
    directory has a file of theirs. `directories` are all that have a file, and `sheets` all files of the folder that
    list others. A directory's name is empty or ends with a slash.
    """
    changed = set(changed)
    groups = _Groups()
    everywhere = {*directories, *changed}
    by_key: dict[str, bytes] = {}
    for directory in everywhere:
        for folders in _spellings(directory):
            key = key_of("/".join(folders))
            groups.join(directory, by_key.setdefault(key, directory))
            groups.join(directory, ("games", _games_of(folders, layout, platform)))
    for sheet in sheets:
        directory = directory_of(sheet.path)
        for folders in _spellings(directory):
            for name in sheet.sheet:
                for target in _targets(folders, name):
                    if (other := by_key.get(target)) is not None:
                        groups.join(directory, other)
    reached = {groups.first(directory) for directory in changed}
    return {directory for directory in everywhere if groups.first(directory) in reached}


def directory_of(path: bytes) -> bytes:
    """Return the directory of a file, empty or with a slash at its end."""
    return path[: path.rfind(b"/") + 1]


def _spellings(directory: bytes) -> Iterator[tuple[str, ...]]:
    """Give the folders that lead to a directory's files: read as they are, or by an old code page for a file's name."""
    if not directory:
        yield ()
        return
    path = directory[:-1]
    if not path.isascii():
        with suppress(UnicodeDecodeError):
            yield tuple(path.decode().split("/"))
    yield tuple(path.decode("cp1252", "backslashreplace").split("/"))


def _games_of(folders: tuple[str, ...], layout: Layout, platform: str | None) -> tuple[str, ...]:
    """Return the folder within which files of these folders may belong to one game."""
    place = place_of(folders, layout, platform)
    depth = min(place.root, len(folders)) if place.by_folder else len(folders)
    if LAUNCHERS in folders:
        depth = min(depth, folders.index(LAUNCHERS))
    if layout != "flat":
        like_file = (number for number, folder in enumerate(folders) if stem_of(folder)[1] in LIKE_FILES)
        # What has the name of a file has its .conf beside it.
        depth = min(depth, next(like_file, depth))
    return folders[:depth]


def _targets(folders: tuple[str, ...], name: str) -> Iterator[str]:
    """Give the folders, as they are compared, in which a sheet of these folders may mean a name."""
    *between, _ = name.replace("\\", "/").split("/")
    yield key_of("/".join(folders))
    at = list(folders)
    for part in between:
        if part == "..":
            if not at:
                return
            at.pop()
        elif part not in {"", "."}:
            at.append(part)
    yield key_of("/".join(at))


class _Groups:
    """Things of which some belong together, directly or by others."""

    def __init__(self) -> None:
        self._next: dict[object, object] = {}

    def first(self, thing: object) -> object:
        while (above := self._next.get(thing, thing)) != thing:
            self._next[thing] = self._next.get(above, above)
            thing = above
        return thing

    def join(self, thing: object, other: object) -> None:
        first, second = self.first(thing), self.first(other)
        if first != second:
            self._next[first] = second
