"""Run the pipeline: its programs with their environment, and one full cycle with the signs that it is over."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Engine, func, select

from models import Delivery, Feed, Target, Unpublished
from models.errors import LootwireError
from notifiers.hearing import PATIENCE
from notifiers.outbox import is_unsettled
from notifiers.people import hears
from pipeline import embedded
from pipeline.channels.eventsub.source_row import close_source
from pipeline.games.sources.webhooks import look_if_moved
from pipeline.importer import inbox
from pipeline.ingest.fetching import count_leased, due
from pipeline.programs.clock_jump import put_right
from pipeline.programs.ports import HOST, listen
from pipeline.programs.sources import register
from pipeline.runtime import heartbeat
from pipeline.runtime.celery_app import hint, make_app
from pipeline.runtime.foreground import Plan
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings, reached_at
from pipeline.runtime.supervisor import Program, Supervisor, stop_signals
from pipeline.runtime.watchdog import EVENTSUB, Watchdog

# What a nursery loads for all programs; below the tasks, it is known by name only.
PRELOAD = "tasks.preload"
# A first cycle with a slow service, its retries and a first publication; beyond that something is stuck.
CYCLE_LIMIT = 600.0
STANDSTILL = 300.0
NUDGE_EVERY = 5.0


def programs(runtime: Runtime, *, beat: bool = True, web: bool = True) -> list[Program]:
    """Return the programs of an installation on one machine.

    Each kind of work has a worker of its own, so that neither a slow service, nor a target that hangs, nor a large
    publication keeps the others waiting.
    """
    settings = runtime.settings
    listed = [
        # Ticks ask the database alone: threads are enough, and cost no process each. Another one sends the ticks.
        _worker(
            "worker", "tick", *(["--beat"] if beat else []), "--pool", "threads", "--concurrency", str(settings.workers)
        ),
        # A fetch may be killed at its time limit, so it has a process.
        _worker("fetcher", "fetch", "--concurrency", str(settings.fetchers)),
        # Sending forks a process for each message itself (`notifiers.lanes`).
        _worker("sender", "send", "--pool", "solo"),
        _worker("publisher", "publish", "--pool", "solo"),
        # What fetches and renders has processes of its own already. Idle, this would hold as much memory as the worker,
        # so it runs only while there is something to do: the tick `sound.due` sees to that file.
        _worker(
            *("sounds", "sound", "--pool", "threads", "--concurrency", str(settings.sound_processes)),
            while_there=settings.sounds_wanted,
        ),
    ]
    if web:
        listed.append(_python("web", "pipeline.web"))
        if runtime.settings.twitch_client_id and runtime.settings.twitch_client_secret:
            listed.append(_python(EVENTSUB, "pipeline.channels.eventsub"))
    return listed


def take_up_settings(runtime: Runtime) -> None:
    """Bring rows in line with settings, and a clock, that changed since the last start; call it before programs run."""
    settings = runtime.settings
    if not (settings.twitch_client_id and settings.twitch_client_secret):
        close_source(runtime.engine)
    put_right(runtime.engine, utc_now())
    with runtime.engine.begin() as connection:
        look_if_moved(connection, settings.eventsub_callback_url, utc_now())


def _python(name: str, *arguments: str, while_there: Path | None = None) -> Program:
    there = None if while_there is None else str(while_there)
    return Program(name, [sys.executable, "-m", *arguments], shares=True, while_there=there)


def _worker(name: str, queue: str, *pool: str, while_there: Path | None = None) -> Program:
    arguments = ("--queues", queue, *pool, "--hostname", f"{name}@%h")
    return _python(name, "tasks.worker", *arguments, while_there=while_there)


def supervisor(
    runtime: Runtime,
    listed: Sequence[Program],
    *,
    env: Mapping[str, str] | None = None,
    say: Callable[[str], None] | None = None,
    grace: float = 30,
) -> Supervisor:
    """Return the supervisor, which keeps programs running, brings embedded servers back and restarts a stuck worker."""
    watchdog = Watchdog(
        runtime.database_url,
        embedded_in=runtime.settings.data_dir if _is_embedded(runtime.settings) else None,
        listens=_listens(listed),
    )
    running = Supervisor(
        listed,
        data_dir=runtime.settings.data_dir,
        env=os.environ | (env or {}),
        each_second=lambda: watchdog.look(running.restart, running.run),
        grace_seconds=grace,
        say=say,
        preload=PRELOAD,
    )
    return running


def become_supervisor(runtime: Runtime, listed: Sequence[Program], greeting: str) -> NoReturn:
    """Replace this process by a supervisor of the programs, to free what it imported for checking and migrating.

    It prints the greeting once the page answers.
    """
    data_dir = runtime.settings.data_dir
    plan = Plan(
        programs=list(listed),
        preload=PRELOAD,
        data_dir=data_dir,
        database_url=runtime.database_url,
        is_embedded=_is_embedded(runtime.settings),
        listens=_listens(listed),
        greeting=greeting,
        page_host=reached_at(runtime.settings.http_host).strip("[]"),
        page_port=runtime.settings.http_port,
    ).encode()
    # A file without a name, for its addresses may hold passwords.
    with tempfile.TemporaryFile() as file:
        file.write(plan)
        file.seek(0)
        os.set_inheritable(file.fileno(), True)
        embedded.keep_through_exec(data_dir)
        signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals())
        # -P: it must import this project, not a `pipeline` that happens to lie in the working directory.
        os.execv(sys.executable, [sys.executable, "-P", "-m", "pipeline.runtime.foreground", str(file.fileno())])  # noqa: S606


def _is_embedded(settings: Settings) -> bool:
    return settings.database_url is None or settings.redis_url is None


def _listens(listed: Sequence[Program]) -> bool:
    return EVENTSUB in {program.name for program in listed}


def check_port(port: int, setting: str = "LOOTWIRE_HTTP_PORT", *, host: str = HOST) -> None:
    """Raise `LootwireError` if a port is taken, before anything is started; `setting` is where another one is set."""
    listen(port, setting, host=host).close()


def wake(runtime: Runtime) -> None:
    """Queue what is due for the first worker that is up, the page first: beat's first ticks come some seconds later."""
    with make_app(runtime.redis_url) as app:
        hint(app, "publish.marked", expires=60)
        hint(app, "tick.fetch_due", expires=60)


@contextmanager
def running_workers(runtime: Runtime, *, beat: bool = False) -> Iterator[Supervisor]:
    """Run workers for the length of a `with` block; they log only what is wrong, as a mail from cron should."""
    env = {"LOOTWIRE_LOG_LEVEL": "WARNING"} if runtime.settings.log_level == "INFO" else {}
    with supervisor(runtime, programs(runtime, beat=beat, web=False), env=env, say=lambda _: None) as running:
        yield running


@dataclass(frozen=True)
class Stage:
    """A part of a cycle: the tasks that carry it out, how much of it is left, and how long that may stay so.

    `limit` is for how many seconds the cycle may go on before this is over.
    """

    name: str
    hints: Sequence[str]
    left: Callable[[Runtime, datetime], int]
    patience: float
    limit: float = CYCLE_LIMIT


def _left_in_inbox(runtime: Runtime, began: datetime) -> int:
    return inbox.left(runtime.settings.data_dir, began)


def _left_to_fetch(runtime: Runtime, began: datetime) -> int:
    """Return how many sources that were due at the start have not been fetched."""
    with runtime.engine.connect() as connection:
        now = utc_now()
        return len(due(connection, now, by=began)) + count_leased(connection)


def _left_to_advance(runtime: Runtime, began: datetime) -> int:
    last = heartbeat.last_beat(runtime.engine, heartbeat.CLOCK)
    return 0 if last is not None and last >= began else 1


def _left_to_settle(runtime: Runtime, _began: datetime) -> int:
    return unsettled(runtime.engine)


def unsettled(engine: Engine) -> int:
    """Return how many deliveries are due or under way, how many feeds wait to be written, and events for feeds."""
    # What waits for a paused target, or a person who is disabled, waits until somebody ends that.
    resumed = Delivery.target_id.in_(select(Target.id).where(Target.disabled_at.is_(None), hears()))
    waiting = select(func.count()).where(is_unsettled(utc_now()), resumed)
    marked = select(func.count()).where(Feed.version != Feed.written_version)
    unpublished = select(func.count()).select_from(Unpublished)
    with engine.connect() as connection:
        return sum(connection.scalar(query) or 0 for query in (waiting, marked, unpublished))


def settled(engine: Engine) -> bool:
    """Whether no delivery is due and every feed is on disk."""
    return not unsettled(engine)


STAGES = (
    # First, for the inbox holds older data than the services. A large archive takes its time.
    Stage("looking into the inbox", ("fetch.inbox",), _left_in_inbox, CYCLE_LIMIT),
    # A fetch that hangs gives up by itself.
    Stage("fetching", ("tick.fetch_due",), _left_to_fetch, CYCLE_LIMIT),
    # Workers take minutes to come up where much else runs.
    Stage("judging the time", ("tick.advance_clock",), _left_to_advance, STANDSTILL),
    # A hundred feeds take a second, but a target has the time of its protocol: a sender that gives up earlier sends
    # the message twice.
    Stage(
        "sending and publishing",
        ("send.due", "publish.marked"),
        _left_to_settle,
        PATIENCE.longest + STANDSTILL,
        CYCLE_LIMIT + PATIENCE.longest,
    ),
)


def run_cycle(
    runtime: Runtime, *, report: Callable[[str], None] = lambda _: None, stages: Sequence[Stage] = STAGES
) -> datetime:
    """Have workers empty the inbox, fetch what is due, move the clock, send and publish; returns when that began.

    `report` is called with the name of each stage as it begins. Raises `LootwireError` if the cycle does not go on, or
    is not over within ten minutes; it waits for the answers of targets as long as their protocols say.
    """
    began = utc_now()
    app = make_app(runtime.redis_url)
    put_right(runtime.engine, began)
    with runtime.engine.begin() as connection:
        register(connection, runtime, began)
    start = time.monotonic()
    for stage in stages:
        report(stage.name)
        nudge_at = changed_at = 0.0
        before = -1
        while left := stage.left(runtime, began):
            now = time.monotonic()
            if left != before:
                before, changed_at = left, now
            if now - start > stage.limit or now - changed_at > stage.patience:
                raise LootwireError(f"the cycle is not over, {stage.name} does not go on; see `lootwire status`")
            if now >= nudge_at:
                # Repeated: a hint may be lost, and workers take a moment to come up.
                for task in stage.hints:
                    hint(app, task, expires=NUDGE_EVERY)
                nudge_at = now + NUDGE_EVERY
            time.sleep(0.1)
    return began
