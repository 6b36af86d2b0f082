"""How the pipeline stands: what the command `status` shows, which a monitor may call every minute.

It imports no more than its queries need.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection, Integer, cast, exists, func, select

from models import Delivery, DropCampaign, Event, Feed, Picture, QuarantinedPayload, Source, Target, Unpublished
from pipeline.cli.opening import open_database
from pipeline.embedded import disk_problem
from pipeline.programs.health import describe
from pipeline.programs.operating.looking import load_facts, look_at_machine
from pipeline.programs.operating.troubles import Trouble, judge
from pipeline.programs.waiting import describe as describe_waiting
from pipeline.programs.waiting import load_waiting, switched_off
from pipeline.runtime import heartbeat
from pipeline.runtime.output import console, print_json, show


def show_standing(*, as_json: bool) -> None:
    """Print how the pipeline stands."""
    settings, engine = open_database()
    now = datetime.now(UTC)
    with engine.connect() as connection:
        figures = _figures(connection)
        waiting, off = load_waiting(connection), switched_off(connection, settings)
        machine, streams = look_at_machine(settings, try_publishing=False), not settings.missing_of_application
        troubles = judge(load_facts(connection, machine, now, streams=streams))
    seen_at = heartbeat.last_beat(engine)
    figures |= {"worker_seen_at": seen_at, "published": str(settings.published)}
    figures["eventsub"] = describe(engine, settings, now)
    # Only where there is something to say: a monitor knows the others.
    problems = {"disk": disk_problem(settings.data_dir), "clock": heartbeat.jumped_back_by(seen_at, now)}
    figures |= {name: problem for name, problem in problems.items() if problem is not None}
    if as_json:
        print_json(figures | {"sources_waiting": waiting, "sources_off": off, "troubles": list(map(_shown, troubles))})
        return
    for name, value in figures.items():
        _print(name, value)
    for trouble in troubles:
        since = f" (since {show(trouble.since)} UTC)" if trouble.since else ""
        _print("trouble", f"{trouble.headline}{since}")
    for line in describe_waiting(waiting, off):
        _print("sources", line)


def _shown(trouble: Trouble) -> dict[str, object]:
    names = ("kind", "name", "reason", "since", "host", "stops_work")
    return {"title": trouble.headline, **{name: getattr(trouble, name) or None for name in names}}


def _print(name: str, value: object) -> None:
    console.print(f"{name.replace('_', ' '):>24}  {show(value)}", markup=False, soft_wrap=True)


def _figures(connection: Connection) -> dict[str, object]:
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
