"""A sweep frees what nothing needs, and nothing else."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pipeline.runtime.runtime import utc_now
from pipeline.sound.extracting import sweeping
from pipeline.sound.extracting.keeping import digest_of, keep_file, place_of, remove_file
from pipeline.sound.extracting.sweeping import sweep
from pipeline.sound.extracting.workspaces import (
    WorkspaceBusy,
    bytes_in,
    noted_download,
    remove_workspace,
    working_in,
    workspace_of,
)
from pipeline.sound.store.extractions import add_extraction, cancel_extraction
from pipeline.sound.store.sounds import NewSound, keep_sound


@pytest.fixture
def two(engine: Engine, tmp_path: Path) -> tuple[Path, Path]:
    """The workspaces of an extraction that waits, and of one that was cancelled."""
    with engine.begin() as connection:
        ids = [add_extraction(connection, f"https://x.example/{number}", now=utc_now()).id for number in (1, 2)]
        cancel_extraction(connection, ids[1], utc_now())
    folders = workspace_of(tmp_path, ids[0]), workspace_of(tmp_path, ids[1])
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "a.part").write_bytes(b"12345")
    return folders


def test_the_workspace_of_an_ended_extraction_goes_and_that_of_a_waiting_one_stays(
    engine: Engine, tmp_path: Path, two: tuple[Path, Path]
) -> None:
    waiting, cancelled = two
    assert sweep(engine, tmp_path, utc_now()).workspaces == 1
    assert (waiting.exists(), cancelled.exists()) == (True, False)
    assert sweep(engine, tmp_path, utc_now()).workspaces == 0


def test_a_workspace_in_which_a_process_works_stays(engine: Engine, tmp_path: Path, two: tuple[Path, Path]) -> None:
    _, cancelled = two
    with working_in(cancelled):
        assert sweep(engine, tmp_path, utc_now()).workspaces == 0
        with pytest.raises(WorkspaceBusy), working_in(cancelled):
            pass
    assert sweep(engine, tmp_path, utc_now()).workspaces == 1


def test_a_file_without_a_row_goes_after_a_day(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.m4a"
    source.write_bytes(b"sound")
    digest = digest_of(source, lambda: None)
    kept, orphan = place_of("originals", digest, "m4a"), place_of("originals", b"0" * 32, "m4a")
    for place in (kept, orphan):
        keep_file(source, tmp_path, place)
    (tmp_path / orphan).with_name(".left-by-a-kill.1.2").write_bytes(b"so")
    with engine.begin() as connection:
        sound = NewSound(kind="track", sha256=digest, size=5, title="a", original=kept)
        keep_sound(connection, sound, utc_now())
    assert sweep(engine, tmp_path, utc_now()).orphans == 0
    monkeypatch.setattr(sweeping, "ORPHAN_AFTER", timedelta(0))
    assert sweep(engine, tmp_path, utc_now()).orphans == 2
    assert (tmp_path / kept).exists()
    assert not (tmp_path / orphan).exists()


def test_a_kept_file_is_private_and_whole(tmp_path: Path) -> None:
    source = tmp_path / "a.m4a"
    source.write_bytes(b"sound")
    place = place_of("originals", digest_of(source, lambda: None), "../../M4A")
    assert place.endswith(".m4a")
    assert ".." not in place
    keep_file(source, tmp_path, place)
    keep_file(source, tmp_path, place)
    assert (tmp_path / place).read_bytes() == b"sound"
    assert (tmp_path / place).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / place).parent.iterdir()] == [Path(place).name]


def test_nothing_outside_of_the_folder_of_sounds_is_deleted(tmp_path: Path) -> None:
    key = tmp_path / "secret.key"
    key.write_bytes(b"key")
    for place in ("secret.key", "sounds/../secret.key", os.fspath(key)):
        remove_file(tmp_path, place)
    assert key.exists()


def test_what_a_workspace_holds_is_counted_and_removed(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with working_in(folder):
        (folder / "deep").mkdir()
        (folder / "deep" / "a").write_bytes(b"123")
        (folder / "downloaded.json").write_text('{"name":"gone.m4a","extension":"m4a"}')
        assert noted_download(folder) is None
        assert bytes_in(folder) > 3
    assert remove_workspace(folder)
    assert remove_workspace(folder)
