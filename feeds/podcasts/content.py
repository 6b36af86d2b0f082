"""What podcasts and their pages are rendered from: frozen values, and the names of the files beside them. Pure.

All files of a podcast lie in one folder, so that a name that is revoked, or a show that is no longer public, takes them
all along. A file whose bytes may change has a part of their digest in its name: new bytes get a new address.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

import msgspec

from feeds.content import Scope
from feeds.item import TAG

# https://podcasting2.org/docs/podcast-namespace/tags/guid
NAMESPACE = UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
# Of Apple's guide; they are what its directory takes, and opus is for programs that know it.
MEDIA_TYPES: Mapping[str, str] = {"mp3": "audio/mpeg", "m4a": "audio/x-m4a", "opus": "audio/ogg"}
TRANSCRIPT_TYPES: Mapping[str, str] = {"vtt": "text/vtt", "srt": "application/x-subrip"}
CHAPTERS_ENDING, CHAPTERS_TYPE = ".chapters.json", "application/json+chapters"
ARTWORK_ENDING, ARTWORK_TYPE = ".jpg", "image/jpeg"
# Of a show without a picture of its own: the house's.
HOUSE_ARTWORK = "podcast.jpg"

TranscriptFormat = Literal["vtt", "srt"]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file below the data directory, and a digest that is another where its bytes are."""

    path: str
    digest: str

    @property
    def short(self) -> str:
        """Eight digits that stand for its bytes in a name."""
        return self.digest[:8]


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """A part from `start`, in seconds, to the next one's."""

    start: float
    title: str
    url: str | None = None
    image_url: str | None = None


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """Subtitles in a file, as BCP 47 names their language."""

    language: str
    format: TranscriptFormat
    source: Source


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """A sound as a podcast has it; its texts are from outside.

    `public_id` makes its guid, for ever. `size` in bytes, `seconds` and `ending` are those of its file. `muted` are
    pairs of seconds, where a silence of the service's begins and how long it is.
    """

    public_id: str
    title: str
    published_at: datetime
    enclosure: Source
    size: int
    ending: str
    seconds: float | None = None
    description: str | None = None
    artist: str | None = None
    webpage_url: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    muted: tuple[tuple[float, float], ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    artwork: Source | None = None

    @property
    def guid(self) -> str:
        """A tag URI (RFC 4151)."""
        return f"{TAG}sound/{self.public_id}"

    @property
    def file(self) -> str:
        """The name of its sound's file."""
        return f"{self.public_id}-{self.enclosure.short}.{self.ending}"

    @property
    def page(self) -> str:
        """The name of its page's file."""
        return f"{self.public_id}.html"

    @property
    def chapters_file(self) -> str:
        """The name of the file of its chapters."""
        return f"{self.public_id}{CHAPTERS_ENDING}"

    @property
    def artwork_file(self) -> str | None:
        """The name of its picture's file."""
        return None if self.artwork is None else f"{self.public_id}-{self.artwork.short}{ARTWORK_ENDING}"

    @property
    def transcript_files(self) -> tuple[tuple[str, TranscriptFormat], ...]:
        """Each language of its subtitles in each format: apps know one or the other."""
        languages = dict.fromkeys(each.language for each in self.transcripts)
        formats: tuple[TranscriptFormat, ...] = ("srt", "vtt")
        return tuple((language, format_) for language in languages for format_ in formats)

    def transcript_file(self, language: str, format_: TranscriptFormat) -> str:
        """Return the name of a file of its subtitles."""
        return f"{self.public_id}.{language}.{format_}"


class Podcast(msgspec.Struct, frozen=True, kw_only=True):
    """The podcast of a show, a playlist or all sounds of a person, as its rows were at `version`; newest first.

    Of a playlist the episodes stand in its order, and `is_serial` says that they are to be heard so. `identity` makes
    its guid and never changes, wherever it lies.
    """

    feed_id: int
    version: int
    scope: Scope
    path: str
    title: str
    identity: str
    is_public: bool
    description: str | None = None
    author: str | None = None
    language: str | None = None
    category: str = "Leisure"
    is_explicit: bool = False
    is_serial: bool = False
    artwork: Source | None = None
    episodes: tuple[Episode, ...] = ()
    ttl_minutes: int = 30
    hubs: tuple[str, ...] = ()

    @property
    def guid(self) -> str:
        """What stands in `podcast:guid`: a UUID of version 5."""
        return str(uuid5(NAMESPACE, self.identity))

    @property
    def folder(self) -> str:
        """The folder that all its files but the feed and its page lie in, below the published one."""
        return self.path if self.is_public else self.path.rpartition("/")[0]

    @property
    def artwork_file(self) -> str:
        """The name of the file of its picture, the house's where it has none of its own."""
        return f"artwork-{self.artwork.short if self.artwork else 'lootwire'}{ARTWORK_ENDING}"


def digest_of(*parts: object) -> str:
    """Return a digest of what a file is known by, where nobody has one of its bytes."""
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).hexdigest()
