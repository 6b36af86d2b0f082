"""Fetch a source."""

import logging
from datetime import timedelta

from celery import current_app, shared_task

from pipeline.ingest.fetching import fetch_source
from pipeline.programs import sources
from pipeline.runtime.celery_app import hint
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime
from tasks.ticks import hint_of_news

logger = logging.getLogger(__name__)
# Redis keeps delayed messages in the worker: only short delays are safe there.
LONGEST_COUNTDOWN = timedelta(seconds=60)


# Within the lease of a claimed source, and more than a fetch's deadline times its attempts.
@shared_task(name="fetch.source", soft_time_limit=240, time_limit=270)
def source(name: str) -> None:
    """Fetch one source if it is due, and ask for the next fetch at its time."""
    fetched = fetch_source(runtime().engine, sources.source(runtime(), name), utc_now)
    if fetched is None:
        return
    fields = {
        "source": name,
        "outcome": fetched.outcome,
        "items": fetched.items,
        "changed": fetched.changed,
        "seconds": fetched.seconds,
        "events": dict(fetched.events),
    }
    if fetched.error:
        message = "not fetched" if fetched.outcome == "failed" else "fetched"
        logger.warning("%s: %s", message, fetched.error, extra=fields)
    else:
        # Most fetches bring no news, and silence means just that.
        logger.log(logging.DEBUG if fetched.outcome == "unchanged" else logging.INFO, "fetched", extra=fields)
    if fetched.events:
        hint_of_news(current_app)
    wait = fetched.next_due_at - utc_now()
    if wait <= LONGEST_COUNTDOWN:
        seconds = max(wait.total_seconds(), 0)
        hint(current_app, "fetch.source", args=[name], countdown=seconds, expires=seconds + 30)
