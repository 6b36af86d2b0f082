"""A real worker on a real broker: from one hint to messages and feeds."""

import logging
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import redis
from celery.beat import SchedulingError
from celery.contrib.testing.worker import start_worker
from kombu.transport.redis import Channel

from models import Delivery, Feed, FetchRun, Source
from pipeline.demo.services import DemoServices
from pipeline.demo.sinks import WebhookSink
from pipeline.programs.programs import settled
from pipeline.runtime.celery_app import QUEUES, hint
from pipeline.runtime.heartbeat import last_beat
from pipeline.runtime.logs import LostBroker
from tests.tasks.installation import AtWork
from tests.waiting import wait_for


def test_one_hint_is_enough_for_events_messages_and_feeds(
    installation: AtWork, services: DemoServices, hook: WebhookSink
) -> None:
    installation.subscribe(hook)
    with start_worker(
        installation.app,
        pool="threads",
        concurrency=2,
        perform_ping_check=False,
        queues=list(QUEUES),
        shutdown_timeout=20,
    ):
        hint(installation.app, "tick.fetch_due")
        wait_for(
            lambda: (
                installation.count(FetchRun) == installation.count(Source)
                and installation.count(Feed)
                and settled(installation.engine)
            )
        )
        services.advance()
        installation.make_due("twitch.drops")
        hint(installation.app, "tick.fetch_due")
        wait_for(lambda: installation.count(Delivery) and settled(installation.engine))
    assert hook.messages
    assert (installation.runtime.settings.published / "all.rss.xml").exists()


# A worker as the supervisor starts it, with tasks more that never end.
ENDLESS = """
import contextlib, pathlib, sys, time
from tasks import worker

marker = pathlib.Path(sys.argv.pop())
worker.app.conf.worker_max_memory_per_child = int(sys.argv.pop())

@worker.app.task(name="publish.endless", soft_time_limit=0.2)
def endless():
    try:
        time.sleep(600)
    except BaseException as error:
        marker.write_text(type(error).__name__)

@worker.app.task(name="publish.stubborn")
def stubborn():
    marker.write_text("stubborn")
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(600)

sys.argv[1:] = ["--queues", "publish", "--pool", "solo", "--hostname", "publisher@%h"]
sys.exit(worker.main())
"""


def test_a_worker_that_is_its_own_pool_interrupts_what_takes_too_long_and_ends_with_the_memory_that_it_left(
    installation: AtWork, tmp_path: Path
) -> None:
    marker = tmp_path / "ended by"
    hint(installation.app, "publish.endless")
    with subprocess.Popen([sys.executable, "-c", ENDLESS, "1", marker]) as process:
        wait_for(lambda: marker.exists() and marker.read_text() == "SoftTimeLimitExceeded")
        assert process.wait(60) == 0
    # What it took up is its sign of life, by which operators hear of a queue that nothing consumes.
    assert last_beat(installation.engine, "publisher") is not None


def test_a_worker_that_is_its_own_pool_ends_in_its_task_when_the_grace_is_over(
    installation: AtWork, tmp_path: Path
) -> None:
    marker = tmp_path / "at work"
    hint(installation.app, "publish.stubborn")
    with subprocess.Popen([sys.executable, "-c", ENDLESS, "1000000", marker]) as process:
        wait_for(lambda: marker.exists() and marker.read_text() == "stubborn")
        process.terminate()
        process.send_signal(signal.SIGQUIT)
        assert process.wait(60) == 1


def record_of(call: Any, *args: Any) -> logging.LogRecord:
    """Return the log record that Celery makes of an error that ends a worker."""
    try:
        call(*args)
    except Exception:  # noqa: BLE001 - whatever it is, Celery records it
        return logging.LogRecord("celery.worker", logging.CRITICAL, "", 0, "Unrecoverable: %r", (1,), sys.exc_info())
    raise AssertionError


def lose_the_broker() -> None:
    raise redis.ConnectionError


def lose_a_tick() -> None:
    raise SchedulingError("a tick is lost")


def test_a_worker_that_kombu_ends_with_its_broker_is_a_line() -> None:
    record = record_of(Channel._connparams, SimpleNamespace(connection=None))
    assert LostBroker().filter(record)
    assert record.exc_info is None
    assert record.getMessage() == "the broker went away while tasks were under way; starting anew"


def test_a_message_that_cannot_be_acknowledged_is_a_line() -> None:
    record = record_of(lose_the_broker)
    assert LostBroker().filter(record)
    assert record.exc_info is None
    assert record.getMessage() == "Unrecoverable: 1"


def test_a_tick_that_cannot_be_sent_is_a_line() -> None:
    record = record_of(lose_a_tick)
    assert LostBroker().filter(record)
    assert record.exc_info is None
    assert record.getMessage() == "a tick is lost"


def test_any_other_end_of_a_worker_keeps_its_traceback() -> None:
    record = record_of(getattr, None, "nothing")
    assert LostBroker().filter(record)
    assert record.exc_info
