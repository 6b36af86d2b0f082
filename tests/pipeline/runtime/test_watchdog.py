"""The watchdog restarts a program whose heartbeat in the database is old."""

import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.errors import LootwireError
from pipeline.runtime import heartbeat
from pipeline.runtime.runtime import utc_now
from pipeline.runtime.watchdog import EVENTSUB, WORKER, Watchdog
from tests.shifted_clock import WITHOUT, ShiftedClock, compiler


def run(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a program of a moment as the supervisor does."""
    return subprocess.run([sys.executable, "-m", *arguments], env={**os.environ, **env}, check=False).returncode


def watchdog_of(engine: Engine, *, listens: bool = False) -> Watchdog:
    """Return a watchdog whose time of patience is over."""
    watchdog = Watchdog(engine.url.render_as_string(hide_password=False), embedded_in=None, listens=listens)
    watchdog._patient_until = dict.fromkeys((WORKER, EVENTSUB), 0.0)
    return watchdog


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(timedelta(seconds=5), [], id="just now"),
        pytest.param(timedelta(seconds=80), [], id="nearly three ticks ago"),
        pytest.param(timedelta(seconds=95), ["worker"], id="more than three ticks ago"),
        pytest.param(timedelta(seconds=-80), [], id="by a clock that is a little ahead"),
        pytest.param(timedelta(hours=-2), ["worker"], id="before the clock was set back"),
        pytest.param(None, ["worker"], id="never"),
    ],
)
def test_a_worker_whose_last_heartbeat_is_old_is_restarted(
    engine: Engine, age: timedelta | None, expected: list[str]
) -> None:
    if age is not None:
        heartbeat.beat(engine, utc_now() - age)
    restarted: list[str] = []
    watchdog_of(engine).look(restarted.append, run)
    assert restarted == expected


@pytest.mark.parametrize(("listens", "expected"), [(True, [EVENTSUB]), (False, [])])
def test_the_program_of_eventsub_is_restarted_where_it_runs(engine: Engine, listens: bool, expected: list[str]) -> None:
    heartbeat.beat(engine, utc_now(), WORKER)
    heartbeat.beat(engine, utc_now() - timedelta(seconds=95), EVENTSUB)
    restarted: list[str] = []
    watchdog_of(engine, listens=listens).look(restarted.append, run)
    assert restarted == expected


def test_the_worker_is_looked_at_while_the_program_of_eventsub_comes_up(engine: Engine) -> None:
    heartbeat.beat(engine, utc_now() - timedelta(seconds=95), WORKER)
    restarted: list[str] = []
    watchdog = watchdog_of(engine, listens=True)
    watchdog._patient_until[EVENTSUB] = math.inf
    watchdog.look(restarted.append, run)
    assert restarted == ["worker"]


def test_a_worker_is_given_time_to_come_up_before_it_is_judged(engine: Engine) -> None:
    restarted: list[str] = []
    watchdog = watchdog_of(engine)
    watchdog.look(restarted.append, run)
    watchdog.look(restarted.append, run)
    assert restarted == ["worker"]
    Watchdog("postgresql://nowhere/", embedded_in=None).look(restarted.append, run)
    assert restarted == ["worker"]


@pytest.mark.skipif(compiler() is None, reason=WITHOUT)
@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)], ids=["back", "ahead"])
def test_a_worker_that_showed_itself_before_the_clock_jumped_is_given_time_to_do_so_again(
    engine: Engine, tmp_path: Path, jump: timedelta
) -> None:
    clock = ShiftedClock(tmp_path)
    command = [sys.executable, "-c", WATCHING, engine.url.render_as_string(hide_password=False)]
    with subprocess.Popen(
        command, env={**os.environ, **clock.environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        lines, answers = process.stdin, process.stdout
        assert lines is not None
        assert answers is not None

        def look() -> str:
            lines.write("\n")
            lines.flush()
            return answers.readline().strip()

        heartbeat.beat(engine, utc_now())
        assert look() == ""
        clock.jump(jump)
        assert look() == ""
        # It is only given that time once.
        assert look() == "worker"


def test_a_database_that_cannot_be_asked_is_said_and_restarts_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    watchdog = Watchdog("postgresql+psycopg://lootwire@127.0.0.1:9/none", embedded_in=None)
    watchdog._patient_until = dict.fromkeys((WORKER, EVENTSUB), 0.0)
    restarted: list[str] = []
    with pytest.raises(LootwireError, match="cannot be seen in the database"):
        watchdog.look(restarted.append, run)
    assert restarted == []
    assert "127.0.0.1" in capfd.readouterr().err


# Looks once for each line that it reads; patience from before is over each time.
WATCHING = """
import sys
from pipeline.runtime.watchdog import Watchdog
from tests.pipeline.runtime.test_watchdog import run

watchdog = Watchdog(sys.argv[1], embedded_in=None)
for number, _ in enumerate(sys.stdin):
    restarted = []
    watchdog._look_at, watchdog._patient_until = 0.0, dict.fromkeys(watchdog._patient_until, 0.0)
    watchdog.look(restarted.append, run)
    print(*restarted, flush=True)
"""
