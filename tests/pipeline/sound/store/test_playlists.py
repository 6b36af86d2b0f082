"""Playlists, and the order of what is on them."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, insert, select

from models import Play, PlaylistSound, Sound
from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.sound.store import playlists
from pipeline.sound.store.playlists import PlaylistRow
from pipeline.sound.store.plays import note_play
from tests.feeds.world import NOON


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection on which there are six sounds, from 1 to 6."""
    with engine.begin() as connection:
        rows = [
            {
                "public_id": str(uuid4()),
                "kind": "effect",
                "sha256": b"%d" % n,
                "size": 1,
                "title": f"{n}",
                "added_at": NOON,
            }
            for n in range(1, 7)
        ]
        connection.execute(insert(Sound), rows)
        yield connection


@pytest.fixture
def drive(connection: Connection) -> PlaylistRow:
    return playlists.create_playlist(connection, "For the Drive", person_id=OWNER_ID, now=NOON)


def test_sounds_stand_in_the_order_in_which_they_were_put(connection: Connection, drive: PlaylistRow) -> None:
    assert playlists.put_sounds(connection, drive.id, [3, 1, 2], NOON) == [3, 1, 2]
    assert playlists.put_sounds(connection, drive.id, [4, 5], NOON, at=2) == [3, 4, 5, 1, 2]
    assert playlists.put_sounds(connection, drive.id, [6], NOON, at=1) == [6, 3, 4, 5, 1, 2]
    assert playlists.load_playlist(connection, drive.id).sounds == 6


def test_a_sound_that_is_there_already_moves_and_only_its_row_changes(
    connection: Connection, drive: PlaylistRow
) -> None:
    playlists.put_sounds(connection, drive.id, [1, 2, 3, 4], NOON)
    before = dict(connection.execute(select(PlaylistSound.sound_id, PlaylistSound.position)).all())

    assert playlists.put_sounds(connection, drive.id, [4], NOON, at=2) == [1, 4, 2, 3]
    assert playlists.put_sounds(connection, drive.id, [4], NOON, at=99) == [1, 2, 3, 4]

    after = dict(connection.execute(select(PlaylistSound.sound_id, PlaylistSound.position)).all())
    assert {id_ for id_ in after if after[id_] != before[id_]} <= {4}
    assert playlists.take_off(connection, drive.id, [1, 4, 6]) == 2
    assert playlists.load_order(connection, drive.id) == [2, 3]


def test_a_playlist_is_meant_however_it_is_spelt_and_the_nearest_is_named(
    connection: Connection, drive: PlaylistRow
) -> None:
    assert playlists.playlist_named(connection, OWNER_ID, "for the drive").id == drive.id
    with pytest.raises(UsageError, match="did you mean 'For the Drive'"):
        playlists.playlist_named(connection, OWNER_ID, "For the Drvie")
    with pytest.raises(UsageError, match="lootwire playlists create"):
        playlists.playlist_named(connection, OWNER_ID, "xyz")
    with pytest.raises(UsageError, match="already"):
        playlists.create_playlist(connection, "FOR THE DRIVE", person_id=OWNER_ID, now=NOON)
    with pytest.raises(UsageError, match="1 to 200 characters"):
        playlists.create_playlist(connection, " ", person_id=OWNER_ID, now=NOON)


def test_a_playlist_that_was_removed_is_there_again_as_it_was(connection: Connection, drive: PlaylistRow) -> None:
    playlists.put_sounds(connection, drive.id, [1], NOON)
    playlists.remove_playlist(connection, drive.id, NOON)
    assert playlists.list_playlists(connection, OWNER_ID) == []

    again = playlists.create_playlist(connection, "for the drive", person_id=OWNER_ID, now=NOON, is_public=True)

    assert (again.public_id, again.name, again.sounds, again.is_public) == (drive.public_id, "for the drive", 1, True)


def test_a_playlist_can_have_another_name_that_is_free(connection: Connection, drive: PlaylistRow) -> None:
    playlists.create_playlist(connection, "Horns", person_id=OWNER_ID, now=NOON)
    assert playlists.change_playlist(connection, drive.id, name="Bells", description="loud").name == "Bells"
    with pytest.raises(UsageError, match="'Horns'"):
        playlists.change_playlist(connection, drive.id, name="horns")
    assert playlists.change_playlist(connection, drive.id).description == "loud"


def test_plays_are_noted_with_their_door(connection: Connection) -> None:
    note_play(connection, [2, 1, 2], OWNER_ID, "command", NOON)
    note_play(connection, [], OWNER_ID, "command", NOON)
    rows = connection.execute(select(Play.sound_id, Play.origin, Play.at).order_by(Play.id)).all()
    assert [tuple(row) for row in rows] == [(2, "command", NOON), (1, "command", NOON), (2, "command", NOON)]
