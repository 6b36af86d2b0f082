"""Jobs in lanes: each may hang, die or eat memory, and harms no other."""

import json
import mmap
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest

from notifiers.errors import DeliveryError
from notifiers.lanes import LONE_PROCESSES, MEMORY_BYTES, MOST_PROCESSES, PROCESSES, Ended, Lanes
from tests.processes import children
from tests.waiting import wait_for

LONG = 600.0


def work(kind: str, *arguments: Any) -> Any:
    """Do in a lane what the job says."""
    return JOBS[kind](*arguments)


def die() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)
    hang()


def hang() -> None:
    time.sleep(LONG)


def leave() -> None:
    """Leave a thread behind, as a library does that gives up a wait."""
    Thread(target=hang, daemon=True).start()


def refuse() -> None:
    raise DeliveryError("too long", too_long=True)


JOBS: dict[str, Callable[..., Any]] = {
    "deep": lambda: json.loads("[" * 100_000),
    "die": die,
    "eat": lambda: bytearray(2**40),
    "fail": lambda: JOBS["https://secret@example.org"],
    "hang": hang,
    "leave": leave,
    "pid": os.getpid,
    "refuse": refuse,
}


@pytest.fixture
def lanes() -> Iterator[Lanes[str]]:
    with running(50) as opened:
        yield opened


@contextmanager
def running(most: int) -> Iterator[Lanes[str]]:
    opened: Lanes[str] = Lanes(work, most)
    yield opened
    opened.stop("the test is over")


def start(lanes: Lanes[str], key: str, *job: Any, seconds: float = LONG, **options: bool) -> None:
    wait_for(lanes.room)
    lanes.start(key, job or (key,), seconds, **options)


def ends(lanes: Lanes[str], count: int) -> dict[str, Ended[str]]:
    """Wait until so many jobs are over; returns them by their keys."""
    ended: dict[str, Ended[str]] = {}

    def look() -> bool:
        ended.update({end.key: end for end in lanes.wait(1.0)})
        return len(ended) >= count

    wait_for(look)
    return ended


def ours() -> set[int]:
    return set(children(os.getpid()))


def test_a_job_is_done_elsewhere_and_its_answer_comes_back(lanes: Lanes[str]) -> None:
    start(lanes, "pid")
    assert ends(lanes, 1)["pid"].outcome in ours()
    assert not lanes.under_way


def test_an_error_of_a_job_is_its_answer_and_another_one_is_told_without_its_text(lanes: Lanes[str]) -> None:
    for key in ("refuse", "fail"):
        start(lanes, key)
    ended = ends(lanes, 2)
    assert isinstance(ended["refuse"].outcome, DeliveryError)
    assert (ended["refuse"].outcome.reason, ended["refuse"].outcome.too_long) == ("too long", True)
    assert str(ended["fail"].outcome) == "the message could not be sent (KeyError)"


def test_a_job_that_kills_its_process_is_told_by_its_signal_and_harms_no_other(lanes: Lanes[str]) -> None:
    start(lanes, "hang")
    start(lanes, "die")
    end = ends(lanes, 1)["die"]
    assert f"ended with signal {signal.SIGSEGV.value}" in end.outcome.reason
    assert end.is_suspect
    assert lanes.under_way == ["hang"]


def test_an_answer_that_is_nested_very_deep_kills_no_process(lanes: Lanes[str]) -> None:
    start(lanes, "deep")
    assert str(ends(lanes, 1)["deep"].outcome) == "the message could not be sent (RecursionError)"


def test_a_job_that_wants_all_memory_gets_none_of_it(lanes: Lanes[str]) -> None:
    start(lanes, "eat")
    assert str(ends(lanes, 1)["eat"].outcome) == "the message could not be sent (MemoryError)"


def test_what_the_process_holds_already_is_no_memory_of_a_job(lanes: Lanes[str]) -> None:
    with mmap.mmap(-1, 2 * MEMORY_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS):
        start(lanes, "pid")
        start(lanes, "eat")
        over = ends(lanes, 2)
    assert isinstance(over["pid"].outcome, int)
    assert str(over["eat"].outcome) == "the message could not be sent (MemoryError)"


def test_a_job_that_never_ends_is_ended(lanes: Lanes[str]) -> None:
    before = ours()
    start(lanes, "hang", seconds=0.2)
    assert "took too long" in ends(lanes, 1)["hang"].outcome.reason
    assert ours() == before


def test_many_jobs_that_hang_share_a_few_processes_and_hold_up_no_other(lanes: Lanes[str]) -> None:
    before = ours()
    for number in range(30):
        start(lanes, str(number), "hang")
    start(lanes, "pid")
    assert ends(lanes, 1)["pid"].outcome
    assert len(lanes.under_way) == 30
    assert len(ours() - before) <= PROCESSES


def test_processes_that_should_end_and_cannot_yet_are_few(lanes: Lanes[str]) -> None:
    before = ours()
    for number in range(3 * MOST_PROCESSES):
        start(lanes, str(number), "hang")
        start(lanes, f"leave {number}", "leave")
        ends(lanes, 1)
    assert len(lanes.under_way) == 3 * MOST_PROCESSES
    assert len(ours() - before) <= MOST_PROCESSES
    for process in ours() - before:
        kill_and_reap(process)
    start(lanes, "pid")
    assert isinstance(ends(lanes, 3 * MOST_PROCESSES + 1)["pid"].outcome, int)


def test_no_more_jobs_are_under_way_than_allowed() -> None:
    with running(2) as lanes:
        for number in range(2):
            start(lanes, str(number), "hang")
        assert lanes.wait(0.2) == []
        assert lanes.room() == 0


def test_jobs_that_died_with_another_are_done_alone(lanes: Lanes[str]) -> None:
    for number in range(PROCESSES):
        start(lanes, str(number), "hang")
    for number in range(LONE_PROCESSES):
        start(lanes, f"alone {number}", "hang", alone=True)
    before = ours()
    start(lanes, "pid", alone=True)
    # There is no more room for lone ones, and it shares.
    assert ends(lanes, 1)["pid"].outcome in before


def test_a_process_that_is_killed_while_it_rests_takes_no_job_along(lanes: Lanes[str]) -> None:
    start(lanes, "pid")
    resting = ends(lanes, 1)["pid"].outcome
    start(lanes, "again", "pid")
    assert ends(lanes, 1)["again"].outcome == resting
    kill_and_reap(resting)
    start(lanes, "pid")
    assert ends(lanes, 1)["pid"].outcome in ours() - {resting}


def kill_and_reap(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_stopping_ends_every_process_and_tells_what_was_under_way(lanes: Lanes[str]) -> None:
    before = ours()
    start(lanes, "hang")
    start(lanes, "pid")
    ends(lanes, 1)
    (stopped,) = lanes.stop("we stop")
    assert (stopped.key, str(stopped.outcome)) == ("hang", "we stop")
    assert ours() <= before
