"""Sources: what is asked, how it is, and when it is asked again."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, RowMapping, select, update

from models import Source
from models.due import NEVER
from models.errors import LootwireError, UnknownThing
from models.moments import Moment
from models.printable import NAME_LENGTH, on_a_line


class SourceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A source. `state` is `ok`, `new`, `off`, or what is wrong in the words of its events, such as `source.failing`.

    `next_attempt_at` is null for one that is off, or that is not polled. `last_error` is for the owner alone: it may
    name accounts.
    """

    name: str
    service: str
    state: str
    next_attempt_at: Moment | None
    last_success_at: Moment | None
    last_snapshot_at: Moment | None
    failing_since: Moment | None
    changed_since: Moment | None
    stale_since: Moment | None
    consecutive_failures: int
    refresh_seconds: int | None
    last_error: str | None


def list_sources(connection: Connection, *, with_errors: bool = True) -> list[SourceAnswer]:
    """Return every source that has a row, in the order in which they came."""
    rows = connection.execute(select(*Source.__table__.c).order_by(Source.id)).mappings()
    return [_answer(row, with_errors=with_errors) for row in rows]


def show_source(connection: Connection, name: str, *, with_errors: bool = True) -> SourceAnswer:
    """Return one source; raises `UnknownThing` that lists those that there are."""
    listed = {each.name: each for each in list_sources(connection, with_errors=with_errors)}
    if name not in listed:
        known = ", ".join(listed) or "none yet"
        raise UnknownThing(f"there is no source {on_a_line(name, NAME_LENGTH)!r}; there are: {known}")
    return listed[name]


def ask_now(connection: Connection, now: datetime, name: str) -> SourceAnswer:
    """Make a source due at once, so that it is asked as soon as a fetcher is free.

    Raises `UnknownThing`, and `LootwireError` for one that is off or is not polled.
    """
    if show_source(connection, name).next_attempt_at is None:
        raise LootwireError(f"{name} is not polled: it is off for want of something, which `lootwire status` names")
    connection.execute(update(Source).where(Source.name == name).values(next_due_at=now))
    return show_source(connection, name)


def _answer(row: RowMapping, *, with_errors: bool) -> SourceAnswer:
    return SourceAnswer(
        name=row["name"],
        service=row["service"],
        state=_state(row),
        next_attempt_at=row["next_due_at"] if row["enabled"] and row["next_due_at"] < NEVER else None,
        last_success_at=row["last_success_at"],
        last_snapshot_at=row["last_snapshot_at"],
        failing_since=row["failing_since"],
        changed_since=row["changed_since"],
        stale_since=row["stale_since"],
        consecutive_failures=row["consecutive_failures"],
        refresh_seconds=row["refresh_seconds"],
        last_error=row["last_error"] if with_errors else None,
    )


def _state(row: RowMapping) -> str:
    if not row["enabled"]:
        return "off"
    if row["changed_since"] is not None:
        return "source.changed"
    if row["failing_since"] is not None:
        return "source.failing"
    if row["stale_since"] is not None:
        return "source.stale"
    return "ok" if row["last_success_at"] else "new"
