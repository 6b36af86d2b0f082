"""Finds the ffmpeg that sounds are measured and rendered with, and sees that it can.

It is the one of imageio-ffmpeg's wheel, or the one that LOOTWIRE_FFMPEG names; never whatever the machine happens to
have. There is no ffprobe in that wheel, and none is needed.
"""

import re
from functools import lru_cache
from pathlib import Path

import msgspec

from models.errors import LootwireError
from pipeline.sound.media.running import output_of

# Without these nothing is rendered.
NEEDED_FILTERS = frozenset({"ebur128", "loudnorm", "alimiter", "aformat", "aresample", "volume", "aloop", "atrim"})
NEEDED_ENCODERS = frozenset({"libmp3lame"})
# Without these some codecs, or pictures, are not to be had.
WANTED_ENCODERS = frozenset({"aac", "libopus", "mjpeg"})
_INSTALL = "`uv sync --group sound` brings one, or LOOTWIRE_FFMPEG names yours"


class FfmpegMissing(LootwireError):
    """There is no ffmpeg, or one that cannot do what is needed; the text says what to do."""


class Ffmpeg(msgspec.Struct, frozen=True, kw_only=True):
    """An ffmpeg that was looked at: its file, its version as it says it, and what it lacks that some sounds want."""

    path: Path
    version: str
    lacks: tuple[str, ...] = ()


def find_ffmpeg(named: Path | None = None) -> Ffmpeg:
    """Return the ffmpeg to use: the one `named` by LOOTWIRE_FFMPEG, else the wheel's; raises `FfmpegMissing`.

    It is run once a process to see what it can do (about a tenth of a second), and again after its file has changed.
    Raises `MediaFailed` where it is killed while it says so.
    """
    path = _of_wheel() if named is None else named
    try:
        status = path.stat()
    except OSError as error:
        origin = "of imageio-ffmpeg" if named is None else "that LOOTWIRE_FFMPEG names"
        raise FfmpegMissing(f"cannot find the ffmpeg {origin}, {path}: {error.strerror}. {_INSTALL}") from error
    return _look_at(path, status.st_mtime_ns, status.st_size)


def _of_wheel() -> Path:
    try:
        # Imported late: the group `sound` may be left out.
        import imageio_ffmpeg
    except ImportError as error:
        raise FfmpegMissing(f"there is no ffmpeg: the group `sound` is not installed. {_INSTALL}") from error
    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise FfmpegMissing(f"imageio-ffmpeg has no program for this machine. {_INSTALL}") from error


@lru_cache(maxsize=4)
def _look_at(path: Path, _mtime_ns: int, _size: int) -> Ffmpeg:
    try:
        banner = output_of(path, ["-version"])
        filters = _names_of(output_of(path, ["-filters"]))
        encoders = _names_of(output_of(path, ["-encoders"]))
    except OSError as error:
        raise FfmpegMissing(f"cannot run {path}: {error.strerror}. {_INSTALL}") from error
    version = re.match(r"ffmpeg version (\S+)", banner)
    if version is None:
        raise FfmpegMissing(f"{path} is no ffmpeg. {_INSTALL}")
    if lacking := sorted((NEEDED_FILTERS - filters) | (NEEDED_ENCODERS - encoders)):
        raise FfmpegMissing(f"{path} (version {version[1]}) has no {', '.join(lacking)}. {_INSTALL}")
    lacks = sorted(WANTED_ENCODERS - encoders) + sorted({"drawtext"} - filters)
    return Ffmpeg(path=path, version=version[1], lacks=tuple(lacks))


def _names_of(listing: str) -> frozenset[str]:
    """Return the names that `-filters` or `-encoders` list: the second word of a line, after a word of flags."""
    return frozenset(re.findall(r"^ \S+ +(\w+) ", listing, re.MULTILINE))
