"""Do the parts of a long piece of work in forks of this process, one for each processor.

A fork has all that this process has read, at no cost, and sends back what it works out. What it lacks it asks for: the
database knows one connection, which stays here. A pool of the standard library would leave its processes behind when
this one is killed.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

from models.errors import LootwireError

# Each comes to hold a copy of most of what it reads, since Python counts references there.
MOST_FORKS = 4
Part = TypeVar("Part")
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Result = TypeVar("Result")
Work = Callable[[Part, Callable[[Asked], Answer]], Sequence[Result]]


class ForkError(LootwireError):
    """A fork was killed, and what it was to work out is missing."""


def in_forks(
    parts: Sequence[Part],
    work: Work[Part, Asked, Answer, Result],
    answer: Callable[[Asked], Answer],
    *,
    count: int | None = None,
) -> Iterator[Result]:
    """Yield the results of all parts in their order. `work` gets a part, and a function that has `answer` called here.

    There are `count` forks, or as many as this process has processors; with one it does all by itself. No fork outlives
    the iterator, which raises what `work` raised, and a ForkError where a fork was killed.
    """
    count = min(count or _processors(), MOST_FORKS, len(parts))
    if count < 2:
        for part in parts:
            yield from work(part, answer)
        return
    forks: list[_Fork] = []
    with ExitStack() as stack:
        with _interrupted_later():
            for first in range(count):
                forks.append(_Fork(parts[first::count], work))
                stack.callback(forks[first].end)
        for place in range(len(parts)):
            yield from _next_results(forks, forks[place % count], answer)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _interrupted_later() -> Iterator[None]:
    """Let Ctrl-C wait for the end of a `with` block: in the moment of a fork it would be lost."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Fork:
    """A process that does some of the parts, our end of its pipe, and its results that are not asked for yet."""

    def __init__(self, parts: Sequence[Any], work: Work[Any, Any, Any, Any]) -> None:
        self.results: deque[Sequence[Any]] = deque()
        # After the earlier forks, which would hold an end of it when this process is gone.
        self.pipe, theirs = get_context("fork").Pipe()
        self._process = get_context("fork").Process(target=_work_through, args=(parts, work, self.pipe, theirs))
        self._process.start()
        theirs.close()

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _next_results(forks: Sequence[_Fork], fork: _Fork, answer: Callable[[Any], Any]) -> Sequence[Any]:
    """Return a fork's next results; meanwhile all that any of them asks for is answered."""
    by_pipe = {some.pipe: some for some in forks}
    while not fork.results:
        for pipe in cast("list[Connection[Any, Any]]", wait(by_pipe)):
            with _unless_killed():
                what, value = pipe.recv()
            if what == "asked":
                reply = answer(value)
                with _unless_killed():
                    pipe.send(reply)
            elif what == "raised":
                raise value
            else:
                by_pipe[pipe].results.append(value)
    return fork.results.popleft()


@contextmanager
def _unless_killed() -> Iterator[None]:
    try:
        yield
    except (EOFError, ConnectionError) as end:
        raise ForkError("a process that did a part of the work was killed, perhaps for want of memory") from end


def _work_through(
    parts: Sequence[Any], work: Work[Any, Any, Any, Any], ours: "Connection[Any, Any]", pipe: "Connection[Any, Any]"
) -> None:
    """Do some parts, in a fork. It ends when the process that made it does, or closes the pipe."""
    ours.close()
    # Ctrl-C reaches both, and the other says what there is to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def ask(asked: object) -> object:
        pipe.send(("asked", asked))
        return pipe.recv()

    try:
        for part in parts:
            pipe.send(("done", work(part, ask)))
        pipe.recv()
    except (EOFError, OSError):
        return
    except Exception as error:  # noqa: BLE001  it is raised where the result is wanted
        pipe.send(("raised", error))
