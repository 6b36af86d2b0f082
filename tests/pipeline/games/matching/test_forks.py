"""What is done in forks comes back whole and in order, or with the reason why not, and no process stays behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing import active_children
from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.games.matching.forks import ForkError, in_forks
from tests.waiting import processes_with, wait_for

Ask = Callable[[int], int]
# Two forks, of which each has a part to do that never ends, and says so.
ENDLESS = """
import os
from pipeline.games.matching.forks import in_forks

def work(part, ask):
    os.write(1, b"at work\\n")
    while True:
        ask(part)

list(in_forks(range(2), work, lambda asked: asked, count=2))
"""


@pytest.fixture(autouse=True)
def no_process_stays() -> Iterator[None]:
    yield
    assert active_children() == []


def square(number: int) -> int:
    return number * number


@pytest.mark.parametrize(("count", "processes"), [(1, 0), (2, 2), (4, 4), (100, 4)])
def test_results_come_in_the_order_of_the_parts_and_what_is_asked_for_is_answered_here(
    count: int, processes: int
) -> None:
    asked: list[int] = []

    def answer(number: int) -> int:
        asked.append(number)
        return square(number)

    def work(part: int, ask: Ask) -> list[tuple[int, int, int]]:
        return [(part, ask(number), os.getpid()) for number in (part, part + 100)]

    results = list(in_forks(range(11), work, answer, count=count))
    assert [result[:2] for result in results] == [(n, square(m)) for n in range(11) for m in (n, n + 100)]
    assert sorted(asked) == [*range(11), *range(100, 111)]
    assert len({pid for *_, pid in results} - {os.getpid()}) == processes


def test_a_part_that_fails_says_why_after_the_results_before_it() -> None:
    def work(part: int, _: Ask) -> list[int]:
        if part == 3:
            raise UsageError("the third is none")
        return [part]

    results = in_forks(range(6), work, square, count=2)
    assert next(results) == 0
    with pytest.raises(UsageError, match="the third is none"):
        list(results)


def test_a_fork_that_is_killed_is_no_short_list() -> None:
    def work(part: int, _: Ask) -> list[int]:
        if part == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return [part]

    with pytest.raises(ForkError, match="was killed"):
        list(in_forks(range(6), work, square, count=2))


def test_forks_end_with_whoever_no_longer_wants_their_results() -> None:
    results = in_forks(range(1000), lambda part, ask: [ask(part)], square, count=2)
    assert next(results) == 0
    assert len(active_children()) == 2
    del results


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_no_fork_outlives_the_process_that_made_it_and_none_prints_a_word(tmp_path: Path, sent: signal.Signals) -> None:
    program = tmp_path / "endless.py"
    program.write_text(ENDLESS)
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert [process.stdout.readline() for _ in range(2)] == [b"at work\n"] * 2
            process.send_signal(sent)
            wait_for(lambda: not processes_with(program))
        finally:
            process.kill()
        said = process.stderr.read().decode() if process.stderr else ""
    # What the process itself says of Ctrl-C.
    assert said.count("Traceback") == (sent == signal.SIGINT)
