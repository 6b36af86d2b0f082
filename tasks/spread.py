"""Bring what is published into the bucket, and tell hubs of it."""

import logging
from datetime import timedelta

from celery import current_app, shared_task

from pipeline.programs.spreading import Heard, copy_to_bucket, ping_hubs
from pipeline.runtime.celery_app import hint
from tasks.surroundings import runtime

logger = logging.getLogger(__name__)
# A part of the tick's period: the same workers fetch sources, which come to their turn in between.
WITHIN = timedelta(seconds=20)
_HEARD = Heard()


@shared_task(name="fetch.mirror", soft_time_limit=120, time_limit=150)
def mirror() -> None:
    """Upload what changed to the bucket, where there is one, and remove what is gone."""
    copied = copy_to_bucket(runtime().engine, runtime().settings, within=WITHIN)
    if copied.problem:
        logger.warning("%s", copied.problem)
    elif copied.uploaded or copied.removed:
        fields = {"uploaded": copied.uploaded, "removed": copied.removed, "left": copied.left}
        logger.info("copied to the bucket", extra=fields)
    if copied.left:
        hint(current_app, "fetch.mirror", expires=60)


@shared_task(name="fetch.hubs", soft_time_limit=120, time_limit=150)
def hubs() -> None:
    """Tell the hubs that are set of the feeds that changed."""
    pinged = ping_hubs(runtime().engine, runtime().settings, _HEARD, within=WITHIN)
    for reason in pinged.problems.values():
        logger.warning("a hub is not told: %s", reason)
    if pinged.feeds:
        logger.info("hubs are told", extra={"feeds": pinged.feeds, "left": pinged.left})
    if pinged.left and not pinged.problems:
        hint(current_app, "fetch.hubs", expires=60)
