"""The health of an installation in words: what a monitor reads, and never an age below nothing."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Engine

from pipeline.embedded import Servers
from pipeline.programs.health import PROGRAM, look
from pipeline.programs.operating.incidents import report, report_publishing, settle
from pipeline.programs.operating.looking import DISKS
from pipeline.programs.operating.troubles import Machine, judge_machine, ping_failed
from pipeline.runtime import heartbeat
from pipeline.runtime.runtime import utc_now
from pipeline.runtime.watchdog import WORKER


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(minutes=10), "the clock jumped back by 10 min"),
        (timedelta(hours=2), "the clock jumped back by 2 h"),
        (timedelta(hours=1, minutes=58), "the clock jumped back by 1 h 58 min"),
        (timedelta(days=365), "the clock jumped back by 365 d"),
    ],
)
def test_a_clock_that_jumped_back_is_no_health(engine: Engine, servers: Servers, ahead: timedelta, words: str) -> None:
    now = utc_now()
    for program in (WORKER, PROGRAM):
        heartbeat.beat(engine, now + ahead, program)
    well, particulars = look(engine, servers.redis_url, now, streams=True)
    assert not well
    assert (particulars["worker"], particulars["worker_seconds"]) == (words, None)
    assert (particulars["eventsub"]["state"], particulars["eventsub"]["seconds"]) == (words, None)


def test_a_sign_of_life_by_a_clock_that_is_a_little_ahead_is_of_now(engine: Engine, servers: Servers) -> None:
    now = utc_now()
    heartbeat.beat(engine, now + timedelta(seconds=7))
    well, particulars = look(engine, servers.redis_url, now, streams=False)
    assert well
    assert (particulars["worker"], particulars["worker_seconds"]) == ("ok", 0)


@pytest.mark.parametrize("age", [None, timedelta(hours=9)])
def test_programs_that_are_starting_do_not_stand_still(engine: Engine, servers: Servers, age: timedelta | None) -> None:
    now = utc_now()
    if age is not None:
        heartbeat.beat(engine, now - age)
    well, particulars = look(engine, servers.redis_url, now, streams=False, starting=True)
    assert (well, particulars["status"], particulars["worker"]) == (False, "starting", "starting")
    well, particulars = look(engine, servers.redis_url, now, streams=False)
    assert (well, particulars["status"]) == (False, "failing")
    heartbeat.beat(engine, now)
    assert look(engine, servers.redis_url, now, streams=False, starting=True)[1]["status"] == "ok"


def test_a_start_without_its_broker_is_a_failure(engine: Engine) -> None:
    well, particulars = look(engine, "redis://127.0.0.1:1/0", utc_now(), streams=False, starting=True)
    assert (well, particulars["status"]) == (False, "failing")


def test_what_stops_work_is_no_health_and_is_named_by_its_kind_alone(engine: Engine, servers: Servers) -> None:
    now = utc_now()
    heartbeat.beat(engine, now)
    report_publishing(engine, "/home/ann/public: Permission denied", now)
    well, particulars = look(engine, servers.redis_url, now, streams=False)
    assert (well, particulars["status"], particulars["troubles"]) == (False, "failing", ["operator.publish_failed"])
    assert "ann" not in str(particulars)
    # A report holds for as long as whoever makes it would make another.
    later = now + timedelta(minutes=4)
    heartbeat.beat(engine, later)
    assert look(engine, servers.redis_url, later, streams=False)[0]


def test_what_stops_no_work_is_named_and_is_health_all_the_same(engine: Engine, servers: Servers) -> None:
    now = utc_now()
    heartbeat.beat(engine, now)
    with engine.begin() as connection:
        report(connection, ping_failed("hc-ping.com answered 503"), now)
    well, particulars = look(engine, servers.redis_url, now, streams=False)
    assert (well, particulars["troubles"]) == (True, ["operator.ping_failed"])


@pytest.mark.parametrize(
    "trouble", [{"disk": "full: there is no room left on the disk of /data; make some"}, {"read_only": "/data is"}]
)
def test_a_disk_that_is_well_again_is_health_at_the_next_look(
    engine: Engine, servers: Servers, trouble: dict[str, str]
) -> None:
    now = utc_now()
    heartbeat.beat(engine, now)
    met, well, elsewhere = msgspec.structs.replace(machine("here"), **trouble), machine("here"), machine("there")
    with engine.begin() as connection:
        settle(connection, tuple(judge_machine(met)), now, host="here", ticking_since=now)
    assert not look(engine, servers.redis_url, now, streams=False, machine=met)[0]
    assert look(engine, servers.redis_url, now, streams=False, machine=well)[0]
    assert not look(engine, servers.redis_url, now, streams=False, machine=elsewhere)[0]


def machine(host: str) -> Machine:
    """A machine whose disks are well."""
    return Machine(host=host, sees=DISKS)


def test_a_full_disk_is_no_health(engine: Engine, servers: Servers) -> None:
    now = utc_now()
    heartbeat.beat(engine, now)
    full = Machine(host="here", disk="full: there is no room left on the disk of /data; make some")
    well, particulars = look(engine, servers.redis_url, now, streams=False, machine=full)
    assert (well, particulars["troubles"]) == (False, ["operator.disk_full"])
