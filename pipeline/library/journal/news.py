"""What a person's journal tells: that they started or finished a game. Pure.

The key of an event is its playthrough's: a date that is edited makes no second one.
"""

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from models.details import LibraryDetail
from models.events import EventKind
from models.periods import read_period
from pipeline.events.event import NewEvent

OVER = frozenset({"finished", "mastered"})
# Who writes down in the morning what they finished last night tells news; who fills in 2012 does not.
RECENT = timedelta(days=1)


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A playthrough, as far as an event shows it."""

    id: int
    import_key: str | None = None
    game_id: int
    game: str
    status: str
    platform: str = ""
    completion: str | None = None
    started: str | None = None
    finished: str | None = None
    seconds: int | None = None
    rating: float | None = None


def news_of(before: Played | None, after: Played) -> EventKind | None:
    """Return what a write of a playthrough tells: an end that it had not, or a beginning; None where it is neither."""
    if after.finished is not None and after.status in OVER:
        had_end = before is not None and before.finished is not None and before.status in OVER
        return None if had_end else EventKind.PLAY_FINISHED
    if after.status == "playing" and (before is None or before.status == "backlog"):
        return EventKind.PLAY_STARTED
    return None


def event_of(kind: EventKind, person_id: int, played: Played, now: datetime, today: date) -> tuple[NewEvent, bool]:
    """Return the event of a playthrough, and whether it is silent: on the journal's feed, but sent to nobody.

    One of a day that is long over is filed under the last day of what the person knows of it.
    """
    when = played.finished if kind == EventKind.PLAY_FINISHED else played.started
    period = read_period(when)
    recent = is_recent(when, today)
    last = None if period is None else period.last
    at = now if recent or last is None else min(now, datetime.combine(last, time(12), UTC))
    event = NewEvent(
        kind=kind,
        subject=f"person/{person_id}",
        # As an import of it has it (pipeline/library/details.py).
        identity=played.import_key or f"playthrough/{played.id}",
        occurred_at=at,
        detail=LibraryDetail(
            game=played.game,
            platform=played.platform or None,
            finished=played.finished if kind == EventKind.PLAY_FINISHED else None,
            completion=played.completion,
            seconds=played.seconds,
            rating=None if played.rating is None else round(played.rating),
        ),
        game_id=played.game_id,
        person_id=person_id,
        is_private=True,
    )
    return event, not recent


def is_recent(when: str | None, today: date) -> bool:
    """Whether a date, as precisely as it is known, may be of today or yesterday; one that nobody knows may."""
    period = read_period(when)
    if period is None or period.last is None:
        return True
    return period.last >= today - RECENT
