"""How the pipeline stands. A monitor may ask every minute: it imports no more than its queries need."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection, Engine, Integer, cast, exists, func, select

from feeds.content import SourceOff
from models import Delivery, DropCampaign, Event, Feed, Picture, QuarantinedPayload, Source, Target, Unpublished
from models.events import EventKind
from models.moments import Moment
from pipeline.embedded import disk_problem
from pipeline.programs import health
from pipeline.programs.operating.looking import load_facts, look_at_machine
from pipeline.programs.operating.troubles import Trouble, judge
from pipeline.programs.waiting import SourceWaiting, load_waiting, switched_off
from pipeline.runtime import heartbeat
from pipeline.runtime.settings import Settings


class TroubleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong with the installation, in the words of the message that operators get of it."""

    title: str
    kind: EventKind
    name: str | None
    reason: str | None
    since: Moment | None
    host: str | None
    stops_work: bool | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The installation in a few figures. `disk` and `clock` are there only where something is wrong with them."""

    campaigns: int
    campaigns_open: int
    events: int
    feeds: int
    feeds_waiting: int
    pictures_copied: int
    pictures_given_up: int
    targets: int
    deliveries_sent: int
    deliveries_waiting: int
    deliveries_dead: int
    quarantined: int
    sources_failing: int
    last_event_at: Moment | None
    worker_seen_at: Moment | None
    published: str
    eventsub: str
    disk: str | UnsetType = UNSET
    clock: str | UnsetType = UNSET
    sources_waiting: Sequence[SourceWaiting]
    sources_off: Sequence[SourceOff]
    troubles: Sequence[TroubleAnswer]


class EventSubHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the program of EventSub is, and how many of the wanted subscriptions work."""

    state: str
    seconds: float | None
    failing: bool
    subscribed: int
    wanted: int
    pending: int
    left_out: int
    refused: int
    refusal: str | None


class Health(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a monitor reads: `status` is `ok`, `starting` or `failing`. What could not be looked at is left out."""

    status: str
    database: str
    broker: str
    worker: str | None = None
    worker_seconds: float | None = None
    sources_failing: Sequence[str] = ()
    eventsub: EventSubHealth | None = None
    troubles: Sequence[str] = ()


def show_standing(engine: Engine, settings: Settings, now: datetime) -> Standing:
    """Return how the pipeline stands."""
    with engine.connect() as connection:
        figures = _figures(connection)
        waiting, off = load_waiting(connection), switched_off(connection, settings)
        machine, streams = look_at_machine(settings, try_publishing=False), not settings.missing_of_application
        troubles = judge(load_facts(connection, machine, now, streams=streams))
    seen_at = heartbeat.last_beat(engine)
    problems: dict[str, Any] = {
        "disk": disk_problem(settings.data_dir),
        "clock": heartbeat.jumped_back_by(seen_at, now),
    }
    return Standing(
        **figures,
        worker_seen_at=seen_at,
        published=str(settings.published),
        eventsub=health.describe(engine, settings, now),
        # Only where there is something to say: a monitor knows the others.
        **{name: problem for name, problem in problems.items() if problem is not None},
        sources_waiting=waiting,
        sources_off=off,
        troubles=[_trouble(each) for each in troubles],
    )


def look_at_health(engine: Engine, redis_url: str, settings: Settings, now: datetime) -> Health:
    """Return whether all is well, as `/health` does on the receiver's port: without the reasons of troubles."""
    machine = look_at_machine(settings, try_publishing=False)
    streams = not settings.missing_of_application
    _, particulars = health.look(engine, redis_url, now, streams=streams, machine=machine)
    return msgspec.convert(particulars, Health)


def _trouble(trouble: Trouble) -> TroubleAnswer:
    return TroubleAnswer(
        title=trouble.headline,
        kind=trouble.kind,
        name=trouble.name or None,
        reason=trouble.reason or None,
        since=trouble.since or None,
        host=trouble.host or None,
        stops_work=trouble.stops_work or None,
    )


def _figures(connection: Connection) -> dict[str, Any]:
    open_ones = DropCampaign.ended_at.is_(None) & DropCampaign.withdrawn_at.is_(None)
    counts = {
        "campaigns": select(func.count()).select_from(DropCampaign),
        "campaigns_open": select(func.count()).where(open_ones),
        "events": select(func.count()).select_from(Event),
        "feeds": select(func.count()).select_from(Feed),
        # Events that wait to be taken in say which feeds they touch only then.
        "feeds_waiting": select(
            select(func.count()).where(Feed.version != Feed.written_version).scalar_subquery()
            + cast(exists(select(Unpublished.event_id)), Integer)
        ),
        "pictures_copied": select(func.count()).where(Picture.path.is_not(None)),
        "pictures_given_up": select(func.count()).where(Picture.next_due_at.is_(None), Picture.error.is_not(None)),
        "targets": select(func.count()).where(Target.removed_at.is_(None)),
        "deliveries_sent": select(func.count()).where(Delivery.state == "sent"),
        "deliveries_waiting": select(func.count()).where(Delivery.state.in_(["pending", "sending"])),
        "deliveries_dead": select(func.count()).where(Delivery.state == "dead"),
        "quarantined": select(func.count()).select_from(QuarantinedPayload),
        "sources_failing": select(func.count()).where(Source.failing_since.is_not(None)),
        "last_event_at": select(func.max(Event.recorded_at)),
    }
    return {name: connection.scalar(query) for name, query in counts.items()}
