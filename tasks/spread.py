"""Bring what is published into the bucket, and tell hubs of it; what does so is loaded where there are any."""

import functools
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from celery import current_app, shared_task

from pipeline.runtime.celery_app import hint
from tasks.surroundings import runtime

if TYPE_CHECKING:
    from pipeline.programs.spreading import Heard

logger = logging.getLogger(__name__)
# A part of the tick's period: the same workers fetch sources, which come to their turn in between.
WITHIN = timedelta(seconds=20)


# One episode of some hours is a hundred megabytes, and goes up whole or not at all.
@shared_task(name="fetch.mirror", soft_time_limit=600, time_limit=630)
def mirror() -> None:
    """Upload what changed to the bucket, where there is one, and remove what is gone."""
    if runtime().settings.bucket_url is None:
        return
    from pipeline.programs.spreading import copy_to_bucket

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
    if not runtime().settings.websub_hubs:
        return
    from pipeline.programs.spreading import ping_hubs

    pinged = ping_hubs(runtime().engine, runtime().settings, _heard(), within=WITHIN)
    for reason in pinged.problems.values():
        logger.warning("a hub is not told: %s", reason)
    if pinged.feeds:
        logger.info("hubs are told", extra={"feeds": pinged.feeds, "left": pinged.left})
    if pinged.left and not pinged.problems:
        hint(current_app, "fetch.hubs", expires=60)


@functools.cache
def _heard() -> "Heard":
    from pipeline.programs.spreading import Heard

    return Heard()
