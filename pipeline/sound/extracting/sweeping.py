"""Frees what nothing needs any more: workspaces of ended extractions, files of sounds let go, files without a row."""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from pipeline.sound.extracting.keeping import remove_file
from pipeline.sound.extracting.workspaces import SOUNDS, WORK, remove_workspace
from pipeline.sound.store.extractions import with_workspaces
from pipeline.sound.store.hosts import forget_idle_hosts
from pipeline.sound.store.sounds import known_paths, note_freed, sounds_to_free

FOLDERS = ("originals", "renditions", "artwork", "transcripts")
# A file is there before the row that names it is committed.
ORPHAN_AFTER = timedelta(days=1)
# What a person has not tried again for so long is begun anew if they do.
WORKSPACE_FOR = timedelta(days=7)
HOST_FOR = timedelta(days=30)
_AT_ONCE = 500


class Swept(msgspec.Struct, kw_only=True):
    """How much a sweep removed: workspaces, sounds whose files were freed, and files without a row."""

    workspaces: int = 0
    sounds: int = 0
    orphans: int = 0


def sweep(engine: Engine, data_dir: Path, now: datetime) -> Swept:
    """Remove what nothing needs any more. Safe to call twice, and while extractions go on."""
    swept = Swept()
    swept.workspaces = _sweep_workspaces(engine, data_dir)
    swept.sounds = free_sounds(engine, data_dir)
    swept.orphans = _sweep_orphans(engine, data_dir)
    with engine.begin() as connection:
        forget_idle_hosts(connection, now - HOST_FOR)
    return swept


def _sweep_workspaces(engine: Engine, data_dir: Path) -> int:
    # The folders are listed before the rows are read: one that is made meanwhile has its row already.
    folders = {int(path.name): path for path in _entries(data_dir / SOUNDS / WORK) if path.name.isdigit()}
    if not folders:
        return 0
    with engine.connect() as connection:
        wanted = with_workspaces(connection, list(folders))
    old = time.time() - WORKSPACE_FOR.total_seconds()
    removed = 0
    for extraction_id, folder in folders.items():
        if extraction_id in wanted and _changed_at(folder) > old:
            continue
        removed += remove_workspace(folder)
    return removed


def free_sounds(engine: Engine, data_dir: Path) -> int:
    """Delete the files of sounds that were let go; returns of how many. A kill meanwhile repeats it."""
    freed = 0
    while True:
        with engine.connect() as connection:
            waiting = sounds_to_free(connection)
        if not waiting:
            return freed
        for sound in waiting:
            with engine.begin() as connection:
                if not note_freed(connection, sound.id):
                    continue
                named = known_paths(connection, sound.paths)
                for path in sound.paths:
                    if path not in named:
                        remove_file(data_dir, path)
            freed += 1


def _sweep_orphans(engine: Engine, data_dir: Path) -> int:
    removed = 0
    for some in _in_batches(_old_files(data_dir)):
        with engine.connect() as connection:
            named = known_paths(connection, some)
        for path in some:
            if path not in named:
                remove_file(data_dir, path)
                removed += 1
    return removed


def _old_files(data_dir: Path) -> Iterator[str]:
    before = time.time() - ORPHAN_AFTER.total_seconds()
    for folder in FOLDERS:
        for parent, _, names in os.walk(data_dir / SOUNDS / folder):
            for name in names:
                path = Path(parent) / name
                if _changed_at(path) < before:
                    yield str(path.relative_to(data_dir))


def _in_batches(paths: Iterator[str]) -> Iterator[Sequence[str]]:
    batch: list[str] = []
    for path in paths:
        batch.append(path)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _entries(folder: Path) -> Sequence[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


def _changed_at(path: Path) -> float:
    # The name of a hard link is as old as its inode's last change, whatever the time of its content.
    with contextlib.suppress(OSError):
        return path.lstat().st_ctime
    return time.time()
