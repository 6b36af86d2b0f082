"""The end of a scan, in one transaction: what came, went and came back, what that makes of ROMs, and its events."""

import functools
import posixpath
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Engine

from models.events import EventKind
from models.platforms import platform_called
from pipeline.events.append import append_events
from pipeline.ingest.turn import take_turn
from pipeline.roms.compare import Place, RomDifference, compare_sets, doubt, doubt_empty, pair_moved
from pipeline.roms.details import RomLine, of_problem, of_roms
from pipeline.roms.names.parsing import parse_name
from pipeline.roms.records import FoundFile, RomSet
from pipeline.roms.resolving import IdentifiedRom, drop_lines, due_roms, parts_of, resolve_roms
from pipeline.roms.scanning.looking import Look
from pipeline.roms.sets import directories_with, directory_of, make_sets
from pipeline.roms.store import files as file_store
from pipeline.roms.store import roms as rom_store
from pipeline.roms.store.files import KnownFile
from pipeline.roms.store.folders import Folder, change_folder, load_folder, lock_folder, shown
from pipeline.roms.store.identification import identify
from pipeline.roms.store.shelving import shelve

# A file that so many whole scans in a row lacked is missing.
ABSENCES = 2
# Some seconds of looking up, and less of storing.
WORKS_AT_ONCE = 5_000


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan took in at its end; the counts are of ROMs, but for `moved`, which is of files."""

    is_suspect: bool = False
    problem: str | None = None
    moved: int = 0
    added: int = 0
    missing: int = 0
    returned: int = 0
    identified: int = 0
    events: Counter[str] = Counter()


def end_scan(
    engine: Engine,
    folder: Folder,
    seen: Look,
    now: datetime,
    *,
    changed: Collection[bytes] | None = None,
    accept: bool = False,
) -> Ended:
    """Take in what a scan has seen of a folder, all of it or nothing.

    `changed` are the directories that differ from what the last scan took in: their sets, and those of what belongs to
    them, are made anew; without it those of the whole folder are. Where so much is gone at once that an unmounted disk
    is likelier, nothing changes but that the folder is suspect, unless a person accepts it. What a part of the folder
    that could not be listed has lost counts as there.
    """
    with engine.begin() as connection:
        before, folder = folder, lock_folder(connection, folder.id)
        if (before.layout, before.platform, before.options) != (folder.layout, folder.platform, folder.options):
            changed = None
        if not _is_changed(connection, folder, seen):
            events = _note_seen(connection, folder, seen, now)
            return Ended(problem=_problem(seen), events=events)
        pairs = _pair_by_contents(connection, folder, seen)
        gone = [file for file in seen.gone if file.id not in pairs] if seen.is_whole else []
        why = doubt(present=seen.present, newly_gone=len(gone), listed=seen.listed)
        why = why or doubt_empty(seen.empty, [file.path for file in gone])
        if why is not None and not accept:
            problem = f"{why}; nothing is believed of it. `lootwire roms scan --accept` says that it is so"
            events = note_problem(connection, folder, problem, now, is_suspect=True)
            return Ended(is_suspect=True, problem=problem, events=events)
        scope = _scope(connection, folder, seen, changed, pairs)
        file_store.replace_files(connection, pairs)
        file_store.note_present(connection, [file.id for file in seen.again])
        if seen.is_whole:
            gone_ids = [file.id for file in gone]
            file_store.note_absent(connection, folder.id, gone_ids, now, most=1 if accept else ABSENCES)
        difference, added, identified = _store_roms(connection, folder, scope, now)
        _shelve(connection, folder, difference, now)
        events = _append(connection, folder, difference, added, now)
        events += _note_seen(connection, folder, seen, now)
    return Ended(
        problem=_problem(seen),
        moved=len(pairs),
        added=len(added),
        missing=len(difference.missing),
        returned=len(difference.returned),
        identified=identified,
        events=events,
    )


def match_roms(
    engine: Engine, folder: Folder, now: datetime, *, is_over: Callable[[], bool] = lambda: False
) -> Counter[str]:
    """Match a folder's ROMs with games, those that were not looked up yet; returns the events of that.

    So many works at once are a transaction of their own, so that nobody waits long for the turn to store; what is left
    when it `is_over` the next scan matches. What is matched for the first time right after the first scan is no news.
    """
    events = Counter[str]()
    with engine.connect() as connection:
        due = due_roms(connection, person_id=folder.person_id, now=now, folder_id=folder.id)
    if not due.roms:
        return events
    for part in parts_of(due, WORKS_AT_ONCE):
        with engine.begin() as connection:
            folder = load_folder(connection, folder.id)
            resolved = resolve_roms(connection, part, now=now)
            events += _append_identified(connection, folder, resolved.identified, now)
        if is_over():
            break
    with engine.begin() as connection:
        drop_lines(connection, folder.person_id, now)
    return events


def _append_identified(
    connection: Connection, folder: Folder, identified: Sequence[IdentifiedRom], now: datetime
) -> Counter[str]:
    lines = [RomLine(rom.rom_id, rom.name, rom.platform, rom.game_id) for rom in identified]
    events = of_roms(
        EventKind.ROM_IDENTIFIED,
        lines,
        person_id=folder.person_id,
        folder_id=folder.id,
        folder=folder.shown,
        now=now,
    )
    return append_events(connection, events, source_id=None, silent=folder.scans <= 1, now=now)


def note_problem(
    connection: Connection, folder: Folder, problem: str, now: datetime, *, is_suspect: bool
) -> Counter[str]:
    """Note why a folder cannot be believed or looked at, and tell its person where that is new."""
    values = {"problem": problem, "problem_since": folder.problem_since or now}
    if is_suspect:
        values["suspect_since"] = folder.suspect_since or now
    if {"problem": folder.problem, "problem_since": folder.problem_since} | (
        {"suspect_since": folder.suspect_since} if is_suspect else {}
    ) != values:
        change_folder(connection, folder.id, **values)
    if folder.problem_since is not None:
        return Counter()
    event = of_problem(
        EventKind.SOURCE_FAILING,
        problem,
        now,
        person_id=folder.person_id,
        folder_id=folder.id,
        folder=folder.shown,
        now=now,
    )
    return append_events(connection, [event], source_id=None, silent=False, now=now)


def _is_changed(connection: Connection, folder: Folder, seen: Look) -> bool:
    """Whether a scan has anything to take in; where it has not, it reads no more and writes one row."""
    if folder.scan_started_at is not None or seen.gone or seen.again:
        return True
    return seen.is_whole and file_store.is_any_absent(connection, folder.id)


def _note_seen(connection: Connection, folder: Folder, seen: Look, now: datetime) -> Counter[str]:
    """Note that the scan is over; one that did not see all of the folder says so, and counts for nothing else."""
    if not seen.is_whole:
        change_folder(connection, folder.id, scan_started_at=None, suspect_since=None)
        return note_problem(connection, folder, seen.problems[0], now, is_suspect=False)
    change_folder(
        connection,
        folder.id,
        scans=folder.scans + 1,
        scanned_at=now,
        scan_started_at=None,
        suspect_since=None,
        problem=None,
        problem_since=None,
    )
    if folder.problem_since is None:
        return Counter()
    event = of_problem(
        EventKind.SOURCE_RECOVERED,
        None,
        folder.problem_since,
        person_id=folder.person_id,
        folder_id=folder.id,
        folder=folder.shown,
        now=now,
    )
    return append_events(connection, [event], source_id=None, silent=False, now=now)


def _problem(seen: Look) -> str | None:
    return seen.problems[0] if seen.problems else None


def _pair_by_contents(connection: Connection, folder: Folder, seen: Look) -> Mapping[int, int]:
    """Return which new file each lost one is, by what is in them; an empty file is nobody's."""
    if folder.scan_started_at is None:
        return {}
    again = {file.id for file in seen.again}
    lost = {file.id: file for file in (*seen.gone, *file_store.load_absent(connection, folder.id)) if file.size}
    lost = {file_id: file for file_id, file in lost.items() if file_id not in again}
    if not lost:
        return {}
    sizes = {file.size for file in lost.values()}
    new = file_store.load_new(connection, folder.id, folder.scan_started_at, sizes)
    new = [file for file in new if file.id not in lost]
    if not new:
        return {}
    new_sizes = {file.size for file in new}
    candidates = [file for file in lost.values() if file.size in new_sizes]
    contents = file_store.load_contents(connection, [file.id for file in (*candidates, *new)])

    def places(files: Sequence[KnownFile]) -> list[Place]:
        return [Place(file.id, file.path, contents[file.id]) for file in files if file.id in contents]

    return pair_moved(places(candidates), places(new))


class _Scope(NamedTuple):
    """The directories whose sets are made anew, as they are after the scan, and those before it."""

    directories: Collection[bytes]
    others: Collection[bytes]


def _scope(
    connection: Connection,
    folder: Folder,
    seen: Look,
    changed: Collection[bytes] | None,
    pairs: Mapping[int, int],
) -> _Scope | None:
    """Return what is to be made anew, as far as files say it that are about to get other places; None for all."""
    if changed is None:
        return None
    absent = file_store.load_absent(connection, folder.id)
    moved = file_store.load_files(connection, [*pairs, *pairs.values()])
    # What was absent once is missing from now on.
    touched = [*moved, *(file for file in absent if not file.is_missing)]
    return _Scope(
        directories={*changed, *(directory_of(file.path) for file in touched)},
        others={*seen.directories, *(directory_of(file.path) for file in absent)},
    )


def _reach(connection: Connection, folder: Folder, scope: _Scope) -> tuple[Collection[bytes], Sequence[int]]:
    """Return the directories whose sets are made anew, and the ROMs that have files there, or had them."""
    sheets = file_store.load_sheets(connection, folder.id)
    changed = set(scope.directories)
    while True:
        reached = directories_with(changed, scope.others, sheets, layout=folder.layout, platform=folder.platform)
        rom_ids, paths = rom_store.load_around(connection, file_store.load_ids(connection, folder.id, reached))
        # A set that a sheet has joined so far may have files elsewhere that the sheet no longer names.
        changed |= {directory_of(path) for path in paths}
        if changed <= reached:
            return reached, rom_ids


def _store_roms(
    connection: Connection, folder: Folder, scope: _Scope | None, now: datetime
) -> tuple[RomDifference, Sequence[int], int]:
    """Make the ROMs fit the files; returns what became of them, the ids of new ones, and how many DATs know now."""
    directories, rom_ids = (None, None) if scope is None else _reach(connection, folder, scope)
    sets = _sets(list(file_store.load_found(connection, folder.id, directories)), folder)
    before = rom_store.load_roms(connection, folder.id, rom_ids)
    difference = compare_sets(before, sets, rom_store.load_missing_files(connection, folder.id))
    read_name = functools.partial(parse_name, this_year=now.year)
    # New rows are nobody else's yet, so they need no turn.
    added = rom_store.add_roms(connection, folder.id, difference.added, read_name, now)
    identified = identify(connection, folder_id=folder.id, rom_ids=added, now=now).newly
    # Before ROMs are written that there are, and after what takes long: meanwhile nothing else is stored.
    take_turn(connection)
    rom_store.forget_roms(connection, [rom.id for rom in difference.absorbed])
    rom_store.change_roms(connection, difference.changed, read_name)
    rom_store.note_missing(connection, [rom.id for rom in difference.missing], now)
    rom_store.note_returned(connection, [rom.id for rom in difference.returned])
    if before:
        ids = [rom.id for rom in before]
        identified += identify(connection, folder_id=folder.id, rom_ids=ids, now=now).newly
    return difference, added, len(identified)


def _sets(files: Sequence[FoundFile], folder: Folder) -> Sequence[RomSet]:
    """Return the sets that files make; what neither folders nor files say the folder's own name may: `/games/snes`."""
    called = platform_called(shown(posixpath.basename(folder.path)))
    otherwise = called.slug if called is not None else None
    return make_sets(files, layout=folder.layout, platform=folder.platform, otherwise=otherwise)


def _shelve(connection: Connection, folder: Folder, difference: RomDifference, now: datetime) -> None:
    """Make the library fit the ROMs that came and went, where it is known which games they are."""
    touched = [*difference.missing, *difference.returned, *difference.absorbed]
    touched += [rom for rom, each in difference.changed if rom.platform != each.platform]
    shelve(connection, folder.person_id, {rom.game_id for rom in touched if rom.game_id is not None}, now)


def _append(
    connection: Connection, folder: Folder, difference: RomDifference, added: Sequence[int], now: datetime
) -> Counter[str]:
    """Append one event of each kind; what a folder had when it was first seen is no news."""
    is_first = folder.scans == 0 and len(added) == rom_store.count_roms(connection, folder.id)
    by_kind = {
        EventKind.ROM_ADDED: added,
        EventKind.ROM_MISSING: [rom.id for rom in difference.missing],
        EventKind.ROM_RETURNED: [rom.id for rom in difference.returned],
    }
    events = [
        event
        for kind, ids in by_kind.items()
        for event in of_roms(
            kind,
            rom_store.load_lines(connection, ids),
            person_id=folder.person_id,
            folder_id=folder.id,
            folder=folder.shown,
            now=now,
        )
    ]
    return append_events(connection, events, source_id=None, silent=is_first, now=now)
