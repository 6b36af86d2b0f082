"""The consequences of a websocket session's end: how long to wait, and whether the log shows it as a fault.

https://dev.twitch.tv/docs/eventsub/handling-websocket-events/#close-message
"""

import random
from collections.abc import Callable
from datetime import timedelta

import msgspec

AT_ONCE = timedelta(0)
# The code of a socket that just vanished.
ABNORMAL = 1006
# Our own name for a session that was silent for too long.
SILENT = -1
# A session that lived so long was well: the next failure is a first one again.
LIVED_WELL = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=2)


class Ending(msgspec.Struct, frozen=True):
    """What a close code means, how long to wait at first, and whether it is a fault of ours that must be seen."""

    meaning: str
    pause: timedelta
    is_fault: bool = False


_ENDINGS = {
    1000: Ending("the session is over", timedelta(seconds=1)),
    1001: Ending("the server goes away", timedelta(seconds=1)),
    ABNORMAL: Ending("the connection broke", AT_ONCE),
    1011: Ending("Twitch had an internal error", timedelta(seconds=2)),
    1012: Ending("the server restarts", timedelta(seconds=2)),
    1013: Ending("the server has too much to do", timedelta(seconds=10)),
    4000: Ending("Twitch had an internal error", timedelta(seconds=2)),
    # We send nothing but pongs, so this is a bug, and hurrying would repeat it.
    4001: Ending("we sent something, which is forbidden", timedelta(seconds=30), is_fault=True),
    4002: Ending("our pong did not arrive", AT_ONCE),
    # The shard was not attached within ten seconds: Helix is slow or refuses.
    4003: Ending("the session was not used in time", timedelta(seconds=2)),
    4004: Ending("we were too slow to move to another server", AT_ONCE),
    4005: Ending("Twitch's network was too slow", timedelta(seconds=1)),
    4006: Ending("Twitch's network failed", timedelta(seconds=1)),
    # The address given for reconnecting is used once only; the next session begins at the usual one.
    4007: Ending("the address to reconnect at was not accepted", AT_ONCE),
    SILENT: Ending("nothing came in time, not even a keepalive", AT_ONCE),
}


def ending(code: int) -> Ending:
    """Return what a close code means; unknown ones are taken for a server's trouble."""
    return _ENDINGS.get(code, Ending(f"the server closed the session ({code})", timedelta(seconds=5)))


class Backoff:
    """How long to wait before the next session: as its end asks for, and twice as long after each short life."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._short_lives = 0

    def after(self, pause: timedelta, lived: timedelta) -> timedelta:
        """Return the pause after a session that lived so long; `jitter` spreads it over half to the whole of it."""
        if lived >= LIVED_WELL:
            self._short_lives = 0
        growing = timedelta(0) if self._short_lives == 0 else timedelta(seconds=0.5 * 2.0 ** min(self._short_lives, 10))
        self._short_lives += 1
        longest: timedelta = min(max(pause, growing), LONGEST_PAUSE)
        return longest * (0.5 + self._jitter() / 2)
