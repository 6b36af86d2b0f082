"""The limits that workers share, on a real Valkey and by its clock."""

import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from pipeline.embedded import Servers
from pipeline.embedded.binaries import valkey_server
from pipeline.errors import SourceUnavailable
from pipeline.fetch.limiter import LONGEST_PAUSE, Buckets, Budget, Paces, RateLimiter, connect_redis
from tests.pipeline.fetch.own_redis import own_redis, url_of
from tests.waiting import wait_for

MICRO = timedelta(microseconds=1)
MOMENT = timedelta(milliseconds=200)
NO_PATIENCE = timedelta(milliseconds=60)
NOBODY = "redis://:hunter2@127.0.0.1:1/0"


@pytest.fixture
def redis(servers: Servers) -> Iterator[Redis]:
    with own_redis(servers) as connection:
        yield connection


def limiter(
    redis: Redis, requests: int = 5, per: timedelta = MOMENT, *, most_open: int = 8, **options: object
) -> RateLimiter:
    return RateLimiter(redis, "games", requests=requests, per=per, most_open=most_open, **options)  # type: ignore[arg-type]


def budget(redis: Redis, *, points: int = 40, patience: timedelta = NO_PATIENCE, name: str = "helix") -> Budget:
    return Budget(redis, name, points=points, patience=patience, bulk_patience=patience)


def turns(shared_budget: Budget, *, bulk: bool = False) -> int:
    """The number of turns until none comes in time."""
    count = 0
    while True:
        try:
            with shared_budget.turn(bulk=bulk):
                count += 1
        except SourceUnavailable:
            return count


def starts_of_workers(
    servers: Servers, sleep: Callable[[float], object], *, workers: int, each: int
) -> tuple[list[int], list[int]]:
    """Let workers with connections of their own ask; returns a moment just before and one just after each request left.

    Both are sorted, in µs of Valkey's clock. However long a worker is held up, a request left between its two moments.
    """
    before: list[int] = []
    after: list[int] = []

    def work() -> None:
        with connect_redis(url_of(servers)) as connection:
            rate_limiter = limiter(connection, sleep=sleep)
            for _ in range(each):
                with rate_limiter.turn() as sent:
                    sleep(0)
                    before.append(microseconds(connection))
                    sent()
                    after.append(microseconds(connection))

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(before), sorted(after)


def microseconds(redis: Redis) -> int:
    """The time by the server's clock."""
    seconds, rest = redis.time()
    return seconds * 1_000_000 + rest


def closest(before: list[int], after: list[int], requests: int = 5) -> timedelta:
    """The shortest time in which one start more than a window may hold can have come."""
    return min(later - earlier for earlier, later in zip(before, after[requests:], strict=False)) * MICRO


def test_no_sliding_window_holds_more_starts_of_all_workers_than_it_may(redis: Redis, servers: Servers) -> None:
    before, after = starts_of_workers(servers, time.sleep, workers=3, each=8)

    assert len(before) == len(after) == 24
    assert closest(before, after) > MOMENT


def test_workers_that_oversleep_crowd_nobody(redis: Redis, servers: Servers) -> None:
    lazy = random.Random(5)  # noqa: S311 - not a secret

    before, after = starts_of_workers(servers, lambda s: time.sleep(s + lazy.choice([0, 0.07])), workers=3, each=8)

    assert len(before) == len(after) == 24
    assert closest(before, after) > MOMENT


def test_a_request_that_leaves_late_counts_from_when_it_left(redis: Redis) -> None:
    rate_limiter = limiter(redis, 1)
    with rate_limiter.turn() as sent:
        time.sleep(0.15)
        left_at = time.monotonic()
        sent()
    with rate_limiter.turn():
        assert time.monotonic() - left_at >= MOMENT.total_seconds()


def test_almost_all_of_the_limit_is_used(redis: Redis) -> None:
    # The slots are ten seconds apart, and `sleep` does not wait for them; bench/limiter.py measures the real rate.
    rate_limiter = limiter(redis, 10, timedelta(seconds=100), patience=timedelta(seconds=200), sleep=lambda _: None)
    ends = []
    for _ in range(10):
        with rate_limiter.turn():
            ends.append(int(redis.get(rate_limiter._slots) or 0))

    assert timedelta(seconds=90) <= (ends[-1] - ends[0]) * MICRO < timedelta(seconds=92)


def test_a_turn_that_is_too_far_away_is_refused_with_the_wait_and_takes_no_slot(redis: Redis) -> None:
    rate_limiter = limiter(redis, 1, timedelta(minutes=5), patience=timedelta(seconds=1))
    with rate_limiter.turn():
        pass

    for _ in range(3):
        with pytest.raises(SourceUnavailable, match="leaves no room for") as caught, rate_limiter.turn():
            pass
        assert caught.value.retry_after is not None
        assert timedelta(minutes=4) < caught.value.retry_after < timedelta(minutes=5.1)


def test_no_more_requests_are_open_than_may_be(redis: Redis) -> None:
    rate_limiter = limiter(redis, 1000, most_open=2, patience=NO_PATIENCE)
    with rate_limiter.turn():
        with rate_limiter.turn(), pytest.raises(SourceUnavailable), rate_limiter.turn():
            pass
        with rate_limiter.turn():
            pass


def test_a_place_that_is_given_back_lets_a_waiting_worker_go_on(redis: Redis) -> None:
    rate_limiter = limiter(redis, 1000, most_open=1, patience=timedelta(seconds=60))
    went_on = threading.Event()

    def wait() -> None:
        with rate_limiter.turn():
            went_on.set()

    with rate_limiter.turn():
        thread = threading.Thread(target=wait)
        thread.start()
        assert not went_on.wait(0.15)
    assert went_on.wait(60)
    thread.join()


def test_the_place_of_a_worker_that_was_killed_is_free_again_after_a_while(redis: Redis) -> None:
    rate_limiter = limiter(redis, 1000, most_open=1, lease=timedelta(minutes=5), patience=NO_PATIENCE)
    killed = rate_limiter.turn()
    killed.__enter__()

    with pytest.raises(SourceUnavailable), rate_limiter.turn():
        pass

    now = int(redis.time()[0])
    leases: Any = redis.zrange(rate_limiter._leases, 0, -1, withscores=True)
    assert [now + 240 < ends / 1e6 < now + 305 for _, ends in leases] == [True]
    # The five minutes pass.
    redis.zadd(rate_limiter._leases, {lease: now * 1e6 for lease, _ in leases})
    with rate_limiter.turn():
        pass


def test_nobody_asks_while_a_service_wants_a_pause(redis: Redis) -> None:
    rate_limiter = limiter(redis, patience=timedelta(seconds=1))
    rate_limiter.hold_off(timedelta(days=3))
    rate_limiter.hold_off(timedelta(seconds=2))

    with pytest.raises(SourceUnavailable) as caught, rate_limiter.turn():
        pass

    assert caught.value.retry_after is not None
    assert LONGEST_PAUSE - timedelta(minutes=1) < caught.value.retry_after <= LONGEST_PAUSE


def test_a_worker_that_waits_for_its_slot_hears_of_a_pause(redis: Redis) -> None:
    def sleep(seconds: float) -> None:
        if not slept:
            rate_limiter.hold_off(timedelta(minutes=5))
        slept.append(seconds)
        time.sleep(seconds)

    slept: list[float] = []
    rate_limiter = limiter(redis, 1, sleep=sleep, patience=timedelta(seconds=2))
    redis.set(rate_limiter._slots, int(redis.time()[0]) * 1_000_000 + 1_000_000)

    with pytest.raises(SourceUnavailable) as caught, rate_limiter.turn():
        pass

    assert caught.value.retry_after is not None
    assert caught.value.retry_after > timedelta(minutes=4)


def test_a_short_pause_is_waited(redis: Redis) -> None:
    rate_limiter = limiter(redis)
    began = time.monotonic()
    rate_limiter.hold_off(timedelta(milliseconds=300))
    with rate_limiter.turn():
        assert time.monotonic() - began >= 0.3


def test_a_step_back_of_the_servers_clock_stops_nobody(redis: Redis) -> None:
    tomorrow = (int(redis.time()[0]) + 86400) * 1_000_000
    rate_limiter, points = limiter(redis, patience=NO_PATIENCE), budget(redis)
    with rate_limiter.turn(), points.turn():
        pass
    redis.set(rate_limiter._slots, tomorrow)
    redis.zadd(rate_limiter._starts, {str(number): tomorrow for number in range(5)})
    redis.hset(points._state, mapping={"points": 0, "full_at": tomorrow})

    with rate_limiter.turn(), points.turn():
        pass


def test_places_of_before_a_step_back_are_free_again(redis: Redis) -> None:
    tomorrow = (int(redis.time()[0]) + 86400) * 1_000_000
    rate_limiter, points = limiter(redis, most_open=2, patience=NO_PATIENCE), budget(redis)
    redis.zadd(rate_limiter._leases, {"one": tomorrow, "another": tomorrow})
    redis.zadd(points._open, {str(number): tomorrow for number in range(39)})

    with rate_limiter.turn(), points.turn():
        assert redis.zcard(rate_limiter._leases) == 1
        assert redis.zcard(points._open) == 1


def test_a_pause_after_a_step_back_is_kept(redis: Redis) -> None:
    tomorrow = (int(redis.time()[0]) + 86400) * 1_000_000
    rate_limiter = limiter(redis, patience=NO_PATIENCE)
    redis.mset({rate_limiter._slots: tomorrow, rate_limiter._held: tomorrow})

    rate_limiter.hold_off(timedelta(minutes=1))

    with pytest.raises(SourceUnavailable), rate_limiter.turn():
        pass


def test_everything_that_is_kept_ends_by_itself(redis: Redis) -> None:
    with limiter(redis, per=timedelta(minutes=1)).turn(), budget(redis).turn():
        budget(redis).correct(remaining=5, full_in=timedelta(minutes=1), limit=10)
        limiter(redis).hold_off(timedelta(minutes=1))
        keys = redis.keys()

        assert len(keys) == 6
        assert all(str(key).startswith("b'lootwire:limit:{") for key in keys)
        assert all(0 < redis.pttl(key) < 200_000 for key in keys)


@pytest.mark.parametrize("kind", ["limiter", "budget", "told", "hold_off"])
def test_a_redis_that_does_not_answer_is_told_without_its_password(kind: str) -> None:
    def use(redis: Redis) -> None:
        match kind:
            case "limiter":
                with limiter(redis).turn():
                    pass
            case "budget":
                with budget(redis).turn():
                    pass
            case "told":
                budget(redis).correct(remaining=1)
            case _:
                limiter(redis).hold_off(MOMENT)

    with connect_redis(NOBODY) as nobody, pytest.raises(SourceUnavailable, match="Redis does not answer") as caught:
        use(nobody)

    assert "REDIS_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_answer_that_came_is_kept_when_redis_has_gone_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    program = [str(valkey_server()), "--port", "0", "--unixsocket", str(path), "--save", "", "--loglevel", "warning"]
    with connect_redis(f"unix://{path}") as redis, subprocess.Popen(program) as valkey:
        wait_for(path.is_socket)
        with budget(redis).turn(), limiter(redis).turn():
            valkey.kill()
            valkey.wait()
        with pytest.raises(SourceUnavailable), budget(redis).turn():
            pass


def test_points_are_taken_until_a_few_are_left_and_then_the_wait_is_told(redis: Redis) -> None:
    shared_budget = budget(redis, points=80)

    assert turns(shared_budget) == 78
    with pytest.raises(SourceUnavailable) as caught, shared_budget.turn():
        pass
    assert caught.value.retry_after is not None
    assert timedelta(seconds=30) < caught.value.retry_after <= timedelta(seconds=60)


def test_bulk_work_leaves_a_quarter_to_those_who_poll(redis: Redis) -> None:
    shared_budget = budget(redis, points=80)

    assert turns(shared_budget, bulk=True) == 60
    assert turns(shared_budget) == 18


def test_the_services_word_wins_over_our_own_count(redis: Redis) -> None:
    shared_budget = budget(redis, points=80)
    turns(shared_budget)

    shared_budget.correct(remaining=30, full_in=timedelta(seconds=30), limit=800)
    # A fortieth of 800 points stays reserved now.
    assert turns(shared_budget) == 10
    shared_budget.correct(remaining=0)
    assert turns(shared_budget) == 0


def test_requests_still_open_are_subtracted_from_the_points_that_the_service_reports(redis: Redis) -> None:
    shared_budget = budget(redis, points=80)
    with shared_budget.turn(), shared_budget.turn(), shared_budget.turn():
        shared_budget.correct(remaining=12)
    assert turns(shared_budget) == 12 - 3 - 2


def test_a_worker_waits_until_the_bucket_is_full_again(redis: Redis) -> None:
    shared_budget = budget(redis, points=80, patience=timedelta(seconds=60))
    began = time.monotonic()
    shared_budget.correct(remaining=0, full_in=timedelta(seconds=0.4))

    with shared_budget.turn():
        assert time.monotonic() - began >= 0.4
    assert turns(budget(redis, points=80)) == 77


def test_a_waiting_worker_goes_on_when_another_hears_of_points(redis: Redis) -> None:
    shared_budget = budget(redis, points=80, patience=timedelta(minutes=2))
    shared_budget.correct(remaining=0, full_in=timedelta(minutes=1))
    went_on = threading.Event()

    def wait() -> None:
        with shared_budget.turn():
            went_on.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not went_on.wait(0.1)
    shared_budget.correct(remaining=50, full_in=timedelta(seconds=30))
    assert went_on.wait(60)
    thread.join()


def test_each_user_has_a_bucket_of_their_own(redis: Redis) -> None:
    shared_budget = budget(redis, points=80)
    turns(shared_budget)

    assert turns(shared_budget.beside("37402112")) == 78
    assert turns(shared_budget) == 0


def test_a_worker_that_was_killed_does_not_count_as_open_for_ever(redis: Redis) -> None:
    shared_budget = budget(redis, points=80)
    killed = shared_budget.turn()
    killed.__enter__()

    assert redis.zcount(shared_budget._open, "-inf", (int(redis.time()[0]) + 92) * 1e6) == 1
    assert redis.zcount(shared_budget._open, "-inf", int(redis.time()[0]) * 1e6) == 0


SLOW = (0.01, 3)


def test_a_pace_allows_some_at_once_and_then_says_for_how_long_to_wait(redis: Redis) -> None:
    paces = Paces(redis)
    assert [paces.take({"phone": SLOW}) for _ in range(3)] == [timedelta(0)] * 3
    # One in 100 s: less what the three took.
    assert timedelta(seconds=50) < paces.take({"phone": SLOW}) <= timedelta(seconds=100)
    assert paces.take({"tablet": SLOW}) == timedelta(0)


def test_of_several_paces_all_are_taken_or_none(redis: Redis) -> None:
    paces = Paces(redis)
    assert paces.take({"phone": (0.01, 1)}) == timedelta(0)
    for _ in range(5):
        assert paces.take({"service": (0.01, 2), "phone": (0.01, 1)}) > timedelta(0)
    assert [paces.take({"service": (0.01, 2)}) for _ in range(2)] == [timedelta(0)] * 2


def test_a_pace_is_taken_again_once_its_time_has_passed(redis: Redis) -> None:
    paces = Paces(redis)
    assert paces.take({"phone": (20, 1)}) == timedelta(0)
    wait_for(lambda: paces.take({"phone": (20, 1)}) == timedelta(0))


def test_a_pace_of_before_the_clock_was_set_back_keeps_nobody_waiting(redis: Redis) -> None:
    redis.set("lootwire:limit:{phone}:pace", "9000000000000000")
    assert Paces(redis).take({"phone": SLOW}) == timedelta(0)


def test_a_bucket_says_how_many_are_left_and_how_long_to_wait(redis: Redis) -> None:
    buckets = Buckets(redis)

    drawn = [buckets.draw("key", per_second=0.1, size=2) for _ in range(3)]

    assert [each.left for each in drawn] == [1, 0, 0]
    assert [bool(each.wait) for each in drawn] == [False, False, True]
    assert timedelta(seconds=9) < drawn[2].wait <= timedelta(seconds=10)
    assert timedelta(seconds=19) < drawn[2].full_in <= timedelta(seconds=20)
    assert buckets.draw("other", per_second=0.1, size=2).left == 1


def test_a_bucket_that_became_smaller_is_full_within_its_own_time(redis: Redis) -> None:
    buckets = Buckets(redis)
    for _ in range(50):
        buckets.draw("key", per_second=0.1, size=50)

    drawn = buckets.draw("key", per_second=0.1, size=2)

    assert timedelta(0) < drawn.wait <= timedelta(seconds=10)


def test_a_bucket_needs_no_script_that_redis_knows_already(redis: Redis) -> None:
    buckets = Buckets(redis)
    redis.script_flush()

    assert buckets.draw("key", per_second=1, size=5).left == 4
    assert buckets.draw("key", per_second=1, size=5).left == 3
