"""Look after the installation, and say to operators what is wrong with it."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from celery import current_app, shared_task
from sqlalchemy import select

from models import Target
from notifiers.operators import OPERATOR
from pipeline.programs.operating.minute import look_after
from pipeline.programs.operating.troubles import Trouble
from pipeline.runtime.celery_app import hint
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime, sender
from tasks.ticks import CLOCK_AHEAD

logger = logging.getLogger(__name__)
WITHIN = timedelta(seconds=60)
# What was wrong at the last look of this process.
_WRONG: dict[tuple[str, str, str], str] = {}


@shared_task(name="tick.operator")
def operator() -> None:
    """Judge the installation, tell operators of what is new, lasts or is over, and ping."""
    engine = runtime().engine
    minute = look_after(engine, runtime().settings, utc_now, is_clock_doubted=lambda: CLOCK_AHEAD.is_doubted(engine))
    _log(minute.troubles)
    if minute.events:
        logger.info("operators are told", extra={"events": dict(minute.events)})
        hint(current_app, "send.due", expires=15)
    if minute.is_sender_stalled:
        hint(current_app, "fetch.tell_operators", expires=60)


def _log(troubles: Sequence[Trouble]) -> None:
    """Log what is wrong that was not at the last look, and what is no longer."""
    wrong = {trouble.key: trouble.headline for trouble in troubles}
    for key in wrong.keys() - _WRONG.keys():
        logger.warning("%s", wrong[key])
    for key in _WRONG.keys() - wrong.keys():
        logger.info("no longer so: %s", _WRONG[key])
    _WRONG.clear()
    _WRONG.update(wrong)


# In the queue of the fetching workers: where the program that sends stands still, nothing in its own queue is done.
@shared_task(name="fetch.tell_operators", soft_time_limit=120, time_limit=150)
def tell_operators() -> None:
    """Send what waits for operators here, past the program that should."""
    with runtime().engine.connect() as connection:
        others = connection.scalars(select(Target.id).where(Target.role.is_distinct_from(OPERATOR))).all()
    summary = sender().send_here(within=WITHIN, others=others)
    if summary.messages:
        logger.warning("operators are told past the sender", extra={"sent": summary.sent, "failed": summary.failed})
