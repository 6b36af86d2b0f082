"""The tasks that beat sends: each looks for what is due, and sends the tasks for it."""

import logging
from collections import Counter
from datetime import timedelta

from celery import Celery, current_app, shared_task
from sqlalchemy import Engine

from pipeline.channels import clock as channels_clock
from pipeline.drops import clock as drops_clock
from pipeline.errors import SourceError
from pipeline.fetch.http import Client
from pipeline.games import clock as games_clock
from pipeline.ingest import service_time, staleness
from pipeline.ingest.fetching import due, register
from pipeline.library import clock as library_clock
from pipeline.people import clock as people_clock
from pipeline.programs import clock_jump, pruning
from pipeline.programs.clock_ahead import ClockAhead, ClockBack
from pipeline.programs.sources import ON_DEMAND, sources
from pipeline.runtime.celery_app import hint
from pipeline.runtime.heartbeat import beat, beat_clock
from pipeline.runtime.runtime import utc_now
from pipeline.services.twitch.account import SERVICE
from tasks.surroundings import runtime

logger = logging.getLogger(__name__)
CLOCK_AHEAD = ClockAhead(utc_now)
CLOCK_BACK = ClockBack(utc_now)


@shared_task(name="tick.fetch_due")
def fetch_due() -> None:
    """Ask for every source that is due to be fetched."""
    # The shortest tick: what is due each minute waits no longer than that.
    if CLOCK_BACK.was_set_back():
        _put_right(runtime().engine, was_set_back=True)
    # Before the transaction: they ask the database themselves.
    listed = sources(runtime())
    with runtime().engine.begin() as connection:
        register(connection, listed, utc_now(), on_demand=ON_DEMAND)
        names = due(connection, utc_now())
    for name in names:
        hint(current_app, "fetch.source", args=[name], expires=30)


@shared_task(name="tick.advance_clock")
def advance_clock() -> None:
    """Append the events that time alone brings about: of campaigns, streams, releases and silent sources.

    What works are to people changes with time, too.
    """
    now = utc_now()
    engine = runtime().engine
    _put_right(engine, was_set_back=CLOCK_BACK.was_set_back())
    with engine.connect() as connection:
        present = service_time.present(connection, SERVICE, now)
    events, is_doubted = Counter[str](), CLOCK_AHEAD.is_doubted(engine)
    # Twitch may have said the time meanwhile, though it is another than ours.
    if not is_doubted or present != now:
        flap = timedelta(seconds=runtime().settings.stream_flap_seconds)
        events += channels_clock.advance(engine, present, flap)
    if not is_doubted:
        events += drops_clock.advance(engine, now)
        events += games_clock.advance(engine, now)
        library_clock.advance(engine, now)
    events += staleness.watch(engine, now, ticking_since=beat_clock(engine, now))
    if events:
        logger.info("the clock moved on", extra={"events": dict(events)})
        hint_of_news(current_app)


@shared_task(name="tick.credits")
def credits_due() -> None:
    """Give the credits of periods that began, and tell those who have few left."""
    engine = runtime().engine
    if CLOCK_AHEAD.is_doubted(engine):
        return
    if events := people_clock.advance(engine, utc_now()):
        logger.info("people told of their credits", extra={"events": dict(events)})
        hint_of_news(current_app)


@shared_task(name="tick.heartbeat")
def heartbeat() -> None:
    """Show that beat, broker, worker and database work together."""
    beat(runtime().engine, utc_now())


@shared_task(name="tick.validate_sign_ins")
def validate_sign_ins() -> None:
    """Ask Twitch once an hour whether it still accepts the sign-in; an event of the source says when it does not."""
    account = runtime().account
    if account is None:
        return
    try:
        with Client() as client:
            holds = account.validate_if_due(client)
    except SourceError as error:
        logger.warning("sign-in not validated: %s", error)
        return
    if holds is not None:
        logger.info("sign-in validated", extra={"service": SERVICE, "holds": holds})


@shared_task(name="tick.prune")
def prune() -> None:
    """Forget fetch runs that are too old to explain anything."""
    removed = pruning.prune(runtime().engine, utc_now())
    logger.info("old fetch runs forgotten", extra={"removed": removed})


def _put_right(engine: Engine, *, was_set_back: bool) -> None:
    if (jump := clock_jump.put_right(engine, utc_now(), was_set_back=was_set_back)) is not None:
        logger.warning(
            "the clock jumped back; what waits for a later time is due now", extra={"seconds": jump.total_seconds()}
        )


def hint_of_news(app: Celery) -> None:
    """Wake the workers that send and publish."""
    hint(app, "send.due", expires=15)
    hint(app, "publish.marked", expires=15)
