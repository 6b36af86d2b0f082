"""Notice a source that neither fails nor brings anything new: silence must mean that nothing happened."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, select, update

from models import Source
from models.details import SourceDetail
from models.events import EventKind
from pipeline.events.append import NewEvent, append_events
from pipeline.ingest.turn import take_turn

# A service's own clock may pause; the mirror's history has gaps of four hours one time in a hundred.
OLD_NEWS = timedelta(hours=6)
POLLS_WITHOUT_NEWS = 3
# A fetch may take minutes, and an import keeps fetches waiting for some.
UNASKED = timedelta(minutes=30)


def watch(engine: Engine, now: datetime, *, ticking_since: datetime) -> Counter[str]:
    """Append the events of sources that became stale or fresh again; returns how many of each kind.

    `ticking_since` is when the clock began to tick without a pause: an installation that was off is not stale.
    """
    with engine.connect() as connection:
        rows = connection.execute(select(*Source.__table__.c).order_by(Source.id)).mappings().all()
    if not any(_differs(row, now, ticking_since) for row in rows):
        return Counter()
    with engine.begin() as connection:
        return _append_changes(connection, now, ticking_since)


def stale_because(source: Mapping[str, Any] | RowMapping, now: datetime, *, ticking_since: datetime) -> str | None:
    """Return why a source is stale; None where it is not, is off, or is known to fail for another reason."""
    if not source["enabled"] or source["failing_since"] or source["changed_since"]:
        return None
    due_at = max(source["next_due_at"], source["lease_until"] or source["next_due_at"], ticking_since)
    if due_at < now - UNASKED:
        return f"nobody has asked it since it was due at {due_at:%Y-%m-%d %H:%M} UTC; see `lootwire status`"
    snapshot_at = source["last_snapshot_at"]
    patience = max(OLD_NEWS, POLLS_WITHOUT_NEWS * timedelta(seconds=source["refresh_seconds"] or 0))
    if snapshot_at is not None and max(snapshot_at, ticking_since) < now - patience:
        return f"it answers, but with what was true at {snapshot_at:%Y-%m-%d %H:%M} UTC"
    return None


def _differs(source: RowMapping, now: datetime, ticking_since: datetime) -> bool:
    known = source["stale_since"] is not None
    return known is (stale_because(source, now, ticking_since=ticking_since) is None)


def _append_changes(connection: Connection, now: datetime, ticking_since: datetime) -> Counter[str]:
    counted: Counter[str] = Counter()
    for source in take_turn(connection):
        if not _differs(source, now, ticking_since):
            continue
        reason = stale_because(source, now, ticking_since=ticking_since)
        since = source["stale_since"]
        # What fails now is not fresh again, and has an event of its own.
        quiet = source["failing_since"] or source["changed_since"] or not source["enabled"]
        if reason is not None:
            event = source_event(EventKind.SOURCE_STALE, source, now, reason=reason)
        else:
            event = source_event(EventKind.SOURCE_RECOVERED, source, now, since=since)
        if reason is not None or not quiet:
            counted += append_events(connection, [event], source_id=source["id"], silent=False, now=now)
        stale_since = now if reason is not None else None
        connection.execute(update(Source).where(Source.id == source["id"]).values(stale_since=stale_since))
    return counted


def source_event(
    kind: EventKind,
    source: Mapping[Any, Any],
    at: datetime,
    *,
    reason: str | None = None,
    since: datetime | None = None,
    next_attempt_at: datetime | None = None,
) -> NewEvent:
    """Return an event of the pipeline's own health; one per source, kind and moment."""
    name = source["name"]
    return NewEvent(
        kind=kind,
        subject=name,
        identity=at.isoformat(),
        occurred_at=at,
        service=source["service"],
        detail=SourceDetail(name=name, reason=reason, since=since, next_attempt_at=next_attempt_at),
    )
