"""Reads what ffmpeg says: what a file holds, and why it failed. Pure.

Titles and names of tags in it are text from outside. ffmpeg indents them by four spaces or more, so that a line that
begins with fewer is its own.
"""

import re

import msgspec

from models.printable import on_a_line
from pipeline.sound.records import Trouble

_SENTENCE = 200
# Others are named by their numbers (`5.1`), or counted.
_NAMED_LAYOUTS = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6, "octagonal": 8, "cube": 8}
_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_FORMAT = re.compile(r"^Input #0, ([\w,]+), from ", re.MULTILINE)
_STREAM = re.compile(r"^  Stream #0:\d+\S*: (Audio|Video|Subtitle): (\w+)(.*)$", re.MULTILINE)
_DISK = re.compile(r"No space left on device|Disk quota exceeded|File too large")
_TOOL = re.compile(r"Permission denied|Cannot allocate memory|Unknown encoder|No such filter|Unrecognized option")
_OWN = re.compile(
    r"^(?:\[[^\]\n]*\] )?(.*(?:Invalid|Error|does not contain|could not|No such|failed).*)$", re.MULTILINE
)


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds: seconds as its head says them (None where it does not), its first sound and its pictures.

    `format` is ffmpeg's name of the container (`mov,mp4,m4a,3gp,3g2,mj2`), `codec` of the sound (`aac`, `mp3`, `opus`,
    `vorbis`, `flac`, `pcm_s16le`); `kbps` is None where it does not say.
    """

    format: str
    seconds: float | None
    codec: str
    sample_rate: int
    channels: int
    kbps: int | None
    # A moving picture, not a cover.
    has_video: bool
    has_cover: bool


def read_media(text: str) -> Media | None:
    """Read what ffmpeg says of its first input; None where there is no sound in it."""
    container = _FORMAT.search(text)
    streams = [(match[1], match[2], match[3]) for match in _STREAM.finditer(text)]
    audio = next(((codec, rest) for kind, codec, rest in streams if kind == "Audio"), None)
    if container is None or audio is None:
        return None
    codec, rest = audio
    rate = re.search(r", (\d+) Hz", rest)
    kbps = re.search(r", (\d+) kb/s", rest)
    pictures = [rest for kind, _, rest in streams if kind == "Video"]
    covers = [rest for rest in pictures if "(attached pic)" in rest]
    return Media(
        format=container[1],
        seconds=_seconds(text),
        codec=codec,
        sample_rate=int(rate[1]) if rate else 0,
        channels=_channels(rest),
        kbps=int(kbps[1]) if kbps else None,
        has_video=len(pictures) > len(covers),
        has_cover=bool(covers),
    )


def trouble_of(text: str) -> Trouble:
    """Say why ffmpeg failed, from what it said; the reason is its own last complaint, without a path."""
    complaints = [match[1] for match in _OWN.finditer(text)]
    reason = (
        on_a_line(complaints[0].rpartition(": ")[2], _SENTENCE) if complaints else "ffmpeg failed, and says no more"
    )
    if "Format not on whitelist" in text:
        return Trouble(kind="broken", reason="the file is of no format of sound that is read")
    if _DISK.search(text):
        return Trouble(kind="disk", reason="the disk is full", way_out="free some space, then try again")
    if _TOOL.search(text):
        return Trouble(kind="tool", reason=f"ffmpeg cannot do it: {reason}", way_out="see `lootwire doctor`")
    return Trouble(kind="broken", reason=f"the file cannot be read as sound: {reason}")


def _seconds(text: str) -> float | None:
    match = _DURATION.search(text)
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) if match else None


def _channels(rest: str) -> int:
    layout = re.search(r" Hz, ([^,]+)", rest)
    if layout is None:
        return 0
    if counted := re.match(r"(\d+) channels", layout[1]):
        return int(counted[1])
    if numbers := re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", layout[1]):
        return sum(int(number) for number in numbers.groups() if number)
    return _NAMED_LAYOUTS.get(layout[1].partition("(")[0].strip(), 2)
