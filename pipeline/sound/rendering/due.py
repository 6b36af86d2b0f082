"""Carries out renditions that are due: claims one, renders it with no transaction open, and settles it by its fence."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine

from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.records import Profile

Outcome = Literal["rendered", "put off", "failed", "lost", "nothing"]


def render_due(
    engine: Engine,
    rendition_id: int,
    *,
    ffmpeg: Ffmpeg,
    profiles: Mapping[str, Profile],
    data_dir: Path,
    clock: Callable[[], datetime],
    is_one_pass: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Outcome:
    """Render a rendition that is due, from its sound's original to `sounds/renditions/ab/<sha256>.<ext>`.

    "nothing" says that somebody else has it, or that it is done; "lost" that its lease ran out meanwhile.
    """
    raise NotImplementedError
