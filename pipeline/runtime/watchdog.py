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
# More than the clock is set by who keeps it right.
JUMP = timedelta(seconds=10)
CONNECT_SECONDS = 10


class Watchdog:
    """Restarts what shows no sign of life; `look` is called about once a second, and asks when it is time to.

    `embedded_in` is the data directory of servers that are to be brought back; `listens` says that EventSub's program
    runs too.
    """

    def __init__(self, database_url: str, *, embedded_in: Path | None, listens: bool = False) -> None:
        self._database_url = database_url
        self._embedded_in = embedded_in
        self._listens = listens
        self._patient_until = 0.0
        self._clock_ahead = _clock_ahead()
        self.be_patient()

    def be_patient(self) -> None:
        """Give what was started just now the time to come up."""
        self._patient_until = time.monotonic() + 2 * STALE_AFTER.total_seconds()

    def look(self, restart: Callable[[str], None]) -> None:
        """Bring the servers back where they are gone, and restart a program whose last sign of life is old."""
        if self._embedded_in is not None and not embedded.hosted(self._embedded_in):
            embedded.ensure(self._embedded_in)
        if self._clock_jumped():
            # What was written before the jump is of no age that means anything, and the next sign of life comes soon.
            self._patient_until = max(self._patient_until, time.monotonic() + STALE_AFTER.total_seconds())
        if time.monotonic() < self._patient_until:
            return
        self._patient_until = time.monotonic() + STALE_AFTER.total_seconds() / 3
        beats = load_beats(self._database_url)
        if _is_old(beats.get(WORKER)):
            self.be_patient()
            restart("worker")
            restart("beat")
        elif self._listens and _is_old(beats.get(EVENTSUB)):
            self.be_patient()
            restart(EVENTSUB)

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
    with psycopg.connect(url, connect_timeout=CONNECT_SECONDS, application_name="lootwire") as connection:
        return dict(connection.execute("SELECT name, at FROM heartbeats").fetchall())


def _is_old(beat: datetime | None) -> bool:
    # One of the future is none at all: the clock jumped back, and since then no program has shown itself.
    return beat is None or abs(datetime.now(UTC) - beat) > STALE_AFTER
