"""The application with all tasks on the settings' broker, and a worker of it.

`python -m tasks.worker --queues tick,send --concurrency 2 --hostname worker@%h` is what the supervisor runs. Celery's
own command, `celery -A tasks.worker worker`, does the same, and loads a shell for it.
"""

import argparse
import gc
import logging
import sys
from typing import Any

from celery.signals import celeryd_after_setup, setup_logging, worker_ready
from celery.utils.log import get_multiprocessing_logger
from celery.utils.nodenames import default_nodename, host_format
from kombu.transport.redis import Channel
from sqlalchemy import select

from models import Target
from models.privacy import keep_files_private
from notifiers import apprise_urls
from pipeline.runtime.celery_app import make_app
from pipeline.runtime.logs import configure_logging
from pipeline.runtime.problems import explain
from pipeline.runtime.runtime import Runtime
from pipeline.runtime.supervisor import watch_parent
from tasks import eventsub, fetch, inbox, pictures, publish, send, surroundings, ticks

__all__ = ["app", "eventsub", "fetch", "inbox", "pictures", "publish", "send", "ticks"]

# Not of `__main__`, which this module is where it runs.
logger = logging.getLogger("tasks.worker")


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


def _say_ready(sender: Any, **_: object) -> None:
    logger.info("%s is ready", sender.hostname)


keep_files_private()
# Before anything else: a worker whose supervisor is gone must end, also while it waits for a server.
watch_parent()
setup_logging.connect(_configure_logging, weak=False)
celeryd_after_setup.connect(_load_what_sends, weak=False)
celeryd_after_setup.connect(_freeze, weak=False)
worker_ready.connect(_say_ready, weak=False)
# A broker that goes away while messages wait for their time would take the worker along: kombu tries to put them back
# through the connection that it has just closed (AttributeError in Channel.close). They are hints; ticks say the same.
Channel.do_restore = False
app = make_app(_open_runtime().redis_url)


def main() -> int:
    """Run a worker until SIGTERM; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tasks.worker")
    parser.add_argument("--queues", required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--hostname", required=True)
    arguments = parser.parse_args()
    worker = app.Worker(
        queues=arguments.queues,
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
