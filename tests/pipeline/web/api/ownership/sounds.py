"""Sounds, shows, playlists, extractions and plays."""

import os

from sqlalchemy import insert, update

from models import Extraction, Show, SoundFolder
from pipeline.sound.store.extractions import add_extraction
from pipeline.sound.store.playlists import create_playlist, put_sounds
from tests.pipeline.sound.rows import add_sound
from tests.pipeline.web.api.ownership import Case, Path, World


def make_sound(world: World, person_id: int) -> Path:
    data_dir = world.runtime.settings.data_dir
    file = data_dir.parent / f"{world.name()}.wav"
    file.write_text(file.name)
    with world.engine.begin() as connection:
        return {"sound": add_sound(connection, data_dir, file, title=world.name(), person_id=person_id)}


def make_extraction(world: World, person_id: int) -> Path:
    with world.engine.begin() as connection:
        address = f"https://sounds.example/{world.name()}"
        return {"extraction": add_extraction(connection, address, now=world.now, person_id=person_id).id}


def make_failed(world: World, person_id: int) -> Path:
    path = make_extraction(world, person_id)
    with world.engine.begin() as connection:
        connection.execute(update(Extraction).where(Extraction.id == path["extraction"]).values(state="failed"))
    return path


def make_show(world: World, person_id: int) -> Path:
    name = world.name()
    row = {"public_id": os.urandom(16).hex(), "person_id": person_id, "name": name, "name_key": name, "title": name}
    times = {"since": world.now, "added_at": world.now}
    with world.engine.begin() as connection:
        connection.execute(insert(Show).values(**row, **times, url="https://sounds.example/list"))
    return {"show": name}


def make_playlist(world: World, person_id: int) -> Path:
    name = world.name()
    with world.engine.begin() as connection:
        create_playlist(connection, name, person_id=person_id, now=world.now)
    return {"playlist": name}


def make_placed(world: World, person_id: int) -> Path:
    sound, name = make_sound(world, person_id), world.name()
    with world.engine.begin() as connection:
        playlist = create_playlist(connection, name, person_id=person_id, now=world.now)
        put_sounds(connection, playlist.id, [int(sound["sound"])], world.now)
    return {"playlist": name, **sound}


def make_folder(world: World, person_id: int) -> Path:
    path = os.fsencode(world.runtime.settings.data_dir.parent / world.name())
    os.mkdir(path)  # noqa: PTH102 - a path of bytes
    row = {"person_id": person_id, "path": path, "shown": os.fsdecode(path), "added_at": world.now}
    with world.engine.begin() as connection:
        return {"folder": connection.scalars(insert(SoundFolder).values(row).returning(SoundFolder.id)).one()}


CASES = [
    Case(operation="sounds.show_sound", make=make_sound),
    Case(operation="sounds.remove_sound", make=make_sound),
    Case(operation="sounds.tag_sound", make=make_sound, body={"add": ["loud"]}),
    Case(operation="sounds.hear_sound", make=make_sound),
    Case(operation="sounds.play_sound", make=make_sound),
    Case(operation="sounds.scan_folder", make=make_folder),
    Case(operation="sounds.forget_folder", make=make_folder),
    Case(operation="extractions.show_extraction", make=make_extraction),
    Case(operation="extractions.cancel_extraction", make=make_extraction),
    Case(operation="extractions.retry_extraction", make=make_failed),
    Case(operation="shows.show_show", make=make_show),
    Case(operation="shows.list_episodes", make=make_show),
    Case(operation="shows.show_podcast", make=make_show),
    Case(operation="shows.change_show", make=make_show, body={"title": "Other"}),
    Case(operation="shows.rotate_show", make=make_show),
    Case(operation="shows.remove_show", make=make_show),
    Case(operation="playlists.show_playlist", make=make_playlist),
    Case(operation="playlists.list_order", make=make_playlist),
    Case(operation="playlists.show_podcast", make=make_playlist),
    Case(operation="playlists.change_playlist", make=make_playlist, body={"description": "Other"}),
    Case(operation="playlists.rotate_playlist", make=make_playlist),
    Case(operation="playlists.remove_playlist", make=make_playlist),
    Case(operation="playlists.add_sounds", make=make_placed, body=lambda path: {"sounds": [path["sound"]]}),
    Case(operation="playlists.move_sound", make=make_placed, body={"place": 1}),
    Case(operation="playlists.take_off", make=make_placed),
]
