"""The folders of a person's own sounds on this machine: added, scanned now or by the program that waits, forgotten."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from feeds.podcasts.marking import mark_sounds
from models import Rendition
from models.errors import UnknownThing
from models.moments import Moment
from pipeline.operations.sounds import check_room, profile_of
from pipeline.runtime.runtime import Runtime
from pipeline.sound.records import SoundKind
from pipeline.sound.scanning.hearing import ear_of
from pipeline.sound.scanning.scan import ScanReport, scan_folder
from pipeline.sound.store import renditions
from pipeline.sound.store.files import settle_missing, sounds_of_folder
from pipeline.sound.store.folders import (
    Folder,
    add_folder,
    folder_named,
    load_folder,
    mark_removed,
    shown,
    want_scan,
)
from pipeline.sound.store.folders import list_folders as load_folders


class SoundFolderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of sounds: what its sounds are, the profile that they are rendered with, how many it has.

    `scan_wanted_at` is since when it waits to be scanned.
    """

    id: int = msgspec.field(name="folder")
    path: str
    kind: SoundKind
    profile: str | None
    sounds: int
    scanned_at: Moment | None
    scan_wanted_at: Moment | None


def list_folders(connection: Connection, person_id: int) -> list[SoundFolderAnswer]:
    """Return the folders of a person's own sounds."""
    return [show_folder(connection, folder) for folder in load_folders(connection, person_id)]


def show_folder(connection: Connection, folder: Folder) -> SoundFolderAnswer:
    """Return a folder as it is shown."""
    return SoundFolderAnswer(
        id=folder.id,
        path=folder.shown,
        kind=folder.kind,
        profile=folder.profile,
        sounds=len(sounds_of_folder(connection, folder.id)),
        scanned_at=folder.scanned_at,
        scan_wanted_at=folder.scan_wanted_at,
    )


def find_folder(connection: Connection, person_id: int, name: str) -> Folder:
    """Return the folder that a person means, by its number or path; raises `UnknownThing` with those that there are."""
    folder = folder_named(connection, person_id, name)
    if folder is None:
        known = ", ".join(f"{each.id} ({each.shown})" for each in load_folders(connection, person_id)) or "none"
        raise UnknownThing(f"no folder of sounds is {shown(os.fsencode(name))!r}; there are {known}")
    return folder


def choose_folders(
    runtime: Runtime,
    connection: Connection,
    person_id: int,
    names: Sequence[str],
    now: datetime,
    *,
    kind: SoundKind | None = None,
    profile: str | None = None,
) -> list[Folder]:
    """Return the folders that a person means, all without a name; new ones are added, others changed as is said.

    Raises `UsageError` for a folder or a profile that is none, `QuotaError` where the person's plan has no room.
    """
    named = None if profile is None else profile_of(runtime, profile)
    check_room(connection, person_id)
    if not names:
        return load_folders(connection, person_id)
    chosen = []
    for name in names:
        known = folder_named(connection, person_id, name)
        if known is None or kind is not None or named is not None:
            known = add_folder(
                connection,
                os.fsencode(name) if known is None else known.path,
                person_id=person_id,
                kind=kind or (known.kind if known else "effect"),
                profile=named or (known.profile if known else None),
                now=now,
            )
            if known.profile is not None:
                renditions.want(connection, sounds_of_folder(connection, known.id), known.profile, now)
        chosen.append(known)
    return chosen


def queue_scan(connection: Connection, folder: Folder, now: datetime) -> SoundFolderAnswer:
    """Have a folder scanned while Lootwire runs."""
    want_scan(connection, folder.id, now)
    return show_folder(connection, load_folder(connection, folder.id))


def scan(
    runtime: Runtime, folder: Folder, now: datetime, *, full: bool, on_read: Callable[[int], Any] = lambda _: None
) -> ScanReport:
    """Scan a folder now; `on_read` hears how many files were read. Call it with no transaction open."""

    def take(connection: Connection, sound_ids: Sequence[int]) -> None:
        # What was rendered of the bytes before is rendered anew.
        before = select(Rendition.profile, Rendition.sound_id).where(Rendition.sound_id.in_(sound_ids))
        for profile, sound_id in connection.execute(before).all():
            renditions.want(connection, [sound_id], profile, now, anew=True)
        if folder.profile is not None:
            renditions.want(connection, sound_ids, folder.profile, now)
        mark_sounds(connection, sound_ids)

    return scan_folder(
        runtime.engine,
        folder.id,
        now=now,
        open_ear=ear_of(runtime.settings.ffmpeg),
        on_new=take,
        on_read=on_read,
        full=full,
    )


def forget_folder(connection: Connection, folder: Folder, now: datetime) -> None:
    """Look at a folder no more: its sounds are missing until it is scanned again. No file is touched."""
    mark_removed(connection, folder.id, now)
    settle_missing(connection, sounds_of_folder(connection, folder.id), now)
