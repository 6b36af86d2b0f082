"""Write playthroughs by hand: begin, change, finish and remove them, with what a person's journal tells of it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, get_args
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from models import Game, GameState, Playthrough, Work
from models.errors import UnknownThing, UsageError
from models.periods import in_words
from pipeline.events.append import append_events
from pipeline.library.journal.games import GameOfWork
from pipeline.library.journal.news import OVER, Played, event_of, is_recent, news_of
from pipeline.library.journal.reading import check_order
from pipeline.library.journal.states import HAND, LONGEST_NOTES, load_state, write_state
from pipeline.library.journal.turns import end_writing
from pipeline.library.records import Completion

COMPLETIONS: tuple[str, ...] = get_args(Completion)
# A person's own name for a work goes before IGDB's.
_NAME = func.coalesce(GameState.name, Work.name)
CLEARABLE = ("platform", "completion", "started", "finished", "hours", "rating", "notes")
# With these words a playthrough has no end.
_OPEN = frozenset({"backlog", "playing", "paused"})
_COLUMNS_OF = {"hours": ("seconds",), "rating": ("rating", "rating_scale")}
_EMPTY: Mapping[str, Any] = {"platform": "", "is_replay": False}
_FIELDS = (
    *("platform", "status", "completion", "started", "finished", "seconds", "rating", "rating_scale", "notes"),
    "is_replay",
)


class UnknownPlaythrough(UnknownThing):
    """The person has no playthrough of that number."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A playthrough as it stands after a write, with the name of its work and the words that gave way to it.

    `status_before` is what was said of the work as a whole, where this made it something else.
    """

    id: int
    game: str
    work_id: int
    status: str
    platform: str
    started: str | None
    finished: str | None
    seconds: int | None
    status_before: str | None = None
    status_now: str | None = None


def add_playthrough(
    connection: Connection, person_id: int, game: GameOfWork, values: Mapping[str, Any], now: datetime, today: date
) -> Written:
    """Write down a playthrough by the columns that are known of it; without any date and status one begins today.

    Belongs in a turn. Raises `UsageError` where the values do not fit one another.
    """
    after: dict[str, Any] = dict.fromkeys(_FIELDS) | dict(_EMPTY) | dict(values)
    if after["status"] is None:
        after["status"] = "finished" if after["finished"] is not None else "playing"
        if after["started"] is None and after["finished"] is None:
            after["started"] = today.isoformat()
    _check(after)
    # The key goes with it into an export, so that the journal knows it when that comes back.
    mine = {"person_id": person_id, "import_key": f"{HAND}:{uuid4().hex}", "created_at": now, "edited_at": now}
    row = {**after, **mine, "game_id": game.game_id, "igdb_id": game.igdb_id}
    playthrough_id = connection.execute(insert(Playthrough).values(**row).returning(Playthrough.id)).scalar_one()
    return _written(connection, person_id, playthrough_id, None, now, today)


def edit_playthrough(
    connection: Connection,
    person_id: int,
    playthrough_id: int,
    values: Mapping[str, Any],
    now: datetime,
    today: date,
    *,
    cleared: Collection[str] = (),
) -> Written:
    """Change a playthrough, which is the person's from now on: no import changes it. Belongs in a turn.

    `cleared` names fields of `CLEARABLE`. Raises `UsageError` for one that is not theirs, or whose values do not fit.
    """
    before = load_playthrough(connection, person_id, playthrough_id)
    emptied = {column: _EMPTY.get(column) for field in cleared for column in _COLUMNS_OF.get(field, (field,))}
    if both := sorted(emptied.keys() & values.keys()):
        raise UsageError(f"{both[0]} cannot be set and cleared at once")
    changed = dict(values) | emptied
    after = {name: before[name] for name in _FIELDS} | changed
    if changed.get("finished") is not None and "status" not in changed and after["status"] in _OPEN:
        after["status"] = changed["status"] = "finished"
    _check(after)
    mine = update(Playthrough).where(Playthrough.id == playthrough_id)
    connection.execute(mine.values(**changed, edited_at=now))
    return _written(connection, person_id, playthrough_id, before, now, today)


def finish_work(
    connection: Connection, person_id: int, game: GameOfWork, values: Mapping[str, Any], now: datetime, today: date
) -> Written:
    """Give the playthrough of a work that is under way its end, today unless `values` say when; or write down one.

    Belongs in a turn. Raises `UsageError` where several are under way, or none is and the game is finished already.
    """
    ended = {"finished": today.isoformat()} | dict(values)
    under_way = open_playthroughs(connection, person_id, game.work_id)
    if len(under_way) > 1:
        numbers = "; ".join(f"{row.id} since {in_words(row.started) or 'some time'}" for row in under_way)
        raise UsageError(
            f"{game.name} is being played {len(under_way)} times ({numbers}): say which with "
            "`lootwire journal edit ID --finished today`"
        )
    if under_way:
        return edit_playthrough(connection, person_id, under_way[0].id, ended, now, today)
    if (known := _finished(connection, person_id, game.game_id, values.get("platform"))) is not None:
        since = f", since {in_words(known.finished)}" if known.finished is not None else ""
        raise UsageError(
            f"{game.name} is finished already{since} (playthrough {known.id}). Another time through it is "
            f"`lootwire journal add {_named(game)} --finished today --replay`; "
            f"`lootwire journal edit {known.id} --finished DATE` puts the day right"
        )
    return add_playthrough(connection, person_id, game, ended, now, today)


def remove_playthrough(connection: Connection, person_id: int, playthrough_id: int, now: datetime) -> str:
    """Take a playthrough out of the journal for good, whatever imports say; returns its game. Belongs in a turn."""
    row = load_playthrough(connection, person_id, playthrough_id)
    connection.execute(update(Playthrough).where(Playthrough.id == playthrough_id).values(removed_at=now))
    end_writing(connection, person_id, [row["work_id"]], now)
    name: str = row["game"]
    return name


def load_playthrough(connection: Connection, person_id: int, playthrough_id: int) -> Mapping[str, Any]:
    """Return a playthrough with its work's id and name; raises `UnknownPlaythrough` where it is not the person's."""
    query = (
        select(*Playthrough.__table__.c, Game.work_id, _NAME.label("game"))
        .join(Game, Game.id == Playthrough.game_id)
        .join(Work, Work.id == Game.work_id)
        .outerjoin(GameState, (GameState.work_id == Work.id) & (GameState.person_id == Playthrough.person_id))
        .where(Playthrough.id == playthrough_id, Playthrough.person_id == person_id, Playthrough.removed_at.is_(None))
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownPlaythrough(
            f"there is no playthrough {playthrough_id}; `lootwire journal show` tells their numbers"
        )
    return dict(row)


def open_playthroughs(connection: Connection, person_id: int, work_id: int) -> Sequence[Any]:
    """Return the playthroughs of a work that have no end and were not given up, the oldest first."""
    query = (
        select(Playthrough.id, Playthrough.started, Playthrough.platform)
        .join(Game, Game.id == Playthrough.game_id)
        .where(Game.work_id == work_id, Playthrough.person_id == person_id, Playthrough.removed_at.is_(None))
        .where(Playthrough.finished.is_(None), Playthrough.status.in_(("playing", "paused", "backlog")))
        .order_by(Playthrough.id)
    )
    return connection.execute(query).all()


def _finished(connection: Connection, person_id: int, game_id: int, platform: str | None) -> Any:
    """Return the last playthrough of a game that has ended; None where there is none, or on other platforms alone."""
    query = (
        select(Playthrough.id, Playthrough.finished)
        .where(Playthrough.game_id == game_id, Playthrough.person_id == person_id, Playthrough.removed_at.is_(None))
        .where(Playthrough.status.in_(OVER))
        .order_by(Playthrough.finished.desc().nulls_last(), Playthrough.id.desc())
        .limit(1)
    )
    if platform:
        query = query.where(Playthrough.platform.in_(("", platform)))
    return connection.execute(query).one_or_none()


def _named(game: GameOfWork) -> str:
    return repr(game.name) if game.igdb_id is None else f"igdb:{game.igdb_id}"


def status_after(status: str | None, played: Mapping[str, Any], today: date) -> str | None:
    """Return what is said of a work after a playthrough of it was written: their newest word holds. Pure.

    Where nothing is said it follows from the playthrough anyway. A game that is mastered, endless or finished stays so
    while it is played again, and what is being played is not finished because it was so years ago.
    """
    word = played["status"]
    if status is None or status in {"mastered", "endless"} or (status in OVER and word not in OVER):
        return status
    if status == "backlog" or is_recent(played["finished"] or played["started"], today):
        return str(word)
    return status


def _check(row: Mapping[str, Any]) -> None:
    check_order(row["started"], row["finished"])
    if row["finished"] is not None and row["status"] in _OPEN:
        raise UsageError(f"one that is {row['status']} has no end: leave the end out, or say that it is finished")
    if row["notes"] is not None and len(row["notes"]) > LONGEST_NOTES:
        raise UsageError(f"these notes have {len(row['notes']):,} letters; {LONGEST_NOTES:,} at most")


def _written(
    connection: Connection,
    person_id: int,
    playthrough_id: int,
    before: Mapping[str, Any] | None,
    now: datetime,
    today: date,
) -> Written:
    """Write what follows from a playthrough: the work's status, what it is to the person, and the event."""
    row = load_playthrough(connection, person_id, playthrough_id)
    state = load_state(connection, person_id, row["work_id"])
    status = None if state is None else state["status"]
    new_status = status_after(status, row, today) if _says_more(before, row) else status
    if state is not None and new_status != status:
        said = {**state, "status": new_status, "set_by": {**state["set_by"], "status": HAND}}
        write_state(connection, person_id, row["work_id"], said, now)
    end_writing(connection, person_id, [row["work_id"]], now)
    after = _played(row)
    kind = news_of(None if before is None else _played(before), after)
    if kind is not None:
        event, silent = event_of(kind, person_id, after, now, today)
        append_events(connection, [event], source_id=None, silent=silent, now=now)
    return Written(
        **{name: row[name] for name in Written.__struct_fields__ if name in row},
        status_before=status if new_status != status else None,
        status_now=new_status if new_status != status else None,
    )


def _says_more(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> bool:
    """Whether a write says something new of how far the person is; a corrected date or note does not."""
    return (
        before is None
        or before["status"] != after["status"]
        or (before["finished"] is None) != (after["finished"] is None)
    )


def _played(row: Mapping[str, Any]) -> Played:
    return msgspec.convert({name: row[name] for name in Played.__struct_fields__}, Played)
