"""Looks at an installation: reads what `troubles.judge` judges."""

import os
import platform
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, Text, exists, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from models import Delivery, DeliveryState, Heartbeat, Target
from models.errors import LootwireError
from models.events import EventKind
from notifiers.operators import OPERATOR
from notifiers.people import hears
from pipeline.embedded import disk_problem
from pipeline.ingest import service_time
from pipeline.programs.operating.reports import load_reported
from pipeline.programs.operating.troubles import DeadLetters, Facts, Machine
from pipeline.realtime.reader import held_back_for
from pipeline.runtime.folders import try_folder
from pipeline.runtime.heartbeat import CLOCK, CLOCK_SINCE, ticking_since
from pipeline.runtime.settings import Settings
from pipeline.runtime.watchdog import EVENTSUB, WORKER

PROGRAMS = (WORKER, "sender", "publisher", "fetcher")
DISKS = frozenset({EventKind.OPERATOR_DISK_FULL, EventKind.OPERATOR_DISK_READ_ONLY})
# As the partial index says it, so that it is used.
_DEAD = Delivery.state == literal_column("'dead'", Text)


def look_at_machine(settings: Settings, *, try_publishing: bool) -> Machine:
    """Return what this machine sees of itself; the published folder is tried out only where that is asked for."""
    return Machine(
        host=platform.node(),
        disk=disk_problem(settings.data_dir),
        read_only=_read_only(settings),
        publishing=_unwritable(settings) if try_publishing else None,
        sees=DISKS,
    )


def load_facts(
    connection: Connection, machine: Machine, now: datetime, *, streams: bool, is_clock_doubted: bool = False
) -> Facts:
    """Return what is to be judged; `streams` says that EventSub's program should run."""
    beats: dict[str, datetime] = dict(connection.execute(select(Heartbeat.name, Heartbeat.at)).all())
    overdue_since, overdue = _overdue(connection, now)
    return Facts(
        now=now,
        ticking_since=ticking_since(beats.get(CLOCK), beats.get(CLOCK_SINCE), now) or now,
        machine=machine,
        signs_of_life={name: beats.get(name) for name in (*PROGRAMS, *([EVENTSUB] if streams else []))},
        overdue_since=overdue_since,
        overdue=overdue,
        dead=tuple(_dead(connection)),
        is_clock_doubted=is_clock_doubted,
        open_for=held_back_for(connection),
        services_ahead=service_time.disagreement(beats, now),
        reported=load_reported(connection, now),
    )


def _read_only(settings: Settings) -> str | None:
    try:
        is_read_only = os.statvfs(settings.data_dir).f_flag & os.ST_RDONLY
    except OSError:
        return None
    return f"{settings.data_dir} is read-only" if is_read_only else None


def _unwritable(settings: Settings) -> str | None:
    try:
        try_folder(settings.published)
    except LootwireError as error:
        return f"{settings.published}: {error}"
    return None


def _overdue(connection: Connection, now: datetime) -> tuple[datetime | None, int]:
    """Return since when the oldest message is due at a target that is neither paused nor resting, and how many are."""
    is_sent_to = (Target.disabled_at.is_(None), hears(), or_(Target.rests_until.is_(None), Target.rests_until <= now))
    # As the partial index says it, so that it is used; what is under way has a lease, and is somebody's.
    waiting = Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING])
    due = (waiting, Delivery.state == DeliveryState.PENDING, Delivery.next_attempt_at <= now)
    theirs = Delivery.target_id.in_(select(Target.id).where(*is_sent_to))
    row = connection.execute(
        select(func.min(Delivery.next_attempt_at).label("since"), func.count()).where(*due, theirs)
    ).one()
    return row[0], row[1]


def _dead(connection: Connection) -> Iterator[DeadLetters]:
    """Yield the targets that are sent to and have messages that were given up."""
    last = (
        select(Delivery.target_id, func.max(Delivery.dead_at).label("at"), func.count().label("count"))
        .where(_DEAD, Delivery.dead_at.is_not(None))
        .group_by(Delivery.target_id)
        .subquery()
    )
    other = aliased(Delivery)
    of_target = (other.target_id == last.c.target_id, other.state == DeliveryState.SENT, other.sent_at > last.c.at)
    newest = aliased(Delivery)
    error = (
        select(newest.last_error)
        .where(newest.target_id == last.c.target_id, newest.state == "dead", newest.dead_at == last.c.at)
        .order_by(newest.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    columns = (Target.id, Target.name, Target.role, last.c.at, last.c.count, exists().where(*of_target), error)
    rows = connection.execute(
        select(*columns)
        .join(last, last.c.target_id == Target.id)
        .where(Target.disabled_at.is_(None), Target.removed_at.is_(None), hears())
        .order_by(Target.id)
    )
    for target_id, name, role, last_at, count, works_since, text in rows:
        yield DeadLetters(
            target_id=target_id,
            target=name,
            is_operators=role == OPERATOR,
            count=count,
            last_at=last_at,
            works_since=works_since,
            error=text,
        )
