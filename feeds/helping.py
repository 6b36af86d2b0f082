"""Let a second process do a share of the work: both take the next piece until none is left."""

import os
import signal
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from sqlalchemy import Engine

from models.locks import hold, lock_key

# The helper has it while it works. Where its parent was killed it ends with its piece, and the next run waits for that.
_HELPER = lock_key("lootwire publish helper")
_NUMBER = struct.Struct("=I")
# So many fit into a pipe that nobody reads yet; what is more is left to the next run.
_MOST_PIECES = 4096
_TO_DEFAULT = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGALRM)


def can_help() -> bool:
    """Return whether this machine has a second processor for us."""
    return len(os.sched_getaffinity(0)) > 1


def wait_for_helper(engine: Engine) -> None:
    """Wait until no helper of a killed run works any more; for a caller that has the turn to publish."""
    with hold(engine, _HELPER):
        pass


def work_in_two(engine: Engine, pieces: int, work: Callable[[Iterable[int]], bytes]) -> list[bytes]:
    """Have the numbers of all pieces worked through by this process and a second one, and return what each returns.

    The second is a fork of this one, with connections of its own. Where it fails, its result is missing, and what it
    did not settle is as it was.
    """
    numbers, put = os.pipe()
    os.write(put, b"".join(map(_NUMBER.pack, range(min(pieces, _MOST_PIECES)))))
    os.close(put)
    results, result = os.pipe()
    parent = os.getpid()
    # Not `multiprocessing`: a worker of Celery may have no children by it.
    helper = os.fork()
    if not helper:
        os.close(results)
        _help(engine, numbers, result, parent, work)
    os.close(result)
    try:
        done = [work(_taken(numbers))]
        with os.fdopen(results, "rb", closefd=False) as file:
            helped = file.read()
        return [*done, helped] if helped else done
    except BaseException:
        os.kill(helper, signal.SIGKILL)
        raise
    finally:
        os.waitpid(helper, 0)
        os.close(numbers)
        os.close(results)


def _help(engine: Engine, numbers: int, result: int, parent: int, work: Callable[[Iterable[int]], bytes]) -> NoReturn:
    status = 1
    try:
        for each in _TO_DEFAULT:
            signal.signal(each, signal.SIG_DFL)
        # The connections are the parent's: they are forgotten here, and not closed.
        engine.dispose(close=False)
        with hold(engine, _HELPER):
            done = work(_while_alive(parent, _taken(numbers)))
        _write_all(result, done)
        status = 0
    finally:
        # Nothing that the parent would clean up may be cleaned up here.
        os._exit(status)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _taken(numbers: int) -> Iterator[int]:
    while data := os.read(numbers, _NUMBER.size):
        yield _NUMBER.unpack(data)[0]


def _while_alive(parent: int, numbers: Iterator[int]) -> Iterator[int]:
    # Another run may have the turn once the parent is gone; it waits for the lock of this process.
    for number in numbers:
        if os.getppid() != parent:
            return
        yield number
