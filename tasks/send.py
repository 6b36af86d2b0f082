"""Send what is due."""

import logging
from datetime import timedelta

from celery import shared_task

from notifiers.deliver import deliver_due
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime

logger = logging.getLogger(__name__)
# Well before the time limit: a message that is being sent may take 45 seconds more.
WITHIN = timedelta(seconds=60)


@shared_task(name="send.due")
def due() -> None:
    """Send deliveries until none is due."""
    summary = deliver_due(runtime().engine, runtime().vault, utc_now, within=WITHIN)
    if summary.messages:
        fields = {"sent": summary.sent, "failed": summary.failed, "dead": summary.dead}
        logger.info("messages sent" if summary.sent else "messages tried", extra=fields)
