"""Tells operators of what is wrong: once, then daily while it lasts, and once when it is over.

What comes and goes is one incident: it is over when it was away for ten minutes, and each time that it comes again
within a day it has to be away for six times as long.
"""

import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, and_, delete, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from models import Incident
from models.details import OperatorDetail
from models.events import EventKind
from models.locks import lock_key, lock_transaction
from notifiers.operators import is_anybody_told
from pipeline.events.append import NewEvent, append_events
from pipeline.programs.operating.troubles import SHARED, Trouble, publishing_failed

CALM = timedelta(minutes=10)
CALMER, CALMEST = 6, timedelta(days=1)
REPEAT = timedelta(days=1)
# An incident that is over is remembered for so long.
REMEMBERED = timedelta(days=1)
# A report is believed for so long: whoever makes one meets the trouble every minute.
REPORT_HOLDS = timedelta(minutes=3)
# A machine that was taken away for good says no more that its disk has room.
GONE = timedelta(days=7)
# What may be a moment of somebody else's network.
PATIENCE: Mapping[EventKind, timedelta] = {EventKind.OPERATOR_PING_FAILED: timedelta(minutes=15)}
# What nobody but the program that meets it sees.
REPORTED = frozenset(
    {
        EventKind.OPERATOR_PUBLISH_FAILED,
        EventKind.OPERATOR_CLOCK_JUMPED,
        EventKind.OPERATOR_PING_FAILED,
        EventKind.OPERATOR_DISK_READ_ONLY,
        EventKind.OPERATOR_DISK_FULL,
    }
)
_LOCK = lock_key("lootwire incidents")
_TABLE = Incident.__table__


def calm_for(flaps: int) -> timedelta:
    """Return how long an incident has to be away to be over, after it came again so many times."""
    calm: timedelta = CALM * CALMER ** min(flaps, 9)
    return min(calm, CALMEST)


def load_reported(connection: Connection, now: datetime) -> tuple[Trouble, ...]:
    """Return the troubles that were met within the last minutes, on any machine."""
    rows = connection.execute(
        select(*_TABLE.c).where(
            Incident.kind.in_(REPORTED), Incident.recovered_at.is_(None), Incident.seen_at >= now - REPORT_HOLDS
        )
    )
    return tuple(_trouble(dict(row)) for row in rows.mappings())


def report(connection: Connection, trouble: Trouble, now: datetime) -> Counter[str]:
    """Note that a trouble was met just now, and tell of it where it is new; returns the events of each kind."""
    lock_transaction(connection, _LOCK)
    row = _load(connection, [trouble]).get(trouble.key)
    return _note(connection, trouble, row, now, is_heard=is_anybody_told(connection))


def report_publishing(engine: Engine, reason: str, now: datetime, *, count: int = 1) -> None:
    """Note that this machine could not write feeds or pages."""
    others = f" (and {count - 1} more)" if count > 1 else ""
    with engine.begin() as connection:
        report(connection, publishing_failed(platform.node(), f"{reason}{others}"), now)


def settle(
    connection: Connection, troubles: Sequence[Trouble], now: datetime, *, host: str, ticking_since: datetime
) -> Counter[str]:
    """Note all that is wrong now, tell of what is new, lasts or is over; returns the events of each kind.

    What is on another machine than `host` is left to that one. Before `ticking_since` nobody could see anything.
    """
    lock_transaction(connection, _LOCK)
    seen = [trouble for trouble in troubles if trouble.is_seen]
    known, counted, is_heard = _load(connection, None), Counter[str](), is_anybody_told(connection)
    lasting = {trouble.key for trouble in seen if _goes_on(trouble, known.get(trouble.key), now, is_heard=is_heard)}
    _see_again(connection, sorted(lasting), now)
    for trouble in seen:
        if trouble.key not in lasting:
            counted += _note(connection, trouble, known.get(trouble.key), now, is_heard=is_heard)
    reported = {trouble.key for trouble in troubles}
    for key, row in known.items():
        if key not in reported:
            counted += _let_pass(connection, row, now, host, ticking_since)
    return counted


def _load(connection: Connection, only: Iterable[Trouble] | None) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    statement = select(*_TABLE.c)
    if only is not None:
        wanted = (_is_of(trouble.key) for trouble in only)
        statement = statement.where(or_(*wanted))
    rows = connection.execute(statement).mappings()
    return {(row["kind"], row["subject"], row["host"]): dict(row) for row in rows}


def _goes_on(trouble: Trouble, row: Mapping[str, Any] | None, now: datetime, *, is_heard: bool) -> bool:
    """Return whether nothing is new about a trouble: most are like that, for as long as they last."""
    if row is None or row["recovered_at"] is not None or (row["name"], row["reason"]) != (trouble.name, trouble.reason):
        return False
    return not (is_heard and _announcement(trouble.kind, row, now)[0])


def _see_again(connection: Connection, keys: Sequence[tuple[str, str, str]], now: datetime) -> None:
    """Write down of all that lasts that it was seen, in one statement: a thousand targets may be gone at once."""
    if keys:
        of_keys = tuple_(Incident.kind, Incident.subject, Incident.host).in_(keys)
        connection.execute(update(Incident).where(of_keys).values(seen_at=now, times=Incident.times + 1))


def _note(
    connection: Connection, trouble: Trouble, row: Mapping[str, Any] | None, now: datetime, *, is_heard: bool
) -> Counter[str]:
    values = _seen(trouble, row, now)
    is_due, is_repeated = _announcement(trouble.kind, values, now)
    counted = Counter[str]()
    # Where nobody hears of it there is no event; who becomes an operator meanwhile is told what lasts.
    if is_due and is_heard:
        trouble = Trouble(
            **{name: values[name] for name in ("subject", "host", "name", "reason", "since")}, kind=trouble.kind
        )
        counted = _append(connection, trouble.kind, trouble, trouble.detail(is_repeated=is_repeated), now)
        values["told_at"] = now
    added = insert(Incident).values(values)
    connection.execute(added.on_conflict_do_update(index_elements=list(_TABLE.primary_key), set_=values))
    return counted


def _seen(trouble: Trouble, row: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
    """Return an incident's row after its trouble was seen; a new one, or one that comes again, begins now."""
    kind, subject, host = trouble.key
    said = {"kind": kind, "subject": subject, "host": host, "name": trouble.name, "reason": trouble.reason}
    if row is None or row["recovered_at"] is not None:
        flaps = 0 if row is None else row["flaps"] + 1
        since = trouble.since or now
        fresh = {"since": since, "times": 1, "flaps": flaps, "told_at": None, "recovered_at": None}
        return {**said, **fresh, "seen_at": now}
    return {**row, **said, "seen_at": now, "times": row["times"] + 1}


def _announcement(kind: EventKind, row: Mapping[str, Any], now: datetime) -> tuple[bool, bool]:
    """Return whether an incident is to be told now, and whether it was before."""
    if row["told_at"] is None:
        return now - row["since"] >= PATIENCE.get(kind, timedelta(0)), False
    return now - row["told_at"] >= REPEAT, True


def _let_pass(
    connection: Connection, row: Mapping[str, Any], now: datetime, host: str, ticking_since: datetime
) -> Counter[str]:
    """Close an incident that was away for long enough, and forget one that was over long ago."""
    is_elsewhere = row["host"] not in {SHARED, host}
    away = now - max(row["seen_at"], ticking_since)
    is_of_row = _is_of((row["kind"], row["subject"], row["host"]))
    if is_elsewhere and now - row["seen_at"] < GONE:
        return Counter()
    if row["recovered_at"] is not None:
        if now - row["recovered_at"] >= REMEMBERED:
            connection.execute(delete(Incident).where(is_of_row))
        return Counter()
    if away < calm_for(row["flaps"]):
        return Counter()
    if row["told_at"] is None:
        connection.execute(delete(Incident).where(is_of_row))
        return Counter()
    connection.execute(update(Incident).where(is_of_row).values(recovered_at=now))
    trouble = _trouble(row)
    detail = OperatorDetail(
        name=trouble.name, reason=trouble.reason, since=trouble.since, host=trouble.host or None, trouble=trouble.kind
    )
    return _append(connection, EventKind.OPERATOR_RECOVERED, trouble, detail, now)


def _append(
    connection: Connection, kind: EventKind, trouble: Trouble, detail: OperatorDetail, now: datetime
) -> Counter[str]:
    subject = ":".join(filter(None, trouble.key))
    event = NewEvent(kind=kind, subject=subject, identity=now.isoformat(), occurred_at=now, detail=detail)
    return append_events(connection, [event], source_id=None, silent=False, now=now)


def _trouble(row: Mapping[str, Any]) -> Trouble:
    kind = EventKind(row["kind"])
    stops_work = kind in {EventKind.OPERATOR_PUBLISH_FAILED, EventKind.OPERATOR_DISK_READ_ONLY}
    return Trouble(
        kind=kind,
        subject=row["subject"],
        host=row["host"],
        name=row["name"],
        reason=row["reason"],
        since=row["since"],
        stops_work=stops_work or (kind == EventKind.OPERATOR_DISK_FULL and row["subject"] == "full"),
        is_seen=False,
    )


def _is_of(key: tuple[str, str, str]) -> Any:
    kind, subject, host = key
    return and_(Incident.kind == kind, Incident.subject == subject, Incident.host == host)
