"""Let time do its part: campaigns start, near their end and end at their times, and what damping held back is told."""

import functools
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Connection, DateTime, Engine, Select, and_, bindparam, func, or_, select, union_all

from models import CampaignDeadline, DropCampaign, RewardCampaign, Sighting, Source
from models.events import EventKind
from pipeline.drops.campaigns import CampaignSubjects
from pipeline.drops.rewards import RewardSubjects
from pipeline.drops.store import campaigns, rewards
from pipeline.drops.store.deadlines import DEADLINES_VERSION, take_due
from pipeline.events.append import NEWS_FOR, append_events
from pipeline.events.damping import subjects_due
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
        for service, source_id in _sources_by_service_with_work(connection, now).items():
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


def _sources_by_service_with_work(connection: Connection, now: datetime) -> dict[str, int]:
    """Return one source of each service of which something may be due: the one that its events are filed under."""
    return dict(connection.execute(_with_work(), {"now": now}).all())


# Asked at each tick, and mostly of nothing: one question instead of nine of each service.
@functools.cache
def _with_work() -> Select[str, int]:
    now = bindparam("now", type_=DateTime(timezone=True))
    due = func.split_part(subjects_due(EventKind.CAMPAIGN_STARTED.family, now).subquery().c.subject, ":", 1)
    is_open = and_(DropCampaign.ended_at.is_(None), DropCampaign.withdrawn_at.is_(None))
    services = union_all(
        select(due.label("service")),
        select(DropCampaign.service).where(is_open, DropCampaign.started_at.is_(None), DropCampaign.start_at <= now),
        select(DropCampaign.service).where(is_open, DropCampaign.end_at <= now),
        select(DropCampaign.service).where(is_open, DropCampaign.deadlines_version < DEADLINES_VERSION),
        select(DropCampaign.service).join(CampaignDeadline).where(CampaignDeadline.due_at <= now),
        select(RewardCampaign.service).where(RewardCampaign.ended_at.is_(None), RewardCampaign.end_at <= now),
    ).subquery()
    return (
        select(Source.service, func.min(Source.id)).where(Source.service.in_(select(services))).group_by(Source.service)
    )


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
