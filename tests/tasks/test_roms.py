"""Folders of ROMs that are due are looked at, in slices; what came is an event, and the folder is due again later."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models import Event, RomFolder
from pipeline.roms.store.folders import add_folder
from pipeline.runtime.runtime import utc_now
from tasks import roms
from tests.tasks.installation import AtWork


@pytest.fixture
def folder(installation: AtWork, tmp_path: Path) -> Path:
    """A folder with a game, which was looked at once."""
    path = tmp_path / "roms"
    path.mkdir()
    (path / "Abuse (1995).sfc").write_text("abuse")
    with installation.engine.begin() as connection:
        add_folder(connection, path, now=utc_now())
    roms.roms()
    return path


def due_at(installation: AtWork) -> timedelta:
    with installation.engine.connect() as connection:
        row = connection.execute(select(RomFolder.next_due_at, RomFolder.scanned_at)).one()
    wait: timedelta = row.next_due_at - row.scanned_at
    return wait


def test_a_folder_is_looked_at_and_is_due_again_within_about_an_hour(installation: AtWork, folder: Path) -> None:
    assert timedelta(minutes=50) < due_at(installation) < timedelta(minutes=70)


def test_a_folder_that_is_not_due_is_left_alone(installation: AtWork, folder: Path) -> None:
    (folder / "Biosys (1999).sfc").write_text("biosys")
    roms.roms()
    with installation.engine.connect() as connection:
        assert connection.scalar(select(RomFolder.scans)) == 1


def test_what_came_since_is_one_event(installation: AtWork, folder: Path) -> None:
    (folder / "Biosys (1999).sfc").write_text("biosys")
    with installation.engine.begin() as connection:
        connection.execute(RomFolder.__table__.update().values(next_due_at=utc_now()))  # type: ignore[attr-defined]
    roms.roms()
    roms.roms()
    with installation.engine.connect() as connection:
        kinds = connection.scalars(select(Event.kind).where(Event.kind.like("rom.%"), ~Event.silent)).all()
    assert kinds == ["rom.added"]
