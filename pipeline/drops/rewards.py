"""Store reward campaigns, and build the events that follow: when they are added and when they end."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from models.events import EventKind
from pipeline.drops.details import reward_detail
from pipeline.drops.records import RewardCampaignRecord
from pipeline.drops.store import rewards
from pipeline.drops.store.rewards import StoredReward
from pipeline.events.append import NewEvent
from pipeline.ingest.subjects import Settled, Stored


class RewardSubjects:
    """Reward campaigns: they are added and they end; a change in between makes no event."""

    def __init__(self, connection: Connection, service: str) -> None:
        self._connection = connection
        self._service = service

    def known(self, external_ids: Sequence[str]) -> set[str]:
        """Return those of the ids that are stored already."""
        return set(rewards.load_rewards(self._connection, self._service, external_ids))

    def load_open(self, external_ids: Sequence[str]) -> Mapping[str, datetime | None]:
        """Return those that have not ended, with the end that the source gave."""
        return rewards.load_open_rewards(self._connection, self._service, external_ids)

    def store(
        self,
        records: Sequence[RewardCampaignRecord],
        seen_at: datetime,
        *,
        now: datetime | None = None,
        outranked: Collection[str] = (),  # noqa: ARG002 - the lists of both sources are the service's own
        complete: bool = True,  # noqa: ARG002 - nothing is ever taken away here
    ) -> Stored:
        """Insert or update; only new ones make an event, and one from an old snapshot may have ended since."""
        before = self.known([record.external_id for record in records])
        stored = rewards.store_rewards(self._connection, records, seen_at=seen_at)
        new = [campaign for key, campaign in stored.items() if key not in before]
        events = [_reward_event(EventKind.REWARD_ADDED, campaign, seen_at) for campaign in new]
        if now is not None and now > seen_at:
            events += self.end([campaign.record.external_id for campaign in new], now)[1]
        return Stored(len(records), events)

    def end(self, external_ids: Sequence[str], at: datetime) -> tuple[list[str], list[NewEvent]]:
        """End reward campaigns whose own end has passed."""
        if not external_ids:
            return [], []
        stored = rewards.load_rewards(self._connection, self._service, external_ids)
        ending = [s for s in stored.values() if s.ended_at is None and s.record.end_at and s.record.end_at <= at]
        return [s.record.external_id for s in ending], self.end_stored(ending)

    def end_stored(self, ending: Sequence[StoredReward]) -> list[NewEvent]:
        """End reward campaigns at the end that they were given."""
        rewards.end_rewards(self._connection, [stored.id for stored in ending])
        return [
            _reward_event(EventKind.REWARD_ENDED, stored, stored.record.end_at, identity=stored.record.end_at)
            for stored in ending
            if stored.record.end_at is not None
        ]

    def withdraw(self, external_ids: Sequence[str], at: datetime) -> tuple[list[str], list[NewEvent]]:  # noqa: ARG002
        """Return nothing: a reward campaign that is not listed for a while comes back or ends."""
        return [], []

    def settle_at(self) -> datetime | None:
        """Return None: no event of a reward campaign is damped."""
        return None

    def settle(self, at: datetime, now: datetime, *, silent: bool) -> Iterator[Settled]:  # noqa: ARG002
        """Return nothing: no event of a reward campaign is damped."""
        return iter(())


def _reward_event(kind: EventKind, stored: StoredReward, at: datetime, *, identity: object = None) -> NewEvent:
    return NewEvent(
        kind=kind,
        subject=f"{stored.record.service}:reward:{stored.record.external_id}",
        identity=identity,
        occurred_at=at,
        service=stored.record.service,
        detail=reward_detail(stored.record),
        reward_campaign_id=stored.id,
        game_id=stored.game_id,
    )
