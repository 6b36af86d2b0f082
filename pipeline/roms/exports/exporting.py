"""Export a person's ROMs for a front end: merged with what is there, atomic, the second time without a change."""

import os
import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, select

from models import RomFolder
from models.errors import LootwireError, UsageError
from models.platforms import PLATFORMS, Platform, platform_called
from pipeline.roms.exports import discs, gamelist, launchbox, pegasus, playlist, romm, table
from pipeline.roms.exports.destination import Existing, link_of, put_link, read_existing, remove_link, write
from pipeline.roms.exports.diffs import unified
from pipeline.roms.exports.discs import shown
from pipeline.roms.exports.games import load_games
from pipeline.roms.exports.markup import Unreadable, is_writable
from pipeline.roms.exports.memory import Memory, keep_memory, load_memory
from pipeline.roms.exports.merging import Document, Listed, Merged, Remembered, digest_of, merge, plain_path
from pipeline.roms.exports.records import Exported, Format, GameToExport, LeftOut, WrittenFile

# Files of these have the paths of the machine that the front end runs on.
_FOREIGN: frozenset[Format] = frozenset({"launchbox", "retroarch"})
_GAMELISTS: frozenset[Format] = frozenset({"gamelist", "batocera"})
_NO_TEXT = "its name is no UTF-8, which no {} can hold"
_CONTROLS = "its name has characters that no {} can hold"


def export(
    connection: Connection,
    *,
    person_id: int,
    format: Format,  # noqa: A002 - what the command calls it
    to: Path,
    now: datetime,
    folder_id: int | None = None,
    platform: str | None = None,
    dry_run: bool = False,
) -> Exported:
    """Bring a person's ROMs, of a folder or a platform (a slug) or all, into a front end's file, and return what came.

    `to` is the file; for `m3u` the folder of the files; for `romm` a plan (`.csv`, `.jsonl`), or a folder for links of
    its own. Paths are relative to the file where the ROMs lie below it; a file in a folder of a collection gets those
    below its folder alone. What is not ours stays (`merging`); a file that nothing changes is not touched. With
    `dry_run` nothing is written at all.

    Raises `UsageError` where `to` cannot be what it is to be, and `LootwireError` where a file cannot be read as its
    format or written: it is as it was then. The ROMs' own files are never touched.
    """
    to = Path(posixpath.abspath(to))
    games = load_games(connection, person_id, folder_id=folder_id, platform=platform)
    run = _Run(connection, person_id, format, to, now, dry_run, _collections(connection, person_id))
    if format == "m3u":
        return run.lists_of_discs(games)
    if format == "romm":
        return run.plan(games) if to.suffix.casefold() in _PLANS else run.links(games)
    return run.one_file(games)


def merge_file(
    format_: Format,
    existing: bytes | None,
    listed: Sequence[Listed],
    memory: Iterable[Remembered],
    platform: Platform | None,
) -> Merged:
    """Return a file of a front end with ROMs in it. Raises `Unreadable` for what is no such file."""
    document, skipped = _open(format_, existing, platform)
    listed = [each for each in listed if plain_path(each.key) not in skipped]
    unset = launchbox.UNSET if format_ == "launchbox" else playlist.UNSET if format_ == "retroarch" else None
    once = launchbox.ONCE if format_ == "launchbox" else ()
    return merge(document, listed, memory, unset=unset, once=once, foreign_paths=format_ in _FOREIGN)


def list_game(format_: Format, game: GameToExport, key: str, tail: str) -> Listed:
    """Return a ROM as a format has it."""
    if format_ in _GAMELISTS:
        return gamelist.listed(game, key, tail, batocera=format_ == "batocera")
    platform = PLATFORMS.get(game.platform or "")
    if format_ == "launchbox":
        return launchbox.listed(game, key, tail, platform.launchbox if platform else game.platform or "")
    if format_ == "csv":
        return table.listed(game, key, tail, platform.name if platform else game.platform or "")
    return pegasus.listed(game, key, tail) if format_ == "pegasus" else playlist.listed(game, key, tail)


def _open(format_: Format, existing: bytes | None, platform: Platform | None) -> tuple[Document, frozenset[str]]:
    """Return a file to merge into, and the paths that it has as further files of a game."""
    if format_ == "pegasus":
        collection = (
            pegasus.Collected(platform.name, platform.slug) if platform else pegasus.Collected("Games", "games")
        )
        opened = pegasus.Pegasus(existing, collection)
        return opened, frozenset(opened.further_files())
    if format_ == "launchbox":
        return launchbox.open_launchbox(existing), frozenset()
    if format_ == "retroarch":
        return playlist.Playlist(existing, platform.playlist if platform else "Games"), frozenset()
    return (table.Table(existing) if format_ == "csv" else gamelist.open_gamelist(existing)), frozenset()


_PLANS: dict[str, Callable[[Iterable[romm.Step]], bytes]] = {".csv": romm.as_csv, ".jsonl": romm.as_lines}


class _Run:
    """An export of a person's into one place."""

    def __init__(
        self,
        connection: Connection,
        person_id: int,
        format_: Format,
        to: Path,
        now: datetime,
        dry_run: bool,
        collections: Sequence[bytes],
    ) -> None:
        self._connection = connection
        self._person_id = person_id
        self._format = format_
        self._to = to
        self._now = now
        self._dry_run = dry_run
        self._collections = collections
        self._left_out: list[LeftOut] = []
        self._files: list[WrittenFile] = []
        self._counts: Counter[str] = Counter()

    def one_file(self, games: Sequence[GameToExport]) -> Exported:
        """Merge all into one file."""
        self._need_parent()
        platforms = {game.platform for game in games}
        if self._format in {"launchbox", "retroarch", "pegasus"} and len(platforms) > 1:
            named = ", ".join(sorted(platform or "unknown" for platform in platforms))
            raise UsageError(f"a file of {self._format} is of one platform, and these are of {named}: name one of them")
        platform = PLATFORMS.get(next(iter(platforms), None) or "")
        existing = read_existing(self._to)
        listed = self._listed(games)
        self._bring(
            self._to, existing, listed, lambda data, memory: merge_file(self._format, data, listed, memory, platform)
        )
        return self._exported()

    def lists_of_discs(self, games: Sequence[GameToExport]) -> Exported:
        """Write an M3U file for each game of several discs into the folder."""
        self._need_folder()
        sets, twice = discs.find_discs(games)
        self._left_out += twice
        several = len({each.platform for each in sets}) > 1
        taken: set[Path] = set()
        for each in sets:
            folder = self._to / (each.platform or "unknown") if several else self._to
            path = folder / f"{each.name}.m3u"
            reason = f"{path} is of another game of that name" if path in taken else None
            if any(b"\n" in game.path or b"\r" in game.path for game in each.games):
                reason = _CONTROLS.format("M3U file")
            if reason is not None:
                self._left_out += [LeftOut(shown=shown(game.path), reason=reason) for game in each.games]
                continue
            taken.add(path)
            self._list_of_discs(path, each)
        return self._exported()

    def _list_of_discs(self, path: Path, each: discs.Discs) -> None:
        if not self._dry_run and path.parent != self._to:
            self._make_folder(path.parent)
        begin = os.fsencode(path.parent) + b"/"
        lines = [discs.listed(game, game.path.removeprefix(begin), _tail(game)) for game in each.games]
        self._bring(path, read_existing(path), lines, lambda data, memory: merge(discs.DiscList(data), lines, memory))

    def plan(self, games: Sequence[GameToExport]) -> Exported:
        """Write which file would be where; a plan is ours as a whole."""
        self._need_parent()
        existing = read_existing(self._to)
        try:
            romm.check_plan(existing.data)
        except Unreadable as error:
            raise LootwireError(f"did not write {self._to}: {error}") from error
        steps, left_out = romm.plan(games)
        steps, unwritable = romm.writable(steps)
        self._left_out += [*left_out, *unwritable]
        data = _PLANS[self._to.suffix.casefold()](steps)
        self._put(self._to, existing, data)
        self._counts["same" if not self._files else "changed" if existing.data is not None else "added"] += len(steps)
        return self._exported()

    def links(self, games: Sequence[GameToExport]) -> Exported:
        """Make links of their own in a folder that is of no collection; one of ours whose ROM moved on is removed."""
        own = os.fsencode(posixpath.realpath(self._to))
        inside = next((folder for folder in self._collections if _is_below(own, posixpath.realpath(folder))), None)
        if inside is not None:
            raise UsageError(
                f"cannot make links in {self._to}: it is in the collection {shown(inside)}; name another folder"
            )
        self._need_folder()
        steps, left_out = romm.plan(games, roms_first=(self._to / "roms").is_dir())
        self._left_out += left_out
        before = load_memory(self._connection, self._person_id, self._to, self._format)
        ours = {each.key: each for each in before.roms}
        kept: list[Remembered] = []
        for step in steps:
            key = step.target.decode("latin-1")
            if self._link(step, ours.get(key)):
                kept.append(Remembered(step.rom_id, 0, b"", key, step.source.decode("latin-1"), "", {}))
        wanted, rom_ids = {each.key for each in kept}, frozenset(each.rom_id for each in kept)
        kept += [each for each in before.roms if each.key not in wanted and not self._unlink(each, rom_ids)]
        if not self._dry_run:
            keep_memory(self._connection, self._person_id, self._to, self._format, before, kept, self._now)
        return self._exported()

    def _listed(self, games: Sequence[GameToExport]) -> list[Listed]:
        """Return the ROMs as the format has them, without those whose paths it cannot hold."""
        is_relative = self._format in {"gamelist", "batocera", "pegasus"}
        here = os.fsencode(self._to.parent)
        if is_relative and self._is_in_collection(here):
            games = [game for game in games if _is_below(game.path, here)]
        begins = {folder: os.fsdecode(base) for folder, base in self._bases(games, here).items()} if is_relative else {}
        dot = "./" if self._format in _GAMELISTS else ""
        listed = []
        for game in games:
            try:
                path = game.path.decode()
            except UnicodeDecodeError:
                self._leave_out(game, _NO_TEXT)
                continue
            if not path.isprintable() and not is_writable(path):
                self._leave_out(game, _CONTROLS)
                continue
            begin = begins.get(game.folder)
            key = f"{dot}{path[len(begin) :]}" if begin is not None and path.startswith(begin) else path
            listed.append(list_game(self._format, game, key, path[_length(game.folder) :]))
        return listed

    def _leave_out(self, game: GameToExport, reason: str) -> None:
        self._left_out.append(LeftOut(shown=shown(game.path), reason=reason.format(f"{self._format} file")))

    def _bases(self, games: Iterable[GameToExport], here: bytes) -> dict[bytes, bytes]:
        """Return by folder of a collection what a file in `here` has its paths relative to, with a slash at the end.

        A gamelist elsewhere is of its system's folder, other files are of their own.
        """
        if self._format in _GAMELISTS and not self._is_in_collection(here):
            return _systems(games)
        return {game.folder: here.rstrip(b"/") + b"/" for game in games}

    def _is_in_collection(self, folder: bytes) -> bool:
        return any(_is_below(folder, each) for each in self._collections)

    def _bring(
        self,
        path: Path,
        existing: Existing,
        listed: Sequence[Listed],
        merged_with: Callable[[bytes | None, Sequence[Remembered]], Merged],
    ) -> None:
        """Merge into a file, and remember what was written."""
        # Of a file that is gone nothing is left that could be anybody's.
        is_there = existing.data is not None
        memory = load_memory(self._connection, self._person_id, path, self._format) if is_there else Memory()
        if existing.data is not None and memory.digest == digest_of(existing.data, listed):
            self._counts.update(same=memory.same, kept=memory.kept)
            return
        try:
            merged = merged_with(existing.data, memory.roms)
        except Unreadable as error:
            raise LootwireError(f"did not write {path}: {error}") from error
        if not is_there and not merged.added:
            return
        self._put(path, existing, merged.data)
        self._counts.update(added=merged.added, changed=merged.changed, same=merged.same, kept=merged.kept)
        if not self._dry_run:
            keep_memory(
                self._connection,
                self._person_id,
                path,
                self._format,
                memory,
                merged.memory,
                self._now,
                digest=digest_of(merged.data, listed),
                same=merged.added + merged.changed + merged.same,
                kept=merged.kept,
            )

    def _put(self, path: Path, existing: Existing, data: bytes) -> None:
        if existing.data == data:
            return
        if not self._dry_run:
            write(path, data, existing)
        diff = unified(existing.data, data, str(path)) if self._dry_run else ""
        self._files.append(WrittenFile(path=str(path), is_new=existing.data is None, diff=diff))

    def _link(self, step: romm.Step, known: Remembered | None) -> bool:
        """Make a link where it is missing or an older one of ours; return whether it is there then."""
        path = self._to / os.fsdecode(step.target)
        try:
            if any(
                parent.is_symlink() for parent in path.parents if parent.is_relative_to(self._to) and parent != self._to
            ):
                return self._leave(step, "a link has the place of its folder")
            is_new, current = False, link_of(path)
        except FileNotFoundError:
            is_new, current = True, None
        except OSError as error:
            return self._leave(step, error.strerror or str(error))
        if current == step.source:
            self._counts["same"] += 1
            return True
        if not is_new and (current is None or known is None or known.wanted != current.decode("latin-1")):
            return self._leave(step, f"something else is at {shown(os.fsencode(path))}")
        if not self._dry_run:
            put_link(path, step.source)
        diff = f"+{shown(step.target)} -> {shown(step.source)}\n"
        self._files.append(WrittenFile(path=shown(os.fsencode(path)), is_new=is_new, diff=diff))
        self._counts["added" if is_new else "changed"] += 1
        return True

    def _leave(self, step: romm.Step, reason: str) -> bool:
        self._left_out.append(LeftOut(shown=shown(step.source), reason=reason))
        return False

    def _unlink(self, each: Remembered, rom_ids: frozenset[int]) -> bool:
        """Remove a link of ours whose ROM is elsewhere or gone; return whether it is ours no more."""
        path = self._to / os.fsdecode(each.key.encode("latin-1"))
        source = each.wanted.encode("latin-1")
        try:
            current = link_of(path)
        except OSError:
            return True
        if current != source:
            return True
        if each.rom_id not in rom_ids and posixpath.lexists(source):
            return False
        if not self._dry_run:
            remove_link(path)
        diff = f"-{shown(os.fsencode(path))} -> {shown(source)}\n"
        self._files.append(WrittenFile(path=shown(os.fsencode(path)), is_new=False, diff=diff, is_removed=True))
        return True

    def _need_folder(self) -> None:
        if self._to.exists() and not self._to.is_dir():
            raise UsageError(f"cannot write into {self._to}: it is no folder")
        self._need_parent()
        if not self._dry_run:
            self._make_folder(self._to)

    def _need_parent(self) -> None:
        if not self._to.parent.is_dir():
            raise UsageError(f"cannot write {self._to}: there is no folder {self._to.parent}")

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise LootwireError(f"cannot make {folder}: {error.strerror or error}") from error

    def _exported(self) -> Exported:
        return Exported(
            format=self._format,
            to=str(self._to),
            added=self._counts["added"],
            changed=self._counts["changed"],
            same=self._counts["same"],
            kept=self._counts["kept"],
            files=tuple(self._files),
            left_out=tuple(self._left_out),
        )


def _collections(connection: Connection, person_id: int) -> Sequence[bytes]:
    query = select(RomFolder.path).where(RomFolder.person_id == person_id, RomFolder.removed_at.is_(None))
    return connection.scalars(query.order_by(RomFolder.id)).all()


def _systems(games: Iterable[GameToExport]) -> dict[bytes, bytes]:
    """Return by folder what its system's games are in: the folder, or the one in it that names a platform."""
    tops: dict[bytes, set[bytes]] = {}
    for game in games:
        top, inside, _ = game.path[len(game.folder.rstrip(b"/")) + 1 :].partition(b"/")
        tops.setdefault(game.folder, set()).add(top if inside else b"")
    systems = {}
    for folder, names in tops.items():
        top = min(names)
        is_system = len(names) == 1 and platform_called(os.fsdecode(top)) is not None
        systems[folder] = folder.rstrip(b"/") + b"/" + (top + b"/" if is_system else b"")
    return systems


@lru_cache(maxsize=64)
def _length(folder: bytes) -> int:
    """Return how many characters of a path are its collection's."""
    return len(os.fsdecode(folder.rstrip(b"/"))) + 1


def _tail(game: GameToExport) -> str:
    return os.fsdecode(game.path[len(game.folder.rstrip(b"/")) + 1 :])


def _is_below(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")
