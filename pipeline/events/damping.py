"""Damp changes that flap, and remember what that holds back: damping may delay, but what was said last comes true.

docs/decisions/0013-damping.md says what is held back, and when it is told.
"""

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    DateTime,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.dml import ReturningDelete

from models import Event, HeldChange
from models.locks import lock_key, taken_if_free
from pipeline.database.bulk import execute_rows, insert_rows, rows_as_table
from pipeline.events.event import NewEvent

# The same change makes one event within this time.
DAMPING_WINDOW = timedelta(hours=24)
# Held by imports: they store what was held back long ago, and settle it by themselves as they go on.
IMPORTING = lock_key("lootwire.import")
EVENTS: Table = Event.__table__  # type: ignore[assignment]
HELD: Table = HeldChange.__table__  # type: ignore[assignment]
_KEY = ("family", "subject", "item")
_NAMES = tuple(HELD.c.keys())
_TIME = DateTime(timezone=True)
_RECENT = select(EVENTS.c.change_key, EVENTS.c.occurred_at).where(
    EVENTS.c.change_key == func.any(bindparam("change_keys", type_=ARRAY(Text))),
    EVENTS.c.occurred_at > bindparam("after", type_=_TIME),
    EVENTS.c.occurred_at < bindparam("before", type_=_TIME),
)
Held = dict[tuple[str, str, str], Mapping[str, Any]]


class HeldBack(msgspec.Struct, frozen=True):
    """What was held back of a subject and is due: its items with the values that the last event gave."""

    subject: str
    announced: Mapping[str, Any]
    due_at: datetime
    silent: bool


def damp(connection: Connection, events: Sequence[NewEvent], *, silent: bool, now: datetime) -> list[NewEvent]:
    """Return the events to append, without the changes that another event told within a day; those are held back.

    A change of something that was held back before is told from the value on that the last event gave.
    """
    damped = [event for event in events if event.damped]
    if not damped:
        return list(events)
    held, recent, admitted = _take_held(connection, damped), _Recent(connection, damped), list[NewEvent]()
    for event in itertools.chain.from_iterable(_since_announced(event, held) for event in events):
        last = recent.last(event) if event.damped else None
        if last is None:
            admitted.append(event)
            recent.add(event)
        else:
            due_at = min(last, event.occurred_at) + DAMPING_WINDOW
            held.update(_held_back(event, silent=silent, held_at=now, due_at=due_at))
    if held:
        execute_rows(connection, _stored(), list(held.values()))
    return admitted


def next_due_at(connection: Connection, family: str, prefix: str) -> datetime | None:
    """Return when the next change that was held back is due; `prefix` is that of its subjects."""
    due_at: datetime | None = connection.scalar(_NEXT_DUE, {"family": family, "prefix": prefix})
    return due_at


def subjects_due(family: str, now: ColumnElement[datetime]) -> Select[str]:
    """Return the query for the subjects of which `take_due_now` may have something, and for no others."""
    is_due = or_(HELD.c.due_at <= now, HELD.c.due_at > now + DAMPING_WINDOW)
    return select(HELD.c.subject).where(HELD.c.family == family, is_due)


def take_due(connection: Connection, family: str, prefix: str, at: datetime) -> list[HeldBack]:
    """Remove what is due at a moment of the history and return it: all that is due first, so call it until it is empty.

    The events must be appended before the next call: they too may be held back again, until another moment.
    """
    return _take(connection, _DUE, {"family": family, "prefix": prefix, "at": at})


def take_due_now(connection: Connection, family: str, prefix: str, now: datetime) -> list[HeldBack]:
    """Remove what is due by the clock and return it, as `take_due` does; an import goes on with its own history.

    What lies further ahead than a window was stored by a clock that went wrong, and is due now.
    """
    moments = {"at": now, "farthest": now + DAMPING_WINDOW}
    due = _take(connection, _DUE_NOW, {"family": family, "prefix": prefix, **moments})
    return [msgspec.structs.replace(some, due_at=min(some.due_at, now)) for some in due]


def _since_announced(event: NewEvent, held: Held) -> Sequence[NewEvent]:
    """Return an event, or what it becomes where something that it changes was held back."""
    family = event.kind.family
    rows = {item: held.pop((family, event.subject, item), None) for item in event.items}
    announced = {item: row["announced"] for item, row in rows.items() if row is not None}
    return event.since(announced) if announced and event.since is not None else [event]


def _held_back(event: NewEvent, **values: Any) -> Held:
    family, subject = event.kind.family, event.subject
    rows = [dict(zip(_KEY, (family, subject, item), strict=True), announced=old) for item, old in event.items.items()]
    return {(family, subject, row["item"]): row | values for row in rows}


class _Recent:
    """When the changes of a batch were last told."""

    def __init__(self, connection: Connection, damped: Sequence[NewEvent]) -> None:
        self._connection = connection
        times = [event.occurred_at for event in damped]
        self._span = {"after": min(times) - DAMPING_WINDOW, "before": max(times) + DAMPING_WINDOW}
        self._times: dict[str, list[datetime]] = {}
        self._load({event.change_key for event in damped})

    def last(self, event: NewEvent) -> datetime | None:
        """Return when another event told the same change within a window; None where none did."""
        if event.change_key not in self._times:
            self._load({event.change_key})
        times = self._times[event.change_key]
        # An event of a clock that ran days ahead damps nothing.
        return max((at for at in times if abs(event.occurred_at - at) < DAMPING_WINDOW), default=None)

    def add(self, event: NewEvent) -> None:
        """Note that an event is appended."""
        self._times.setdefault(event.change_key, []).append(event.occurred_at)

    def _load(self, change_keys: Iterable[str]) -> None:
        self._times |= {key: [] for key in change_keys}
        for key, at in self._connection.execute(_RECENT, {"change_keys": list(change_keys), **self._span}):
            self._times[key].append(at)


def _take_held(connection: Connection, events: Iterable[NewEvent]) -> Held:
    rows = [
        dict(zip(_KEY, (event.kind.family, event.subject, item), strict=True))
        for event in events
        for item in event.items
    ]
    taken = execute_rows(connection, _taken(), rows).mappings() if rows else ()
    return {(row["family"], row["subject"], row["item"]): dict(row) for row in taken}


def _take(connection: Connection, statement: ReturningDelete[Any], parameters: Mapping[str, Any]) -> list[HeldBack]:
    due: dict[tuple[str, datetime, bool], dict[str, Any]] = {}
    for subject, item, announced, due_at, silent in connection.execute(statement, parameters):
        due.setdefault((subject, due_at, silent), {})[item] = announced
    return [
        HeldBack(subject, announced, due_at, silent) for (subject, due_at, silent), announced in sorted(due.items())
    ]


@functools.cache
def _taken() -> ReturningDelete[Any]:
    return (
        delete(HELD).where(tuple_(*[HELD.c[name] for name in _KEY]).in_(rows_as_table(HELD, _KEY))).returning(*HELD.c)
    )


@functools.cache
def _stored() -> Insert:
    return insert_rows(HELD, _NAMES)


def _of(family: ColumnElement[str], prefix: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(HELD.c.family == family, func.starts_with(HELD.c.subject, prefix))


def _due_first(is_due: ColumnElement[bool]) -> ReturningDelete[Any]:
    first = select(func.min(HELD.c.due_at)).where(is_due).scalar_subquery()
    columns = (HELD.c.subject, HELD.c.item, HELD.c.announced, HELD.c.due_at, HELD.c.silent)
    return delete(HELD).where(is_due, HELD.c.due_at == first).returning(*columns)


_OURS = _of(bindparam("family", type_=Text), bindparam("prefix", type_=Text))
_AT = bindparam("at", type_=_TIME)
# Asked only of what was due before it was stored: that is history, which an import may be about to go on with.
_IS_LEFT = or_(HELD.c.held_at <= HELD.c.due_at, taken_if_free(IMPORTING))
_NEXT_DUE = select(func.min(HELD.c.due_at)).where(_OURS)
_DUE = _due_first(and_(_OURS, HELD.c.due_at <= _AT))
_DUE_NOW = _due_first(
    and_(
        _OURS,
        or_(HELD.c.due_at > bindparam("farthest", type_=_TIME), and_(HELD.c.due_at <= _AT, _IS_LEFT)),
    )
)
