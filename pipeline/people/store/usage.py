"""How much of what plans limit a person has, and when more credits come."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, select

from models import Balance, Follow, Person, Rendition, Sound, Subscription, Target
from pipeline.people.credits import begin_of
from pipeline.people.store.plans import Gauge

_MB = 1_000_000


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has, by the gauges that can be read at any time, and when more credits come."""

    gauges: Mapping[Gauge, int]
    more_at: datetime | None


def load_usage(connection: Connection, person_id: int, now: datetime) -> Usage:
    """Return what a person has; megabytes of sound are counted up. Messages are counted only with a plan that asks."""
    of_person = Sound.person_id == person_id
    originals = select(func.coalesce(func.sum(Sound.size), 0)).where(of_person, Sound.original.is_not(None))
    renditions = select(func.coalesce(func.sum(Rendition.size), 0)).join(Sound).where(of_person)
    counts = select(
        _count(Target, person_id, Target.removed_at.is_(None)).label("targets"),
        _count(Subscription, person_id).label("subscriptions"),
        _count(Follow, person_id).label("follows"),
        (originals.scalar_subquery() + renditions.scalar_subquery()).label("bytes"),
    )
    row = connection.execute(counts).one()
    balance = connection.execute(
        select(Balance.next_due_at, Balance.messages, Balance.messages_since)
        .join(Person, Person.id == Balance.person_id)
        .where(Balance.person_id == person_id, Person.plan_id.is_not(None))
    ).one_or_none()
    gauges: dict[Gauge, int] = {
        "sound_mb": -(-int(row.bytes) // _MB),
        "targets": row.targets,
        "subscriptions": row.subscriptions,
        "follows": row.follows,
    }
    if balance is not None:
        gauges["messages_per_day"] = balance.messages if balance.messages_since == begin_of("day", now) else 0
    return Usage(gauges=gauges, more_at=None if balance is None else balance.next_due_at)


def _count(
    table: type[Target | Subscription | Follow], person_id: int, *conditions: ColumnElement[bool]
) -> ScalarSelect[int]:
    of_person = (table.person_id == person_id, *conditions)
    return select(func.count()).select_from(table).where(*of_person).scalar_subquery()
