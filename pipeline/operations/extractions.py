"""Extractions: what is fetched for a person's sounds and shows, how far it is, and why something was not."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from models.moments import Moment
from pipeline.operations.sounds import check_room
from pipeline.programs.sounds import check_tools
from pipeline.runtime.settings import Settings
from pipeline.sound.records import ErrorKind, Stage, State
from pipeline.sound.store import extractions as store


class ExtractionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The fetching of a sound: `progress` goes from 0 to 1 within its stage, its service deletes it at `expires_at`.

    Of one that failed `error_kind` and `error` say why, and `is_permanent` that time will not cure it.
    """

    id: int = msgspec.field(name="extraction")
    url: str
    host: str
    service: str | None
    external_id: str | None
    kind: str
    profile: str
    state: State
    stage: Stage
    progress: float
    bytes: int | None
    title: str | None
    error_kind: ErrorKind | None
    error: str | None
    is_permanent: bool
    attempts: int
    added_at: Moment
    next_due_at: Moment
    expires_at: Moment | None
    sound_id: int | None
    finished_at: Moment | None


class ExtractionChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an extraction: `tried again` or `cancelled`."""

    extraction: int
    result: str


def list_extractions(
    connection: Connection,
    person_id: int,
    states: Sequence[State] = (),
    limit: int | None = None,
    before_id: int | None = None,
) -> list[ExtractionAnswer]:
    """Return a page of a person's extractions, the newest first; `before_id` is the last one of the page before."""
    rows = store.list_extractions(connection, states=states, person_id=person_id, limit=limit, before_id=before_id)
    return list(map(_answer, rows))


def show_extraction(connection: Connection, person_id: int, extraction_id: int) -> ExtractionAnswer:
    """Return an extraction; raises `UnknownThing` where it is not that person's."""
    return _answer(store.load_extraction(connection, extraction_id, person_id=person_id))


def retry_extractions(
    settings: Settings, connection: Connection, person_id: int, now: datetime, numbers: Sequence[int] = ()
) -> list[ExtractionChange]:
    """Try a person's extractions again that failed or were cancelled, and those that wait at once.

    Without any, all that failed. Raises `UnknownThing` for one that is not that person's, `UsageError` for one that is
    completed or whose like another fetches, `LootwireError` where nothing here can fetch them, `QuotaError` where the
    person's plan has no room for more.
    """
    check_tools(settings)
    for number in numbers:
        store.retry_extraction(connection, number, now, person_id=person_id)
    again = list(numbers or store.retry_failed(connection, now, person_id=person_id))
    if again:
        check_room(connection, person_id)
    return [ExtractionChange(extraction=number, result="tried again") for number in again]


def cancel_extractions(
    connection: Connection, person_id: int, now: datetime, numbers: Sequence[int]
) -> list[ExtractionChange]:
    """Cancel extractions; whatever fetches one just now ends within seconds.

    Raises `UnknownThing` for one that is not that person's, `UsageError` for one that is over.
    """
    for number in numbers:
        store.cancel_extraction(connection, number, now, person_id=person_id)
    return [ExtractionChange(extraction=number, result="cancelled") for number in numbers]


def _answer(row: store.ExtractionRow) -> ExtractionAnswer:
    return ExtractionAnswer(**{name: getattr(row, name) for name in ExtractionAnswer.__struct_fields__})
