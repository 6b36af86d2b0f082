"""Judges liveness end to end: a tick that a worker must carry out moves a row, and so does EventSub's program.

The supervisor holds this for as long as it runs, and a client of PostgreSQL would double its memory. So the rows are
read by `python -m pipeline.runtime.watchdog`, a program of a moment, which says by its exit code what it found.
"""

import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.errors import LootwireError
from models.printable import printable
from pipeline import embedded

WORKER, EVENTSUB = "worker", "eventsub"
# The exit code of the program that looks: a bit for each program that shows no sign of life, beside the one that says
# that it could look at all.
_LOOKED, _BITS = 64, {WORKER: 1, EVENTSUB: 2}
_DATABASE = "LOOTWIRE_WATCHED_DATABASE"
# Three ticks of thirty seconds: one may be late, two unlucky.
STALE_AFTER = timedelta(seconds=90)
# What was started just now may take so long to come up.
START_WITHIN = 2 * STALE_AFTER
# More than a program that keeps the clock right sets it by.
JUMP = timedelta(seconds=10)
_CONNECT_SECONDS = 10
# A network that falls silent must not hold the supervisor.
_SILENT_MS = 15_000

# Runs `python -m` with arguments and further variables to its end, and returns the exit code.
Run = Callable[[Sequence[str], Mapping[str, str]], int]


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

    def look(self, restart: Callable[[str], None], run: Run) -> None:
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
        silent = self._silent_programs(run)
        if self._is_stuck(WORKER, silent):
            restart(WORKER)
        elif self._listens and self._is_stuck(EVENTSUB, silent):
            restart(EVENTSUB)

    def _silent_programs(self, run: Run) -> Collection[str]:
        code = run([__name__], {_DATABASE: self._database_url})
        if code < _LOOKED:
            raise LootwireError("whether the worker lives cannot be seen in the database")
        return {program for program, bit in _BITS.items() if code & bit}

    def _is_stuck(self, program: str, silent: Collection[str]) -> bool:
        """Whether a program is to be restarted, which then has time to come up."""
        if time.monotonic() < self._patient_until[program] or program not in silent:
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
        url, connect_timeout=_CONNECT_SECONDS, tcp_user_timeout=_SILENT_MS, application_name="lootwire"
    ) as connection:
        return dict(connection.execute("SELECT name, at FROM heartbeats").fetchall())


def _is_old(beat: datetime | None) -> bool:
    # One of the future is none at all: the clock jumped back, and since then no program has shown itself.
    return beat is None or abs(datetime.now(UTC) - beat) > STALE_AFTER


def main() -> int:
    """Look once; returns the code that says which programs show no sign of life, or 1 and says why it cannot look."""
    try:
        beats = load_beats(os.environ.pop(_DATABASE))
    except Exception as error:  # noqa: BLE001 - whatever it is, the line is for the operator
        sys.stderr.write(f"lootwire: {printable(str(error))}\n")
        return 1
    return _LOOKED + sum(bit for program, bit in _BITS.items() if _is_old(beats.get(program)))


if __name__ == "__main__":
    # In a fork, to take apart what the nursery has loaded would cost more than all the rest.
    os._exit(main())
