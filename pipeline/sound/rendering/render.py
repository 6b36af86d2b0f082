"""Measures a sound, and makes of its original what a profile wants: evenly loud, with tags, chapters and a cover."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from pipeline.sound.loudness.deciding import Measured, Plan, decide
from pipeline.sound.loudness.filters import changing, measuring
from pipeline.sound.loudness.reading import read_ebur128
from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.media.metadata import Tags
from pipeline.sound.media.running import LOCAL, MediaFailed, run
from pipeline.sound.records import Chapter, Loudness, Profile, Rendered, Trouble

# A day of sound takes some ten minutes of a core, or an hour where the range is changed.
LONGEST = timedelta(hours=6)


def measure(
    ffmpeg: Ffmpeg,
    path: Path,
    *,
    limit: timedelta = LONGEST,
    on_progress: Callable[[float], None] | None = None,
) -> Measured:
    """Return how loud a file is as it will be heard (more than two channels mixed down), and how long it is.

    What is shorter than three seconds is measured repeated. Raises `MediaFailed` where it cannot be decoded.
    """
    raise NotImplementedError


def render(
    ffmpeg: Ffmpeg,
    original: Path,
    profile: Profile,
    to: Path,
    *,
    measured: Measured | None = None,
    tags: Tags | None = None,
    chapters: Sequence[Chapter] = (),
    cover: Path | None = None,
    is_one_pass: bool = False,
    limit: timedelta = LONGEST,
    on_progress: Callable[[float], None] | None = None,
) -> Rendered:
    """Write the rendition of an original to a file, whose format is the profile's whatever its name says.

    `measured` spares measuring it once more; `cover` is a JPEG; `on_progress` gets a share from 0 to 1, and what it
    raises ends the rendering. The result is measured, and made anew (twice at most) where it misses the target.
    `Rendered.codec` is the ending that the file should have: `mp3`, `m4a`, `opus`, or of a copy also `ogg`, `flac`,
    `wav`. Raises `MediaFailed`; `to` may then be there in part.
    """
    raise NotImplementedError
