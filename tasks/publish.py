"""Publish what events touched."""

import logging

from celery import shared_task

from feeds.write import PublishError
from pipeline.programs.beginning import publish_now
from pipeline.programs.operating.incidents import report_publishing
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime

logger = logging.getLogger(__name__)


# The first run after a large import writes thousands of files.
@shared_task(name="publish.marked", soft_time_limit=600, time_limit=630)
def marked() -> None:
    """Write the feeds that events touched, and the page."""
    # It does not wait for another run, since two that wait leave no process to send; the next tick finds the rest.
    try:
        summary = publish_now(runtime(), wait=False)
    except PublishError as error:
        report_publishing(runtime().engine, str(error), utc_now())
        raise
    if summary.failures:
        report_publishing(runtime().engine, summary.failures[0].reason, utc_now(), count=len(summary.failures))
    if summary.feeds or summary.failures:
        fields = {"feeds": summary.feeds, "files": summary.written, "failures": len(summary.failures)}
        logger.info("published", extra=fields)
