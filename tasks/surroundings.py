"""What the tasks of one worker process work with."""

import functools
import logging
from collections.abc import Sequence
from datetime import timedelta

from redis import Redis, RedisError

from notifiers.deliver import Sender
from notifiers.paces import Take, Turn
from pipeline.fetch.limiter import Paces
from pipeline.people.store import messages
from pipeline.runtime.heartbeat import SignsOfLife
from pipeline.runtime.runtime import Runtime, open_runtime, utc_now

logger = logging.getLogger(__name__)
NOW = timedelta(0)


@functools.cache
def runtime() -> Runtime:
    """Return this process's runtime, opened at the first call."""
    # Two ticks often fall together; more connections are needed now and then, and for a moment.
    return open_runtime(kept_connections=2)


@functools.cache
def signs_of_life() -> SignsOfLife:
    """Return what writes down that the programs of this process take up work."""
    return SignsOfLife(runtime().engine, utc_now)


@functools.cache
def sender() -> Sender:
    """Return what sends in this process, made at the first call; it knows which messages are under way."""
    settings, take = runtime().settings, paced(runtime().redis)
    return Sender(
        runtime().engine,
        runtime().vault,
        utc_now,
        lanes=settings.senders,
        templates=settings.templates,
        take=take,
        meter=messages.take,
        give_back=messages.give_back,
    )


def paced(redis: Redis) -> Take:
    """Return what keeps the paces of services, which senders share in Redis; where it is away, messages go at once."""
    paces = Paces(redis)

    def take(turns: Sequence[Turn]) -> timedelta:
        try:
            return paces.take({turn.name: (turn.pace.a_second, turn.pace.at_once) for turn in turns}) if turns else NOW
        except RedisError as error:
            # Services say themselves when it is too much, and their answers are obeyed.
            logger.warning("Redis does not answer, and keeps no pace of services (%s)", type(error).__name__)
            return NOW

    return take
