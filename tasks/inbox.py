"""Import the files that people put into the inbox."""

import logging
from datetime import timedelta

from celery import current_app, shared_task

from pipeline.importer.inbox import look_into
from pipeline.programs.sources import drop_sources
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime
from tasks.ticks import hint_of_news

logger = logging.getLogger(__name__)
# Years of history are taken in over several looks, so that the workers still fetch sources meanwhile.
WITHIN = timedelta(seconds=120)


# In the queue of the fetching workers: an import may take its time, and ticks must not wait for it.
@shared_task(name="fetch.inbox", soft_time_limit=600, time_limit=630)
def inbox() -> None:
    """Import the files in the inbox and move them aside."""
    looked = look_into(runtime().engine, drop_sources(runtime()), runtime().settings.data_dir, utc_now, within=WITHIN)
    if looked.processed or looked.quarantined:
        fields = {
            "processed": looked.processed,
            "quarantined": looked.quarantined,
            "waiting": looked.waiting,
            "events": dict(looked.events),
        }
        logger.log(logging.WARNING if looked.quarantined else logging.INFO, "inbox imported", extra=fields)
    if looked.events:
        hint_of_news(current_app)
