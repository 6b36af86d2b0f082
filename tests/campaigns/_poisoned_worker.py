"""The worker of the program, with tasks that kill it and one that does no harm, as a module to run.

Takes what `python -m tasks.worker` takes; the tasks are of the queue that is worked on by processes. Each run of a task
is a line of the file that POISON_JOURNAL names. With POISON_PAUSE a process counts as lost, and its task runs again,
after so many seconds instead of Celery's and ours.
"""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded

from tasks.worker import app, main

MEGABYTE = 2**20
# More than a process of a pool may keep.
GREED = 500 * MEGABYTE


def _note(kind: str, number: int) -> None:
    with Path(os.environ["POISON_JOURNAL"]).open("a", encoding="utf-8") as journal:
        journal.write(f"{kind} {number}\n")


@app.task(name="fetch.harmless")  # type: ignore[untyped-decorator]
def harmless(number: int) -> None:
    """Do nothing but be seen."""
    _note("harmless", number)


@app.task(name="fetch.crash")  # type: ignore[untyped-decorator]
def crash(number: int) -> None:
    """Die as by a fault of a library in C."""
    _note("crash", number)
    os.kill(os.getpid(), signal.SIGSEGV)


@app.task(name="fetch.greed")  # type: ignore[untyped-decorator]
def greed(number: int) -> None:
    """Take much memory, and die as by the kernel that has none left."""
    _note("greed", number)
    taken = b"x" * GREED
    os.kill(os.getpid(), signal.SIGKILL)
    del taken


@app.task(name="fetch.loop")  # type: ignore[untyped-decorator]
def loop(number: int) -> None:
    """Never end, not even when the time limit asks for it."""
    _note("loop", number)
    while True:
        with suppress(SoftTimeLimitExceeded):
            _spin()


def _spin() -> None:
    while True:
        signal.pause()


if pause := os.environ.get("POISON_PAUSE"):
    app.conf.worker_lost_wait = float(pause)
    for poisonous in (crash, greed, loop):
        poisonous.default_retry_delay = float(pause)

if __name__ == "__main__":
    sys.exit(main())
