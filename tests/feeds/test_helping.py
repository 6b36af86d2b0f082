"""A second process that does a share of the work."""

import os
from collections.abc import Iterable

import pytest
from sqlalchemy import Engine, select, text

from feeds.helping import wait_for_helper, work_in_two


def test_two_processes_take_every_piece_once(engine: Engine) -> None:
    def work(numbers: Iterable[int]) -> bytes:
        with engine.connect() as connection:
            done = [connection.execute(select(text(str(number)))).scalar_one() for number in numbers]
        return ",".join(map(str, done)).encode() or b","

    results = work_in_two(engine, 200, work)

    numbers = [int(number) for result in results for number in result.decode().split(",") if number]
    assert sorted(numbers) == list(range(200))
    with engine.connect() as connection:
        assert connection.scalar(select(text("1"))) == 1


def test_a_helper_that_fails_leaves_its_share_undone_and_no_lock(engine: Engine) -> None:
    parent = os.getpid()

    def work(numbers: Iterable[int]) -> bytes:
        if os.getpid() != parent:
            os.abort()
        return b"".join(b"." for _ in numbers)

    (result,) = work_in_two(engine, 50, work)

    assert set(result) <= {ord(".")}
    wait_for_helper(engine)


def test_an_error_of_ours_ends_the_helper(engine: Engine) -> None:
    parent = os.getpid()

    def work(numbers: Iterable[int]) -> bytes:
        if os.getpid() == parent:
            raise RuntimeError
        return b"".join(b"." for _ in numbers)

    with pytest.raises(RuntimeError):
        work_in_two(engine, 50, work)

    # It would have the lock for as long as it lived.
    wait_for_helper(engine)
