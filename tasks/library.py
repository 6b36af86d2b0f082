"""Look again at lines of libraries that wait for IGDB to know more."""

import logging

from celery import current_app, shared_task

from pipeline.fetch.http import Client
from pipeline.library.importing.asking import Asking
from pipeline.library.importing.looking_again import look_again
from pipeline.programs.sources import register
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime
from tasks.ticks import hint_of_news

logger = logging.getLogger(__name__)


# In the queue of the fetching workers: where there is no mirror IGDB is asked.
@shared_task(name="fetch.waiting_lines", soft_time_limit=300, time_limit=330)
def waiting_lines() -> None:
    """Look again at lines that wait, of the files whose day is over."""
    with Client() as client:
        asking = Asking(
            open_igdb=lambda: runtime().igdb(client),
            register=lambda connection: register(connection, runtime(), utc_now()),
            clock=utc_now,
        )
        looked = look_again(runtime().engine, asking, utc_now())
    if looked.changed:
        logger.info("lines that waited are known now", extra={"known": looked.known, "changed": looked.changed})
    if looked.events:
        hint_of_news(current_app)
