"""Store chat badges, and build the events that follow: only a new badge makes one."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from models.events import EventKind
from pipeline.drops.details import badge_detail
from pipeline.drops.store.badges import known_badges, listed_badges, mark_gone, store_badges
from pipeline.events.append import NewEvent
from pipeline.ingest.subjects import Settled, Stored
from pipeline.services.twitch.records import BadgeRecord


class BadgeSubjects:
    """Chat badges, one for each version of a set. One that is gone is marked, and comes back without an event."""

    def __init__(self, connection: Connection, service: str) -> None:
        self._connection = connection
        self._service = service

    def known(self, external_ids: Sequence[str]) -> set[str]:
        """Return those of the ids that are stored already."""
        return known_badges(self._connection, self._service, external_ids)

    def load_open(self, external_ids: Sequence[str]) -> Mapping[str, datetime | None]:
        """Return those of the ids that are listed; a badge has no end."""
        return dict.fromkeys(listed_badges(self._connection, self._service, external_ids))

    def store(
        self,
        records: Sequence[BadgeRecord],
        seen_at: datetime,
        *,
        now: datetime | None = None,  # noqa: ARG002 - a badge has no end that could have passed
        outranked: Collection[str] = (),  # noqa: ARG002 - Twitch alone lists them
        complete: bool = True,  # noqa: ARG002 - nothing is ever taken away here
    ) -> Stored:
        """Insert or update; only new ones make an event."""
        before = self.known([record.external_id for record in records])
        changed = store_badges(self._connection, self._service, records, seen_at=seen_at)
        new = [record for record in records if record.external_id not in before]
        return Stored(changed, [self._added(record, seen_at) for record in new])

    def end(self, external_ids: Sequence[str], at: datetime) -> tuple[list[str], list[NewEvent]]:  # noqa: ARG002
        """Return nothing: a badge has no end."""
        return [], []

    def withdraw(self, external_ids: Sequence[str], at: datetime) -> tuple[list[str], list[NewEvent]]:
        """Mark badges as gone, without an event."""
        mark_gone(self._connection, self._service, external_ids, at)
        return list(external_ids), []

    def settle_at(self) -> datetime | None:
        """Return None: no event of a badge is damped."""
        return None

    def settle(self, at: datetime, now: datetime, *, silent: bool) -> Iterator[Settled]:  # noqa: ARG002
        """Return nothing: no event of a badge is damped."""
        return iter(())

    def _added(self, record: BadgeRecord, at: datetime) -> NewEvent:
        return NewEvent(
            kind=EventKind.BADGE_ADDED,
            subject=f"{self._service}:badge:{record.external_id}",
            occurred_at=at,
            service=self._service,
            detail=badge_detail(record),
        )
