"""What an error of a download means: its kind, a sentence without secrets, and what a person can do. Pure.

yt-dlp has no class for most of it: an HTTP status, the texts of its extractors and of the services decide, in the
words of yt-dlp 2026.10 (https://github.com/yt-dlp/yt-dlp/tree/master/yt_dlp/extractor).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec

from models.errors import LootwireError
from models.printable import on_a_line
from pipeline.sound.records import ErrorKind, MediaInfo, Trouble

REASON_LENGTH = 300
# A service that says nothing of it is left alone for so long, in seconds; a wait beyond a day is not believed.
LONGEST_WAIT = 86_400.0


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What a child says of an error: the names of its classes with those that caused it, its text, what the answer said.

    `status` is an HTTP status, `retry_after` that header as it came, `sent_at` the answer's own time (`Date`).
    `errno_name` is that of a system call: `ENOSPC`. `is_inward` is True where the guard refused an address.
    """

    names: tuple[str, ...]
    text: str
    status: int | None = None
    retry_after: str | None = None
    sent_at: str | None = None
    errno_name: str | None = None
    is_inward: bool = False
    with_cookies: bool = False


class FetchTroubled(LootwireError):
    """A sound was not fetched; `trouble` says why, `media` what the service said of it, where it said anything."""

    def __init__(self, trouble: Trouble, media: MediaInfo | None = None) -> None:
        super().__init__(trouble.reason)
        self.trouble = trouble
        self.media = media
