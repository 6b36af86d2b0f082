"""Plans of people, and the gauges that they set."""

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, select

from models import Person, Plan
from models.errors import LootwireError

Gauge = Literal["sound_mb", "targets", "subscriptions", "follows", "requests_per_minute", "messages_per_day"]
GAUGES: tuple[Gauge, ...] = get_args(Gauge)
_WORDS: dict[str, str] = {
    "sound_mb": "MB of sound",
    "requests_per_minute": "requests a minute",
    "messages_per_day": "messages a day",
}


class QuotaError(LootwireError):
    """A person has used up what their plan gives; the text says what, and what to do.

    Of credits `missing` is how many more it takes, and `more_at` when some come, where that is known.
    """

    def __init__(self, text: str, *, missing: int | None = None, more_at: datetime | None = None) -> None:
        super().__init__(text)
        self.missing = missing
        self.more_at = more_at


def gauge_of(connection: Connection, person_id: int, gauge: Gauge) -> int | None:
    """Return the most that a person's plan allows of something; None without a plan, or where it names no limit."""
    limits: dict[str, Any] | None = connection.scalar(
        select(Plan.gauges).join(Person, Person.plan_id == Plan.id).where(Person.id == person_id)
    )
    return (limits or {}).get(gauge)


def check_gauge(connection: Connection, person_id: int, gauge: Gauge, wanted: int) -> None:
    """Raise `QuotaError` where a person would have more of something than their plan allows.

    `wanted` is how many there would be in all. Without a plan nothing is counted.
    """
    most = gauge_of(connection, person_id, gauge)
    if most is not None and wanted > most:
        raise QuotaError(
            f"your plan allows {most:,} {_WORDS.get(gauge, gauge)}, and this would be {wanted:,}; remove some, or ask "
            "the owner for another plan"
        )
