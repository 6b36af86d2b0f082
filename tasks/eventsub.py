"""Handle messages of Twitch that the programs which received them have left lying."""

import logging
from datetime import timedelta

from celery import current_app, shared_task

from pipeline.channels.eventsub.inbox import handle
from pipeline.channels.eventsub.lookup import PATIENCE, look_up
from pipeline.fetch.http import Client
from pipeline.runtime.runtime import utc_now
from tasks.surroundings import runtime
from tasks.ticks import hint_of_news

logger = logging.getLogger(__name__)


@shared_task(name="tick.eventsub")
def eventsub() -> None:
    """Handle what waits; where nothing does, this is one question to the database."""
    flap = timedelta(seconds=runtime().settings.stream_flap_seconds)
    # A service that is slow must not hold what carries out ticks: a later poll brings what is missing.
    with Client(deadline=PATIENCE, attempts=1) as client:
        helix = runtime().helix(client)
        events = handle(
            runtime().engine,
            lambda channels: look_up(helix, channels) if helix is not None and channels else {},
            utc_now,
            flap=flap,
            on_events=lambda: hint_of_news(current_app),
        )
    if events:
        logger.info("told by EventSub, later", extra={"events": dict(events)})
