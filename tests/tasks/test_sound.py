"""Sounds are looked for by a tick, and fetched by a program that runs only while there is something to do."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from models import Event, Extraction, Rendition, Sound
from pipeline.programs.sounds import LINGERS, look_for_work, say_wanted
from pipeline.runtime.runtime import utc_now
from pipeline.sound.downloading.fetching import LOOPBACK_PORTS
from pipeline.sound.store import renditions
from pipeline.sound.store.extractions import add_extraction
from pipeline.sound.store.folders import add_folder, folders_to_scan, want_scan
from tasks import sound
from tests.pipeline.sound.audio import make, speech
from tests.pipeline.sound.media_server import MediaServer
from tests.tasks.installation import AtWork


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MediaServer]:
    with MediaServer() as running:
        monkeypatch.setenv(LOOPBACK_PORTS, str(running.port))
        yield running


@pytest.fixture
def url(server: MediaServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    body = make(tmp_path_factory.mktemp("audio") / "a.m4a", speech(3.5)).read_bytes()
    return server.file("/a.m4a", body)


def add(installation: AtWork, url: str) -> None:
    with installation.engine.begin() as connection:
        add_extraction(connection, url, now=utc_now())


def test_where_there_is_nothing_to_do_the_program_is_not_wanted(installation: AtWork) -> None:
    sound.due()
    assert not installation.runtime.settings.sounds_wanted.exists()
    assert installation.hints() == []


def test_a_sound_that_is_due_is_hinted_fetched_and_published(installation: AtWork, url: str) -> None:
    add(installation, url)
    sound.due()
    assert installation.runtime.settings.sounds_wanted.exists()
    assert [hint.task for hint in installation.hints()] == ["sound.extract"]
    installation.forget_hints()
    sound.extract()
    assert {hint.task for hint in installation.hints()} == {"send.due", "publish.marked", "sound.extract"}
    assert installation.count(Event, Event.kind == "sound.ready") == 1
    # A message that comes twice finds nothing to do.
    sound.extract()
    assert installation.count(Event) == 1


def test_a_rendition_that_is_wanted_is_hinted_and_rendered(installation: AtWork, url: str) -> None:
    add(installation, url)
    sound.extract()
    with installation.engine.begin() as connection:
        [sound_id] = connection.scalars(select(Sound.id))
        renditions.want(connection, [sound_id], "off", utc_now())
    installation.forget_hints()
    sound.due()
    assert [hint.task for hint in installation.hints()] == ["sound.render"]
    sound.render()
    assert installation.count(Rendition, Rendition.state == "ready") == 2


def test_what_nobody_needs_is_swept(installation: AtWork) -> None:
    folder = installation.runtime.settings.data_dir / "sounds" / "work" / "7"
    folder.mkdir(parents=True)
    sound.sweep()
    assert not folder.exists()


def test_the_program_stays_for_a_while_after_its_last_work(installation: AtWork) -> None:
    wanted = installation.runtime.settings.sounds_wanted
    add(installation, "https://x.example/a.mp3")
    assert look_for_work(installation.runtime, utc_now())
    with installation.engine.begin() as connection:
        connection.execute(update(Extraction).values(state="cancelled"))
    assert not look_for_work(installation.runtime, utc_now())
    assert wanted.exists()
    before = time.time() - LINGERS.total_seconds() - 1
    os.utime(wanted, (before, before))
    say_wanted(wanted, is_wanted=False)
    assert not wanted.exists()


def test_a_folder_that_a_person_wants_scanned_is_hinted_and_scanned_once(
    installation: AtWork, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("effects")
    make(folder / "horn.wav", speech(3.5))
    with installation.engine.begin() as connection:
        wanted = add_folder(connection, folder, now=utc_now())
        want_scan(connection, wanted.id, utc_now())
    sound.due()
    assert [hint.task for hint in installation.hints()] == ["sound.scan"]
    sound.scan()
    assert installation.count(Sound) == 1
    installation.forget_hints()
    # A message that comes twice finds nothing to do.
    sound.scan()
    sound.due()
    assert installation.hints() == []


def test_a_folder_that_is_gone_is_waited_for_no_more(installation: AtWork, tmp_path: Path) -> None:
    folder = tmp_path / "effects"
    folder.mkdir()
    with installation.engine.begin() as connection:
        wanted = add_folder(connection, folder, now=utc_now())
        want_scan(connection, wanted.id, utc_now())
    folder.rmdir()

    sound.scan()

    with installation.engine.connect() as connection:
        assert folders_to_scan(connection) == []
