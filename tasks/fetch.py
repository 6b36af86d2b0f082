"""Fetch a source."""

import logging
import platform
from datetime import timedelta

from celery import current_app, shared_task
from celery.exceptions import SoftTimeLimitExceeded

from pipeline.ingest.fetching import Fetched, due, fetch_source, slow_locks
from pipeline.ingest.source import Fetchable
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
    fetchable = sources.source(runtime(), name)
    slow = slow_locks(platform.node(), runtime().settings.fetchers)
    fetched = fetch_source(runtime().engine, fetchable, utc_now, cut_off=SoftTimeLimitExceeded, slow=slow)
    if fetched is None:
        return
    _log(fetched)
    if fetched.events:
        hint_of_news(current_app)
    wait = fetched.next_due_at - utc_now()
    if wait <= LONGEST_COUNTDOWN:
        seconds = max(wait.total_seconds(), 0)
        hint(current_app, "fetch.source", args=[name], countdown=seconds, expires=seconds + 30)
    _let_others_ask(fetchable)


def _log(fetched: Fetched) -> None:
    fields = {
        "source": fetched.source,
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


def _let_others_ask(fetched: Fetchable) -> None:
    """Hint the sources that waited for this one to be done with the service that it asked."""
    alike = {each.name for each in sources.sources(runtime()) if each.asks == fetched.asks} - {fetched.name}
    if not alike:
        return
    with runtime().engine.connect() as connection:
        waiting = [name for name in due(connection, utc_now()) if name in alike]
    for name in waiting:
        hint(current_app, "fetch.source", args=[name], expires=30)
