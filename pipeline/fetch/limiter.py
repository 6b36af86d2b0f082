"""Limits that all workers share, kept in Redis and judged by its clock alone: the workers' own may differ by minutes.

Nothing here reads a local clock; a worker only sleeps for as long as Redis says. A step of Redis' own clock is
survived: what lies further ahead than any wait can be is forgotten.
"""

import functools
import hashlib
import math
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, NamedTuple, Self, cast

from redis import Redis, RedisError
from redis.backoff import ExponentialBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from pipeline.errors import SourceUnavailable
from pipeline.fetch.limiter_scripts import CORRECT, DRAW, HOLD_OFF, PACE, RESERVE, SENT, START, TAKE

# How long a worker waits for Redis to answer before it says that it does not.
REDIS_PATIENCE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
LONGEST_OPEN = timedelta(seconds=90)
# Requests do not take the same time on their way, so they are held further apart than they must be: 14 ms a second.
# A little more between the slots, so that one late start does not delay all that follow.
ROOM_ON_THE_WAY = 0.014
ROOM_BETWEEN_SLOTS = 0.0165
# How often a worker looks whether a place was given back, and whether the service has more points than we thought.
LOOK_FOR_PLACE = timedelta(milliseconds=40)
PLACE_IS_FREE_IN = timedelta(seconds=10)
LOOK_FOR_POINTS = timedelta(seconds=1)

Sleep = Callable[[float], object]


def connect_redis(url: str) -> Redis:
    """Return a connection pool for limits, which raises within seconds where Redis does not answer."""
    seconds = REDIS_PATIENCE.total_seconds()
    retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), 2)
    return Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=retry)


@contextmanager
def redis_answers(purpose: str) -> Iterator[None]:
    """Turn what Redis raises into `SourceUnavailable` that says what Redis is needed for."""
    try:
        yield
    except RedisError as error:
        raise SourceUnavailable(
            f"Redis does not answer, and {purpose} is kept there ({type(error).__name__}: {error}); see REDIS_URL",
            retry_after=timedelta(seconds=30),
        ) from error


class RateLimiter:
    """So many requests in any sliding window, and so many open at a time, over all workers that use the same name.

    Slots are handed out evenly (GCRA with no burst), in order. A start is checked once more when its slot has come,
    against the requests before it and when they really left, so that neither a worker that overslept nor one that had
    to connect first crowds another. The place of a worker that was killed is free again after a while.
    """

    def __init__(
        self,
        redis: Redis,
        name: str,
        *,
        requests: int,
        per: timedelta = timedelta(seconds=1),
        most_open: int,
        patience: timedelta = timedelta(seconds=30),
        lease: timedelta = timedelta(seconds=90),
        sleep: Sleep = time.sleep,
    ) -> None:
        self._redis = redis
        self._slots, self._leases, self._starts, self._held = _keys(name, "slots", "leases", "starts", "held")
        self._requests = requests
        self._interval = per * (1 + ROOM_BETWEEN_SLOTS) / requests
        self._per = per
        self._most_open = most_open
        self._patience = patience
        self._lease = lease
        self._sleep = sleep
        self._furthest = _micro(LONGEST_PAUSE + self._interval * most_open)
        self._window = _micro(per * (1 + ROOM_ON_THE_WAY))
        scripts = map(redis.register_script, (RESERVE, START, SENT, HOLD_OFF))
        self._reserve, self._start, self._sent, self._hold_off = scripts

    @contextmanager
    def turn(self) -> Iterator[Callable[[], None]]:
        """Wait for a turn and keep its place among the open ones for the length of a `with` block.

        It gives what to call when the request has left, which may take a while after the turn has come. Raises
        `SourceUnavailable` with `retry_after` where the turn is further away than our patience.
        """
        name = secrets.token_hex(8)
        try:
            with redis_answers("the rate limit"):
                self._wait_for_slot(name)
                self._wait_for_start(name)
            yield functools.partial(self._has_left, name)
        finally:
            # Without Redis the place ends by itself; the request has its answer.
            with suppress(RedisError):
                self._redis.zrem(self._leases, name)

    def hold_off(self, pause: timedelta) -> None:
        """Let no worker ask before the pause is over, as a service asked too often may want; 10 minutes at most."""
        with redis_answers("the rate limit"):
            _run(self._hold_off, [self._slots, self._held], _micro(min(pause, LONGEST_PAUSE)), self._furthest)

    def _wait_for_slot(self, name: str) -> None:
        left = self._patience
        interval = _micro(self._interval)
        arguments = (name, self._most_open, _micro(self._lease), _micro(LONGEST_PAUSE))
        while True:
            problem, wait = _run(self._reserve, [self._slots, self._leases], interval, _micro(left), *arguments)
            if problem == 0:
                self._sleep(wait / 1e6)
                return
            pause = _uneven(LOOK_FOR_PLACE)
            if problem == 2:
                raise _too_long(timedelta(microseconds=wait))
            if pause > left:
                raise _too_long(PLACE_IS_FREE_IN)
            left -= pause
            self._sleep(pause.total_seconds())

    def _has_left(self, name: str) -> None:
        with suppress(RedisError):
            _run(self._sent, [self._starts], name, self._window)

    def _wait_for_start(self, name: str) -> None:
        arguments = (self._requests, self._window, _micro(LONGEST_PAUSE), name)
        while wait := _run(self._start, [self._starts, self._held], *arguments):
            if timedelta(microseconds=wait) > max(self._patience, self._per * 2):
                raise _too_long(timedelta(microseconds=wait))
            self._sleep(wait / 1e6)


class Budget:
    """A bucket of points that all workers draw from, corrected by what the service says of it.

    Between two answers nothing is assumed to flow back until the moment at which the service said that the bucket
    is full again: that is right whether it refills drop by drop or all at once. `bulk` work leaves a quarter of the
    points alone, so that it starves no other; a fortieth is never used, because answers come in another order than
    requests.
    """

    ASIDE = 1 / 40
    ASIDE_FROM_BULK = 1 / 4
    FEWEST_ASIDE = 2

    def __init__(
        self,
        redis: Redis,
        name: str,
        *,
        points: int = 800,
        per: timedelta = timedelta(minutes=1),
        patience: timedelta = timedelta(seconds=15),
        bulk_patience: timedelta = timedelta(seconds=75),
        sleep: Sleep = time.sleep,
    ) -> None:
        self._redis = redis
        self._name = name
        self._state, self._open = _keys(name, "points", "open")
        self._points = points
        self._per = per
        self._patience = {False: patience, True: bulk_patience}
        self._sleep = sleep
        self._take, self._correct = map(redis.register_script, (TAKE, CORRECT))

    def beside(self, name: str) -> Self:
        """Return another bucket of the same kind: a service that counts by user has one for each of them."""
        patience, bulk_patience = self._patience[False], self._patience[True]
        return type(self)(
            self._redis,
            f"{self._name}:{name}",
            points=self._points,
            per=self._per,
            patience=patience,
            bulk_patience=bulk_patience,
            sleep=self._sleep,
        )

    @contextmanager
    def turn(self, *, bulk: bool = False) -> Iterator[None]:
        """Take a point, waiting for it if need be, and count as open for the length of a `with` block.

        Raises `SourceUnavailable` with `retry_after` where that would take longer than our patience.
        """
        name = secrets.token_hex(8)
        try:
            with redis_answers("the rate limit"):
                self._wait_for_point(name, bulk=bulk)
            yield
        finally:
            with suppress(RedisError):
                self._redis.zrem(self._open, name)

    def correct(self, *, remaining: int, full_in: timedelta | None = None, limit: int | None = None) -> None:
        """Believe what the service says of the bucket: what is left, when it is full again, and how large it is."""
        until = self._per if full_in is None else min(max(full_in, timedelta(milliseconds=1)), 2 * self._per)
        size = "" if limit is None else limit
        with redis_answers("the rate limit"):
            _run(self._correct, [self._state, self._open], size, remaining, _micro(until), _micro(LONGEST_OPEN))

    def _wait_for_point(self, name: str, *, bulk: bool) -> None:
        left = self._patience[bulk]
        aside = self.ASIDE_FROM_BULK if bulk else self.ASIDE
        arguments = (name, self._points, _micro(self._per), aside, self.FEWEST_ASIDE, _micro(LONGEST_OPEN))
        while wait := _run(self._take, [self._state, self._open], *arguments):
            full_in = timedelta(microseconds=wait)
            if full_in > left:
                raise _too_long(full_in)
            # Another worker's answer may show meanwhile that there are more points than we think.
            pause = _uneven(min(full_in, LOOK_FOR_POINTS))
            left -= pause
            self._sleep(pause.total_seconds())


class Paces:
    """Paces that all workers share, each by its name: so many a second for long, so many at once. Nobody waits here."""

    def __init__(self, redis: Redis) -> None:
        self._pace = redis.register_script(PACE)

    def take(self, paces: Mapping[str, tuple[float, int]]) -> timedelta:
        """Take a turn of each pace, or of none; returns for how long to wait then.

        A pace is so many a second and so many at once. Raises `redis.RedisError`.
        """
        keys = [key for name in paces for key in _keys(name, "pace")]
        arguments = [
            each for rate, at_once in paces.values() for each in (_micro(timedelta(seconds=1 / rate)), at_once)
        ]
        return timedelta(microseconds=_run(self._pace, keys, *arguments))


class Drawn(NamedTuple):
    """What came of a draw: for how long to wait, how many are left, when it is full again, how many were taken."""

    wait: timedelta
    left: int
    full_in: timedelta
    taken: int


class Buckets:
    """Buckets that all programs share, each by its name, refilled drop by drop. Nobody waits here."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        # A script that Redis knows already costs one round trip, and half of what redis-py's own class takes for it.
        self._digest = hashlib.sha1(DRAW.encode(), usedforsecurity=False).hexdigest()

    def draw(self, name: str, *, per_second: float, size: int, most: int = 1) -> Drawn:
        """Take as many as there are, `most` of them, of a bucket that holds `size` and gets `per_second`.

        Raises `redis.RedisError`.
        """
        (key,) = _keys(name, "bucket")
        interval = math.ceil(1e6 / per_second)
        try:
            answer = self._redis.evalsha(self._digest, 1, key, interval, size, most)
        except NoScriptError:
            answer = self._redis.eval(DRAW, 1, key, interval, size, most)
        wait, left, full_in, taken = cast("tuple[int, int, int, int]", answer)
        return Drawn(timedelta(microseconds=wait), left, timedelta(microseconds=full_in), taken)


def _keys(name: str, *parts: str) -> Sequence[str]:
    # The braces keep the keys of one limit together on a Redis cluster.
    return [f"lootwire:limit:{{{name}}}:{part}" for part in parts]


def _run(script: Any, keys: Sequence[str], *arguments: object) -> Any:
    return script(keys=keys, args=arguments)


def _micro(duration: timedelta) -> int:
    return math.ceil(duration / timedelta(microseconds=1))


def _uneven(pause: timedelta) -> timedelta:
    """Return a pause that is a little longer, and different for each worker, so that they do not come all at once."""
    return pause * random.uniform(1, 1.1)  # noqa: S311 - not a secret


def _too_long(wait: timedelta) -> SourceUnavailable:
    return SourceUnavailable(f"the rate limit leaves no room for {wait.total_seconds():.1f} s", retry_after=wait)
