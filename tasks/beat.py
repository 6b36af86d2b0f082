"""Sends the ticks of beat_schedule.py from a thread of the worker that carries them out.

A process of its own held thirty megabytes to send two messages a second at most; where the worker is restarted, its
clock is too, as it has to be.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery
from celery.beat import ScheduleEntry, Scheduler, Service
from celery.schedules import schedule as Period  # noqa: N812 - a class, whatever its name

from beat_schedule import BEAT_SCHEDULE
from pipeline.runtime.settings import Settings

logger = logging.getLogger(__name__)
# Ticks for what a setting switches on. Without it their tasks would do nothing.
_ON_DEMAND: Mapping[str, Callable[[Settings], bool]] = {
    "fetch.pictures": lambda settings: settings.local_pictures,
    "fetch.mirror": lambda settings: settings.bucket_url is not None,
    "fetch.hubs": lambda settings: bool(settings.websub_hubs),
    "fetch.rules": lambda settings: settings.apply_rules,
    "tick.eventsub": lambda settings: not settings.missing_of_application,
}
_BEGAN_AT, _BEGAN = datetime.now(UTC), time.monotonic()


def steady_now() -> datetime:
    """Return what the clock would show if nobody had set it since this program began."""
    return _BEGAN_AT + timedelta(seconds=time.monotonic() - _BEGAN)


class _SteadyEntry(ScheduleEntry):  # type: ignore[misc]  # Celery has no types
    def __init__(self, *, schedule: float | Period, **fields: Any) -> None:
        period = schedule if isinstance(schedule, Period) else Period(schedule, nowfun=steady_now)
        super().__init__(schedule=period, **fields)


class SteadyScheduler(Scheduler):  # type: ignore[misc]  # likewise
    """Celery's scheduler, whose periods are as long as they are whatever becomes of the clock.

    Celery's own waits for the time to be there again, where the clock was set back.
    """

    Entry = _SteadyEntry

    def schedules_equal(self, *_: object) -> bool:
        """Return True: ours never changes, and to compare it at each tick was a third of this program's work."""
        return True


def schedule_for(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the entries of beat_schedule.py whose tasks have something to do with these settings."""
    left_off = {task for task, is_wanted in _ON_DEMAND.items() if not is_wanted(settings)}
    return {name: entry for name, entry in BEAT_SCHEDULE.items() if entry["task"] not in left_off}


def start(app: Celery, settings: Settings) -> None:
    """Send ticks until this process ends, from a thread; a thread that ends by itself takes the process along."""
    app.conf.beat_schedule = schedule_for(settings)
    threading.Thread(target=_send_ticks, args=(app,), name="beat", daemon=True).start()


def _send_ticks(app: Celery) -> None:
    try:
        Service(app, scheduler_cls=SteadyScheduler).start()
    except BaseException:
        # A worker without ticks is idle and looks well: the supervisor starts another at once.
        logger.critical("ticks are no longer sent; starting anew", exc_info=True)
        os._exit(1)
