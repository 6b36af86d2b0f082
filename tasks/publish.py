"""Publish what events touched."""

import logging

from celery import shared_task

from feeds.publish import publish
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime

logger = logging.getLogger(__name__)


# The first run after a large import writes thousands of files.
@shared_task(name="publish.marked", soft_time_limit=600, time_limit=630)
def marked() -> None:
    """Write the feeds that events touched, and the page."""
    # It does not wait for another run, since two that wait leave no process to send; the next tick finds the rest.
    settings = runtime().settings
    summary = publish(
        runtime().engine,
        settings.published,
        settings.public_url,
        utc_now(),
        wait=False,
        pictures=settings.local_pictures,
        items=settings.feed_items,
    )
    if summary.feeds or summary.failures:
        fields = {"feeds": summary.feeds, "files": summary.written, "failures": len(summary.failures)}
        logger.info("published", extra=fields)
