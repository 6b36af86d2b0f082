"""What `celery -A tasks.worker` runs: the application with all tasks, on the settings' broker."""

from celery.signals import setup_logging

from pipeline.celery_app import make_app
from pipeline.logs import configure_logging
from pipeline.supervisor import watch_parent
from tasks import fetch, publish, send, surroundings, ticks

__all__ = ["app", "fetch", "publish", "send", "ticks"]


def _configure_logging(**_: object) -> None:
    configure_logging(surroundings.runtime().settings.log_level)


# Before anything else: a worker whose supervisor is gone must end, also while it waits for a server.
watch_parent()
setup_logging.connect(_configure_logging, weak=False)
app = make_app(surroundings.runtime().redis_url)
