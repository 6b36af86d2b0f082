"""What fetches and renders sounds, looked at for `lootwire doctor`: ffmpeg, yt-dlp, and YouTube's JavaScript."""

import importlib.util
import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec

from pipeline.sound.downloading.updating import newest
from pipeline.sound.media.ffmpeg import FfmpegMissing, find_ffmpeg

# Services change under it monthly; an old one stops working.
OLD = timedelta(days=60)
_ABSENT = "not installed"


class Tool(msgspec.Struct, frozen=True):
    """A program: what there is of it in words; `problem` is what must be mended, `hint` what had better be."""

    name: str
    state: str
    problem: str | None = None
    hint: str | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is any, well or not."""
        return self.state != _ABSENT


def look_at_tools(data_dir: Path, named_ffmpeg: Path | None, today: date) -> Iterator[Tool]:
    """Give each program that sounds need. Without the group `sound` nothing is wrong, but there are no sounds."""
    yield _ffmpeg(named_ffmpeg)
    extractors = newest(data_dir)
    if extractors is None:
        yield Tool("yt-dlp", _ABSENT, hint="there are no sounds from addresses: `uv sync --group sound` brings it")
        return
    yield Tool("yt-dlp", extractors.version, hint=_age(extractors.version, today))
    if importlib.util.find_spec("deno") is None and shutil.which("deno") is None:
        yield Tool("deno", _ABSENT, hint="YouTube alone needs it: `uv sync --group youtube` brings it")


def released_on(version: str) -> date | None:
    """Return the day of a version of yt-dlp (`2026.10.26`, `2026.10.26.232815`); None where it is no such."""
    match = re.match(r"(\d{4})\.(\d{1,2})\.(\d{1,2})(?!\d)", version)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _ffmpeg(named: Path | None) -> Tool:
    try:
        ffmpeg = find_ffmpeg(named)
    except FfmpegMissing as error:
        if named is None and importlib.util.find_spec("imageio_ffmpeg") is None:
            return Tool("ffmpeg", _ABSENT, hint=str(error))
        return Tool("ffmpeg", "not to be used", problem=str(error))
    hint = f"it has no {', '.join(ffmpeg.lacks)}: some sounds or pictures cannot be made" if ffmpeg.lacks else None
    return Tool("ffmpeg", f"{ffmpeg.version}, {ffmpeg.path}", hint=hint)


def _age(version: str, today: date) -> str | None:
    day = released_on(version)
    if day is None or today - day <= OLD:
        return None
    way_out = "services change, and an old one stops working: `lootwire sounds update-extractors` fetches a newer one"
    return f"it is {(today - day).days} days old; {way_out}"
