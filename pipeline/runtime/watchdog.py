"""Judges liveness end to end: a tick that a worker must carry out moves a row, and so does EventSub's program.

The supervisor holds this for as long as it runs, so nothing is imported here but what asks PostgreSQL for two rows.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline import embedded

WORKER, EVENTSUB = "worker", "eventsub"
# Three ticks of thirty seconds: one may be late, two unlucky.
STALE_AFTER = timedelta(seconds=90)
# What was started just now may take so long to come up.
START_WITHIN = 2 * STALE_AFTER
# More than the clock is set by who keeps it right.
JUMP = timedelta(seconds=10)
CONNECT_SECONDS = 10
# A network that falls silent must not hold the supervisor.
SILENT_MS = 15_000


class Watchdog:
    """Restarts what shows no sign of life; `look` is called about once a second, and asks when it is time to.

    `embedded_in` is the data directory of servers that are to be brought back; `listens` says that EventSub's program
    runs too.
    """

    def __init__(self, database_url: str, *, embedded_in: Path | None, listens: bool = False) -> None:
        self._database_url = database_url
        self._embedded_in = embedded_in
        self._listens = listens
        self._look_at = 0.0
        # Until when a program that was started, or the clock, is given time.
        self._patient_until = dict.fromkeys((WORKER, EVENTSUB), time.monotonic() + START_WITHIN.total_seconds())
        self._clock_ahead = _clock_ahead()

    def look(self, restart: Callable[[str], None]) -> None:
        """Bring the servers back where they are gone, and restart a program whose last sign of life is old."""
        if self._embedded_in is not None and not embedded.hosted(self._embedded_in):
            embedded.ensure(self._embedded_in)
        if self._clock_jumped():
            # What was written before the jump is of no age that means anything, and the next sign of life comes soon.
            for program in self._patient_until:
                self._be_patient(program, STALE_AFTER)
        now = time.monotonic()
        if now < self._look_at or now < min(self._patient_until.values()):
            return
        self._look_at = now + STALE_AFTER.total_seconds() / 3
        beats = load_beats(self._database_url)
        if self._is_stuck(WORKER, beats):
            restart(WORKER)
            restart("beat")
        elif self._listens and self._is_stuck(EVENTSUB, beats):
            restart(EVENTSUB)

    def _is_stuck(self, program: str, beats: Mapping[str, datetime]) -> bool:
        """Whether a program is to be restarted, which then has time to come up."""
        if time.monotonic() < self._patient_until[program] or not _is_old(beats.get(program)):
            return False
        self._be_patient(program, START_WITHIN)
        return True

    def _be_patient(self, program: str, time_given: timedelta) -> None:
        until = time.monotonic() + time_given.total_seconds()
        self._patient_until[program] = max(self._patient_until[program], until)

    def _clock_jumped(self) -> bool:
        before, self._clock_ahead = self._clock_ahead, _clock_ahead()
        return abs(self._clock_ahead - before) > JUMP.total_seconds()


def _clock_ahead() -> float:
    """Return how far the clock is ahead of the one that nobody sets, in seconds."""
    return time.time() - time.monotonic()


def load_beats(database_url: str) -> Mapping[str, datetime]:
    """Return when each program last showed a sign of life, by its name."""
    import psycopg

    url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(
        url, connect_timeout=CONNECT_SECONDS, tcp_user_timeout=SILENT_MS, application_name="lootwire"
    ) as connection:
        return dict(connection.execute("SELECT name, at FROM heartbeats").fetchall())


def _is_old(beat: datetime | None) -> bool:
    # One of the future is none at all: the clock jumped back, and since then no program has shown itself.
    return beat is None or abs(datetime.now(UTC) - beat) > STALE_AFTER
