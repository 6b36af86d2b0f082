"""What extractions work with; entry points build it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from models.vault import Vault
from pipeline.sound.downloading import Limits
from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.records import Profile
from pipeline.sound.store.extractions import LEASE

PAUSE = timedelta(seconds=5)


def _no_page(_connection: Connection, _sound_id: int) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What extractions work with: rows, files, ffmpeg, profiles, and how much of the machine and of hosts they may use.

    `pause` lies between two downloads from a host. `most_bytes` is what all sounds may take on the disk. `page_of`
    gives the address of a sound's page: a public one's alone, since events are kept, and private addresses are secrets.
    """

    engine: Engine
    data_dir: Path
    clock: Callable[[], datetime]
    vault: Callable[[], Vault]
    ffmpeg: Callable[[], Ffmpeg]
    profiles: Mapping[str, Profile]
    pause: timedelta = PAUSE
    limits: Limits = field(default_factory=Limits)
    most_bytes: int | None = None
    lease: timedelta = LEASE
    is_stopping: Callable[[], bool] = lambda: False
    page_of: Callable[[Connection, int], str | None] = _no_page
