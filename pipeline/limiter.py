"""Limits that all workers share, kept in Redis and judged by its clock alone: theirs may differ by minutes.

Nothing here reads a local clock; a worker only sleeps for as long as Redis tells it to. A step of Redis' own clock is
survived: what lies further ahead than any wait can be is forgotten.
"""

import math
import random
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Self

from redis import Redis, RedisError
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from pipeline.errors import SourceUnavailable

# How long a worker waits for Redis to answer before it says that it does not.
REDIS_PATIENCE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
# Requests do not take the same time to arrive, and their starts are held so much further apart: a hundredth of a
# second each second on the way, and a little more between the slots so that one late start does not delay the next.
ROOM_ON_THE_WAY = 0.010
ROOM_BETWEEN_SLOTS = 0.013
# Somebody gives a place back, or a service says that it has more points than we thought: looked for this often.
LOOK_FOR_PLACE = timedelta(milliseconds=40)
LOOK_FOR_POINTS = timedelta(seconds=1)

Sleep = Callable[[float], object]

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(number) return string.format('%.0f', number) end
"""

# KEYS: next free slot, leases. ARGV: interval, patience, lease's name, most leases, lease's length, longest pause.
# Returns what stands in the way (0 nothing, 1 no lease is free, 2 the slot is too far ahead) and the wait until then.
_RESERVE = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then
    return {{1, tonumber(redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]) - now}}
end
local slot = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if slot - now > ARGV[6] + ARGV[1] * ARGV[4] then slot = now end
if slot - now > tonumber(ARGV[2]) then return {{2, slot - now}} end
redis.call('SET', KEYS[1], text(slot + ARGV[1]), 'PX', math.ceil((slot + ARGV[1] - now) / 1000) + 1000)
redis.call('ZADD', KEYS[2], text(slot + ARGV[5]), ARGV[3])
redis.call('PEXPIRE', KEYS[2], math.ceil((slot + ARGV[5] - now) / 1000))
return {{0, slot - now}}
"""

# KEYS: last starts, newest first. ARGV: how many a window may hold, the window. Returns the wait, 0 for "go".
_START = f"""{_NOW}
local oldest = tonumber(redis.call('LINDEX', KEYS[1], ARGV[1] - 1) or 0)
if oldest <= now and oldest + ARGV[2] > now then return oldest + ARGV[2] - now end
redis.call('LPUSH', KEYS[1], text(now))
redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1)
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000) + 1000)
return 0
"""

# KEYS: next free slot. ARGV: the pause. Never brings the next slot nearer.
_HOLD_OFF = f"""{_NOW}
local slot = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now + ARGV[1])
redis.call('SET', KEYS[1], text(slot), 'PX', math.ceil((slot - now) / 1000) + 1000)
return 0
"""

_STATE = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local open = redis.call('ZCARD', KEYS[2])
local state = redis.call('HMGET', KEYS[1], 'points', 'limit', 'full_at')
"""

# KEYS: state, open requests. ARGV: name of the request, limit unless told, its window, share that is left alone,
# fewest left alone, how long a request may be open. Returns the wait until the bucket is full, 0 if a point was taken.
_TAKE = f"""{_STATE}
local limit = tonumber(state[2] or ARGV[2])
local points, full_at = tonumber(state[1] or limit), tonumber(state[3] or 0)
if full_at <= now or full_at > now + 2 * ARGV[3] then points, full_at = limit - open, now + ARGV[3] end
local left_alone = math.max(math.floor(limit * ARGV[4]), tonumber(ARGV[5]))
if points <= left_alone and points < limit then return full_at - now end
redis.call('HSET', KEYS[1], 'points', text(points - 1), 'limit', text(limit), 'full_at', text(full_at))
redis.call('PEXPIRE', KEYS[1], math.ceil((full_at - now) / 1000) + 1000)
redis.call('ZADD', KEYS[2], text(now + ARGV[6]), ARGV[1])
redis.call('PEXPIRE', KEYS[2], math.ceil(ARGV[6] / 1000))
return 0
"""

# KEYS: state, open requests. ARGV: limit ('' where it was not told), points left, time until the bucket is full.
# What is still open may not have been counted by the service yet.
_TOLD = f"""{_STATE}
if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], 'limit', ARGV[1]) end
redis.call('HSET', KEYS[1], 'points', text(ARGV[2] - open), 'full_at', text(now + ARGV[3]))
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[3] / 1000) + 1000)
return 0
"""


def connect_redis(url: str) -> Redis:
    """Return a connection pool for limits, which says within seconds that Redis does not answer."""
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
    against the starts before it, so that a worker that overslept crowds nobody. A lease of a worker that was killed
    ends by itself.
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
        self._slots, self._leases, self._starts = _keys(name, "slots", "leases", "starts")
        self._requests = requests
        self._per = per
        self._most_open = most_open
        self._patience = patience
        self._lease = lease
        self._sleep = sleep
        self._reserve, self._start, self._hold_off = map(redis.register_script, (_RESERVE, _START, _HOLD_OFF))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and keep its place among the open ones for the length of a `with` block.

        Raises `SourceUnavailable` with `retry_after` where the turn is further away than our patience.
        """
        name = secrets.token_hex(8)
        try:
            with redis_answers("the rate limit"):
                self._wait_for_slot(name)
                window = self._per * (1 + ROOM_ON_THE_WAY)
                while wait := _run(self._start, [self._starts], self._requests, _micro(window)):
                    self._sleep(wait / 1e6)
            yield
        finally:
            # Without Redis the place ends by itself; what was asked has its answer.
            with suppress(RedisError):
                self._redis.zrem(self._leases, name)

    def hold_off(self, pause: timedelta) -> None:
        """Let no worker ask before the pause is over, as a service asked too often may want; 10 minutes at most."""
        with redis_answers("the rate limit"):
            _run(self._hold_off, [self._slots], _micro(min(pause, LONGEST_PAUSE)))

    def _wait_for_slot(self, name: str) -> None:
        left = self._patience
        interval = _micro(self._per * (1 + ROOM_BETWEEN_SLOTS) / self._requests)
        told = (name, self._most_open, _micro(self._lease), _micro(LONGEST_PAUSE))
        while True:
            problem, wait = _run(self._reserve, [self._slots, self._leases], interval, _micro(left), *told)
            if problem == 0:
                self._sleep(wait / 1e6)
                return
            pause = _uneven(LOOK_FOR_PLACE)
            if problem == 2 or pause > left:
                raise _too_long(timedelta(microseconds=wait))
            left -= pause
            self._sleep(pause.total_seconds())


class Budget:
    """A bucket of points that all workers draw from, corrected by what the service says of it.

    Between two answers nothing is assumed to flow back until the moment at which the service said that the bucket
    is full again: that is right whether it refills drop by drop or all at once. `bulk` work leaves a quarter of the
    points alone, so that it starves nobody; a fortieth is never used, because answers come in another order than
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
        self._take, self._told = map(redis.register_script, (_TAKE, _TOLD))

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

    def told(self, *, remaining: int, full_in: timedelta | None = None, limit: int | None = None) -> None:
        """Believe what the service says of the bucket: what is left, when it is full again, and how large it is."""
        until = self._per if full_in is None else min(max(full_in, timedelta(milliseconds=1)), 2 * self._per)
        size = "" if limit is None else limit
        with redis_answers("the rate limit"):
            _run(self._told, [self._state, self._open], size, remaining, _micro(until))

    def _wait_for_point(self, name: str, *, bulk: bool) -> None:
        left = self._patience[bulk]
        aside = self.ASIDE_FROM_BULK if bulk else self.ASIDE
        told = (name, self._points, _micro(self._per), aside, self.FEWEST_ASIDE, _micro(timedelta(seconds=90)))
        while wait := _run(self._take, [self._state, self._open], *told):
            full_in = timedelta(microseconds=wait)
            if full_in > left:
                raise _too_long(full_in)
            # Others may hear meanwhile that there is more than we think.
            pause = _uneven(min(full_in, LOOK_FOR_POINTS))
            left -= pause
            self._sleep(pause.total_seconds())


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
