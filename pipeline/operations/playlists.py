"""Playlists: made, filled in a person's order, published as podcasts."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from feeds.podcasts.marking import mark_playlists
from models.errors import UsageError
from models.moments import Moment
from models.printable import NAME_LENGTH, on_a_line
from pipeline.operations.sounds import own_sound, profile_of
from pipeline.runtime.runtime import Runtime
from pipeline.sound.listing.sounds import PlacedSound, SoundFilter, load_placed, load_sounds
from pipeline.sound.store import playlists as store
from pipeline.sound.store import renditions


class PlaylistAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A person's playlist; `sounds` is how many are on it, `public` says whether everybody may find its podcast."""

    id: int = msgspec.field(name="playlist")
    public_id: str
    name: str
    description: str | None
    profile: str
    is_public: bool
    added_at: Moment
    sounds: int
    public: bool


class PlaylistChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What of a playlist is to be another; what is not given stays. An empty `description` is none."""

    name: str | None = None
    description: str | None = None
    profile: str | None = None
    public: bool | None = None


class PlaceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A sound on a playlist, and its place; 1 is the first."""

    place: int
    sound: int
    title: str


class PlaylistOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is on a playlist now, in its order."""

    playlist: str
    order: list[PlaceLine]


def list_playlists(connection: Connection, person_id: int) -> list[PlaylistAnswer]:
    """Return a person's playlists by their names."""
    return list(map(_answer, store.list_playlists(connection, person_id)))


def find_playlist(connection: Connection, person_id: int, name: str) -> PlaylistAnswer:
    """Return a person's playlist by its name, or its number; raises `UnknownThing` where it is none of theirs."""
    if name.isascii() and name.isdecimal():
        for playlist in store.list_playlists(connection, person_id):
            if str(playlist.id) == name:
                return _answer(playlist)
    return _answer(store.playlist_named(connection, person_id, name))


def create_playlist(
    runtime: Runtime,
    connection: Connection,
    person_id: int,
    now: datetime,
    name: str,
    *,
    description: str | None = None,
    profile: str | None = None,
    public: bool = False,
) -> PlaylistAnswer:
    """Make a playlist; one of that name that was removed is there again, with its sounds.

    Raises `UsageError` where there is one of that name, or the name or the profile is none.
    """
    made = store.create_playlist(
        connection,
        name,
        person_id=person_id,
        now=now,
        description=description,
        profile=profile_of(runtime, profile),
        is_public=public,
    )
    return _answer(made)


def change_playlist(
    runtime: Runtime, connection: Connection, playlist_id: int, now: datetime, changes: PlaylistChanges
) -> PlaylistAnswer:
    """Change what a playlist is called, says of itself, how loud it is, and who may find it.

    Raises `UsageError` where the new name is taken, or the profile is none.
    """
    values: dict[str, object] = {
        "name": changes.name,
        "description": changes.description,
        "profile": None if changes.profile is None else profile_of(runtime, changes.profile),
        "is_public": changes.public,
    }
    wanted = {column: value or None if column == "description" else value for column, value in values.items()}
    given = {column: value for column, value in wanted.items() if values[column] is not None}
    changed = store.change_playlist(connection, playlist_id, **given)
    if changes.profile is not None:
        renditions.want(connection, store.load_order(connection, playlist_id), changed.profile, now)
    mark_playlists(connection, [playlist_id])
    return _answer(changed)


def remove_playlist(connection: Connection, playlist_id: int, now: datetime) -> None:
    """Remove a playlist and its podcast; its sounds stay."""
    store.remove_playlist(connection, playlist_id, now)


def list_order(
    connection: Connection, person_id: int, playlist_id: int, limit: int, after: tuple[str, int] | None = None
) -> list[PlacedSound]:
    """Return a page of a playlist in its order; `after` is position and number of the last one of the page before."""
    return load_placed(connection, person_id, playlist_id, limit, after)


def add_sounds(
    connection: Connection,
    person_id: int,
    playlist: PlaylistAnswer,
    sound_ids: Sequence[int],
    now: datetime,
    *,
    at: int | None = None,
) -> PlaylistOrder:
    """Put a person's sounds on a playlist in this order, at its end or at a place; one that is on it moves there.

    Raises `UnknownThing` for a sound that is not theirs.
    """
    mine = [own_sound(connection, person_id, sound_id) for sound_id in sound_ids]
    store.put_sounds(connection, playlist.id, mine, now, at=at)
    renditions.want(connection, mine, playlist.profile, now)
    return _order(connection, person_id, playlist)


def move_sound(
    connection: Connection, person_id: int, playlist: PlaylistAnswer, sound_id: int, place: int, now: datetime
) -> PlaylistOrder:
    """Move a sound to a place on its playlist; raises `UsageError` where it is not on it."""
    own_sound(connection, person_id, sound_id)
    if sound_id not in store.load_order(connection, playlist.id):
        name = on_a_line(playlist.name, NAME_LENGTH)
        raise UsageError(f"sound {sound_id} is not on {name}: lootwire playlists add puts it there")
    store.put_sounds(connection, playlist.id, [sound_id], now, at=place)
    return _order(connection, person_id, playlist)


def take_off(
    connection: Connection, person_id: int, playlist: PlaylistAnswer, sound_ids: Sequence[int]
) -> PlaylistOrder:
    """Take sounds off a playlist; they stay among the person's sounds."""
    # Before they go: afterwards no playlist would name them.
    mark_playlists(connection, [playlist.id])
    store.take_off(connection, playlist.id, [own_sound(connection, person_id, sound_id) for sound_id in sound_ids])
    return _order(connection, person_id, playlist)


def _order(connection: Connection, person_id: int, playlist: PlaylistAnswer) -> PlaylistOrder:
    mark_playlists(connection, [playlist.id])
    lines = load_sounds(connection, person_id, SoundFilter(playlist=playlist.id))
    order = [PlaceLine(place=place, sound=line.id, title=line.title) for place, line in enumerate(lines, 1)]
    return PlaylistOrder(playlist=playlist.name, order=order)


def _answer(row: store.PlaylistRow) -> PlaylistAnswer:
    same = {name: getattr(row, name) for name in PlaylistAnswer.__struct_fields__ if name != "public"}
    return PlaylistAnswer(**same, public=row.is_public)
