"""Join the files of a folder to sets."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from models.platforms import platform_of_extension
from pipeline.roms.records import FoundFile, Layout, RomSet, SetKind
from pipeline.roms.sets.discs import Discs, name_of, sheet_kind, splits
from pipeline.roms.sets.entries import Entry, entries_of, key_of, stem_of
from pipeline.roms.sets.exodos import exodos_games
from pipeline.roms.sets.opening import confs, opening_rank, title_of
from pipeline.roms.sets.places import FOLDER_GAMES, LIKE_FILES, game_folders, place_of

_ARCHIVES = frozenset({"zip", "7z", "rar", "tar"})


def make_sets(
    files: Sequence[FoundFile], *, layout: Layout, platform: str | None, otherwise: str | None = None
) -> list[RomSet]:
    """Return the sets that a folder's files make, by path; a file is in one of them at most.

    The answer does not depend on the order of the files. `platform` is the slug that a person gave the folder; without
    one each set's comes from its folders' names, else from what its files are called, and is that of `otherwise` where
    neither says it. With the layout `auto` each path says by itself how it is laid out. Saves, pictures, texts and BIOS
    files are in no set; `IGNORED` lists their endings, of which those are none that are the platform's own.
    """
    return _Making(entries_of(files, platform, otherwise), layout, platform, otherwise).sets()


class _Making:
    def __init__(self, entries: list[Entry], layout: Layout, platform: str | None, otherwise: str | None) -> None:
        self._entries = entries
        self._layout = layout
        self._platform = platform
        self._otherwise = otherwise
        self._discs = Discs(entries)
        self._taken = self._discs.taken
        self._confs = confs(entries)
        self._named: dict[tuple[str, ...], str | None] = {}
        self._waiting = [entry for entry in entries if not entry.is_ignored]
        self._taken_so_far = 0
        self._made: list[tuple[bytes, RomSet]] = []

    def sets(self) -> list[RomSet]:
        self._take_exodos()
        self._take_folders()
        self._take_sheets()
        self._take_splits()
        self._take_the_rest()
        return [each for _, each in sorted(self._made, key=lambda made: (made[0], made[1].file_ids))]

    def _left(self) -> list[Entry]:
        if len(self._taken) != self._taken_so_far:
            self._taken_so_far = len(self._taken)
            self._waiting = [entry for entry in self._waiting if entry.file.id not in self._taken]
        return self._waiting

    def _take_exodos(self) -> None:
        if self._layout not in {"auto", "exodos"}:
            return
        for written, is_packed, joined in exodos_games(self._left()):
            self._add("archive" if is_packed else "folder", written, joined)
        # What else is in the folders of short names starts no game.
        self._taken.update(entry.file.id for entry in self._left() if "!dos" in entry.folders)

    def _take_folders(self) -> None:
        left = self._left()
        folder_of = game_folders(left, self._layout, self._platform)
        games: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
        for entry in left:
            if entry.file.id in folder_of:
                games[folder_of[entry.file.id]].append(entry)
        for folder, inside in games.items():
            # A tune that a sheet in it lists is a file of the game too.
            listed = [entry for sheet in self._discs.sheets(inside) for entry in self._discs.take(sheet)]
            whole = {entry.file.id: entry for entry in (*inside, *listed)}.values()
            joined = sorted(whole, key=lambda entry: opening_rank(entry, folder))
            stem, ending = stem_of(folder[-1])
            name = stem if ending in LIKE_FILES else folder[-1]
            kind: SetKind = "m3u" if ending == "m3u" and joined[0].ending == "m3u" else "folder"
            self._add(kind, title_of(joined, folder) or name, [*joined, *self._conf(folder[:-1], name)])

    def _take_sheets(self) -> None:
        for sheet in self._discs.sheets(self._left()):
            joined = self._discs.take(sheet)
            # A playlist of nothing that is here is no game; a cue sheet is one that lacks its tracks.
            if len(joined) > 1 or (joined and sheet_kind(sheet) != "m3u"):
                self._add(sheet_kind(sheet), name_of(sheet), joined)

    def _take_splits(self) -> None:
        for written, joined in splits(self._left()):
            stem, ending = stem_of(written)
            self._add("split", stem if ending else written, joined)

    def _take_the_rest(self) -> None:
        for entry in self._left():
            if entry.is_helper or entry.ending == "conf":
                continue
            stem, ending = entry.stem, entry.ending
            if entry.file.container == "gz" and ending == "gz":
                stem = stem_of(stem)[0]
            kind: SetKind = "archive" if entry.file.container in _ARCHIVES else "file"
            self._add(kind, stem, [entry, *self._conf(entry.folders, stem)])
        titled = {entry.file.id for entry in self._confs.values()}
        for entry in self._left():
            # One that DOSBox is started with, whose game lies elsewhere.
            if entry.file.id in titled and self._platform_of(entry) in FOLDER_GAMES:
                self._add("file", entry.stem, [entry])

    def _conf(self, folders: tuple[str, ...], name: str) -> list[Entry]:
        """Return the .conf that lies beside a game under its name."""
        if not self._confs:
            return []
        entry = self._confs.get((folders, key_of(name)))
        return [entry] if entry is not None and entry.file.id not in self._taken else []

    def _platform_of(self, entry: Entry) -> str | None:
        if self._platform is not None:
            return self._platform
        if entry.folders not in self._named:
            self._named[entry.folders] = place_of(entry.folders, self._layout, None).platform
        return self._named[entry.folders]

    def _add(self, kind: SetKind, written: str, joined: list[Entry]) -> None:
        self._taken.update([entry.file.id for entry in joined])
        first = joined[0]
        platform = self._platform_of(first) or _by_ending(joined) or self._otherwise
        ids = tuple(entry.file.id for entry in joined)
        self._made.append((first.file.path, RomSet(kind=kind, written=written, platform=platform, file_ids=ids)))


def _by_ending(joined: Iterable[Entry]) -> str | None:
    """Return the platform that the files' endings say, or those of what is in them, where all of them agree."""
    names = [name for entry in joined for name in (entry.name, *entry.file.members)]
    platforms = {each.slug for name in names if (each := platform_of_extension(f".{_last(name)}")) is not None}
    return platforms.pop() if len(platforms) == 1 else None


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()
