"""Forgetting a person: what is theirs alone goes, what others want too becomes theirs.

It takes three steps, so that files go with their rows and a kill in between leaves something that can be repeated:
`let_go` hands over and closes, whoever has files deletes them, `forget` deletes the rows. Which rows are a person's is
read off the tables: those with a `person_id`, and all that hang on them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)

from models import (
    ApiKey,
    Base,
    Episode,
    Event,
    Extraction,
    Feed,
    FeedItem,
    Follow,
    GameList,
    LibraryEntry,
    Link,
    Playlist,
    PlaylistSound,
    RomFolder,
    Show,
    Sound,
    SoundFile,
    SoundFolder,
    Subscription,
    Target,
    Unpublished,
)
from models.people import OWNER_ID
from notifiers.due import lock_targets
from pipeline.people.store.people import LastOwner, disable_person, refuse_last_owner

_PERSON = bindparam("person_id", type_=BigInteger)


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """What goes with a person; files in folders of their own are only ever read, and stay."""

    keys: int
    targets: int
    subscriptions: int
    follows: int
    library_entries: int
    lists: int
    links: int
    sounds: int
    # Sounds that others have too, and that become theirs.
    sounds_handed_over: int
    shows: int
    playlists: int
    rom_folders: int
    events: int


def look_at_removal(connection: Connection, person_id: int) -> Removal:
    """Return what goes with a person. Raises `LastOwner` for somebody whom the installation cannot do without."""
    _refuse(connection, person_id, only_looks=True)
    counted: dict[str, Sequence[Any]] = {
        "keys": (ApiKey, ApiKey.revoked_at.is_(None)),
        "targets": (Target, Target.removed_at.is_(None)),
        "subscriptions": (Subscription,),
        "follows": (Follow,),
        "library_entries": (LibraryEntry,),
        "lists": (GameList,),
        "links": (Link, Link.revoked_at.is_(None)),
        "sounds": (Sound, Sound.removed_at.is_(None), ~_of_others()),
        "sounds_handed_over": (Sound, Sound.removed_at.is_(None), _of_others()),
        "shows": (Show, Show.removed_at.is_(None)),
        "playlists": (Playlist, Playlist.removed_at.is_(None)),
        "rom_folders": (RomFolder,),
        "events": (Event,),
    }
    counts = {
        name: select(func.count())
        .select_from(table)
        .where(table.person_id == _PERSON, *conditions)
        .scalar_subquery()
        .label(name)
        for name, (table, *conditions) in counted.items()
    }
    row = connection.execute(select(*counts.values()), {"person_id": person_id}).one()
    return Removal(**row._asdict())


def let_go(connection: Connection, person_id: int, now: datetime) -> None:
    """Hand over what others want too, and close the rest: no key is valid, nothing is sent, sounds may be freed.

    Raises `LastOwner`.
    """
    _refuse(connection, person_id)
    disable_person(connection, person_id, now)
    of_person = {"person_id": person_id}
    connection.execute(_HAND_OVER_EXTRACTIONS, of_person)
    connection.execute(_HAND_OVER_SOUNDS, of_person)
    goes_on = (Extraction.person_id == person_id) & Extraction.state.in_(["pending", "processing"])
    cancelled = {"state": "cancelled", "fence": Extraction.fence + 1, "lease_until": None, "lease_token": None}
    connection.execute(update(Extraction).where(goes_on).values(cancelled | {"finished_at": now}))
    for table in (Sound, Show, Playlist):
        stays = update(table).where(table.person_id == person_id, table.removed_at.is_(None))
        connection.execute(stays.values(removed_at=now))


def artwork_of_shows(connection: Connection, person_id: int) -> list[str]:
    """Return the pictures of a person's shows, below the data directory, that no other row names."""
    other = Show.__table__.alias()
    is_shared = or_(
        exists().where(other.c.artwork == Show.artwork, other.c.person_id != person_id),
        exists().where(Sound.artwork == Show.artwork),
    )
    own = select(Show.artwork).where(Show.person_id == person_id, Show.artwork.is_not(None), ~is_shared)
    return [path for path in connection.scalars(own) if path]


def forget(connection: Connection, person_id: int) -> None:
    """Delete a person with all rows that are theirs, their ledger and their part of the audit log too.

    Their closed private addresses stay, as digests that nobody can read, until a publish has taken the files away:
    then they open nothing still.
    """
    _refuse(connection, person_id)
    # Before the deliveries, as a sender that settles does, so that neither waits for the other for ever.
    lock_targets(connection, list(connection.scalars(select(Target.id).where(Target.person_id == person_id))))
    # The trigger of the append-only tables lets this person's rows go in this transaction.
    connection.execute(select(func.set_config("lootwire.forgets_person", str(person_id), True)))
    feeds = select(Feed.id).where(or_(*(column.in_(_own(table)) for column, table in _FEEDS)))
    events = select(Event.id).where(Event.person_id == _PERSON)
    of_person: Mapping[str, Any] = {"person_id": person_id}
    connection.execute(
        delete(FeedItem).where(or_(FeedItem.feed_id.in_(feeds), FeedItem.event_id.in_(events))), of_person
    )
    connection.execute(delete(Unpublished).where(Unpublished.event_id.in_(events)), of_person)
    connection.execute(_FORGET_WAKES, of_person)
    connection.execute(delete(Feed).where(Feed.id.in_(feeds)), of_person)
    closed = {"person_id": OWNER_ID, "revoked_at": func.coalesce(Link.revoked_at, func.now())}
    connection.execute(update(Link).where(Link.person_id == person_id).values(closed))
    for table, is_own in _rows_of_a_person():
        connection.execute(delete(table).where(is_own), of_person)


def _refuse(connection: Connection, person_id: int, *, only_looks: bool = False) -> None:
    if person_id == OWNER_ID:
        raise LastOwner("the first owner cannot be deleted: commands act for this person, and what is old is theirs")
    refuse_last_owner(connection, person_id, "deleted", only_looks=only_looks)


def _own(table: Any) -> Any:
    return select(table.id).where(table.person_id == _PERSON)


_FEEDS = ((Feed.link_id, Link), (Feed.show_id, Show), (Feed.playlist_id, Playlist))


@cache
def _rows_of_a_person() -> list[tuple[Table, ColumnElement[bool]]]:
    """Return the tables with the condition that a row is the person's (`person_id`), in the order of deleting."""
    own: dict[Table, ColumnElement[bool]] = {}
    for table in Base.metadata.sorted_tables:
        conditions = [] if "person_id" not in table.c else [table.c.person_id == _PERSON]
        if table.name == "people":
            conditions = [table.c.id == _PERSON]
        for key in table.foreign_keys:
            parent = key.column.table
            if parent in own and parent.name != "people":
                conditions.append(key.parent.in_(select(key.column).where(own[parent])))
        if conditions:
            own[table] = or_(*conditions)
    return list(reversed(own.items()))


def _of_others() -> ColumnElement[bool]:
    """Return the condition that others have a sound too: on a playlist, in a show, as a file, or as they fetched it."""
    others = (
        select(Playlist.id)
        .join(PlaylistSound, PlaylistSound.playlist_id == Playlist.id)
        .where(PlaylistSound.sound_id == Sound.id, Playlist.person_id != _PERSON, Playlist.removed_at.is_(None)),
        select(Show.id)
        .join(Episode, Episode.show_id == Show.id)
        .where(Episode.sound_id == Sound.id, Show.person_id != _PERSON, Episode.kept_out_at.is_(None)),
        select(SoundFolder.id)
        .join(SoundFile, SoundFile.folder_id == SoundFolder.id)
        .where(SoundFile.sound_id == Sound.id, SoundFolder.person_id != _PERSON),
        select(Extraction.id).where(Extraction.sound_id == Sound.id, Extraction.person_id != _PERSON),
    )
    return or_(*(query.correlate(Sound).exists() for query in others))


_HAND_OVER_EXTRACTIONS = text(
    """
    UPDATE extractions SET person_id = other.person_id FROM (
        SELECT e.extraction_id, min(s.person_id) AS person_id FROM episodes e JOIN shows s ON s.id = e.show_id
        WHERE s.person_id <> :person_id AND s.removed_at IS NULL GROUP BY e.extraction_id
    ) AS other
    WHERE extractions.id = other.extraction_id AND extractions.person_id = :person_id
    """
)
_HAND_OVER_SOUNDS = text(
    """
    UPDATE sounds SET person_id = other.person_id FROM (
        SELECT sound_id, min(person_id) AS person_id FROM (
            SELECT ps.sound_id, p.person_id FROM playlist_sounds ps JOIN playlists p ON p.id = ps.playlist_id
            WHERE p.removed_at IS NULL
            UNION ALL SELECT e.sound_id, s.person_id FROM episodes e JOIN shows s ON s.id = e.show_id
            WHERE e.kept_out_at IS NULL AND e.sound_id IS NOT NULL
            UNION ALL SELECT f.sound_id, d.person_id FROM sound_files f JOIN sound_folders d ON d.id = f.folder_id
            WHERE f.sound_id IS NOT NULL
            UNION ALL SELECT x.sound_id, x.person_id FROM extractions x WHERE x.sound_id IS NOT NULL
        ) AS wanting WHERE person_id <> :person_id GROUP BY sound_id
    ) AS other
    WHERE sounds.id = other.sound_id AND sounds.person_id = :person_id
    """
)
_FORGET_WAKES = text("DELETE FROM wakes WHERE target_id IN (SELECT id FROM targets WHERE person_id = :person_id)")
