"""Let time do its part: campaigns start, near their end and end at their times, and what damping held back is told."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, or_, select

from models import DropCampaign, RewardCampaign, Sighting, Source
from pipeline.drops.campaigns import CampaignSubjects
from pipeline.drops.rewards import RewardSubjects
from pipeline.drops.store import campaigns, rewards
from pipeline.drops.store.deadlines import take_due
from pipeline.events.append import NEWS_FOR, append_events
from pipeline.ingest.turn import take_turn

# A source that still lists a campaign as running may know of an extension that it does not give yet.
STILL_LISTED_GRACE = timedelta(hours=1)
AT_ONCE = 200


def advance(engine: Engine, now: datetime) -> Counter[str]:
    """Start what is due to start, end what is due to end, warn of ends that come near, tell what was held back.

    Returns the events by kind. Safe to call twice.
    """
    counted: Counter[str] = Counter()
    with engine.begin() as connection:
        # The turn that snapshots wait for too: the two must not end one campaign at the same time.
        take_turn(connection)
        for service, source_id in _sources_by_service(connection).items():
            subjects = CampaignSubjects(connection, service)
            for settled in subjects.settle_now(now):
                counted += append_events(
                    connection, settled.events, source_id=source_id, silent=settled.silent, now=now
                )
            started = campaigns.load_campaigns_by_id(connection, _due_to_start(connection, service, now))
            events = subjects.start_stored(started)
            # Loaded after that: what is over starts once.
            ended = campaigns.load_campaigns_by_id(connection, _due_to_end(connection, service, now))
            events += subjects.end_stored(ended)
            events += subjects.warn(take_due(connection, service, now), now)
            subjects.renew_deadlines(now)
            over = rewards.load_rewards_by_id(connection, _rewards_due_to_end(connection, service, now))
            events += RewardSubjects(connection, service).end_stored(over)
            for silent in (True, False):
                batch = [event for event in events if (event.occurred_at <= now - NEWS_FOR) is silent]
                counted += append_events(connection, batch, source_id=source_id, silent=silent, now=now)
    return counted


def _sources_by_service(connection: Connection) -> dict[str, int]:
    """Return one source of each service: the one that its events are filed under."""
    query = select(Source.service, Source.id).order_by(Source.id.desc())
    return dict(connection.execute(query).all())


def _due_to_start(connection: Connection, service: str, now: datetime) -> list[int]:
    query = select(DropCampaign.id).where(
        DropCampaign.service == service,
        DropCampaign.started_at.is_(None),
        DropCampaign.ended_at.is_(None),
        DropCampaign.withdrawn_at.is_(None),
        DropCampaign.start_at <= now,
    )
    return list(connection.scalars(query.order_by(DropCampaign.start_at, DropCampaign.id).limit(AT_ONCE)))


def _due_to_end(connection: Connection, service: str, now: datetime) -> list[int]:
    listed = (
        select(Sighting.external_id)
        .join(Source, Source.id == Sighting.source_id)
        .where(
            Source.service == service,
            Sighting.external_id == DropCampaign.external_id,
            Sighting.closed_at.is_(None),
            Sighting.last_seen_at.is_(None),
            # Listed after its end: a listing from before says nothing about what came after.
            Source.last_snapshot_at > DropCampaign.end_at,
        )
    )
    query = select(DropCampaign.id).where(
        DropCampaign.service == service,
        DropCampaign.ended_at.is_(None),
        DropCampaign.withdrawn_at.is_(None),
        DropCampaign.end_at <= now,
        or_(DropCampaign.end_at <= now - STILL_LISTED_GRACE, ~listed.exists()),
    )
    return list(connection.scalars(query.order_by(DropCampaign.end_at, DropCampaign.id).limit(AT_ONCE)))


def _rewards_due_to_end(connection: Connection, service: str, now: datetime) -> list[int]:
    query = select(RewardCampaign.id).where(
        RewardCampaign.service == service, RewardCampaign.ended_at.is_(None), RewardCampaign.end_at <= now
    )
    return list(connection.scalars(query.order_by(RewardCampaign.end_at, RewardCampaign.id).limit(AT_ONCE)))
