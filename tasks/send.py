"""Send what is due."""

import logging
from datetime import timedelta

from celery import shared_task
from celery.worker import state

from tasks.surroundings import sender

logger = logging.getLogger(__name__)
# Then the worker looks after its broker; what is under way goes on, and the next hint or tick settles it.
WITHIN = timedelta(seconds=60)


@shared_task(name="send.due")
def due() -> None:
    """Send deliveries until none is due or under way."""
    summary = sender().send_due(within=WITHIN, is_stopping=is_stopping)
    if summary.sent or summary.failed or summary.dead:
        fields = {"sent": summary.sent, "failed": summary.failed, "dead": summary.dead}
        logger.info("messages sent" if summary.sent else "messages tried", extra=fields)


def is_stopping() -> bool:
    """Whether the worker that this runs in was asked to stop."""
    return state.should_stop is not None or state.should_terminate is not None
