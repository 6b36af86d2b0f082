"""Sounds: originals with what is known of them, their renditions, what fetches them, and the lists that hold them.

Rows are the work: an extraction and a rendition each carry a state, a lease and the time when they are due. No row of
a sound is deleted: `removed_at` frees its file, and its guid stays taken.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, REAL, UUID
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId

# None is SQL's NULL, and not the null of JSON.
_NULLABLE = JSONB(none_as_null=True)


class Sound(Base):
    """A person's sound by its original's bytes: an episode, a track, a clip, an effect or speech.

    Where several people have the same, each has a row of their own, and the files are the same ones.

    `public_id`, a UUID, names it in feeds and addresses for ever. `original` is the file's path below the data
    directory, null for one of a person's own folder (`sound_files`), or where `removed_at` says that it was freed.
    `chapters` are `[{"start": seconds, "title", "game_id", "url", "image_url"}]`, `muted` `[{"start": seconds,
    "seconds"}]` of the original's own time, null where nobody knows; `transcripts` `[{"language", "format", "path"}]`
    below the data directory. `aliases` are other titles that the same bytes were fetched under. `person_id` is whom it
    belongs to.
    """

    __tablename__ = "sounds"
    __table_args__ = (
        UniqueConstraint("public_id"),
        UniqueConstraint("person_id", "sha256"),
        Index(
            "uq_sounds_service_external_id",
            "person_id",
            "service",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        Index(None, "channel_id", "published_at"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(UUID(as_uuid=False))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    # episode, track, clip, effect, speech
    kind: Mapped[str]
    sha256: Mapped[bytes]
    size: Mapped[int] = mapped_column(BigInteger)
    # Of the original; null where it could not be measured.
    seconds: Mapped[float | None] = mapped_column(REAL)
    codec: Mapped[str | None]
    original: Mapped[str | None]
    service: Mapped[str | None]
    external_id: Mapped[str | None]
    webpage_url: Mapped[str | None]
    title: Mapped[str]
    artist: Mapped[str | None]
    description: Mapped[str | None]
    language: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    aliases: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    channel_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("channels.id"))
    video_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("videos.id"))
    published_at: Mapped[datetime | None]
    chapters: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    muted: Mapped[list[Any] | None] = mapped_column(_NULLABLE)
    transcripts: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    # Below the data directory, as JPEG.
    artwork: Mapped[str | None]
    added_at: Mapped[datetime]
    # Its file is gone though nobody removed it here.
    missing_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class SoundFolder(Base):
    """A folder of a person's own sounds; `shown` is its path as text. One with a `removed_at` is looked at no more.

    One with a `scan_wanted_at` waits to be scanned since then.
    """

    __tablename__ = "sound_folders"
    __table_args__ = (
        UniqueConstraint("person_id", "path"),
        Index("ix_sound_folders_wanted", "scan_wanted_at", postgresql_where=text("scan_wanted_at IS NOT NULL")),
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    path: Mapped[bytes]
    shown: Mapped[str]
    # What its sounds are: effect, track, clip, speech.
    kind: Mapped[str] = mapped_column(server_default=text("'effect'"))
    # That they are rendered with; null for none.
    profile: Mapped[str | None]
    added_at: Mapped[datetime]
    scanned_at: Mapped[datetime | None]
    scan_wanted_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class SoundFile(Base):
    """A file of a person's own folder, by its path in it; size, time of change and inode say whether it is the same.

    It is a copy of the sound `sound_id`; without one, `error` says why it could not be read.
    """

    __tablename__ = "sound_files"
    __table_args__ = (UniqueConstraint("folder_id", "path"), Index(None, "sound_id"))

    id: Mapped[BigId]
    folder_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sound_folders.id"))
    path: Mapped[bytes]
    shown: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    # As a signed number, since some file systems use all 64 bits.
    inode: Mapped[int] = mapped_column(BigInteger)
    sound_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("sounds.id"))
    error: Mapped[str | None]
    seen_at: Mapped[datetime]
    missing_since: Mapped[datetime | None]


class Rendition(Base):
    """A sound as a profile of loudness has it; `state` is `pending`, `rendering`, `ready` or `failed`.

    `path` is its file below the data directory, `digest` the SHA-256 of it. Loudness before and after as EBU R 128 has
    it: integrated (LUFS), true peak (dBTP), range (LU) and threshold (LUFS); null where it cannot be measured. `mode`
    is `linear`, `dynamic`, `one_pass`, `repeated` or `copied`; `note` says why the target was missed, where it was.
    """

    __tablename__ = "renditions"
    __table_args__ = (
        UniqueConstraint("sound_id", "profile"),
        Index("ix_renditions_due", "next_due_at", postgresql_where=text("state IN ('pending', 'rendering')")),
    )

    id: Mapped[BigId]
    sound_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sounds.id"))
    profile: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    mode: Mapped[str | None]
    codec: Mapped[str | None]
    bitrate: Mapped[int | None]
    path: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[bytes | None]
    seconds: Mapped[float | None] = mapped_column(REAL)
    integrated_before: Mapped[float | None] = mapped_column(REAL)
    true_peak_before: Mapped[float | None] = mapped_column(REAL)
    range_before: Mapped[float | None] = mapped_column(REAL)
    threshold_before: Mapped[float | None] = mapped_column(REAL)
    integrated_after: Mapped[float | None] = mapped_column(REAL)
    true_peak_after: Mapped[float | None] = mapped_column(REAL)
    range_after: Mapped[float | None] = mapped_column(REAL)
    note: Mapped[str | None]
    error: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(UUID(as_uuid=False))
    # Counts the claims: whoever has an older one writes nothing any more.
    fence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    rendered_at: Mapped[datetime | None]


class Extraction(Base):
    """The fetching of a sound from an address; `state` is `pending`, `processing`, `completed`, `failed`, `cancelled`.

    `stage` is the one that it is at: `probe`, `download`, `measure`, `render`, `publish`. `error_kind` is one of
    `pipeline.sound.records.ErrorKind`, `error` a sentence, and `is_permanent` says that time will not cure it. Service
    and id are known from the probe on, or before it from a video: while one is not failed or cancelled there is no
    second of the same for that person; of what several people want, the first is downloaded. `progress` goes from 0 to
    1 within the stage. Those with an earlier `expires_at` come first.
    """

    __tablename__ = "extractions"
    __table_args__ = (
        Index(
            "uq_extractions_live",
            "person_id",
            "service",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL AND state NOT IN ('failed', 'cancelled')"),
        ),
        Index("ix_extractions_due", "next_due_at", postgresql_where=text("state IN ('pending', 'processing')")),
        Index(None, "sound_id"),
        Index(None, "url"),
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    url: Mapped[str]
    # Its name and port: one download at a time, and rests after refusals, are for each.
    host: Mapped[str]
    service: Mapped[str | None]
    external_id: Mapped[str | None]
    video_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("videos.id"))
    # What the sound will be: episode, track, clip, effect, speech.
    kind: Mapped[str] = mapped_column(server_default=text("'track'"))
    profile: Mapped[str] = mapped_column(server_default=text("'podcast'"))
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    stage: Mapped[str] = mapped_column(server_default=text("'probe'"))
    progress: Mapped[float] = mapped_column(REAL, server_default=text("0"))
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    title: Mapped[str | None]
    # What the probe said (`pipeline.sound.records.MediaInfo`), for the stages after it.
    info: Mapped[dict[str, Any] | None] = mapped_column(_NULLABLE)
    error_kind: Mapped[str | None]
    error: Mapped[str | None]
    is_permanent: Mapped[bool] = mapped_column(server_default=text("false"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    # Seconds of wall clock that its downloads have taken in all.
    spent_seconds: Mapped[float] = mapped_column(REAL, server_default=text("0"))
    added_at: Mapped[datetime]
    next_due_at: Mapped[datetime]
    # When the service deletes it.
    expires_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(UUID(as_uuid=False))
    # Counts the claims: whoever has an older one writes nothing any more.
    fence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    sound_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("sounds.id"))
    finished_at: Mapped[datetime | None]


class SoundHost(Base):
    """A host that sounds are fetched from; it rests before `until`, for the reason that an answer of it gave.

    `cookies_encrypted` is a Netscape cookie file for it; `cookies_stale_at` is when a try with them was refused.
    """

    __tablename__ = "sound_hosts"

    host: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime | None]
    reason: Mapped[str | None]
    # How often in a row it refused: each rest is longer.
    refusals: Mapped[int] = mapped_column(server_default=text("0"))
    last_fetched_at: Mapped[datetime | None]
    cookies_encrypted: Mapped[bytes | None]
    cookies_set_at: Mapped[datetime | None]
    cookies_stale_at: Mapped[datetime | None]


class Show(Base):
    """A podcast that makes itself: a channel's videos, or those of a playlist's or channel's address (`url`).

    `kinds` are those of videos that it takes (archive, highlight, upload, clip), `title_has` a text in the title,
    `longer_than` seconds, `game_id` a category that was on. What is beyond `keep_count`, older than `keep_days` or over
    `keep_mb` is let go. Videos published before `since` are left alone. `public_id` makes its feed's guid.
    """

    __tablename__ = "shows"
    __table_args__ = (
        UniqueConstraint("person_id", "name_key"),
        UniqueConstraint("public_id"),
        Index(None, "channel_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(UUID(as_uuid=False))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    name: Mapped[str]
    name_key: Mapped[str]
    title: Mapped[str]
    description: Mapped[str | None]
    author: Mapped[str | None]
    language: Mapped[str | None]
    channel_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("channels.id"))
    url: Mapped[str | None]
    kinds: Mapped[list[str]] = mapped_column(server_default=text("'{archive}'"))
    title_has: Mapped[str | None]
    longer_than: Mapped[int | None]
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    keep_count: Mapped[int | None]
    keep_days: Mapped[int | None]
    keep_mb: Mapped[int | None]
    profile: Mapped[str] = mapped_column(server_default=text("'podcast'"))
    is_public: Mapped[bool] = mapped_column(server_default=text("false"))
    is_explicit: Mapped[bool] = mapped_column(server_default=text("false"))
    # Of Apple's list.
    category: Mapped[str] = mapped_column(server_default=text("'Leisure'"))
    # A picture of the person's own, below the data directory, as JPEG.
    artwork: Mapped[str | None]
    since: Mapped[datetime]
    added_at: Mapped[datetime]
    # Of an address: when its list is asked for again.
    next_due_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    removed_at: Mapped[datetime | None]


class Episode(Base):
    """A video that a show takes: first its extraction, then its sound. `kept_out_at` is when the show let it go."""

    __tablename__ = "episodes"
    __table_args__ = (Index(None, "extraction_id"), Index(None, "sound_id"))

    show_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shows.id"), primary_key=True)
    extraction_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("extractions.id"), primary_key=True)
    sound_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("sounds.id"))
    added_at: Mapped[datetime]
    # When it will be let go, once that is known; an event said so.
    expiring_at: Mapped[datetime | None]
    kept_out_at: Mapped[datetime | None]


class Playlist(Base):
    """A person's list of sounds, which has a feed as a show has; `public_id` makes its guid."""

    __tablename__ = "playlists"
    __table_args__ = (UniqueConstraint("person_id", "name_key"), UniqueConstraint("public_id"))

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(UUID(as_uuid=False))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    name: Mapped[str]
    name_key: Mapped[str]
    description: Mapped[str | None]
    profile: Mapped[str] = mapped_column(server_default=text("'podcast'"))
    is_public: Mapped[bool] = mapped_column(server_default=text("false"))
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class PlaylistSound(Base):
    """A sound on a playlist, which holds it once. `position` is text between those beside it: a move is one row."""

    __tablename__ = "playlist_sounds"
    __table_args__ = (Index(None, "sound_id"),)

    playlist_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("playlists.id"), primary_key=True)
    sound_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sounds.id"), primary_key=True)
    # Compared byte by byte.
    position: Mapped[str] = mapped_column(Text(collation="C"))
    added_at: Mapped[datetime]


class Play(Base):
    """That a person played a sound; `origin` is the door that it came by: `command`, later an overlay or a key."""

    __tablename__ = "plays"
    __table_args__ = (Index(None, "sound_id", "at"), Index(None, "person_id", "at"))

    id: Mapped[BigId]
    sound_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sounds.id"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    origin: Mapped[str]
    at: Mapped[datetime]
