"""Copy the pictures that feeds and pages show."""

import logging
from datetime import timedelta

from celery import shared_task

from pipeline.programs.pictures import copy_due
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime

logger = logging.getLogger(__name__)
# Half of the tick's period: the same workers fetch sources.
WITHIN = timedelta(seconds=15)


@shared_task(name="fetch.pictures", soft_time_limit=60, time_limit=90)
def pictures() -> None:
    """Copy pictures that are due, where copies are wanted at all."""
    settings = runtime().settings
    if not settings.local_pictures:
        return
    limit = settings.local_pictures_mb * 1_000_000
    copied = copy_due(runtime().engine, settings.published, utc_now, limit=limit, within=WITHIN)
    for reason in copied.given_up:
        logger.warning("picture not copied: %s", reason)
    if copied.postponed:
        fields = {"postponed": copied.postponed}
        logger.warning("LOOTWIRE_LOCAL_PICTURES_MB is used up, and every copy is shown", extra=fields)
    if copied.copied:
        logger.info("pictures copied", extra={"copied": copied.copied, "removed": copied.removed})
