"""A person is deleted with the files that are theirs alone."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select

from models import Person, Playlist, PlaylistSound, Show, Sound
from models.errors import UnknownThing
from pipeline.operations.people import invite_person, remove_person, show_person
from pipeline.people.store.people import LastOwner, add_person
from pipeline.runtime.runtime import Runtime
from pipeline.runtime.settings import Settings
from tests.pipeline.people.store.people import NOON, add_ada

_UUID = "00000000-0000-4000-8000-{:012}"


@pytest.fixture
def runtime(engine: Engine, tmp_path: Path) -> Runtime:
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(data_dir=tmp_path / "data", database_url=SecretStr(url))
    runtime = Runtime(settings=settings, database_url=url, redis_url="")
    runtime.__dict__["engine"] = engine
    return runtime


def _file(runtime: Runtime, place: str) -> Path:
    path = runtime.settings.data_dir / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"sound")
    return path


def _sound(engine: Engine, person_id: int, number: int, original: str) -> int:
    row = {"public_id": _UUID.format(number), "kind": "track", "sha256": bytes([number]), "size": 5, "title": "x"}
    with engine.begin() as connection:
        added = insert(Sound).values(row | {"person_id": person_id, "added_at": NOON, "original": original})
        return connection.execute(added.returning(Sound.id)).scalar_one()


def test_files_go_with_their_person_and_what_others_have_stays(engine: Engine, runtime: Runtime) -> None:
    with engine.begin() as connection:
        ada = add_ada(connection)
        bob = add_person(connection, "bob", "member", NOON).id
    own, shared, picture = (_file(runtime, f"sounds/originals/aa/{name}.m4a") for name in ("own", "shared", "picture"))
    places = [str(path.relative_to(runtime.settings.data_dir)) for path in (own, shared, picture)]
    _sound(engine, ada, 1, places[0])
    sound_id = _sound(engine, ada, 2, places[1])
    with engine.begin() as connection:
        row = {"public_id": _UUID.format(3), "name": "p", "name_key": "p", "added_at": NOON, "person_id": bob}
        playlist = connection.execute(insert(Playlist).values(row).returning(Playlist.id)).scalar_one()
        on_it = {"playlist_id": playlist, "sound_id": sound_id, "position": "a", "added_at": NOON}
        connection.execute(insert(PlaylistSound).values(on_it))
        show = {"public_id": _UUID.format(4), "name": "s", "name_key": "s", "title": "S", "since": NOON}
        connection.execute(insert(Show).values(show | {"person_id": ada, "added_at": NOON, "artwork": places[2]}))

    removal = remove_person(runtime, NOON, "ada")

    assert (removal.sounds, removal.sounds_handed_over, removal.shows) == (1, 1, 1)
    assert [path.exists() for path in (own, shared, picture)] == [False, True, False]
    with engine.connect() as connection:
        assert connection.scalars(select(Person.name).order_by(Person.id)).all() == ["owner", "bob"]
        with pytest.raises(UnknownThing):
            show_person(connection, NOON, "ada")


def test_one_that_was_cut_short_can_be_repeated(engine: Engine, runtime: Runtime) -> None:
    with engine.begin() as connection:
        add_ada(connection)
    for _ in range(2):
        try:
            remove_person(runtime, NOON, "ada")
        except UnknownThing:
            continue

    with pytest.raises(LastOwner):
        remove_person(runtime, NOON, "owner")


def test_somebody_who_is_invited_keeps_what_they_may_unless_a_role_is_given(engine: Engine) -> None:
    with engine.begin() as connection:
        add_person(connection, "ada", "guest", NOON)
        first = invite_person(connection, NOON, "ada", "https://loot.example.org/")
        assert show_person(connection, NOON, "ada").role == "guest"
        invite_person(connection, NOON, "ada", "https://loot.example.org/", role="member")
        assert show_person(connection, NOON, "ada").role == "member"

    assert first.address.startswith("https://loot.example.org/invite/")
    assert first.address not in repr(first)
