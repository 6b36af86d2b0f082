"""Beat keeps its pace, whatever becomes of the clock, and never ends alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.shifted_clock import WITHOUT, ShiftedClock, compiler
from tests.waiting import wait_for

PERIOD = 0.1
# Writes a byte for each tick instead of sending it: what is tried here is when, not where to.
BEAT = """
import os, sys
from celery import Celery
from celery.beat import Service
from tasks.beat import SteadyScheduler

class Written(SteadyScheduler):
    def apply_entry(self, entry, producer=None):
        os.write(1, b".")

app = Celery(broker="memory://")
app.conf.beat_schedule = {"a tick": {"task": "tick", "schedule": float(sys.argv[1])}}
Service(app, scheduler_cls=Written).start()
"""


def has_grown(path: Path, beyond: int) -> bool:
    return path.stat().st_size > beyond


@contextmanager
def beating(clock: ShiftedClock, output: Path) -> Iterator[None]:
    environment = {**os.environ, **clock.environment}
    with output.open("wb") as ticks:
        command = [sys.executable, "-c", BEAT, str(PERIOD)]
        process = subprocess.Popen(command, stdout=ticks, stderr=subprocess.DEVNULL, env=environment)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(compiler() is None, reason=WITHOUT)
def test_ticks_come_at_their_pace_after_the_clock_has_jumped(tmp_path: Path) -> None:
    clock, output = ShiftedClock(tmp_path), tmp_path / "ticks"
    with beating(clock, output):
        wait_for(lambda: output.stat().st_size > 2)
        for jump in (timedelta(hours=-1), timedelta(days=365), timedelta(days=-366), timedelta(hours=1)):
            clock.jump(jump)
            before = output.stat().st_size
            wait_for(partial(has_grown, output, before + 5))
            # Nothing is made good either: at the right pace this many take four times as long as was waited for.
            assert output.stat().st_size < before + 200


# A period that is none fails in the thread that counts.
BROKEN = """
import threading
from celery import Celery
from pipeline.runtime.settings import Settings
from tasks import beat

app = Celery(broker="memory://")
app.conf.beat_max_loop_interval = "often"
beat.start(app, Settings())
threading.Event().wait()
"""


def test_a_worker_whose_ticks_fail_ends_so_that_the_supervisor_starts_another() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN], check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert "ticks are no longer sent" in done.stderr
