"""Look after the installation, and say to operators what is wrong with it."""

import logging
from datetime import timedelta

from celery import current_app, shared_task
from sqlalchemy import select

from models import Target
from notifiers.operators import OPERATOR
from pipeline.programs.operating.minute import look_after
from pipeline.runtime.celery_app import hint
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime, sender
from tasks.ticks import CLOCK_AHEAD

logger = logging.getLogger(__name__)
WITHIN = timedelta(seconds=60)


@shared_task(name="tick.operator")
def operator() -> None:
    """Judge the installation, tell operators of what is new, lasts or is over, and ping."""
    engine = runtime().engine
    minute = look_after(engine, runtime().settings, utc_now, is_clock_doubted=lambda: CLOCK_AHEAD.is_doubted(engine))
    for trouble in minute.troubles:
        logger.warning("%s", trouble.headline)
    if minute.events:
        logger.info("operators are told", extra={"events": dict(minute.events)})
        hint(current_app, "send.due", expires=15)
    if minute.is_sender_stalled:
        hint(current_app, "fetch.tell_operators", expires=60)


# In the queue of the fetching workers: where the program that sends stands still, nothing in its own queue is done.
@shared_task(name="fetch.tell_operators", soft_time_limit=120, time_limit=150)
def tell_operators() -> None:
    """Send what waits for operators here, past the program that should."""
    with runtime().engine.connect() as connection:
        others = connection.scalars(select(Target.id).where(Target.role.is_distinct_from(OPERATOR))).all()
    summary = sender().send_here(within=WITHIN, others=others)
    if summary.messages:
        logger.warning("operators are told past the sender", extra={"sent": summary.sent, "failed": summary.failed})
