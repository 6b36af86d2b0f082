"""Folders of ROMs, and what is in them: files are only ever read."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from models.errors import UnknownThing, UsageError
from models.moments import Moment
from models.names import nearest
from models.platforms import PLATFORMS, platform_called
from pipeline.ingest.turn import take_turn
from pipeline.roms.listing.best import LANGUAGES, REGIONS, Wish, choose_best
from pipeline.roms.listing.collected import (
    CollectedRom,
    FolderCounts,
    RomFacts,
    RomFileLine,
    RomFilter,
    RomKey,
    count_by_folder,
    load_collected,
    load_contents,
    load_unreadable,
)
from pipeline.roms.listing.dats import ListedDat, list_dats
from pipeline.roms.listing.duplicates import Duplicate, load_duplicates
from pipeline.roms.listing.missing import LackingGame, Misnamed, State, list_lacking, list_misnamed
from pipeline.roms.listing.statistics import PlatformStatistics, load_statistics
from pipeline.roms.records import Layout
from pipeline.roms.resolving import UnknownRom
from pipeline.roms.store import folders as store
from pipeline.roms.store.folders import Folder, FolderOptions, shown
from pipeline.roms.store.shelving import shelve


class UnknownFolder(UnknownThing):
    """The person has no such folder of ROMs."""


class RomFolderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of ROMs: what is in it, when it was looked at and is next, and what is wrong with it. Times are UTC."""

    folder: int
    path: str
    platform: str | None
    layout: Layout
    roms: int
    verified: int
    missing: int
    unread: int
    scanned_at: Moment | None
    next_due_at: Moment
    problem: str | None


class RomAnswer(RomFacts, frozen=True, kw_only=True):
    """A ROM of a collection by its number; `file` is what a front end opens, below `folder`."""

    rom: int
    file: str


class RomPage(RomAnswer, frozen=True, kw_only=True):
    """A ROM with what is in its files."""

    contents: list[RomFileLine]


class UnreadFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that could not be read, or not whole."""

    folder: str
    file: str
    reason: str


def list_folders(connection: Connection, person_id: int) -> list[RomFolderAnswer]:
    """Return a person's folders of ROMs by their paths."""
    counts = count_by_folder(connection, person_id)
    return [_answer(folder, counts[folder.id]) for folder in store.list_folders(connection, person_id)]


def show_folder(connection: Connection, person_id: int, folder_id: int) -> RomFolderAnswer:
    """Return one folder of a person. Raises `UnknownFolder`."""
    folder = folder_named(connection, person_id, str(folder_id))
    return _answer(folder, count_by_folder(connection, person_id)[folder.id])


def add_folder(
    connection: Connection,
    person_id: int,
    now: datetime,
    path: str,
    *,
    platform: str | None = None,
    layout: Layout = "auto",
    options: FolderOptions = FolderOptions(),  # noqa: B008 - it is frozen
) -> Folder:
    """Add a folder of this machine, which is looked at every hour; added again its platform and layout change.

    Raises `UsageError` where there is no such folder, or it overlaps with another one of that person.
    """
    plain = msgspec.structs.replace(
        options, extensions=tuple(each.lower().removeprefix(".") for each in options.extensions)
    )
    return store.add_folder(
        connection,
        os.fsencode(path),
        person_id=person_id,
        platform=slug_of(platform),
        layout=layout,
        options=plain,
        now=now,
    )


def remove_folder(connection: Connection, person_id: int, now: datetime, folder: str) -> Folder:
    """Look at a folder no more; no file is touched, and added again it is as it was. Raises `UnknownFolder`."""
    take_turn(connection)
    chosen = folder_named(connection, person_id, folder)
    its = load_collected(connection, person_id, RomFilter(folder_id=chosen.id))
    store.remove_folder(connection, chosen.id, now)
    shelve(connection, person_id, {rom.game_id for rom in its if rom.game_id is not None}, now)
    return chosen


def scan_soon(connection: Connection, person_id: int, now: datetime, folder_id: int) -> RomFolderAnswer:
    """Have the worker look at a folder in its next round rather than when it is due. Raises `UnknownFolder`."""
    folder = folder_named(connection, person_id, str(folder_id))
    store.change_folder(connection, folder.id, next_due_at=min(now, folder.next_due_at))
    return show_folder(connection, person_id, folder.id)


def folder_named(connection: Connection, person_id: int, name: str) -> Folder:
    """Return the folder that a person means, by its number or its path. Raises `UnknownFolder`."""
    folders = store.list_folders(connection, person_id)
    path = os.path.realpath(os.fsencode(name))
    for folder in folders:
        if name == str(folder.id) or path == folder.path or name == folder.shown:
            return folder
    known = ", ".join(f"{folder.id} ({folder.shown})" for folder in folders) or "none; lootwire roms add FOLDER"
    raise UnknownFolder(f"no folder of ROMs is {shown(os.fsencode(name))!r}; there are {known}")


def slug_of(platform: str | None) -> str | None:
    """Return the slug of a platform by any of its names; raises `UsageError` with the nearest ones."""
    if platform is None:
        return None
    known = platform_called(platform)
    if known is None:
        near = nearest(platform, [*PLATFORMS, *(each.name for each in PLATFORMS.values())], 3)
        meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UsageError(f"no platform is called {platform!r}{meant}")
    return known.slug


def list_roms(
    connection: Connection, person_id: int, wish: RomFilter, *, after: RomKey | None = None, limit: int | None = None
) -> list[RomAnswer]:
    """Return a person's ROMs that fit a filter, by title. Raises `UsageError` for a platform of none."""
    plain = msgspec.structs.replace(wish, platform=slug_of(wish.platform))
    return [as_answer(rom) for rom in load_collected(connection, person_id, plain, after=after, limit=limit)]


def show_rom(connection: Connection, person_id: int, rom_id: int) -> RomPage:
    """Return all that is known of one ROM of a person. Raises `UnknownRom`."""
    rom = next(iter(load_collected(connection, person_id, RomFilter(ids=[rom_id]))), None)
    if rom is None:
        raise UnknownRom(f"there is no ROM {rom_id}; `lootwire roms show` lists those that there are")
    contents = load_contents(connection, rom.id)
    return RomPage(**msgspec.structs.asdict(as_answer(rom)), contents=contents)


def as_answer(rom: CollectedRom) -> RomAnswer:
    """Return a ROM as lists and JSON have it."""
    facts = msgspec.structs.asdict(rom)
    return RomAnswer(rom=facts.pop("id"), **facts, file=rom.files[0] if rom.files else "")


def list_unread(connection: Connection, person_id: int) -> list[UnreadFile]:
    """Return the files of a person that could not be read, or not whole, each with its reason."""
    unread = load_unreadable(connection, person_id)
    return [UnreadFile(folder=folder, file=file, reason=reason) for folder, file, reason in unread]


def lacking(
    connection: Connection,
    person_id: int,
    *,
    dat_id: int | None = None,
    platform: str | None = None,
    state: State | None = None,
    after: int | None = None,
) -> Iterator[LackingGame]:
    """Yield the games of DATs that a person lacks, whole or some files of; behind a game of a DAT, where given."""
    return list_lacking(
        connection, dat_id=dat_id, platform=slug_of(platform), state=state, after=after, person_id=person_id
    )


def misnamed(connection: Connection, person_id: int, folder: str | None = None) -> list[Misnamed]:
    """Return a person's ROMs that their DAT calls otherwise, of a folder or all. Raises `UnknownFolder`."""
    folder_id = folder_named(connection, person_id, folder).id if folder else None
    return list_misnamed(connection, folder_id=folder_id, person_id=person_id)


def duplicates(connection: Connection, person_id: int) -> list[Duplicate]:
    """Return what a person has more than once, also inside archives, the most wasteful first."""
    return load_duplicates(connection, person_id)


def best(
    connection: Connection,
    person_id: int,
    *,
    platform: str | None = None,
    regions: Sequence[str] = (),
    languages: Sequence[str] = (),
) -> list[RomAnswer]:
    """Return one release of each game of a person: sound before bad, sold before beta, their language and region."""
    mine = load_collected(connection, person_id, RomFilter(platform=slug_of(platform)))
    wish = Wish(regions=regions or REGIONS, languages=languages or LANGUAGES)
    return [as_answer(rom) for rom in choose_best(mine, wish)]


def add_up(connection: Connection, person_id: int) -> Sequence[PlatformStatistics]:
    """Return a person's collection in figures by platform, the most ROMs first."""
    return load_statistics(connection, person_id)


def dats(connection: Connection, person_id: int, *, superseded: bool = False) -> list[ListedDat]:
    """Return the DATs that tell what files are, and how much of each a person has."""
    return list_dats(connection, with_superseded=superseded, person_id=person_id)


def _answer(folder: Folder, counts: FolderCounts) -> RomFolderAnswer:
    return RomFolderAnswer(
        folder=folder.id,
        path=folder.shown,
        platform=folder.platform,
        layout=folder.layout,
        roms=counts.roms,
        verified=counts.verified,
        missing=counts.missing,
        unread=counts.unread,
        scanned_at=folder.scanned_at,
        next_due_at=folder.next_due_at,
        problem=folder.problem,
    )
