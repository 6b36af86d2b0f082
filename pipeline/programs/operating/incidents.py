"""Tells operators of what is wrong: once, then daily while it lasts, and once when it is over."""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, and_, delete, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from models import Incident
from models.details import OperatorDetail
from models.events import EventKind
from models.locks import lock_key, lock_transaction
from notifiers.operators import is_anybody_told
from pipeline.events.append import NewEvent, append_events
from pipeline.programs.operating import episodes
from pipeline.programs.operating.episodes import Step
from pipeline.programs.operating.reports import REPORT_HOLDS, Key, Row, is_believed, row_of
from pipeline.programs.operating.troubles import SHARED, Trouble, publishing_failed

# A machine that was taken away for good says no more that its disk has room.
GONE = timedelta(days=7)
_LOCK = lock_key("lootwire incidents")
_TABLE = Incident.__table__


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


def withdraw_publishing(engine: Engine, is_well: Callable[[], bool], now: datetime) -> bool:
    """Have a report that this machine cannot write feeds or pages believed no more; returns whether it stands.

    It stands where there is one and this machine is not well.
    """
    of_publishing = (Incident.kind == EventKind.OPERATOR_PUBLISH_FAILED, Incident.host == platform.node())
    believed = (*of_publishing, *is_believed(now))
    with engine.connect() as connection:
        if connection.scalar(select(Incident.kind).where(*believed)) is None:
            return False
    if not is_well():
        return True
    with engine.begin() as connection:
        lock_transaction(connection, _LOCK)
        connection.execute(update(Incident).where(*believed).values(seen_at=now - 2 * REPORT_HOLDS))
    return False


def settle(
    connection: Connection, troubles: Sequence[Trouble], now: datetime, *, host: str, ticking_since: datetime
) -> Counter[str]:
    """Note all that is wrong now, tell of what is new, lasts or is over; returns the events of each kind.

    What is on another machine than `host` is left to that one. Before `ticking_since` nobody could see anything.
    """
    lock_transaction(connection, _LOCK)
    known, counted, is_heard = _load(connection, None), Counter[str](), is_anybody_told(connection)
    seen = {trouble.key: trouble for trouble in troubles if trouble.is_seen}
    lasting = {key for key, each in seen.items() if _is_as_before(each, known.get(key), now, is_heard=is_heard)}
    _see_again(connection, sorted(lasting), now)
    for key in (key for key in seen if key not in lasting):
        counted += _note(connection, seen[key], known.get(key), now, is_heard=is_heard)
    wrong = {trouble.key for trouble in troubles}
    for key, row in known.items():
        if key not in wrong and _is_ours(row, host, now):
            counted += _let_pass(connection, row, now, ticking_since, is_heard=is_heard)
    return counted


def _load(connection: Connection, only: Iterable[Trouble] | None) -> dict[Key, Row]:
    statement = select(*_TABLE.c)
    if only is not None:
        wanted = (_is_of(trouble.key) for trouble in only)
        statement = statement.where(or_(*wanted))
    rows = [row_of(row) for row in connection.execute(statement).mappings()]
    return {row.trouble.key: row for row in rows}


def _is_as_before(trouble: Trouble, row: Row | None, now: datetime, *, is_heard: bool) -> bool:
    """Return whether nothing is new about a trouble: most are like that, for as long as they last."""
    if row is None or row.episode.recovered_at is not None:
        return False
    if (trouble.name, trouble.reason) != (row.trouble.name, row.trouble.reason):
        return False
    return not (is_heard and episodes.is_to_be_told(trouble.kind, row.episode, now))


def _see_again(connection: Connection, keys: Sequence[Key], now: datetime) -> None:
    """Write down of all that lasts that it was seen, in one statement: a thousand targets may be gone at once."""
    if keys:
        of_keys = tuple_(Incident.kind, Incident.subject, Incident.host).in_(keys)
        connection.execute(update(Incident).where(of_keys).values(seen_at=now, times=Incident.times + 1))


def _note(connection: Connection, trouble: Trouble, row: Row | None, now: datetime, *, is_heard: bool) -> Counter[str]:
    episode = episodes.seen(row.episode if row else None, now, trouble.since)
    counted = Counter[str]()
    # Where nobody hears of it there is no event; a target that becomes an operator meanwhile is told what lasts.
    if is_heard and episodes.is_to_be_told(trouble.kind, episode, now):
        shown = msgspec.structs.replace(trouble, since=episode.since)
        detail = shown.detail(is_repeated=episode.told_at is not None)
        counted = _append(connection, trouble.kind, trouble, detail, now)
        episode = msgspec.structs.replace(episode, told_at=now)
    kind, subject, host = trouble.key
    key = {"kind": kind, "subject": subject, "host": host}
    values = {"name": trouble.name, "reason": trouble.reason, **msgspec.structs.asdict(episode)}
    added = insert(Incident).values(key | values)
    connection.execute(added.on_conflict_do_update(index_elements=list(_TABLE.primary_key), set_=values))
    return counted


def _is_ours(row: Row, host: str, now: datetime) -> bool:
    """Return whether it is this machine's to say that a trouble is over."""
    return row.trouble.host in {SHARED, host} or now - row.episode.seen_at >= GONE


def _let_pass(
    connection: Connection, row: Row, now: datetime, ticking_since: datetime, *, is_heard: bool
) -> Counter[str]:
    trouble, of_row = row.trouble, _is_of(row.trouble.key)
    match episodes.away(row.episode, now, ticking_since):
        case Step.IS_FORGOTTEN:
            connection.execute(delete(Incident).where(of_row))
        case Step.IS_OVER:
            connection.execute(update(Incident).where(of_row).values(recovered_at=now))
            if is_heard:
                detail = msgspec.structs.replace(trouble.detail(), trouble=trouble.kind.value)
                return _append(connection, EventKind.OPERATOR_RECOVERED, trouble, detail, now)
    return Counter()


def _append(
    connection: Connection, kind: EventKind, trouble: Trouble, detail: OperatorDetail, now: datetime
) -> Counter[str]:
    subject = ":".join(filter(None, trouble.key))
    event = NewEvent(kind=kind, subject=subject, identity=now.isoformat(), occurred_at=now, detail=detail)
    return append_events(connection, [event], source_id=None, silent=False, now=now)


def _is_of(key: Key) -> Any:
    kind, subject, host = key
    return and_(Incident.kind == kind, Incident.subject == subject, Incident.host == host)
