"""Look at folders of ROMs."""

import logging
import platform
from datetime import timedelta

from celery import current_app, shared_task

from models.errors import LootwireError
from pipeline.ingest.fetching import slow_locks
from pipeline.roms.scanning.rounds import scan_due
from pipeline.roms.scanning.scan import ScanReport
from pipeline.runtime.celery_app import hint
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime
from tasks.ticks import hint_of_news

logger = logging.getLogger(__name__)
# A collection that is read for hours is read in slices, between which sources have their turn.
WITHIN = timedelta(seconds=120)


# A file that was begun is read to its end, also one of a hundred gigabytes. Ticks find what such a process left.
@shared_task(name="fetch.roms", soft_time_limit=3600, time_limit=3630)
def roms() -> None:
    """Scan the folders that are due, and go on soon where one is not done."""
    settings = runtime().settings
    is_unfinished = False
    for report in scan_due(
        runtime().engine,
        utc_now,
        every=timedelta(seconds=settings.roms_poll_seconds),
        within=WITHIN,
        readers=settings.rom_readers,
        slow=slow_locks(platform.node(), settings.fetchers),
    ):
        if isinstance(report, LootwireError):
            logger.warning("a folder of ROMs was not scanned: %s", report)
            continue
        _log(report)
        is_unfinished |= report.outcome == "unfinished"
        if report.events:
            hint_of_news(current_app)
    if is_unfinished:
        hint(current_app, "fetch.roms", expires=60)


def _log(report: ScanReport) -> None:
    fields = {
        "folder": report.folder_id,
        "outcome": report.outcome,
        "listed": report.listed,
        "read": report.read,
        "unread": report.unread,
        "added": report.added,
        "missing": report.missing,
        "returned": report.returned,
        "moved": report.moved,
        "events": dict(report.events),
    }
    if report.problem is not None:
        logger.warning("ROMs scanned: %s", report.problem, extra=fields)
    else:
        is_news = report.read or report.added or report.missing or report.returned or report.moved
        logger.log(logging.INFO if is_news else logging.DEBUG, "ROMs scanned", extra=fields)
