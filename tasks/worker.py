"""The application with all tasks on the settings' broker, and a worker of it.

`python -m tasks.worker --queues fetch --concurrency 2 --hostname fetcher@%h` is what the supervisor runs. Celery's
own command, `celery -A tasks.worker worker`, does the same, and loads a shell for it. The queue `send` wants
`--pool solo`: its task forks what sends, which it should not do beside threads, and may not in a pool's process.
"""

import argparse
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded, WorkerLostError
from celery.signals import (
    celeryd_after_setup,
    setup_logging,
    task_failure,
    task_postrun,
    task_prerun,
    worker_ready,
    worker_shutdown,
)
from celery.utils.log import get_multiprocessing_logger
from celery.utils.nodenames import default_nodename, host_format
from celery.worker import state
from kombu.transport.redis import Channel
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from models import Target
from models.memory import give_back_memory
from models.privacy import keep_files_private
from models.threads import give_threads_room
from notifiers import apprise_urls
from pipeline.runtime.celery_app import make_app
from pipeline.runtime.logs import configure_logging
from pipeline.runtime.problems import explain
from pipeline.runtime.runtime import Runtime
from pipeline.runtime.supervisor import watch_parent
from tasks import (
    beat,
    eventsub,
    fetch,
    inbox,
    library,
    operating,
    pictures,
    publish,
    roms,
    rules,
    send,
    sound,
    spread,
    surroundings,
    ticks,
)

__all__ = [
    "app",
    "eventsub",
    "fetch",
    "inbox",
    "library",
    "operating",
    "pictures",
    "publish",
    "roms",
    "rules",
    "send",
    "sound",
    "spread",
    "ticks",
]

# Not of `__main__`, which this module is where it runs.
logger = logging.getLogger("tasks.worker")
# Less than the supervisor waits: what is not sent by then is written down as failed, and tried again soon.
GRACE = timedelta(seconds=20)


def _open_runtime() -> Runtime:
    """Return the runtime, or end in one line where Celery would print a hundred; the supervisor tries again."""
    try:
        return surroundings.runtime()
    except Exception as error:
        if (explanation := explain(error)) is None:
            raise
        sys.exit(f"lootwire: {explanation}")


def _configure_logging(**_: object) -> None:
    settings = surroundings.runtime().settings
    configure_logging(settings.log_level, form=settings.log_format)
    # The pool's own logger has no handler, and would print its lines as they are.
    pool = get_multiprocessing_logger()
    pool.setLevel(logging.ERROR)
    pool.propagate = True


def _load_what_sends(instance: Any, **_: object) -> None:
    """Load Apprise before the pool forks: its plugins take half a second, which no message should wait for.

    They also take 16 MB, so where there is no target yet, the first message will have to wait after all.
    """
    if "send" in instance.app.amqp.queues.consume_from and _is_any_target():
        apprise_urls.load()


def _is_any_target() -> bool:
    engine = surroundings.runtime().engine
    with engine.connect() as connection:
        is_any = connection.scalar(select(Target.id).where(Target.removed_at.is_(None)).limit(1)) is not None
    # The pool must not inherit the connection.
    engine.dispose()
    return is_any


def _freeze(**_: object) -> None:
    """Keep the collector off what is loaded: looking at an object copies its page in each process of the pool."""
    gc.collect()
    gc.freeze()


def _tell_given_up(sender: Any, exception: BaseException, args: Sequence[Any], **_: object) -> None:
    """Name the task that is given up because no process lived to end it: Celery tells of the process alone."""
    if isinstance(exception, WorkerLostError):
        call = f"{sender.name}({', '.join(map(str, args))})"
        logger.error("%s is given up, a later tick asks anew: %s", call, exception)


def _show_life(task: Any, **_: object) -> None:
    """Write down that this program takes up work, so that operators hear when it does not."""
    queue = (task.request.delivery_info or {}).get("routing_key")
    try:
        surroundings.signs_of_life().show(queue)
    except SQLAlchemyError as error:
        logger.debug("no sign of life was written: %s", type(error).__name__)


def _limit_times() -> None:
    """Interrupt tasks that take too long, as a pool of processes does: the pool `solo` leaves that out."""
    signal.signal(signal.SIGALRM, _interrupt)
    task_prerun.connect(_set_alarm, weak=False)
    task_postrun.connect(_lift_alarm, weak=False)


def _set_alarm(task: Any, **_: object) -> None:
    signal.setitimer(signal.ITIMER_REAL, task.soft_time_limit or task.app.conf.task_soft_time_limit)


def _lift_alarm(**_: object) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)


def _interrupt(*_: object) -> None:
    raise SoftTimeLimitExceeded


def _end_when_fat(task: Any, **_: object) -> None:
    """Stop after a task that left much memory in use, as a pool of processes does; the supervisor starts another."""
    # In KB, but on macOS in bytes.
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    if used > task.app.conf.worker_max_memory_per_child:
        logger.info("much memory is in use; starting anew")
        state.should_stop = 0


def _end_at_once_if_asked(**_: object) -> None:
    """End at the signal that follows when a grace is over: Celery would cancel tasks, which only processes can be."""
    signal.signal(signal.SIGQUIT, lambda *_: os._exit(1))


def _finish_sending(**_: object) -> None:
    """Let messages that are under way end, within the grace that the supervisor gives."""
    if surroundings.sender.cache_info().currsize:
        surroundings.sender().finish(GRACE)


def _start_beat(**_: object) -> None:
    beat.start(app, surroundings.runtime().settings)


def _say_ready(sender: Any, **_: object) -> None:
    logger.info("%s is ready", sender.hostname)


keep_files_private()
give_threads_room()
give_back_memory()
# Before anything else: a worker whose supervisor is gone must end, also while it waits for a server.
watch_parent()
setup_logging.connect(_configure_logging, weak=False)
celeryd_after_setup.connect(_load_what_sends, weak=False)
celeryd_after_setup.connect(_freeze, weak=False)
worker_ready.connect(_say_ready, weak=False)
task_failure.connect(_tell_given_up, weak=False)
task_prerun.connect(_show_life, weak=False)
worker_shutdown.connect(_finish_sending, weak=False)
# A broker that goes away while messages wait for their time would take the worker along: kombu tries to put them back
# through the connection that it has just closed (AttributeError in Channel.close). They are hints; ticks say the same.
Channel.do_restore = False
app = make_app(_open_runtime().redis_url)


def main() -> int:
    """Run a worker until SIGTERM; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tasks.worker")
    parser.add_argument("--queues", required=True)
    parser.add_argument("--pool", choices=["prefork", "threads", "solo"], default="prefork")
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--hostname", required=True)
    parser.add_argument("--beat", action="store_true", help="send the ticks, too")
    arguments = parser.parse_args()
    if arguments.beat:
        worker_ready.connect(_start_beat, weak=False)
    if arguments.pool == "solo":
        _limit_times()
    if arguments.pool != "prefork":
        # Celery has set its own by then.
        worker_ready.connect(_end_at_once_if_asked, weak=False)
        task_postrun.connect(_end_when_fat, weak=False)
    worker = app.Worker(
        queues=arguments.queues,
        pool=arguments.pool,
        concurrency=arguments.concurrency,
        hostname=host_format(default_nodename(arguments.hostname)),
        quiet=True,
        # Workers need nothing of each other, and no program listens to their events.
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
    )
    worker.start()
    return worker.exitcode or 0


if __name__ == "__main__":
    sys.exit(main())
