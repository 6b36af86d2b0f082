"""What the child that downloads is asked, and what it says meanwhile: one JSON object a line. Pure."""

from datetime import datetime
from typing import Literal

import msgspec

from pipeline.sound.records import MediaInfo
from pipeline.sound.troubles import Failure


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Where a download ends by itself: seconds of wall clock, bytes of its file, bytes that the disk must keep free.

    `rate` is the most bytes a second that are asked for, None for no limit. Within `patience` seconds at least `least`
    bytes must have come: what drips is given up, and goes on later.
    """

    seconds: float = 6 * 3600.0
    size: int | None = None
    keep_free: int = 256 * 2**20
    rate: int | None = None
    patience: float = 180.0
    least: int = 64 * 1024


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sound or video of a list; what is None will be known from its own probe."""

    service: str
    external_id: str
    url: str
    title: str | None = None
    seconds: float | None = None
    published_at: datetime | None = None
    live_status: str | None = None


class Listing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an address that holds many sounds says: a playlist, a channel's tab; in the service's own order."""

    title: str
    service: str
    external_id: str | None = None
    url: str | None = None
    author: str | None = None
    description: str | None = None
    thumbnail_url: str | None = None
    entries: tuple[Entry, ...] = ()


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the parent asks: `probe` reads what an address holds, `download` fetches its sound into the workspace."""

    act: Literal["probe", "download"]
    url: str
    workspace: str
    limits: Limits
    # The most entries of a list.
    entries: int = 50
    # A Netscape cookie file, which the child removes as soon as it has read it.
    cookies: str | None = None
    # Languages that subtitles are fetched of at most.
    subtitles: int = 4
    # The folder of a newer yt-dlp than the installed one.
    extractors: str | None = None
    # The only program that may be started: it runs YouTube's scripts.
    deno: str | None = None
    # Ports of this machine that are reached although they are inside: of a local server, for tests and the demo.
    loopback_ports: tuple[int, ...] = ()


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    """How far a download is: bytes on disk, and in all where that is known or estimated; `part` from 0 to 1."""

    size: int
    total: int | None = None
    part: float | None = None


class SubtitleFile(msgspec.Struct, frozen=True, kw_only=True):
    """Subtitles in the workspace: `language` as the service has it, `format` `vtt` or `srt`."""

    name: str
    language: str
    format: Literal["vtt", "srt"]


class Probed(msgspec.Struct, frozen=True, kw_only=True, tag="probed"):
    media: MediaInfo | None = None
    listing: Listing | None = None


class Fetched(msgspec.Struct, frozen=True, kw_only=True, tag="fetched"):
    media: MediaInfo
    name: str
    subtitles: tuple[SubtitleFile, ...] = ()
    thumbnail: str | None = None


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    failure: Failure
    media: MediaInfo | None = None


Message = Progress | Probed | Fetched | Failed
