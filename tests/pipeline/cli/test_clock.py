"""Commands that look say that the clock jumped back, and show no age below nothing."""

from datetime import timedelta

from sqlalchemy import update

from models import Source
from pipeline.runtime import heartbeat
from pipeline.runtime.runtime import utc_now
from tests.pipeline.cli.operator import Operator

JUMPED = "the clock jumped back by 2 h"


def test_a_clock_that_jumped_back_is_named(operator: Operator) -> None:
    operator.run("sources")
    ahead = utc_now() + timedelta(hours=2, seconds=20)
    heartbeat.beat(operator.engine, ahead)
    with operator.engine.begin() as connection:
        connection.execute(update(Source).values(last_success_at=ahead))

    [status] = operator.run("status", "--json").lines
    assert status["clock"] == JUMPED
    sources = operator.run("sources").out
    assert f"{JUMPED}: what waits for a later time is due now" in sources
    assert "in 2 h" not in sources
    doctor = operator.run("doctor")
    assert doctor.code == 1
    assert f"clock: {JUMPED}" in doctor.out


def test_status_says_nothing_of_a_clock_and_a_disk_that_are_well(operator: Operator) -> None:
    heartbeat.beat(operator.engine, utc_now())
    [status] = operator.run("status", "--json").lines
    assert "clock" not in status
