"""The task that copies pictures: only where a setting asks for it, and never from private addresses."""

import pytest
from sqlalchemy import insert, select

from models import Picture
from pipeline.runtime.runtime import utc_now
from tasks import pictures
from tests.tasks.installation import AtWork


def tried(installation: AtWork) -> tuple[int, str | None]:
    with installation.engine.connect() as connection:
        row = connection.execute(select(Picture.attempts, Picture.error)).one()
    return row.attempts, row.error


def test_pictures_are_copied_only_where_somebody_wants_it(
    installation: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    with installation.engine.begin() as connection:
        connection.execute(
            insert(Picture).values(address="http://127.0.0.1/box.png", last_wanted_at=now, next_due_at=now)
        )
    pictures.pictures()
    assert tried(installation) == (0, None)

    monkeypatch.setenv("LOOTWIRE_LOCAL_PICTURES", "true")
    installation.reopen()
    for _ in range(2):
        pictures.pictures()
    assert tried(installation) == (1, "127.0.0.1 is no address of the public internet")
