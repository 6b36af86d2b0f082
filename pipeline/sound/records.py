"""What the rooms of this subject hand to one another: what a probe said, loudness, profiles, renditions. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

# A time with its zone, which documents of the API say too.
SoundKind = Literal["episode", "track", "clip", "effect", "speech"]
Stage = Literal["probe", "download", "measure", "render", "publish"]
State = Literal["pending", "processing", "completed", "failed", "cancelled"]
Mode = Literal["linear", "dynamic", "one_pass", "repeated", "copied"]
Codec = Literal["mp3", "m4a", "opus"]
# Permanent at once; a person must act; time cures.
ErrorKind = Literal[
    "gone",
    "private",
    "members",
    "geo",
    "drm",
    "unsupported",
    "broken",
    "too_long",
    "sign_in",
    "cookies",
    "disk",
    "quota",
    "tool",
    "rate",
    "server",
    "network",
    "live",
    "upcoming",
]
Cure = Literal["never", "person", "time"]
CURES: Mapping[ErrorKind, Cure] = {
    "gone": "never",
    "private": "never",
    "members": "never",
    "geo": "never",
    "drm": "never",
    "unsupported": "never",
    "broken": "never",
    "too_long": "never",
    "sign_in": "person",
    "cookies": "person",
    "disk": "person",
    "quota": "person",
    "tool": "person",
    "rate": "time",
    "server": "time",
    "network": "time",
    "live": "time",
    "upcoming": "time",
}


class Chapter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a sound from `start` (seconds of the original's time) to the next one's; `game_id` is its category."""

    start: float
    title: str
    game_id: int | None = None
    url: str | None = None
    image_url: str | None = None


class Muted(msgspec.Struct, frozen=True, kw_only=True):
    """A part that the service silenced, in seconds of the original's time."""

    start: float
    seconds: float


class Subtitles(msgspec.Struct, frozen=True, kw_only=True):
    """Subtitles that a service offers: `language` as BCP 47 has it, `format` `vtt` or `srt`."""

    language: str
    format: str


class MediaInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a service says of a sound or video, as text from outside: escape before you show it.

    `service` is a name of ours (`twitch`, `youtube`, `soundcloud`), or the extractor's in lower case; with
    `external_id` it tells this from everything else. A Twitch video's id is Helix's, without yt-dlp's `v`. `muted` is
    None where nobody said; `is_muted` says that some of it is, whether or not it is known which.
    """

    service: str
    external_id: str
    title: str
    webpage_url: str | None = None
    artist: str | None = None
    channel: str | None = None
    channel_id: str | None = None
    description: str | None = None
    seconds: float | None = None
    language: str | None = None
    published_at: datetime | None = None
    thumbnail_url: str | None = None
    chapters: tuple[Chapter, ...] = ()
    is_muted: bool = False
    muted: tuple[Muted, ...] | None = None
    subtitles: tuple[Subtitles, ...] = ()
    # `is_live`, `is_upcoming`, `post_live`, `was_live`, `not_live`, as yt-dlp has it; when an upcoming one begins.
    live_status: str | None = None
    starts_at: datetime | None = None


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was not fetched or rendered: its kind, a sentence without secrets, and what a person can do.

    `retry_after` is how many seconds the service wants to be left alone.
    """

    kind: ErrorKind
    reason: str
    way_out: str | None = None
    retry_after: float | None = None

    @property
    def cure(self) -> Cure:
        """What makes it good again: a person, time, or nothing."""
        return CURES[self.kind]

    @property
    def sentence(self) -> str:
        """The reason, and what a person can do about it."""
        return self.reason if self.way_out is None else f"{self.reason.rstrip('.')}: {self.way_out}"


class Loudness(msgspec.Struct, frozen=True, kw_only=True):
    """Loudness as EBU R 128 has it: integrated and threshold in LUFS, range in LU, true peak in dBTP.

    None where it cannot be measured: silence, or less than a block of 400 ms.
    """

    integrated: float | None
    true_peak: float | None
    range: float | None
    threshold: float | None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a rendition is to be: `integrated` LUFS and `true_peak` dBTP at most, `range` LU at most, None to keep it.

    With `is_copied` nothing is measured or encoded. `kbps` is for both channels together.
    """

    name: str
    codec: Codec
    kbps: int
    integrated: float = -16.0
    true_peak: float = -1.5
    range: float | None = None
    is_copied: bool = False


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A rendition as it was made: its size in bytes and SHA-256, loudness before and after.

    `note` says in a sentence why the target was missed, where it was: by more than 0.5 LU or 0.5 dB.
    """

    size: int
    digest: bytes
    seconds: float
    codec: str
    kbps: int | None
    mode: Mode
    before: Loudness | None
    after: Loudness | None
    note: str | None = None


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How much a show keeps: so many episodes, those of so many days, so many megabytes; None is no limit."""

    count: int | None = None
    days: int | None = None
    mb: int | None = None
