"""The program that fetches and renders sounds: what it works with, and when it is wanted at all.

It runs only while there is something to do (`sounds_wanted`), since a worker that waits holds thirty megabytes. The
tick that looks for work writes that file, the supervisor starts and ends the program by it; a worker that is started by
hand needs none.
"""

import contextlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Connection, text

from feeds.podcasts.addresses import public_page
from models.errors import LootwireError
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings
from pipeline.sound.downloading import Limits
from pipeline.sound.downloading.updating import newest
from pipeline.sound.extracting.surroundings import Surroundings
from pipeline.sound.following.shows import want_videos
from pipeline.sound.loudness.profiles import read_profiles
from pipeline.sound.media.ffmpeg import find_ffmpeg
from pipeline.sound.store import renditions
from pipeline.sound.store.extractions import count_due, count_under_way
from pipeline.sound.store.folders import folders_to_scan
from pipeline.sound.store.shows import is_any_list_due

# After its last work the program stays for this long: what comes soon after is begun at once.
LINGERS = timedelta(minutes=2)


_ANY = text(
    "SELECT EXISTS (SELECT FROM extractions WHERE state IN ('pending', 'processing')) "
    "OR EXISTS (SELECT FROM renditions WHERE state IN ('pending', 'rendering')) "
    "OR EXISTS (SELECT FROM shows WHERE removed_at IS NULL) "
    "OR EXISTS (SELECT FROM sound_folders WHERE scan_wanted_at IS NOT NULL)"
)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How much is to be done: extractions and renditions that are due, lists, folders, extractions under way."""

    extractions: int = 0
    renditions: int = 0
    is_list_due: bool = False
    under_way: int = 0
    folders: int = 0

    def __bool__(self) -> bool:
        """Whether the program is wanted."""
        return bool(self.extractions or self.renditions or self.is_list_due or self.under_way or self.folders)


def surroundings(runtime: Runtime, *, is_stopping: Callable[[], bool] = lambda: False) -> Surroundings:
    """Return what extractions work with; raises `UsageError` where a profile of the settings cannot be read."""
    settings = runtime.settings
    rate = None if settings.sound_rate_kb is None else settings.sound_rate_kb * 1000
    return Surroundings(
        engine=runtime.engine,
        data_dir=settings.data_dir,
        clock=utc_now,
        vault=lambda: runtime.vault,
        ffmpeg=lambda: find_ffmpeg(settings.ffmpeg),
        profiles=read_profiles(settings.sound_profiles, settings.sound_kbps),
        pause=timedelta(seconds=settings.sound_pause_seconds),
        limits=Limits(rate=rate),
        most_bytes=None if settings.sound_mb is None else settings.sound_mb * 1_000_000,
        is_stopping=is_stopping,
        page_of=lambda connection, sound_id: public_page(connection, settings.public_url, sound_id),
    )


def check_tools(settings: Settings) -> None:
    """Raise `LootwireError` where nothing here can fetch and render sounds: what is queued would only wait."""
    if newest(settings.data_dir) is None:
        raise LootwireError(
            "sounds cannot be fetched here: yt-dlp is not installed. `uv sync --group sound` brings it; `lootwire "
            "doctor` says what else is missing"
        )
    find_ffmpeg(settings.ffmpeg)


def look_for_work(runtime: Runtime, now: datetime) -> Waiting:
    """Have what shows want fetched, and return what is to be done; the program is wanted while that is anything."""
    with runtime.engine.begin() as connection:
        # Most installations have no sound at all: one question that costs nothing spares them five.
        waiting = _look(connection, now) if connection.scalar(_ANY) else Waiting()
    say_wanted(runtime.settings.sounds_wanted, is_wanted=bool(waiting))
    return waiting


def _look(connection: Connection, now: datetime) -> Waiting:
    want_videos(connection, now)
    return Waiting(
        extractions=count_due(connection, now),
        renditions=len(renditions.due(connection, now)),
        is_list_due=is_any_list_due(connection, now),
        under_way=count_under_way(connection),
        folders=len(folders_to_scan(connection)),
    )


def say_wanted(file: Path, *, is_wanted: bool) -> None:
    """Have the program run, or end some minutes after the last time that it was wanted."""
    if is_wanted:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        return
    with contextlib.suppress(FileNotFoundError):
        # A clock that was set back must not keep it for ever.
        if abs(time.time() - file.stat().st_mtime) > LINGERS.total_seconds():
            file.unlink()
