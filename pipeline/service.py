"""Run the pipeline: which programs, with which environment, and how one full cycle is told to be over."""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, or_, select

from models import Delivery, DeliveryState, Feed, Source
from pipeline import embedded, upkeep
from pipeline.celery_app import hint, make_app
from pipeline.errors import LootwireError
from pipeline.fetching import due, register
from pipeline.runtime import Runtime, utc_now
from pipeline.static_server import HOST
from pipeline.supervisor import Program, Supervisor

# As root Celery warns at every start; whoever runs containers has decided that already.
CELERY = (sys.executable, "-W", "ignore:You're running the worker", "-m", "celery", "-q", "-A", "tasks.worker")
# A first cycle with a slow service, its retries and a first publication; beyond that something is stuck.
CYCLE_LIMIT = timedelta(minutes=10)
NUDGE_EVERY = 5.0


def programs(runtime: Runtime, *, beat: bool = True, web: bool = True) -> list[Program]:
    """Return the programs of an installation on one machine.

    Fetching has a worker of its own, so that two slow services cannot keep messages waiting.
    """
    processes = str(runtime.settings.worker_processes)
    listed = [
        Program("worker", _worker("worker", "tick,send,publish", processes)),
        Program("fetcher", _worker("fetcher", "fetch", processes)),
    ]
    if beat:
        listed.append(Program("beat", [*CELERY, "beat", "--loglevel", runtime.settings.log_level, "--pidfile="]))
    if web:
        listed.append(Program("web", [sys.executable, "-m", "pipeline.static_server"]))
    return listed


def _worker(name: str, queues: str, processes: str) -> list[str]:
    # Neither mingles nor gossips: the workers have nothing to tell each other, and it slows the start.
    quiet = ["--without-mingle", "--without-gossip"]
    return [*CELERY, "worker", "--queues", queues, "--concurrency", processes, "--hostname", f"{name}@%h", *quiet]


def supervisor(
    runtime: Runtime,
    listed: Sequence[Program],
    *,
    env: Mapping[str, str] | None = None,
    say: Callable[[str], None] | None = None,
    grace: float = 30,
) -> Supervisor:
    """Return what keeps the programs running, brings embedded servers back, and restarts a worker that is stuck."""
    watchdog = _Watchdog(runtime)
    running = Supervisor(
        listed,
        data_dir=runtime.settings.data_dir,
        env=os.environ | (env or {}),
        each_second=lambda: watchdog.look(running),
        grace_seconds=grace,
        say=say,
    )
    return running


class _Watchdog:
    """Judges liveness end to end: a tick that a worker must carry out moves a row."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._patient_until = time.monotonic() + 2 * upkeep.STALE_AFTER.total_seconds()

    def look(self, running: Supervisor) -> None:
        settings = self._runtime.settings
        if settings.database_url is None or settings.redis_url is None:
            embedded.ensure(settings.data_dir)
        if time.monotonic() < self._patient_until:
            return
        self._patient_until = time.monotonic() + upkeep.STALE_AFTER.total_seconds() / 3
        last = upkeep.last_beat(self._runtime.engine)
        if last is None or utc_now() - last > upkeep.STALE_AFTER:
            self._patient_until = time.monotonic() + 2 * upkeep.STALE_AFTER.total_seconds()
            running.restart("worker")
            running.restart("beat")


def check_port(port: int) -> None:
    """Raise `LootwireError` if the port of the web server is taken, before anything is started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LootwireError(
                f"port {port} on {HOST} cannot be used ({error.strerror}); set LOOTWIRE_HTTP_PORT to another one"
            ) from error


@contextmanager
def running_workers(runtime: Runtime, *, beat: bool = False) -> Iterator[Supervisor]:
    """Run workers for the length of a `with` block; they log only what is wrong, as a mail from cron should."""
    env = {"LOOTWIRE_LOG_LEVEL": "WARNING"} if runtime.settings.log_level == "INFO" else {}
    with supervisor(runtime, programs(runtime, beat=beat, web=False), env=env, say=lambda _: None) as running:
        yield running


def run_cycle(runtime: Runtime, *, tell: Callable[[str], None] = lambda _: None) -> datetime:
    """Have workers fetch what is due, move the clock, send and publish; returns when the cycle began.

    Raises `LootwireError` if it is not over within ten minutes.
    """
    began = utc_now()
    app = make_app(runtime.redis_url)
    with runtime.engine.begin() as connection:
        register(connection, runtime.sources, began)
    limit = time.monotonic() + CYCLE_LIMIT.total_seconds()
    stages: tuple[tuple[str, Sequence[str], Callable[[Engine, datetime], bool]], ...] = (
        ("fetching", ("tick.fetch_due",), _fetched),
        ("judging the time", ("tick.advance_clock",), _advanced),
        ("sending and publishing", ("send.due", "publish.marked"), lambda engine, _: settled(engine)),
    )
    for name, hints, done in stages:
        tell(name)
        nudge_at = 0.0
        while not done(runtime.engine, began):
            now = time.monotonic()
            if now > limit:
                raise LootwireError(f"the cycle is not over after {CYCLE_LIMIT}: still {name}; see `lootwire status`")
            if now >= nudge_at:
                # Said again now and then: a hint may be lost, and workers take a moment to come up.
                for task in hints:
                    hint(app, task, expires=NUDGE_EVERY)
                nudge_at = now + NUDGE_EVERY
            time.sleep(0.1)
    return began


def _fetched(engine: Engine, began: datetime) -> bool:
    """Whether every source that was due at the start has been asked."""
    with engine.connect() as connection:
        leased = select(func.count()).where(Source.lease_until > utc_now())
        return not due(connection, began) and not connection.scalar(leased)


def _advanced(engine: Engine, began: datetime) -> bool:
    last = upkeep.last_beat(engine, upkeep.CLOCK)
    return last is not None and last >= began


def settled(engine: Engine) -> bool:
    """Whether no delivery is due and every feed is on disk."""
    waiting = select(func.count()).where(
        or_(
            (Delivery.state == DeliveryState.PENDING) & (Delivery.next_attempt_at <= utc_now()),
            Delivery.state == DeliveryState.SENDING,
        )
    )
    marked = select(func.count()).where(Feed.version != Feed.written_version)
    with engine.connect() as connection:
        return not connection.scalar(waiting) and not connection.scalar(marked)
