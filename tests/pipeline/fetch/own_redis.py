"""A database of a test's own on the tests' Valkey."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from pipeline.embedded import Servers
from pipeline.fetch.limiter import connect_redis

NUMBER = 6


def url_of(servers: Servers) -> str:
    """The address of the database."""
    return servers.redis_url.replace("?db=0", f"?db={NUMBER}")


@contextmanager
def own_redis(servers: Servers) -> Iterator[Redis]:
    """The database, empty."""
    with connect_redis(url_of(servers)) as redis:
        redis.flushdb()
        yield redis
