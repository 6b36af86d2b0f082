"""How often a key may ask: a bucket in Redis for each, which all programs on the installation share.

Where Redis is away, requests go on without a limit: it guards from mistakes, and who may do what is PostgreSQL's to
say. That is logged once, and Redis is asked again after some seconds.
"""

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TypeVar

import msgspec
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline.fetch.limiter import Buckets, Drawn
from pipeline.web.api.problems import RequestProblem

logger = logging.getLogger(__name__)
# Wrong keys from one address: so many a minute, so many at once, and more where keys have more than most.
_WRONG_A_MINUTE, _WRONG_AT_ONCE = 60, 20
_SHARE_A_MINUTE, _SHARE_AT_ONCE = 10, 3
MOST_AHEAD = 5
PATIENCE = 0.5
ASK_AGAIN = 5.0
# Keys and addresses that are remembered at a time.
MOST_REMEMBERED = 10_000
# IPv6 gives each customer at least so much.
_NETWORK_BITS = 64
_Value = TypeVar("_Value")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """So many requests a minute for long, so many of them at once."""

    per_minute: int
    at_once: int

    def of_plan(self, per_minute: int | None) -> "Policy":
        """Return this policy with the requests a minute that a plan gives, if it says."""
        if per_minute is None or per_minute == self.per_minute:
            return self
        return Policy(per_minute=max(per_minute, 1), at_once=max(1, min(self.at_once, per_minute)))

    @property
    def of_wrong_keys(self) -> "Policy":
        """How many wrong keys may come from one address."""
        return Policy(
            per_minute=max(_WRONG_A_MINUTE, self.per_minute // _SHARE_A_MINUTE),
            at_once=max(_WRONG_AT_ONCE, self.at_once // _SHARE_AT_ONCE),
        )

    @property
    def ahead(self) -> int:
        """How many requests are drawn at a time: few of those that may be made at once."""
        return max(1, min(MOST_AHEAD, self.at_once // 12))

    @property
    def header(self) -> str:
        """The policy as `RateLimit-Policy` says it (draft-ietf-httpapi-ratelimit-headers)."""
        window = math.ceil(60 * self.at_once / self.per_minute)
        return f'"burst";q={self.at_once};w={window}, "minute";q={self.per_minute};w=60'


class Rates:
    """Counts requests, by the digest of a key or the address of a client."""

    def __init__(self, redis_url: str, policy: Policy, *, clock: Callable[[], float] = time.monotonic) -> None:
        redis = Redis.from_url(
            redis_url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 1)
        )
        self._buckets = Buckets(redis)
        self._policy = policy
        self._clock = clock
        self._away_until = 0.0
        # What the plan of each key's person gave when it was last seen: a bucket is drawn from before the key is known.
        self._known: OrderedDict[str, int | None] = OrderedDict()
        self._refused: OrderedDict[str, float] = OrderedDict()
        # What was drawn ahead and is not used yet.
        self._ahead: OrderedDict[str, Drawn] = OrderedDict()
        self._lock = threading.Lock()

    def draw(self, name: str, *, is_key: bool = True) -> Mapping[str, str]:
        """Count a request and return what its answer says about that; raises `RequestProblem` for one too many."""
        policy = self._policy.of_plan(self._known.get(name)) if is_key else self._policy
        with self._lock:
            drawn = self._drawn_ahead(name, policy)
        if drawn is None:
            return {}
        headers = {
            "RateLimit-Policy": policy.header,
            "RateLimit": f'"burst";r={drawn.left};t={_seconds(drawn.full_in)}',
        }
        if drawn.wait:
            raise _too_many(f"more than {policy.per_minute:,} requests a minute", drawn.wait, headers)
        return headers

    def remember(self, name: str, per_minute: int | None) -> None:
        """Remember that a key is valid, and what its person's plan gives from the next request on."""
        _put(self._known, name, per_minute)

    def check_address(self, name: str, client: str) -> None:
        """Raise `RequestProblem` for a key that is not known yet, from an address that had too many wrong ones."""
        left = self._refused.get(network_of(client), 0.0) - self._clock()
        if left > 0 and name not in self._known:
            raise _too_many("too many wrong keys from this address", timedelta(seconds=left))

    def note_wrong(self, name: str, client: str) -> None:
        """Count a wrong key; raises `RequestProblem` where an address had too many of them."""
        self._known.pop(name, None)
        network = network_of(client)
        drawn = self._draw(f"wrong:{network}", self._policy.of_wrong_keys)
        if drawn is not None and drawn.wait:
            _put(self._refused, network, self._clock() + drawn.wait.total_seconds())
            raise _too_many("too many wrong keys from this address", drawn.wait)

    def _drawn_ahead(self, name: str, policy: Policy) -> Drawn | None:
        """Use one of those that were drawn ahead, or draw some: Redis is asked for every few requests of a key."""
        drawn = self._ahead.pop(name, None) or self._draw(name, policy, most=policy.ahead)
        if drawn is None or drawn.wait:
            return drawn
        left = drawn._replace(taken=drawn.taken - 1)
        if left.taken:
            _put(self._ahead, name, left)
        return left._replace(left=left.left + left.taken)

    def _draw(self, name: str, policy: Policy, *, most: int = 1) -> Drawn | None:
        if self._clock() < self._away_until:
            return None
        try:
            per_second = policy.per_minute / 60
            drawn = self._buckets.draw(f"api:{name}", per_second=per_second, size=policy.at_once, most=most)
        except RedisError as error:
            if not self._away_until:
                logger.warning("requests of the API are not limited: Redis does not answer (%s)", type(error).__name__)
            self._away_until = self._clock() + ASK_AGAIN
            return None
        if self._away_until:
            self._away_until = 0.0
            logger.info("requests of the API are limited again: Redis answers")
        return drawn


def network_of(client: str) -> str:
    """Return whom an address is of: itself, or for IPv6 its network, of whose addresses anybody has billions."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if not isinstance(address, IPv6Address):
        return client
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), _NETWORK_BITS), strict=False))


def _seconds(duration: timedelta) -> int:
    return math.ceil(duration.total_seconds())


def _too_many(detail: str, wait: timedelta, headers: Mapping[str, str] | None = None) -> RequestProblem:
    seconds = max(1, _seconds(wait))
    return RequestProblem(
        "too-many", f"{detail}; come again in {seconds} s", headers={**(headers or {}), "Retry-After": str(seconds)}
    )


def _put(remembered: OrderedDict[str, _Value], name: str, value: _Value) -> None:
    remembered[name] = value
    remembered.move_to_end(name)
    while len(remembered) > MOST_REMEMBERED:
        remembered.popitem(last=False)
