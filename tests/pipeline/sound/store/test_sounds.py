"""Sounds are one by their bytes, keep their names, and are let go with their files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from models import Person, Rendition, Sound
from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.sound.extracting.sweeping import free_sounds
from pipeline.sound.records import Chapter, Muted
from pipeline.sound.store.playlists import create_playlist, load_order, put_sounds
from pipeline.sound.store.sounds import (
    NewSound,
    Stored,
    change_sound,
    keep_sound,
    known_paths,
    load_sound,
    note_freed,
    remove_sounds,
    share_sound,
    sound_by_source,
    used_bytes,
)

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)


def keep(engine: Engine, digest: bytes = b"1" * 32, **fields: object) -> Stored:
    usual: dict[str, object] = {"kind": "track", "sha256": digest, "size": 1000, "title": "Wipe day"}
    with engine.begin() as connection:
        return keep_sound(connection, NewSound(**(usual | fields)), NOW)  # type: ignore[arg-type]


def test_the_same_bytes_are_one_sound_and_a_further_title_is_an_alias(engine: Engine) -> None:
    first, again = (
        keep(engine),
        keep(engine, title="Wipe day!", artist="Ann", chapters=(Chapter(start=0, title="Rust"),)),
    )
    assert (again.id, again.is_new) == (first.id, False)
    keep(engine, title="Wipe day!")
    with engine.connect() as connection:
        row = load_sound(connection, first.id)
    assert (row.title, row.aliases, row.artist) == ("Wipe day", ["Wipe day!"], "Ann")
    assert row.chapters == [{"start": 0.0, "title": "Rust"}]


def test_a_service_s_id_belongs_to_the_first_bytes_that_came_under_it(engine: Engine) -> None:
    first = keep(engine, service="twitch", external_id="1", original="sounds/originals/31/a.m4a")
    second = keep(engine, b"2" * 32, service="twitch", external_id="1")
    assert second.id != first.id
    with engine.connect() as connection:
        assert sound_by_source(connection, "twitch", "1", person_id=OWNER_ID) == first.id
        assert load_sound(connection, second.id).external_id is None


def test_what_was_let_go_is_back_when_its_bytes_come_again(engine: Engine) -> None:
    sound = keep(engine)
    with engine.begin() as connection:
        assert remove_sounds(connection, [sound.id], NOW) == [sound.id]
        assert remove_sounds(connection, [sound.id], NOW) == []
    keep(engine)
    with engine.connect() as connection:
        assert load_sound(connection, sound.id).removed_at is None


def test_muted_parts_that_nobody_knows_are_not_none_at_all(engine: Engine) -> None:
    unknown, none, some = (
        keep(engine, bytes([number]) * 32, muted=muted)
        for number, muted in enumerate([None, (), (Muted(start=1, seconds=2),)])
    )
    with engine.connect() as connection:
        muted = [load_sound(connection, sound.id).muted for sound in (unknown, none, some)]
    assert muted == [None, [], [{"start": 1.0, "seconds": 2.0}]]


def test_a_number_that_no_sound_has_is_told(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(UsageError, match="no sound 7"):
        load_sound(connection, 7)


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"1")


def test_a_sound_that_is_let_go_frees_its_files_and_keeps_its_row(engine: Engine, tmp_path: Path) -> None:
    original, picture = "sounds/originals/31/a.m4a", "sounds/artwork/31/a.jpg"
    rendition, transcript = "sounds/renditions/ab/b.mp3", "sounds/transcripts/31/a.en.vtt"
    stays = "sounds/originals/32/c.m4a"
    sound, other = keep(engine, original=original), keep(engine, b"2" * 32, original=stays)
    write(tmp_path, original, picture, rendition, transcript, stays)
    with engine.begin() as connection:
        transcripts = [{"language": "en", "format": "vtt", "path": transcript}]
        change_sound(connection, sound.id, artwork=picture, transcripts=transcripts)
        values = {"sound_id": sound.id, "profile": "podcast", "path": rendition, "size": 500, "next_due_at": NOW}
        connection.execute(insert(Rendition).values(values))
        paths = [original, picture, rendition, transcript, stays]
        assert known_paths(connection, [*paths, "sounds/originals/ff/z"]) == set(paths)
        assert used_bytes(connection) == 2500
        remove_sounds(connection, [sound.id], NOW)
    assert free_sounds(engine, tmp_path) == 1
    assert free_sounds(engine, tmp_path) == 0
    assert [path for path in (original, picture, rendition, transcript, stays) if (tmp_path / path).exists()] == [stays]
    with engine.connect() as connection:
        row = load_sound(connection, sound.id)
        assert (row.original, row.artwork, row.transcripts, row.removed_at) == (None, None, [], NOW)
        assert used_bytes(connection) == 1000
        assert connection.scalars(select(Sound.id).order_by(Sound.id)).all() == [sound.id, other.id]


def test_a_sound_that_is_wanted_again_before_the_sweep_keeps_its_files(engine: Engine, tmp_path: Path) -> None:
    original = "sounds/originals/31/a.m4a"
    sound = keep(engine, original=original)
    write(tmp_path, original)
    with engine.begin() as connection:
        remove_sounds(connection, [sound.id], NOW)
    keep(engine, published_at=NOW + timedelta(days=1))
    assert free_sounds(engine, tmp_path) == 0
    assert (tmp_path / original).exists()


def test_what_was_let_go_and_has_other_bytes_by_now_is_the_same_sound_at_its_places(engine: Engine) -> None:
    of_service: dict[str, Any] = {"service": "twitch", "external_id": "1"}
    first = keep(engine, **of_service, original="sounds/originals/31/a.m4a")
    with engine.begin() as connection:
        playlist = create_playlist(connection, "Mine", person_id=OWNER_ID, now=NOW)
        put_sounds(connection, playlist.id, [first.id, keep(engine, b"3" * 32).id], NOW)
        rendition = {"sound_id": first.id, "profile": "podcast", "state": "ready", "next_due_at": NOW}
        connection.execute(insert(Rendition).values(rendition))
        remove_sounds(connection, [first.id], NOW)

    again = keep(engine, b"2" * 32, **of_service, title="Wipe day, mended", original="sounds/originals/32/b.m4a")

    assert (again.id, again.public_id) == (first.id, first.public_id)
    with engine.connect() as connection:
        row = load_sound(connection, first.id)
        assert load_order(connection, playlist.id)[0] == first.id
        # The bytes are others: what was rendered of the old ones is no rendition of it.
        assert connection.scalars(select(Rendition.id)).all() == []
    assert (row.title, row.aliases, row.removed_at) == ("Wipe day", ["Wipe day, mended"], None)
    assert (row.sha256, row.original, row.external_id) == (b"2" * 32, "sounds/originals/32/b.m4a", "1")


def test_what_somebody_else_has_is_a_persons_own_with_the_same_files(engine: Engine) -> None:
    of_service: dict[str, Any] = {"service": "twitch", "external_id": "1", "original": "sounds/originals/31/a.m4a"}
    first = keep(engine, **of_service)
    with engine.begin() as connection:
        ada = connection.scalars(insert(Person).values(name="ada", created_at=NOW).returning(Person.id)).one()
        rendition = {"sound_id": first.id, "profile": "podcast", "state": "ready", "next_due_at": NOW, "size": 50}
        connection.execute(insert(Rendition).values(**rendition, path="sounds/renditions/aa/1.mp3"))
        assert share_sound(connection, "twitch", "2", ada, NOW) is None
        hers = share_sound(connection, "twitch", "1", ada, NOW)
    assert hers not in {None, first.id}
    with engine.begin() as connection:
        assert sound_by_source(connection, "twitch", "1", person_id=ada) == hers
        assert connection.scalars(select(Rendition.state).where(Rendition.sound_id == hers)).all() == ["ready"]
        assert [used_bytes(connection, person_id=each) for each in (OWNER_ID, ada, None)] == [1050] * 3
        remove_sounds(connection, [first.id], NOW)
    # The files that she has stay when he lets his go.
    with engine.begin() as connection:
        assert note_freed(connection, first.id)
        assert known_paths(connection, ["sounds/originals/31/a.m4a", "sounds/renditions/aa/1.mp3"]) == {
            "sounds/originals/31/a.m4a",
            "sounds/renditions/aa/1.mp3",
        }
