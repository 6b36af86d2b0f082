"""What commands show of sounds: which there are, all that is known of some, and which a person means."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from models import Channel, Episode, Play, Playlist, PlaylistSound, Rendition, Show, Sound, SoundFile, SoundFolder
from models.errors import UnknownThing, UsageError
from models.moments import Moment
from models.names import name_key, nearest
from models.printable import NAME_LENGTH, on_a_line
from pipeline.sound.records import SoundKind

# PostgreSQL counts no further.
_GREATEST = 2**63 - 1
_SHORTEST_PUBLIC_ID = 8
_CHOICES = 5
_MUTED: ColumnElement[float] = literal_column(
    "(SELECT coalesce(sum((part->>'seconds')::float8), 0) FROM jsonb_array_elements(sounds.muted) AS part)", Double()
)

_SINCE = func.coalesce(Sound.published_at, Sound.added_at)


class SoundFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which sounds are wanted: all that it says must hold. Those that were removed are never among them."""

    kind: SoundKind | None = None
    tag: str | None = None
    # In the title, the artist, or another title of the same bytes.
    text: str | None = None
    show: int | None = None
    playlist: int | None = None
    is_missing: bool = False
    # Those without a rendition that is ready.
    is_unrendered: bool = False


EVERY = SoundFilter()


class SoundLine(msgspec.Struct, frozen=True, kw_only=True):
    """A sound as lists have it; times are UTC, `seconds` of the original, loudness in LUFS as `renditions` have it.

    `is_missing` says that its file is gone. `muted_seconds` is None where nobody knows whether some of it is muted.
    `id` is called `sound` outside.
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
    chapters: int
    muted_seconds: float | None
    shows: list[str]
    playlists: list[str]
    plays: int
    renditions: dict[str, str]
    is_missing: bool


class RenditionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A rendition of a sound as `models.sounds.Rendition` has it, without what is of the work on it."""

    profile: str
    state: str
    mode: str | None
    codec: str | None
    bitrate: int | None
    path: str | None
    size: int | None
    seconds: float | None
    integrated_before: float | None
    true_peak_before: float | None
    range_before: float | None
    integrated_after: float | None
    true_peak_after: float | None
    range_after: float | None
    note: str | None
    error: str | None
    rendered_at: Moment | None


class SoundDetails(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a sound: `original` is below the data directory, `files` are in a person's own folders."""

    line: SoundLine
    external_id: str | None
    webpage_url: str | None
    description: str | None
    language: str | None
    aliases: list[str]
    original: str | None
    sha256: str
    chapters: list[dict[str, Any]]
    muted: list[dict[str, Any]] | None
    transcripts: list[dict[str, Any]]
    files: list[str]
    renditions: list[RenditionLine]


def load_sounds(
    connection: Connection,
    person_id: int,
    wish: SoundFilter = EVERY,
    limit: int | None = None,
) -> list[SoundLine]:
    """Return a person's sounds, the newest first; those of a playlist in its order."""
    query = _lines().where(Sound.person_id == person_id, *_conditions(wish))
    if wish.playlist is not None:
        query = query.join(PlaylistSound, PlaylistSound.sound_id == Sound.id)
        query = query.where(PlaylistSound.playlist_id == wish.playlist).order_by(PlaylistSound.position, Sound.id)
    else:
        query = query.order_by(_SINCE.desc(), Sound.id.desc())
    return [SoundLine(**row) for row in connection.execute(query.limit(limit)).mappings()]


def load_newest(
    connection: Connection, person_id: int, wish: SoundFilter, limit: int, after: tuple[datetime, int] | None = None
) -> list[SoundLine]:
    """Return a page of a person's sounds, the newest first whatever holds them; `after` is `key_of` the last one."""
    query = _lines().where(Sound.person_id == person_id, *_conditions(wish)).order_by(_SINCE.desc(), Sound.id.desc())
    if wish.playlist is not None:
        listed = select(PlaylistSound.sound_id).where(PlaylistSound.playlist_id == wish.playlist)
        query = query.where(Sound.id.in_(listed))
    if after is not None:
        query = query.where(tuple_(_SINCE, Sound.id) < tuple_(*after))
    return [SoundLine(**row) for row in connection.execute(query.limit(limit)).mappings()]


def key_of(line: SoundLine) -> tuple[datetime, int]:
    """Return by what a sound has its place among the newest."""
    return line.published_at or line.added_at, line.id


class PlacedSound(msgspec.Struct, frozen=True, kw_only=True):
    """A sound on a playlist; `position` orders them, compared byte by byte."""

    position: str
    line: SoundLine


def load_placed(
    connection: Connection, person_id: int, playlist_id: int, limit: int, after: tuple[str, int] | None = None
) -> list[PlacedSound]:
    """Return a page of a playlist in its order; `after` is position and number of the last one of the page before."""
    query = (
        _lines()
        .add_columns(PlaylistSound.position)
        .join(PlaylistSound, PlaylistSound.sound_id == Sound.id)
        .where(Sound.person_id == person_id, Sound.removed_at.is_(None), PlaylistSound.playlist_id == playlist_id)
        .order_by(PlaylistSound.position, Sound.id)
    )
    if after is not None:
        position, sound_id = after
        place = tuple_(PlaylistSound.position, Sound.id)
        query = query.where(place > tuple_(literal(position, PlaylistSound.position.type), sound_id))
    placed = []
    for row in connection.execute(query.limit(limit)).mappings():
        values = dict(row)
        placed.append(PlacedSound(position=values.pop("position"), line=SoundLine(**values)))
    return placed


def load_details(connection: Connection, sound_id: int) -> SoundDetails:
    """Return all that is known of a sound; raises `UnknownThing` where there is none of that number."""
    line = connection.execute(_lines().where(Sound.id == sound_id)).mappings().one_or_none()
    if line is None:
        raise _unknown(str(sound_id), [])
    row = connection.execute(select(Sound.__table__).where(Sound.id == sound_id)).mappings().one()
    same = ("external_id", "webpage_url", "description", "language", "aliases", "original", "chapters", "muted")
    renditions = select(*(getattr(Rendition, name) for name in RenditionLine.__struct_fields__))
    of_sound = renditions.where(Rendition.sound_id == sound_id).order_by(Rendition.profile)
    return SoundDetails(
        line=SoundLine(**line),
        **{name: row[name] for name in same},
        transcripts=row["transcripts"],
        sha256=row["sha256"].hex(),
        files=_files(connection, sound_id),
        renditions=[RenditionLine(**each) for each in connection.execute(of_sound).mappings()],
    )


def sounds_named(connection: Connection, person_id: int, names: Sequence[str]) -> list[int]:
    """Return the sounds that a person means, in that order: by number, `public_id`, title, or a part of a title.

    Raises `UsageError` with the choices where one may be several, `UnknownThing` with the nearest titles where it is
    none.
    """
    return list(dict.fromkeys(_named(connection, person_id, name) for name in names))


def _named(connection: Connection, person_id: int, name: str) -> int:
    mine = select(Sound.id, Sound.title).where(Sound.person_id == person_id, Sound.removed_at.is_(None))
    if name.isascii() and name.isdigit() and int(name) <= _GREATEST:
        numbered = connection.execute(mine.where(Sound.id == int(name))).all()
        if numbered:
            return int(numbered[0].id)
    if len(name) >= _SHORTEST_PUBLIC_ID and _is_hexadecimal(name):
        public = connection.execute(mine.where(cast(Sound.public_id, Text).startswith(name.lower()))).all()
        if len(public) == 1:
            return int(public[0].id)
    titled = connection.execute(mine.order_by(Sound.id)).all()
    key = name_key(name)
    for matching in (
        [row for row in titled if row.title == name],
        [row for row in titled if name_key(row.title) == key],
        [row for row in titled if key and key in name_key(row.title)],
    ):
        if len(matching) == 1:
            return int(matching[0].id)
        if matching:
            shown = ", ".join(f"{row.id} ({on_a_line(row.title, NAME_LENGTH)})" for row in matching[:_CHOICES])
            more = f" and {len(matching) - _CHOICES} more" if len(matching) > _CHOICES else ""
            raise UsageError(f"{on_a_line(name, NAME_LENGTH)!r} may be several sounds: {shown}{more}; give a number")
    raise _unknown(name, [row.title for row in titled])


def _is_hexadecimal(name: str) -> bool:
    try:
        UUID(name.replace("-", "").ljust(32, "0"))
    except ValueError:
        return False
    return True


def _unknown(name: str, titles: Sequence[str]) -> UnknownThing:
    near = nearest(name, titles)
    meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else "; `lootwire sounds` shows them"
    return UnknownThing(f"there is no sound {on_a_line(name, NAME_LENGTH)!r}{meant}")


def _conditions(wish: SoundFilter) -> list[Any]:
    conditions: list[Any] = [Sound.removed_at.is_(None)]
    if wish.kind is not None:
        conditions.append(Sound.kind == wish.kind)
    if wish.tag is not None:
        conditions.append(Sound.tags.contains([wish.tag]))
    if wish.text:
        is_in = [column.icontains(wish.text, autoescape=True) for column in (Sound.title, Sound.artist)]
        aliases = func.array_to_string(Sound.aliases, "\n")
        conditions.append(or_(*is_in, aliases.icontains(wish.text, autoescape=True)))
    if wish.show is not None:
        episodes = select(Episode.sound_id).where(Episode.show_id == wish.show, Episode.kept_out_at.is_(None))
        conditions.append(Sound.id.in_(episodes))
    if wish.is_missing:
        conditions.append(Sound.missing_at.is_not(None))
    if wish.is_unrendered:
        ready = select(Rendition.id).where(Rendition.sound_id == Sound.id, Rendition.state == "ready")
        conditions.append(~ready.exists())
    return conditions


def _lines() -> Select[*tuple[Any, ...]]:
    plays = select(func.count()).where(Play.sound_id == Sound.id).scalar_subquery()
    return select(
        Sound.id,
        Sound.public_id,
        Sound.kind,
        Sound.title,
        Sound.artist,
        func.coalesce(Channel.display_name, Channel.login).label("channel"),
        Sound.service,
        Sound.seconds,
        Sound.size,
        Sound.codec,
        Sound.tags,
        Sound.published_at,
        Sound.added_at,
        func.jsonb_array_length(Sound.chapters).label("chapters"),
        case((func.jsonb_typeof(Sound.muted) == "array", _MUTED)).label("muted_seconds"),
        _names(Show, Episode.show_id == Show.id, Episode, Episode.kept_out_at.is_(None)).label("shows"),
        _names(Playlist, PlaylistSound.playlist_id == Playlist.id, PlaylistSound).label("playlists"),
        plays.label("plays"),
        _renditions().label("renditions"),
        Sound.missing_at.is_not(None).label("is_missing"),
    ).outerjoin(Channel, Channel.id == Sound.channel_id)


def _names(table: Any, on: Any, between: Any, *where: Any) -> Any:
    """Return the names of the shows or playlists that a sound is on."""
    named = (
        select(func.array_agg(aggregate_order_by(table.name, table.name_key)))
        .select_from(table)
        .join(between, on)
        .where(between.sound_id == Sound.id, table.removed_at.is_(None), *where)
        .correlate(Sound)
    )
    return func.coalesce(named.scalar_subquery(), cast([], Sound.tags.type))


def _renditions() -> Any:
    """Return the states of a sound's renditions by their profiles."""
    states = select(func.jsonb_object_agg(Rendition.profile, Rendition.state)).where(Rendition.sound_id == Sound.id)
    return func.coalesce(states.correlate(Sound).scalar_subquery(), cast({}, JSONB))


def _files(connection: Connection, sound_id: int) -> list[str]:
    query = (
        select(SoundFolder.shown + "/" + SoundFile.shown)
        .select_from(SoundFile)
        .join(SoundFolder, SoundFolder.id == SoundFile.folder_id)
        .where(
            and_(SoundFile.sound_id == sound_id, SoundFile.missing_since.is_(None), SoundFolder.removed_at.is_(None))
        )
        .order_by(SoundFolder.shown, SoundFile.shown)
    )
    return list(connection.scalars(query))
