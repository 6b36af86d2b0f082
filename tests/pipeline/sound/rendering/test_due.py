"""Renditions that are due are made by the real ffmpeg, and settled once, whatever dies meanwhile."""

import os
import signal
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, select, update

from models import Rendition, Sound, SoundFile, SoundFolder
from pipeline.sound.loudness.profiles import built_in
from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.records import Profile
from pipeline.sound.rendering.due import render_due
from pipeline.sound.rendering.render import measure
from pipeline.sound.store import renditions
from pipeline.sound.store.renditions import LEASE
from tests.pipeline.sound.audio import make, speech
from tests.pipeline.sound.rows import NOON, add_sound, rendition
from tests.waiting import processes_with, wait_for


class Rendering:
    """A sound with a rendition that is due, and what renders it."""

    def __init__(self, engine: Engine, ffmpeg: Ffmpeg, folder: Path) -> None:
        self.engine, self.ffmpeg, self.folder = engine, ffmpeg, folder
        self.data_dir = folder / "data"
        self.profiles: Mapping[str, Profile] = built_in()
        self.now = NOON

    def add(self, file: Path | None, *, profile: str = "podcast", **values: Any) -> int:
        with self.engine.begin() as connection:
            sound_id = add_sound(connection, self.data_dir, file, **values)
            return self.want(connection, sound_id, profile)

    def want(self, connection: Connection, sound_id: int, profile: str = "podcast") -> int:
        renditions.want(connection, [sound_id], profile, self.now)
        return renditions.due(connection, self.now)[-1]

    def render(self, rendition_id: int, **options: Any) -> str:
        return render_due(
            self.engine,
            rendition_id,
            ffmpeg=self.ffmpeg,
            profiles=self.profiles,
            data_dir=self.data_dir,
            clock=self.clock,
            **options,
        )

    def clock(self) -> datetime:
        return self.now

    def row(self, rendition_id: int) -> Any:
        with self.engine.connect() as connection:
            return rendition(connection, rendition_id)

    def files(self) -> list[str]:
        folder = self.data_dir / "sounds/renditions"
        return sorted(str(path.relative_to(self.data_dir)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def rendering(engine: Engine, ffmpeg: Ffmpeg, tmp_path: Path) -> Rendering:
    return Rendering(engine, ffmpeg, tmp_path)


@pytest.fixture
def original(tmp_path: Path) -> Path:
    return make(tmp_path / "o.wav", speech(4))


def test_a_rendition_lies_under_its_own_digest_and_is_told_of(rendering: Rendering, original: Path) -> None:
    due = rendering.add(original, seconds=4)
    ready: list[int] = []

    assert rendering.render(due, on_ready=lambda _connection, sound_id: ready.append(sound_id)) == "rendered"

    row = rendering.row(due)
    name = row.digest.hex()
    assert row.path == f"sounds/renditions/{name[:2]}/{name}.mp3"
    assert rendering.files() == [row.path]
    assert (rendering.data_dir / row.path).stat().st_size == row.size
    assert row.integrated_after == pytest.approx(-16, abs=0.5)
    assert ready == [row.sound_id]
    assert rendering.render(due) == "nothing"


def test_what_another_profile_measured_is_not_measured_again(rendering: Rendering, original: Path) -> None:
    first = rendering.add(original, seconds=4)
    rendering.render(first)
    with rendering.engine.begin() as connection:
        # Figures that ffmpeg would not give: they are believed.
        connection.execute(update(Rendition).values(integrated_before=-40.0))
        second = rendering.want(connection, rendering.row(first).sound_id, "effects")

    rendering.render(second)

    assert rendering.row(second).integrated_before == -40.0


@pytest.mark.parametrize(("said", "kept"), [(1.9, 4.0), (None, 4.0), (4.1, 4.1)])
def test_a_sound_is_as_long_as_what_was_heard_of_it_whatever_the_head_of_its_file_says(
    rendering: Rendering, original: Path, said: float | None, kept: float
) -> None:
    due = rendering.add(original, seconds=said)

    assert rendering.render(due) == "rendered"

    with rendering.engine.connect() as connection:
        assert connection.scalar(select(Sound.seconds)) == pytest.approx(kept, abs=0.05)


def test_the_file_of_a_persons_own_folder_is_rendered_where_it_lies(rendering: Rendering, original: Path) -> None:
    with rendering.engine.begin() as connection:
        sound_id = add_sound(connection, rendering.data_dir, None, title="Own")
        folder = connection.scalar(
            insert(SoundFolder)
            .values(path=os.fsencode(original.parent), shown="own", added_at=NOON)
            .returning(SoundFolder.id)
        )
        file = {"folder_id": folder, "path": b"o.wav", "shown": "o.wav", "size": 1, "mtime_ns": 1, "inode": 1}
        connection.execute(insert(SoundFile).values(file | {"sound_id": sound_id, "seen_at": NOON}))
        due = rendering.want(connection, sound_id)

    assert rendering.render(due) == "rendered"


@pytest.mark.parametrize(
    ("content", "profile", "reason"),
    [
        (b"<html></html>", "podcast", "cannot be read as sound"),
        (None, "podcast", "its original is not there any more"),
        (b"<html></html>", "unheard", "there is no profile unheard"),
    ],
)
def test_what_no_time_cures_is_failed_at_once(
    rendering: Rendering, tmp_path: Path, content: bytes | None, profile: str, reason: str
) -> None:
    file = tmp_path / "page.mp3"
    file.write_bytes(content or b"")
    due = rendering.add(None if content is None else file, profile=profile)

    assert rendering.render(due) == "failed"

    row = rendering.row(due)
    assert row.state == "failed"
    assert reason in row.error
    assert rendering.files() == []


def test_a_sound_let_go_meanwhile_is_not_rendered(rendering: Rendering, original: Path) -> None:
    due = rendering.add(original)
    with rendering.engine.begin() as connection:
        connection.execute(update(Sound).values(removed_at=NOON))

    assert rendering.render(due) == "failed"


def test_who_ends_the_work_gives_it_back(rendering: Rendering, original: Path) -> None:
    due = rendering.add(original, seconds=4)

    def stop(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rendering.render(due, on_progress=stop)

    assert (rendering.row(due).state, rendering.row(due).attempts) == ("pending", 0)
    assert rendering.files() == []
    assert rendering.render(due) == "rendered"


def test_one_wanted_anew_meanwhile_is_not_settled(rendering: Rendering, original: Path) -> None:
    due = rendering.add(original, seconds=4)

    def want_anew(_share: float) -> None:
        with rendering.engine.begin() as connection:
            renditions.want(connection, [rendering.row(due).sound_id], "podcast", NOON, anew=True)

    assert rendering.render(due, on_progress=want_anew) == "lost"
    assert rendering.row(due).state == "pending"
    assert rendering.render(due) == "rendered"


def test_ffmpeg_killed_is_tried_again(rendering: Rendering, original: Path) -> None:
    due = rendering.add(original, seconds=4)
    # A program that dies of the signal as soon as it is to render.
    broken = rendering.folder / "ffmpeg"
    broken.write_text(
        f'#!/bin/sh\ncase "$*" in *loudnorm*|*libmp3lame*) kill -9 $$;; esac\nexec {rendering.ffmpeg.path} "$@"\n'
    )
    broken.chmod(0o755)
    whole = rendering.ffmpeg
    rendering.ffmpeg = Ffmpeg(path=broken, version="x")

    assert rendering.render(due) == "put off"
    row = rendering.row(due)
    assert (row.state, row.next_due_at) == ("pending", NOON + timedelta(minutes=1))
    assert row.integrated_before is not None

    rendering.ffmpeg, rendering.now = whole, row.next_due_at
    assert rendering.render(due) == "rendered"


def test_a_worker_killed_leaves_no_ffmpeg_and_what_it_began_is_removed(rendering: Rendering, tmp_path: Path) -> None:
    due = rendering.add(make(tmp_path / "long.wav", speech(120)), seconds=120)
    rendering.engine.dispose()
    worker = os.fork()
    if worker == 0:
        try:
            rendering.render(due)
        finally:
            os._exit(1)
    wait_for(lambda: any("libmp3lame" in command for command in processes_with(rendering.data_dir).values()))
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    wait_for(lambda: not processes_with(rendering.data_dir))
    assert rendering.row(due).state == "rendering"
    assert rendering.render(due) == "nothing"

    rendering.now += LEASE + timedelta(seconds=1)
    assert rendering.render(due) == "rendered"

    row = rendering.row(due)
    assert (row.fence, row.attempts, rendering.files()) == (2, 0, [row.path])
    assert [path.name for path in (rendering.data_dir / "sounds/renditions").iterdir()] == [row.digest.hex()[:2]]
    assert measure(rendering.ffmpeg, rendering.data_dir / row.path).seconds == pytest.approx(120, abs=0.1)
