"""Read what front ends have counted, and a person marked in them, into the library and the journal."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from models import Game, Rom, RomFile, RomFolder, RomMember
from models.errors import LootwireError, UsageError
from models.platforms import PLATFORMS
from pipeline.library.compare import StateFacts
from pipeline.library.journal.turns import begin_writing, end_writing
from pipeline.library.store.entries import (
    EntryKey,
    StoredEntry,
    add_sessions,
    entry_row,
    last_sessions,
    load_entries,
    put_entries,
)
from pipeline.library.store.states import StoredState, load_states, put_states
from pipeline.roms.exports.destination import read_existing
from pipeline.roms.exports.markup import Unreadable
from pipeline.roms.exports.merging import plain_path
from pipeline.roms.exports.played import PlayedGame, read_played

_STORE = "rom"
_STARS = 5
_ROMS = (
    select(
        Rom.id,
        Rom.platform,
        Rom.title,
        Rom.game_id,
        Game.work_id,
        RomFolder.platform.label("folder_platform"),
        RomFolder.path.label("folder"),
        RomFile.path,
    )
    .join(RomFolder, RomFolder.id == Rom.folder_id)
    # A front end may have started a disc of what a list of discs makes one ROM.
    .join(RomMember, RomMember.rom_id == Rom.id)
    .join(RomFile, RomFile.id == RomMember.file_id)
    .outerjoin(Game, Game.id == Rom.game_id)
    .where(RomFolder.removed_at.is_(None), Rom.missing_since.is_(None))
    .order_by(Rom.id, RomMember.position)
)


class ReadLine(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a game in a file: what changed in the library, or why nothing was taken.

    `changes` are sentences for a person ("1.5 hours, before 1"); without any and without a `reason` the library has it
    already.
    """

    file: str
    path: str
    title: str | None = None
    changes: tuple[str, ...] = ()
    reason: str | None = None


class ReadBack(msgspec.Struct, frozen=True, kw_only=True):
    """What came of files, and how many sessions the journal got."""

    lines: tuple[ReadLine, ...]
    sessions: int = 0

    @property
    def is_changed(self) -> bool:
        """Whether anything was written, or would be."""
        return any(line.changes for line in self.lines)


def read_back(
    connection: Connection,
    person_id: int,
    files: Sequence[Path],
    now: datetime,
    *,
    zone: tzinfo = UTC,
    dry_run: bool = False,
) -> ReadBack:
    """Take favourites, stars and play times of front ends' files into a person's library, and return what came of each.

    The files are a gamelist.xml, LaunchBox's of a platform, or RetroArch's runtime logs (.lrtl), also folders of these;
    times without a zone are of `zone`. A favourite or a rating is taken only where nobody has said one of the game.
    Play time never shrinks; where it grew since it was last read, the growth is a session of the `rom` entry. Of a game
    that several files count the most counts, and several ROMs of it add up. What says of no ROM, or of one whose game
    is not known, is not taken and says so. Play counts are shown nowhere, but a play that has no time is one.

    It takes the turn to write, so call it before anything else in the transaction; with `dry_run` it writes nothing.
    Raises `UsageError` for a path that is none, and `LootwireError` for a file that cannot be read.
    """
    if not dry_run:
        begin_writing(connection)
    shelf = _Shelf(connection, person_id, now)
    for path in _files(files):
        for game in _read(path, zone):
            shelf.hear(path, game)
    return shelf.end(dry_run=dry_run)


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix.casefold() == ".lrtl" and each.is_file())
        elif path.exists():
            yield path
        else:
            raise UsageError(f"cannot read {path}: there is no such file")


def _read(path: Path, zone: tzinfo) -> list[PlayedGame]:
    data = read_existing(path.resolve()).data or b""
    try:
        return read_played(path.name, data, zone)[1]
    except Unreadable as error:
        raise LootwireError(f"cannot read {path}: {error}") from error


class _Known(msgspec.Struct, frozen=True):
    """A ROM of the person's; `path` is its file's, as text."""

    id: int
    path: str
    title: str
    platform: str
    game_id: int | None
    work_id: int | None


class _Roms:
    """A person's ROMs, found by what files call them."""

    def __init__(self, connection: Connection, person_id: int) -> None:
        self._by_name: defaultdict[str, list[_Known]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[_Known]] = defaultdict(list)
        for row in connection.execute(_ROMS.where(RomFolder.person_id == person_id)):
            path = os.fsdecode(row.folder.rstrip(b"/") + b"/" + row.path)
            known = PLATFORMS.get(row.platform or row.folder_platform or "")
            rom = _Known(row.id, path, row.title, known.name if known else "", row.game_id, row.work_id)
            name = path.rpartition("/")[2]
            self._by_name[name].append(rom)
            self._by_stem[name.rpartition(".")[0] or name].append(rom)

    def of(self, file: Path, game: PlayedGame) -> _Known | str:
        """Return the ROM that a file means, or why none is meant."""
        if game.is_stem:
            return _only(self._by_stem.get(game.path, []))
        written = plain_path(game.path)
        same_name = self._by_name.get(written.rpartition("/")[2], [])
        beside = os.path.normpath(file.absolute().parent / written)
        if exact := [rom for rom in same_name if rom.path == beside]:
            return _only(exact)
        # The paths may be of another machine: how much of their ends is the same decides.
        shared = [(_shared(rom.path, written), rom) for rom in same_name]
        most = max((length for length, _ in shared), default=0)
        return _only([rom for length, rom in shared if length == most])


def _only(files: Sequence[_Known]) -> _Known | str:
    """Return the ROM of which all these are files, or why there is no such ROM."""
    roms = list({rom.id: rom for rom in files}.values())
    if not roms:
        return "there is no such ROM in the collection"
    if len(roms) > 1:
        return f"{len(roms)} ROMs of the collection are called so"
    return roms[0] if roms[0].work_id is not None else "its game is not known yet: see `lootwire roms review`"


def _shared(path: str, other: str) -> int:
    """Return how many names at the end of two paths are the same."""
    length = 0
    for mine, theirs in zip(reversed(path.split("/")), reversed(other.split("/")), strict=False):
        if mine != theirs:
            break
        length += 1
    return length


class _Heard(msgspec.Struct):
    """What files say of an entry of the library, and the lines that say it."""

    title: str
    work_id: int
    seconds: dict[int, int]
    last_played_at: datetime | None = None
    is_favourite: bool = False
    rating: float | None = None
    lines: list[int] = msgspec.field(default_factory=list)


class _Shelf:
    """The library of a person while files are read into it."""

    def __init__(self, connection: Connection, person_id: int, now: datetime) -> None:
        self._connection, self._person_id, self._now = connection, person_id, now
        self._roms = _Roms(connection, person_id)
        self._entries: dict[EntryKey, StoredEntry] = load_entries(connection, person_id)
        self._by_game: defaultdict[int, list[EntryKey]] = defaultdict(list)
        for key, stored in self._entries.items():
            if key.store == _STORE and stored.removed_at is None:
                self._by_game[stored.facts.game_id].append(key)
        self._states: Mapping[int, StoredState] = load_states(connection, person_id)
        self._heard: dict[EntryKey, _Heard] = {}
        self._lines: list[ReadLine] = []
        self._changes: defaultdict[int, list[str]] = defaultdict(list)

    def hear(self, file: Path, game: PlayedGame) -> None:
        """Note what a file says of a game."""
        rom = self._roms.of(file, game)
        if isinstance(rom, str):
            self._lines.append(ReadLine(file=str(file), path=game.path, reason=rom))
            return
        key = self._key_of(rom)
        if key is None or rom.work_id is None:
            reason = "it is not in the library"
            self._lines.append(ReadLine(file=str(file), path=game.path, title=rom.title, reason=reason))
            return
        heard = self._heard.setdefault(key, _Heard(rom.title, rom.work_id, {}))
        if game.seconds is not None:
            heard.seconds[rom.id] = max(heard.seconds.get(rom.id, 0), game.seconds)
        # A clock that went wrong says nothing of a day to come.
        if game.last_played_at is not None and game.last_played_at <= self._now:
            heard.last_played_at = max(heard.last_played_at or game.last_played_at, game.last_played_at)
        heard.is_favourite = heard.is_favourite or game.is_favourite
        heard.rating = game.rating if heard.rating is None else max(heard.rating, game.rating or 0)
        heard.lines.append(len(self._lines))
        self._lines.append(ReadLine(file=str(file), path=game.path, title=rom.title))

    def end(self, *, dry_run: bool) -> ReadBack:
        """Write what is new, and return what came of all."""
        rows, sessions = self._played()
        states = self._said()
        if not dry_run:
            put_entries(self._connection, rows)
            add_sessions(self._connection, sessions)
            put_states(self._connection, self._person_id, states, self._states, self._now)
            works = {heard.work_id for heard in self._heard.values()}
            if rows or states:
                end_writing(self._connection, self._person_id, works, self._now)
        lines = [
            msgspec.structs.replace(line, changes=tuple(self._changes[number])) if number in self._changes else line
            for number, line in enumerate(self._lines)
        ]
        return ReadBack(lines=tuple(lines), sessions=len(sessions))

    def _key_of(self, rom: _Known) -> EntryKey | None:
        keys = self._by_game.get(rom.game_id or 0, [])
        return next((key for key in keys if key.platform == rom.platform), keys[0] if keys else None)

    def _played(self) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
        """Return the rows of entries that were played more or later than is known, and sessions for what grew."""
        lasts = last_sessions(self._connection, [self._entries[key].id for key in self._heard])
        rows: list[dict[str, object]] = []
        sessions: list[dict[str, object]] = []
        for key, heard in self._heard.items():
            stored = self._entries[key]
            before, seconds = stored.facts.playtime_seconds, sum(heard.seconds.values())
            changes = []
            facts = stored.facts
            if seconds > (before or 0):
                facts = msgspec.structs.replace(facts, playtime_seconds=seconds)
                changes.append(f"{_hours(seconds)}, before {_hours(before)}" if before else _hours(seconds))
                if before is not None:
                    since = min(lasts.get(stored.id, stored.first_seen_at), self._now)
                    grown = {"entry_id": stored.id, "since_at": since, "until_at": self._now}
                    sessions.append({**grown, "seconds": seconds - before})
            last = heard.last_played_at
            if last is not None and (facts.last_played_at is None or last > facts.last_played_at):
                facts = msgspec.structs.replace(facts, last_played_at=last)
                changes.append(f"last played {last:%Y-%m-%d}")
            if changes:
                self._change(heard, changes)
                ids = {"source_id": None, "import_id": None, "import_line": None}
                row = entry_row(self._person_id, key, facts, stored, now=self._now, **ids)
                rows.append({**row, "last_seen_at": stored.last_seen_at, "absences": stored.absences})
        return rows, sessions

    def _said(self) -> dict[int, StateFacts]:
        """Return what is said of works now, of those of which something new is."""
        states: dict[int, StateFacts] = {}
        for heard in self._heard.values():
            stored = self._states.get(heard.work_id)
            set_by = stored.set_by if stored is not None else {}
            facts = states.get(heard.work_id) or (stored.facts if stored is not None else StateFacts())
            changes = []
            if heard.is_favourite and not facts.is_favourite and "is_favourite" not in set_by:
                facts = msgspec.structs.replace(facts, is_favourite=True)
                changes.append("a favourite")
            if heard.rating and facts.rating is None and "rating" not in set_by:
                facts = msgspec.structs.replace(facts, rating=heard.rating, rating_scale=_STARS)
                changes.append(f"rated {heard.rating / 20:g} of {_STARS}")
            if changes:
                self._change(heard, changes)
                states[heard.work_id] = facts
        return states

    def _change(self, heard: _Heard, changes: Sequence[str]) -> None:
        self._changes[heard.lines[0]] += changes


def _hours(seconds: int | None) -> str:
    return f"{(seconds or 0) / 3600:.2f}".rstrip("0").rstrip(".") + " hours"
