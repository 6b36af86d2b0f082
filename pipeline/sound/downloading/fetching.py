"""Runs the child that fetches, and ends it with all that it started when its time is over or its work is another's."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from pipeline.sound.downloading.wire import Limits, Listing, Progress
from pipeline.sound.records import MediaInfo

# How often the parent is heard at least, in seconds.
BEAT = 5.0
Beat = Callable[[Progress | None], None]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An address to fetch from. `workspace` is a folder of this job alone, kept from try to try: a download goes on.

    `extractors` is the folder of a newer yt-dlp (`updating.newest`); `cookies` a Netscape cookie file's content, which
    the child gets as a file of mode 0600 that is removed as soon as it is read.
    """

    url: str
    workspace: Path
    extractors: Path | None = None
    cookies: bytes | None = None
    limits: Limits = Limits()
    # The most entries of a list.
    entries: int = 50


class Subtitled(msgspec.Struct, frozen=True, kw_only=True):
    """Subtitles that came with a sound; `format` is `vtt` or `srt`."""

    path: Path
    language: str
    format: str


class Downloaded(msgspec.Struct, frozen=True, kw_only=True):
    """A sound in its workspace, with the bytes that the service sent, and what came beside it.

    `extension` is what the bytes are (`m4a`, `ts`, `mp3`, `webm`), whatever the service called them.
    """

    media: MediaInfo
    path: Path
    extension: str
    size: int
    subtitles: tuple[Subtitled, ...] = ()
    thumbnail: Path | None = None


def probe(job: Job, beat: Beat | None = None) -> MediaInfo | Listing:
    """Return what an address holds: one sound, or a list of them.

    `beat` is called with the progress, and at least every five seconds; what it raises ends the child and is passed on.
    Raises `FetchTroubled`, also for what is live or begins later; its `media` says what is known of it.
    """
    raise NotImplementedError(job, beat)


def download(job: Job, beat: Beat | None = None) -> Downloaded:
    """Fetch the sound of an address into its workspace, from where the last try ended; raises as `probe` does."""
    raise NotImplementedError(job, beat)
