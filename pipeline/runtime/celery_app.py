"""The Celery application: every setting with its reason. A message is only a hint; the work is a row."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from celery import Celery, Task
from celery.exceptions import SoftTimeLimitExceeded
from kombu.exceptions import OperationalError

from beat_schedule import BEAT_SCHEDULE
from pipeline.embedded import broker_url

QUEUES = ("tick", "fetch", "send", "publish", "sound")
# Ticks that ask Twitch: a service that is slow must not hold up the clock.
ASKING_TICKS = ("tick.eventsub", "tick.validate_sign_ins")
# What looks after sounds while the program that fetches them does not run, since nothing is due.
OF_SOUND = {"sound.due": "tick", "sound.sweep": "fetch"}
logger = logging.getLogger(__name__)


class PatientTask(Task):  # type: ignore[misc]  # Celery has no types
    """A task that says in one line what kept it from ending, where time or a person cures that.

    Then it counts as done: its work is still in its rows, and the next tick finds them.
    """

    abstract = True
    # After the death of the process that ran it. Such a message waits in a worker's memory, where a minute is too long.
    default_retry_delay = 10

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task's function."""
        try:
            with _limited_once():
                return super().__call__(*args, **kwargs)
        except Exception as error:
            # It knows the errors of every part, which beat needs not load.
            from pipeline.runtime.problems import explain

            problem = "it met its time limit" if _met_limit(error) else explain(error)
            if problem is None:
                raise
            logger.warning("%s could not end, a later tick will: %s", self.name, problem)
            return None


def _met_limit(error: BaseException | None) -> bool:
    """Whether an error came of the time limit: what interrupts a query looks like a fault of the database."""
    while error is not None and not isinstance(error, SoftTimeLimitExceeded):
        error = error.__cause__ or error.__context__
    return error is not None


@contextmanager
def _limited_once() -> Iterator[None]:
    """Let the soft time limit be raised once: a worker that ends signals it again, and would hit what settles it."""
    raise_limit = signal.getsignal(signal.SIGUSR1)
    is_in_pool = callable(raise_limit) and threading.current_thread() is threading.main_thread()
    if not is_in_pool:
        yield
        return
    raised = False

    def once(number: int, frame: FrameType | None) -> None:
        nonlocal raised
        if not raised and callable(raise_limit):
            raised = True
            raise_limit(number, frame)

    signal.signal(signal.SIGUSR1, once)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, raise_limit)


def make_app(redis_url: str) -> Celery:
    """Return the application on a broker; tasks are registered by importing `tasks`, and started by name."""
    app = Celery("lootwire", broker=broker_url(redis_url), task_cls=PatientTask, set_as_current=True)
    app.conf.update(
        # JSON alone: a pickled message is code.
        accept_content=["json"],
        task_serializer="json",
        # No result is kept: what a task did stands in the database.
        task_ignore_result=True,
        # A worker that dies must not take its message along; every task may run twice.
        task_acks_late=True,
        # Unlike task_reject_on_worker_lost, which loops on a task that kills its worker, this stops at max_retries.
        task_retry_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        # A task that hangs must not hold a process for ever: a SoftTimeLimitExceeded first, a kill after that.
        task_soft_time_limit=120,
        task_time_limit=150,
        # Memory that a library leaks goes with the process.
        worker_max_tasks_per_child=500,
        worker_max_memory_per_child=400_000,
        # On SIGTERM running tasks may finish; those that cannot go back to the queue.
        worker_soft_shutdown_timeout=10,
        # A queue for each kind of work rather than priorities, which Redis only imitates.
        task_default_queue="tick",
        task_routes={
            **{tick: {"queue": "fetch"} for tick in ASKING_TICKS},
            **{task: {"queue": queue} for task, queue in OF_SOUND.items()},
            **{f"{queue}.*": {"queue": queue} for queue in QUEUES},
        },
        broker_connection_retry_on_startup=True,
        # A task that is under way when the broker goes away may end: only its message is lost, and that was a hint.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_transport_options={
            # A message that was not acknowledged in 15 minutes belongs to a dead worker: no task runs that long.
            "visibility_timeout": 900,
            # After a silent hole in the network the defaults had not recovered in 120 s; these recovered in 8.
            "socket_timeout": 15,
            "socket_keepalive": True,
            "health_check_interval": 10,
            # How long a question for messages waits: an answer comes at once, but an end waits for it.
            "polling_interval": 3,
        },
        beat_schedule=BEAT_SCHEDULE,
        # Beat keeps no times of its own: due times are in PostgreSQL.
        beat_scheduler="celery.beat:Scheduler",
        timezone="UTC",
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
    )
    return app


def hint(app: Celery, task: str, **options: Any) -> None:
    """Wake a worker early; a broker that is away costs only the time until the next tick finds the row."""
    try:
        app.send_task(task, retry=False, ignore_result=True, **options)
    except (OperationalError, OSError) as error:
        logger.warning("hint lost, the next tick will do: %s", type(error).__name__, extra={"task": task})
