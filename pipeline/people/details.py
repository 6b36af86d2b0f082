"""What events of people show. Pure."""

from datetime import datetime

from models.details import QuotaDetail
from models.events import EventKind
from pipeline.events.event import NewEvent


def low_event(
    person_id: int, *, plan: str, credits_left: int, credits_of_period: int, more_at: datetime | None, now: datetime
) -> NewEvent:
    """Return the event that few credits are left; until more come it happens once."""
    detail = QuotaDetail(name=plan, credits=credits_left, of=credits_of_period, more_at=more_at)
    identity = more_at.isoformat() if more_at else None
    return NewEvent(
        kind=EventKind.QUOTA_LOW,
        subject=f"person/{person_id}",
        identity=identity,
        occurred_at=now,
        detail=detail,
        person_id=person_id,
    )
