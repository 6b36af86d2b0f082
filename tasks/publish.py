"""Publish what events touched."""

import logging
import time

from celery import current_app, shared_task

from feeds.write import PublishError
from models.errors import LootwireError
from pipeline.programs.beginning import publish_now
from pipeline.programs.operating.incidents import report_publishing, withdraw_publishing
from pipeline.runtime.celery_app import hint
from pipeline.runtime.folders import try_folder
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime

logger = logging.getLogger(__name__)
# While feeds cannot be written this is tried so soon again: `/health` says so until it works.
AGAIN_AFTER = 5
# A run that fails after much work waits for the next tick.
MOST_TO_REPEAT = 1.0
_not_again_before = 0.0


# The first run after a large import writes thousands of files.
@shared_task(name="publish.marked", soft_time_limit=600, time_limit=630)
def marked() -> None:
    """Write the feeds that events touched, and the page."""
    began = time.monotonic()
    try:
        works = _publish()
    except PublishError as error:
        report_publishing(runtime().engine, str(error), utc_now())
        _try_again_soon(began)
        raise
    if not works:
        _try_again_soon(began)


def _publish() -> bool:
    """Publish; returns whether feeds and pages can be written, as far as is known."""
    # It does not wait for another run, since two that wait leave no process to send; the next tick finds the rest.
    summary = publish_now(runtime(), wait=False)
    if summary.feeds or summary.failures:
        fields = {"feeds": summary.feeds, "files": summary.written, "failures": len(summary.failures)}
        logger.info("published", extra=fields)
    if summary.written:
        _spread()
    if summary.failures:
        report_publishing(runtime().engine, summary.failures[0].reason, utc_now(), count=len(summary.failures))
        return False
    return not withdraw_publishing(runtime().engine, _takes_files, utc_now())


def _spread() -> None:
    """Have the news brought further at once, where that is wanted; ticks find what a lost hint leaves lying."""
    settings = runtime().settings
    if settings.bucket_url is not None:
        hint(current_app, "fetch.mirror", expires=60)
    if settings.websub_hubs:
        hint(current_app, "fetch.hubs", expires=60)


def _takes_files() -> bool:
    # There may have been nothing to write.
    try:
        try_folder(runtime().settings.published)
    except LootwireError:
        return False
    return True


def _try_again_soon(began: float) -> None:
    """Have this be done again in some seconds, once whatever ticks come meanwhile."""
    global _not_again_before  # noqa: PLW0603 - of this process, which does one run after the other
    now = time.monotonic()
    if now >= _not_again_before and now - began < MOST_TO_REPEAT:
        _not_again_before = now + AGAIN_AFTER
        hint(current_app, "publish.marked", countdown=AGAIN_AFTER, expires=3 * AGAIN_AFTER)
