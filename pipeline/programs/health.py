"""The health of the installation, for a monitor: what runs, and how old its last sign of life is."""

import platform
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from models import Heartbeat, Source
from pipeline.programs.operating.looking import load_facts
from pipeline.programs.operating.troubles import Machine, judge
from pipeline.runtime.heartbeat import JUMPED, jumped_back_by
from pipeline.runtime.settings import Settings
from pipeline.runtime.watchdog import STALE_AFTER, WORKER

PROGRAM = "eventsub"
# Three of its beats, and a minute for a start.
EVENTSUB_STALE_AFTER = timedelta(seconds=90)
PATIENCE = 3
STARTING = "starting"
# As long as the watchdog gives the programs to come up.
START_WITHIN = 2 * STALE_AFTER


def look(
    engine: Engine,
    redis_url: str,
    now: datetime,
    *,
    streams: bool,
    starting: bool = False,
    machine: Machine | None = None,
) -> tuple[bool, Mapping[str, Any]]:
    """Return whether all is well, and the particulars; `streams` says that messages of Twitch are expected.

    While programs are `starting`, those that have not shown themselves yet, or not since an earlier run, stand not
    still: then the status is `starting`, which is not well either.
    A service that fails is listed, but does not make the installation unwell; of its `troubles` (`operating.troubles`)
    those do that stop its work. `machine` is what this machine sees of itself, where that matters.
    """
    particulars: dict[str, Any] = {"database": "ok", "broker": _broker(redis_url)}
    try:
        particulars |= _of_database(engine, now, streams=streams, starting=starting)
    except SQLAlchemyError as error:
        particulars["database"] = f"does not answer ({type(error).__name__})"
    stopped = None
    if particulars["database"] == "ok":
        with engine.connect() as connection:
            troubles = judge(load_facts(connection, machine or Machine(host=platform.node()), now, streams=streams))
        # Without their reasons: whoever reaches the port reads it.
        particulars["troubles"] = sorted({trouble.kind.value for trouble in troubles})
        stopped = any(trouble.stops_work for trouble in troubles)
    well = (
        not stopped and particulars["database"] == particulars["broker"] == "ok" and particulars.get("worker") == "ok"
    )
    well = well and particulars.get("eventsub", {}).get("state", "ok") == "ok"
    states = {particulars.get("worker"), particulars.get("eventsub", {}).get("state", "ok")}
    is_starting = (
        not stopped and particulars["database"] == particulars["broker"] == "ok" and states <= {"ok", STARTING}
    )
    return well, {"status": "ok" if well else STARTING if is_starting else "failing", **particulars}


def describe(engine: Engine, settings: Settings, now: datetime) -> str:
    """Return in one line how Twitch's messages come in, or what the operator has to do for that."""
    if missing := settings.missing_of_application:
        return f"off: streams need {' and '.join(missing)}"
    eventsub = _of_database(engine, now, streams=True)["eventsub"]
    way = "by webhook" if settings.eventsub_callback_url else "by websocket"
    if eventsub["state"].startswith(JUMPED):
        return f"{way}; {eventsub['state']}"
    if eventsub["state"] != "ok":
        return f"{way}, but its program {eventsub['state']}; `lootwire up` runs it"
    no_room = eventsub["left_out"] - eventsub["refused"]
    outside = f"; {no_room} channels find no room and are polled" if no_room else ""
    if eventsub["refused"]:
        outside += f"; {eventsub['refused']} are refused and polled ({eventsub['refusal']})"
    if eventsub["pending"]:
        outside += f"; {eventsub['pending']} wait for Twitch to verify our address"
    ill = "; failing, see `lootwire sources`" if eventsub["failing"] else ""
    return f"{way}, {eventsub['subscribed']} of {eventsub['wanted']} subscriptions{outside}{ill}"


def _broker(redis_url: str) -> str:
    import redis

    try:
        with redis.Redis.from_url(redis_url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE) as client:
            client.ping()
    except redis.RedisError as error:
        return f"does not answer ({type(error).__name__})"
    return "ok"


def _of_database(engine: Engine, now: datetime, *, streams: bool, starting: bool = False) -> dict[str, Any]:
    from pipeline.channels.eventsub.source_row import NAME, load_memory

    with engine.connect() as connection:
        beats = dict(connection.execute(select(Heartbeat.name, Heartbeat.at)).all())
        sources = connection.execute(select(Source.name, Source.failing_since).where(Source.enabled)).all()
        memory = load_memory(connection)
    failing = sorted(name for name, failing_since in sources if failing_since is not None)
    state, age = _age(beats.get(WORKER), now, STALE_AFTER, starting=starting)
    particulars: dict[str, Any] = {"worker": state, "worker_seconds": age, "sources_failing": failing}
    if streams:
        state, age = _age(beats.get(PROGRAM), now, EVENTSUB_STALE_AFTER, starting=starting)
        particulars["eventsub"] = {
            "state": state,
            "seconds": age,
            "failing": NAME in failing,
            "subscribed": memory.subscribed,
            "wanted": memory.wanted,
            "pending": memory.pending,
            "left_out": memory.left_out_total,
            "refused": memory.refused_total,
            "refusal": memory.refusal,
        }
    return particulars


def _age(beat: datetime | None, now: datetime, limit: timedelta, *, starting: bool) -> tuple[str, float | None]:
    if beat is None:
        return STARTING if starting else "has not been seen", None
    if jumped := jumped_back_by(beat, now):
        return jumped, None
    age = max(now - beat, timedelta(0))
    return ("ok" if age <= limit else STARTING if starting else "stands still"), round(age.total_seconds(), 1)
