"""What a person played, from when to when and how far: the journal."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from models.errors import UsageError
from models.periods import read_period
from pipeline.games.platforms import called
from pipeline.library.journal.playthroughs import (
    CLEARABLE,
    COMPLETIONS,
    Written,
    add_playthrough,
    edit_playthrough,
    finish_work,
    load_playthrough,
    remove_playthrough,
)
from pipeline.library.journal.reading import check_word, read_hours, read_rating, read_when
from pipeline.library.journal.states import STATUSES
from pipeline.library.journal.turns import begin_writing
from pipeline.library.listing.pages import Through, load_playthroughs
from pipeline.operations.meaning import game_meant, today_of, work_of_library
from pipeline.runtime.runtime import Runtime


def list_playthroughs(
    connection: Connection, person_id: int, game: str | int | None = None, year: int | None = None
) -> list[Through]:
    """Return what a person played, the last first; of one game of the library, or finished in a year.

    Raises `UnknownWork` for a game that is not in the library.
    """
    work = None if game is None else work_of_library(connection, person_id, game)
    throughs = load_playthroughs(connection, person_id, None if work is None else work.work_id)
    return [through for through in throughs if year is None or _year(through) == year]


def show_playthrough(connection: Connection, person_id: int, number: int) -> Through:
    """Return one playthrough by its number. Raises `UnknownPlaythrough` where it is none of the person's."""
    work_id = load_playthrough(connection, person_id, number)["work_id"]
    return next(each for each in load_playthroughs(connection, person_id, work_id) if each.id == number)


def read_values(
    now: datetime,
    *,
    platform: str | None = None,
    started: str | None = None,
    finished: str | None = None,
    hours: str | None = None,
    rating: str | None = None,
    notes: str | None = None,
    completion: str | None = None,
    status: str | None = None,
    is_replay: bool | None = None,
) -> dict[str, Any]:
    """Return the columns of a playthrough that a person gives, as they write them: `nov 2020`, `7:30`, `4/5`.

    Raises `UsageError` for what cannot be read.
    """
    today = today_of(now)
    read = None if rating is None else read_rating(rating)
    values: dict[str, Any] = {
        "platform": None if platform is None else called(platform),
        "started": None if started is None else read_when(started, today),
        "finished": None if finished is None else read_when(finished, today),
        "seconds": None if hours is None else read_hours(hours),
        "rating": None if read is None else read.value,
        "rating_scale": None if read is None else read.scale,
        "notes": notes,
        "completion": None if completion is None else check_word(completion, COMPLETIONS, "completion"),
        "status": None if status is None else check_word(status, STATUSES, "status"),
        "is_replay": is_replay,
    }
    return {name: value for name, value in values.items() if value is not None}


def add(
    runtime: Runtime,
    person_id: int,
    now: datetime,
    game: str | int,
    values: Mapping[str, Any],
    *,
    platform: str | None = None,
    own: bool = False,
) -> Written:
    """Write down that a person plays a game, or played it once; without any date it begins today.

    `values` are those of `read_values`, `platform` is as the person wrote it. Raises what `game_meant` raises.
    """
    meant = game_meant(runtime, person_id, game, own=own)
    with runtime.engine.begin() as connection:
        begin_writing(connection)
        chosen = meant.game(connection, now, platform=platform)
        return add_playthrough(connection, person_id, chosen, values, now, today_of(now))


def finish(
    runtime: Runtime,
    person_id: int,
    now: datetime,
    game: str | int,
    values: Mapping[str, Any],
    *,
    platform: str | None = None,
    own: bool = False,
) -> Written:
    """Write down that a person finished a game: its playthrough that is under way, or one never written down.

    It ends today where `values` do not say when. Raises `UsageError` where several are under way, and as `add` does.
    """
    meant = game_meant(runtime, person_id, game, own=own)
    with runtime.engine.begin() as connection:
        begin_writing(connection)
        chosen = meant.game(connection, now, platform=platform)
        return finish_work(connection, person_id, chosen, values, now, today_of(now))


def edit(
    connection: Connection,
    person_id: int,
    now: datetime,
    number: int,
    values: Mapping[str, Any],
    cleared: Collection[str] = (),
) -> Written:
    """Change a playthrough, which no import changes from then on. Raises `UnknownPlaythrough`, `UsageError`."""
    fields = tuple(check_word(field, CLEARABLE, "field to clear") for field in cleared)
    if not values and not fields:
        raise UsageError(
            "say what to change: --finished, --hours, --rating; `lootwire journal edit --help` has them all"
        )
    begin_writing(connection)
    return edit_playthrough(connection, person_id, number, values, now, today_of(now), cleared=fields)


def remove(connection: Connection, person_id: int, now: datetime, number: int) -> str:
    """Take a playthrough out of the journal for good; returns its game. Raises `UnknownPlaythrough`."""
    begin_writing(connection)
    return remove_playthrough(connection, person_id, number, now)


def _year(through: Through) -> int | None:
    period = read_period(through.finished)
    return None if period is None else period.year
