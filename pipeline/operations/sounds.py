"""Sounds: listed, fetched from their addresses, tagged, played, rendered, let go."""

import math
import mimetypes
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, select, tuple_

from feeds.podcasts.marking import mark_sounds
from models import Play, Rendition, Sound
from models.errors import UnknownThing, UsageError
from models.moments import Moment
from pipeline.people.store.plans import check_gauge
from pipeline.programs.sounds import check_tools, surroundings
from pipeline.runtime.runtime import Runtime
from pipeline.sound.extracting.sweeping import free_sounds
from pipeline.sound.listing.sounds import (
    EVERY,
    RenditionLine,
    SoundFilter,
    SoundLine,
    load_details,
    load_newest,
    load_sounds,
)
from pipeline.sound.loudness.profiles import profile_named
from pipeline.sound.records import SoundKind
from pipeline.sound.store import renditions
from pipeline.sound.store.extractions import add_extraction
from pipeline.sound.store.originals import original_of
from pipeline.sound.store.playlists import playlist_named
from pipeline.sound.store.plays import note_play
from pipeline.sound.store.shows import find_show
from pipeline.sound.store.sounds import remove_sounds, used_bytes
from pipeline.sound.store.tags import change_tags
from pipeline.sound.store.tags import list_tags as load_tags

# What a file is by its ending, where the system's list may not know it.
_MEDIA_TYPES = {".m4a": "audio/x-m4a", ".mka": "audio/x-matroska", ".mp3": "audio/mpeg", ".opus": "audio/ogg"}
_UNKNOWN_TYPE = "application/octet-stream"


class SoundWish(msgspec.Struct, frozen=True, kw_only=True):
    """Which sounds are wanted, as a person says it: all of it must hold; `show` and `playlist` are names."""

    kind: SoundKind | None = None
    tag: str | None = None
    search: str | None = None
    show: str | None = None
    playlist: str | None = None
    missing: bool = False
    unrendered: bool = False


class SoundAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a sound: its lengths in seconds, its size in bytes, loudness in LUFS by its renditions.

    `chapters` and `muted` are of the original's own time. `original` lies below the data directory, `files` in a
    person's own folders.
    """

    id: int = msgspec.field(name="sound")
    public_id: str
    kind: str
    title: str
    artist: str | None
    channel: str | None
    service: str | None
    seconds: float | None
    size: int
    codec: str | None
    tags: list[str]
    published_at: Moment | None
    added_at: Moment
    chapters: list[dict[str, Any]]
    muted_seconds: float | None
    shows: list[str]
    playlists: list[str]
    plays: int
    renditions: list[RenditionLine]
    is_missing: bool
    external_id: str | None
    webpage_url: str | None
    description: str | None
    language: str | None
    aliases: list[str]
    original: str | None
    sha256: str
    muted: list[dict[str, Any]] | None
    transcripts: list[dict[str, Any]]
    files: list[str]


class AddedSound(msgspec.Struct, frozen=True, kw_only=True):
    """The extraction of an address, and whether it is new: the same is never fetched twice."""

    extraction: int
    new: bool


class TagLine(msgspec.Struct, frozen=True, kw_only=True):
    """A tag, and how many of a person's sounds have it."""

    tag: str
    sounds: int


class TagsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The tags that a sound has now."""

    sound: int
    tags: list[str]


class PlayedSound(msgspec.Struct, frozen=True, kw_only=True):
    """A sound that is played now, with the file on this machine; None where it is missing."""

    sound: int
    title: str
    path: Path | None
    at: Moment


class PlayLine(msgspec.Struct, frozen=True, kw_only=True):
    """That a person played a sound, and by which door: `command`, `api`."""

    play: int
    sound: int
    title: str
    origin: str
    at: Moment


class SoundFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file to hear: where it is, what it is, and what tells it from every other."""

    path: Path
    media_type: str
    digest: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Sounds with the profile that each shall have, and the renditions of them that are not ready yet."""

    chosen: dict[int, str]
    waiting: list[int]


def list_sounds(
    connection: Connection, person_id: int, wish: SoundWish, limit: int, after: tuple[datetime, int] | None = None
) -> list[SoundLine]:
    """Return a page of a person's sounds, the newest first; `after` is `key_of` the last one of the page before."""
    return load_newest(connection, person_id, filter_of(connection, person_id, wish), limit, after)


def filter_of(connection: Connection, person_id: int, wish: SoundWish) -> SoundFilter:
    """Return a wish by the rows that it names; raises `UnknownThing` where a show or a playlist is none of theirs."""
    show = None if wish.show is None else find_show(connection, wish.show, person_id=person_id).id
    playlist = None if wish.playlist is None else playlist_named(connection, person_id, wish.playlist).id
    return SoundFilter(
        kind=wish.kind,
        tag=wish.tag,
        text=wish.search,
        show=show,
        playlist=playlist,
        is_missing=wish.missing,
        is_unrendered=wish.unrendered,
    )


def show_sound(connection: Connection, person_id: int, sound_id: int) -> SoundAnswer:
    """Return all that is known of a sound; raises `UnknownThing` where it is not that person's."""
    details = load_details(connection, own_sound(connection, person_id, sound_id))
    line = {name: getattr(details.line, name) for name in SoundLine.__struct_fields__}
    more = {name: getattr(details, name) for name in details.__struct_fields__ if name != "line"}
    return SoundAnswer(**(line | more))


def own_sound(connection: Connection, person_id: int, sound_id: int) -> int:
    """Return the number of a person's sound; raises `UnknownThing` where it was removed, or is none of theirs."""
    is_it = (Sound.id == sound_id, Sound.person_id == person_id, Sound.removed_at.is_(None))
    if connection.scalar(select(Sound.id).where(*is_it)) is None:
        raise UnknownThing(f"there is no sound {sound_id}; `lootwire sounds` shows them")
    return sound_id


def add_sounds(
    runtime: Runtime,
    connection: Connection,
    person_id: int,
    addresses: Sequence[str],
    now: datetime,
    *,
    kind: SoundKind = "track",
    profile: str | None = None,
) -> list[AddedSound]:
    """Have sounds fetched from their addresses while Lootwire runs, and made evenly loud.

    Raises `UsageError` for an address or a profile that is none, `LootwireError` where nothing here can fetch them,
    `QuotaError` where the person's plan has no room for more.
    """
    check_tools(runtime.settings)
    chosen = profile_of(runtime, profile)
    check_room(connection, person_id)
    added = [
        add_extraction(connection, address, now=now, person_id=person_id, kind=kind, profile=chosen)
        for address in addresses
    ]
    return [AddedSound(extraction=each.id, new=each.is_new) for each in added]


def profile_of(runtime: Runtime, name: str | None) -> str:
    """Return a profile's name, `podcast` without one; raises `UsageError` with the names that there are."""
    return profile_named(surroundings(runtime).profiles, name or "podcast").name


def check_room(connection: Connection, person_id: int) -> None:
    """Raise `QuotaError` where a person's sounds take all the MB of their plan; how large the next is nobody knows."""
    used = math.ceil(used_bytes(connection, person_id=person_id) / 1_000_000)
    check_gauge(connection, person_id, "sound_mb", used + 1)


def remove(connection: Connection, sound_ids: Sequence[int], now: datetime) -> Sequence[int]:
    """Let sounds go; they are on no feed any more. `free` deletes what was fetched, once this is committed."""
    mark_sounds(connection, sound_ids)
    return remove_sounds(connection, sound_ids, now)


def free(runtime: Runtime) -> None:
    """Delete the files of sounds that were let go."""
    free_sounds(runtime.engine, runtime.settings.data_dir)


def list_tags(connection: Connection, person_id: int) -> list[TagLine]:
    """Return the tags of a person's sounds, the most used first."""
    return [TagLine(tag=tag, sounds=count) for tag, count in load_tags(connection, person_id).items()]


def tag_sound(
    connection: Connection, sound_id: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> TagsAnswer:
    """Give a sound tags, and take some from it; raises `UsageError` where one is no tag, or nothing is asked for."""
    if not add and not remove:
        raise UsageError("say which tags: lootwire sounds tag SOUND TAG, or --remove TAG")
    after = change_tags(connection, [sound_id], add=add, remove=remove)
    mark_sounds(connection, [sound_id])
    return TagsAnswer(sound=sound_id, tags=after[sound_id])


def play_sounds(
    connection: Connection, person_id: int, sound_ids: Sequence[int], origin: str, now: datetime, data_dir: Path
) -> list[PlayedSound]:
    """Note that a person plays sounds, by the door `origin`; each file is the evenly loud one, else the original."""
    note_play(connection, sound_ids, person_id, origin, now)
    played = []
    for sound_id in sound_ids:
        line = load_details(connection, sound_id)
        ready = next((each.path for each in line.renditions if each.state == "ready" and each.path), None)
        path = data_dir / ready if ready else original_of(connection, sound_id, data_dir).path
        played.append(PlayedSound(sound=sound_id, title=line.line.title, path=path, at=now))
    return played


def list_plays(
    connection: Connection,
    person_id: int,
    limit: int,
    *,
    sound_id: int | None = None,
    after: tuple[datetime, int] | None = None,
) -> list[PlayLine]:
    """Return a page of what a person played, the newest first; `after` is the time and number of the last one."""
    query = (
        select(Play.id.label("play"), Play.sound_id.label("sound"), Sound.title, Play.origin, Play.at)
        .join(Sound, Sound.id == Play.sound_id)
        .where(Play.person_id == person_id, Sound.person_id == person_id)
        .order_by(Play.at.desc(), Play.id.desc())
        .limit(limit)
    )
    if sound_id is not None:
        query = query.where(Play.sound_id == sound_id)
    if after is not None:
        query = query.where(tuple_(Play.at, Play.id) < tuple_(*after))
    return [PlayLine(**row) for row in connection.execute(query).mappings()]


def find_file(
    connection: Connection, person_id: int, sound_id: int, data_dir: Path, profile: str | None = None
) -> SoundFile:
    """Return the file of a sound to hear: as a profile has it, `original`, or without one the first that is there.

    Raises `UnknownThing` where the sound is not that person's, or has no such file.
    """
    own_sound(connection, person_id, sound_id)
    query = select(Rendition.path, Rendition.digest).where(
        Rendition.sound_id == sound_id, Rendition.path.is_not(None), Rendition.digest.is_not(None)
    )
    if profile != "original":
        wanted = query if profile is None else query.where(Rendition.profile == profile)
        row = connection.execute(wanted.order_by(Rendition.state != "ready", Rendition.profile).limit(1)).one_or_none()
        if row is not None:
            return _file(data_dir / row.path, row.digest)
    if profile not in {None, "original"}:
        raise UnknownThing(f"sound {sound_id} is not rendered as {profile!r}: `lootwire sounds render` does that")
    path = original_of(connection, sound_id, data_dir).path
    if path is None:
        raise UnknownThing(f"the file of sound {sound_id} is missing")
    return _file(path, connection.scalars(select(Sound.sha256).where(Sound.id == sound_id)).one())


def _file(path: Path, digest: bytes) -> SoundFile:
    if not path.is_file():
        raise UnknownThing("the file of this sound is missing")
    guessed = _MEDIA_TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or _UNKNOWN_TYPE
    # Whatever a service calls its file, no browser takes it for a page.
    is_media = guessed.startswith(("audio/", "video/"))
    return SoundFile(path=path, media_type=guessed if is_media else _UNKNOWN_TYPE, digest=digest.hex())


def want_renditions(
    runtime: Runtime,
    connection: Connection,
    person_id: int,
    now: datetime,
    *,
    sound_ids: Sequence[int] | None = None,
    kind: SoundKind | None = None,
    profile: str | None = None,
    force: bool = False,
) -> Wanted:
    """Have a person's sounds made evenly loud: some, or all of a kind; with `force` also those that are already.

    Without a profile effects are rendered as `effects`, and all others as `podcast`. Raises `FfmpegMissing` where there
    is no ffmpeg, `UsageError` for a profile that is none, `QuotaError` where the person's plan has no room for more.
    """
    surroundings(runtime).ffmpeg()
    named = None if profile is None else profile_of(runtime, profile)
    check_room(connection, person_id)
    wish = EVERY if kind is None else SoundFilter(kind=kind)
    chosen = {
        line.id: named or ("effects" if line.kind == "effect" else "podcast")
        for line in load_sounds(connection, person_id, wish)
        if (sound_ids is None or line.id in sound_ids) and not line.is_missing
    }
    for name in sorted(set(chosen.values())):
        ids = [sound_id for sound_id, wanted in chosen.items() if wanted == name]
        renditions.want(connection, ids, name, now, anew=force)
    return Wanted(chosen=chosen, waiting=_waiting(connection, chosen))


def _waiting(connection: Connection, chosen: dict[int, str]) -> list[int]:
    query = select(Rendition.id, Rendition.sound_id, Rendition.profile).where(
        Rendition.sound_id.in_(chosen), Rendition.state.in_(["pending", "rendering"])
    )
    rows = connection.execute(query.order_by(Rendition.id)).all()
    return [row.id for row in rows if chosen[row.sound_id] == row.profile]
