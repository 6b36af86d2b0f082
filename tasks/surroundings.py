"""What the tasks of one worker process work with."""

import functools

from notifiers.deliver import Sender
from pipeline.runtime.heartbeat import SignsOfLife
from pipeline.runtime.runtime import Runtime, open_runtime, utc_now


@functools.cache
def runtime() -> Runtime:
    """Return this process's runtime, opened at the first call."""
    return open_runtime()


@functools.cache
def signs_of_life() -> SignsOfLife:
    """Return what writes down that the programs of this process take up work."""
    return SignsOfLife(runtime().engine, utc_now)


@functools.cache
def sender() -> Sender:
    """Return what sends in this process, made at the first call; it knows which messages are under way."""
    settings = runtime().settings
    return Sender(runtime().engine, runtime().vault, utc_now, lanes=settings.senders, templates=settings.templates)
