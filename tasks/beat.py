"""`python -m tasks.beat`: sends the ticks of beat_schedule.py, and knows no more of the tasks than their names."""

import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.beat import ScheduleEntry, Scheduler
from celery.schedules import schedule as Period  # noqa: N812 - a class, whatever its name
from celery.signals import setup_logging

from beat_schedule import BEAT_SCHEDULE
from models.errors import LootwireError
from models.privacy import keep_files_private
from pipeline import embedded
from pipeline.embedded import EmbeddedError
from pipeline.runtime.celery_app import make_app
from pipeline.runtime.logs import configure_logging
from pipeline.runtime.settings import Settings, load_settings
from pipeline.runtime.supervisor import watch_parent

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


def _broker(settings: Settings) -> str:
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    return embedded.ensure(settings.data_dir).redis_url


def main() -> None:
    """Send ticks until SIGTERM or Ctrl-C."""
    keep_files_private()
    watch_parent()
    try:
        settings = load_settings().settings
        app = make_app(_broker(settings))
        app.conf.beat_schedule = schedule_for(settings)
    except (LootwireError, EmbeddedError) as error:
        sys.exit(f"lootwire: {error}")

    def configure(**_: Any) -> None:
        configure_logging(settings.log_level, form=settings.log_format)

    setup_logging.connect(configure, weak=False)
    app.Beat(quiet=True, loglevel=settings.log_level, scheduler=SteadyScheduler).run()


if __name__ == "__main__":
    main()
