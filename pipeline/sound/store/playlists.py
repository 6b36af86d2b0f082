"""Playlists, and the sounds on them in a person's order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, RowMapping, Table, delete, func, insert, select, update

from models import Playlist, PlaylistSound
from models.errors import UnknownThing, UsageError
from models.names import name_key, nearest
from models.printable import NAME_LENGTH, on_a_line
from pipeline.sound.store.positions import places_between

_TABLE: Table = Playlist.__table__  # type: ignore[assignment]
LONGEST_NAME = 200


class PlaylistRow(msgspec.Struct, frozen=True, kw_only=True):
    """A playlist as it is stored; `sounds` is how many are on it."""

    id: int
    public_id: str
    person_id: int
    name: str
    description: str | None
    profile: str
    is_public: bool
    added_at: datetime
    sounds: int


def create_playlist(
    connection: Connection,
    name: str,
    *,
    person_id: int,
    now: datetime,
    description: str | None = None,
    profile: str = "podcast",
    is_public: bool = False,
) -> PlaylistRow:
    """Make a playlist, empty at first; one of that name that was removed is there again, with what was on it.

    Raises `UsageError` where the person has one of that name, or the name is none.
    """
    written = _checked_name(name)
    known = _of_key(connection, person_id, name_key(written))
    values = {"name": written, "description": description or None, "profile": profile, "is_public": is_public}
    if known is not None and known["removed_at"] is None:
        raise UsageError(f"there is a playlist {on_a_line(known['name'], NAME_LENGTH)!r} already")
    if known is not None:
        connection.execute(update(Playlist).where(Playlist.id == known["id"]).values(removed_at=None, **values))
        return load_playlist(connection, known["id"])
    row = {"public_id": str(uuid4()), "person_id": person_id, "name_key": name_key(written), "added_at": now, **values}
    return load_playlist(connection, connection.scalars(insert(Playlist).returning(Playlist.id), row).one())


def change_playlist(connection: Connection, playlist_id: int, **values: Any) -> PlaylistRow:
    """Write some of a playlist's columns; a new `name` must be free. Raises `UsageError` where it is not."""
    if "name" in values:
        values["name"] = _checked_name(values["name"])
        values["name_key"] = name_key(values["name"])
        person_id = connection.scalars(select(Playlist.person_id).where(Playlist.id == playlist_id)).one()
        known = _of_key(connection, person_id, values["name_key"])
        if known is not None and known["id"] != playlist_id:
            gone = "" if known["removed_at"] is None else ", which was removed"
            raise UsageError(
                f"there is a playlist {on_a_line(known['name'], NAME_LENGTH)!r}{gone}; choose another name"
            )
    if values:
        connection.execute(update(Playlist).where(Playlist.id == playlist_id).values(values))
    return load_playlist(connection, playlist_id)


def remove_playlist(connection: Connection, playlist_id: int, now: datetime) -> None:
    """Remove a playlist; its sounds stay, and so do its rows, by which it can be there again."""
    connection.execute(update(Playlist).where(Playlist.id == playlist_id).values(removed_at=now))


def list_playlists(connection: Connection, person_id: int | None = None) -> list[PlaylistRow]:
    """Return the playlists of a person, or of all, by their names."""
    query = _query().order_by(Playlist.name_key, Playlist.id)
    if person_id is not None:
        query = query.where(Playlist.person_id == person_id)
    return [_playlist(row) for row in connection.execute(query).mappings()]


def load_playlist(connection: Connection, playlist_id: int) -> PlaylistRow:
    """Return a playlist by its row's number."""
    return _playlist(connection.execute(_query().where(Playlist.id == playlist_id)).mappings().one())


def playlist_named(connection: Connection, person_id: int, name: str) -> PlaylistRow:
    """Return a person's playlist by its name, however it is spelt; raises `UnknownThing` with the nearest names."""
    playlists = list_playlists(connection, person_id)
    for playlist in playlists:
        if name_key(playlist.name) == name_key(name):
            return playlist
    near = nearest(name, [playlist.name for playlist in playlists])
    meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    way_out = "" if near else "; `lootwire playlists` shows them, `lootwire playlists create NAME` makes one"
    raise UnknownThing(f"there is no playlist {on_a_line(name, NAME_LENGTH)!r}{meant}{way_out}")


def load_order(connection: Connection, playlist_id: int) -> list[int]:
    """Return the sounds on a playlist in their order."""
    return [sound_id for sound_id, _ in _places(connection, playlist_id)]


def put_sounds(
    connection: Connection, playlist_id: int, sound_ids: Sequence[int], now: datetime, *, at: int | None = None
) -> list[int]:
    """Put sounds on a playlist in this order, at its end or so that the first has the place `at`, from 1 on.

    A sound that is on it already moves there. Returns the new order. One write for each sound, whatever its place.
    """
    lock_playlist(connection, playlist_id)
    wanted = list(dict.fromkeys(sound_ids))
    known = _places(connection, playlist_id)
    others = [(sound_id, place) for sound_id, place in known if sound_id not in set(wanted)]
    spot = len(others) if at is None else min(max(at, 1) - 1, len(others))
    before = others[spot - 1][1] if spot else None
    after = others[spot][1] if spot < len(others) else None
    for place, sound_id in zip(places_between(before, after, len(wanted)), wanted, strict=True):
        _put(connection, playlist_id, sound_id, place, now)
    return load_order(connection, playlist_id)


def take_off(connection: Connection, playlist_id: int, sound_ids: Sequence[int]) -> int:
    """Take sounds off a playlist; returns how many were on it."""
    lock_playlist(connection, playlist_id)
    gone = delete(PlaylistSound).where(PlaylistSound.playlist_id == playlist_id, PlaylistSound.sound_id.in_(sound_ids))
    return len(connection.scalars(gone.returning(PlaylistSound.sound_id)).all())


def lock_playlist(connection: Connection, playlist_id: int) -> None:
    """Let nobody else change what is on a playlist until the transaction ends: places are made of those beside them."""
    connection.execute(select(Playlist.id).where(Playlist.id == playlist_id).with_for_update())


def _put(connection: Connection, playlist_id: int, sound_id: int, place: str, now: datetime) -> None:
    moved = update(PlaylistSound).where(PlaylistSound.playlist_id == playlist_id, PlaylistSound.sound_id == sound_id)
    if not connection.execute(moved.values(position=place)).rowcount:
        row = {"playlist_id": playlist_id, "sound_id": sound_id, "position": place, "added_at": now}
        connection.execute(insert(PlaylistSound).values(row))


def _places(connection: Connection, playlist_id: int) -> list[tuple[int, str]]:
    query = (
        select(PlaylistSound.sound_id, PlaylistSound.position)
        .where(PlaylistSound.playlist_id == playlist_id)
        .order_by(PlaylistSound.position, PlaylistSound.sound_id)
    )
    return [(sound_id, position) for sound_id, position in connection.execute(query)]


def _of_key(connection: Connection, person_id: int, key: str) -> RowMapping | None:
    query = select(_TABLE).where(Playlist.person_id == person_id, Playlist.name_key == key)
    return connection.execute(query).mappings().one_or_none()


def _checked_name(name: str) -> str:
    written = " ".join(name.split())
    if not written or len(written) > LONGEST_NAME:
        raise UsageError(f"a playlist's name has 1 to {LONGEST_NAME} characters")
    return written


def _query() -> Any:
    count = select(func.count()).where(PlaylistSound.playlist_id == Playlist.id).correlate(Playlist).scalar_subquery()
    return select(_TABLE, count.label("sounds")).where(Playlist.removed_at.is_(None))


def _playlist(row: RowMapping) -> PlaylistRow:
    return msgspec.convert({name: row[name] for name in PlaylistRow.__struct_fields__}, PlaylistRow)
