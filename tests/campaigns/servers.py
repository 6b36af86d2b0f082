"""PostgreSQL and Valkey are killed, stopped for a while and left without a free connection, again and again.

A server that is stopped (SIGSTOP, with all its processes) answers nobody and refuses nobody. Connections are exhausted
by taking them all, and by ending those that the programs have. After each trouble the programs work on by themselves,
and in the end nothing is lost.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import psycopg
from redis import Redis

from pipeline.fetch.limiter import connect_redis
from tests.campaigns.campaign import Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.campaigns.installation import PROCESSES
from tests.campaigns.trouble import HURRIED, World, world
from tests.processes import descendants, kill
from tests.waiting import wait_for

# Beside a start of the servers, at most the longest pause before a program is started again.
BACK_WITHIN = 90.0
LIMIT = 300.0
# No session of ours is among these.
END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> ALL(%s)
"""


@dataclass(frozen=True, kw_only=True)
class Troubles(Size):
    """Each kind of trouble so many times; what lasts, lasts so many seconds."""

    times: int
    seconds: float
    changes_each: int
    campaign_minutes: float


FULL = Troubles(times=20, seconds=30, changes_each=20, campaign_minutes=30)
SHORT = Troubles(
    shortens=(*HURRIED, "how long a server is stopped or full (1 s)"),
    times=1,
    seconds=1,
    changes_each=10,
    campaign_minutes=600,
)


class _Trouble(NamedTuple):
    server: str
    name: str


def run(size: Troubles, trial: Trial) -> Sequence[Claim]:
    """Make every trouble, each time after some changes, and see that the programs work again by themselves."""
    order = [trouble for trouble in _TROUBLES for _ in range(size.times)]
    trial.dice.shuffle(order)
    back_after: list[tuple[_Trouble, float]] = []
    refused = 0
    with world(trial, is_hurried=bool(size.shortens)) as troubled:
        for trouble in order:
            troubled.change(size.changes_each, minutes=size.campaign_minutes)
            refused += _TROUBLES[trouble](troubled, size.seconds)
            back_after.append((trouble, troubled.consumes_after(LIMIT)))
            if len(back_after) % 10 == 0:
                trial.say(f"{len(back_after)} troubles, works again after {back_after[-1][1]:.1f} s")
        settled_after = troubled.settle()
        # Who sends may be cut off from the database, and each stop of one server ends both.
        claims = troubled.claims(may_repeat=len(order) * PROCESSES)
    seconds = [after for _, after in back_after]
    late = [f"{trouble.server} {trouble.name}: {after:.0f} s" for trouble, after in back_after if after > BACK_WITHIN]
    return [
        *claims,
        none_of("troubles after which a person was needed", late),
        at_most("works again after, at most", max(seconds), BACK_WITHIN, "s"),
        figure("works again after, at the median", median(seconds), "s"),
        at_least("connections refused for want of room", refused, 2 * size.times),
        at_least("troubles", len(order), len(_TROUBLES) * size.times),
        figure("all quiet after the last trouble", settled_after, "s"),
    ]


def _kill(server: str) -> Callable[[World, float], int]:
    def make(troubled: World, seconds: float) -> int:
        kill(_pid(troubled, server))
        return 0

    return make


def _stop(server: str) -> Callable[[World, float], int]:
    def make(troubled: World, seconds: float) -> int:
        pid = _pid(troubled, server)
        stopped = {pid, *descendants(pid)}
        for each in stopped:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGSTOP)
        time.sleep(seconds)
        for each in stopped:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT)
        return 0

    return make


def _pid(troubled: World, server: str) -> int:
    pids: list[int] = []

    def is_there() -> bool:
        pid = troubled.installation.find(server)
        pids.extend([pid] if pid else [])
        return bool(pids)

    wait_for(is_there, LIMIT)
    return pids[0]


def _exhaust_postgres(troubled: World, seconds: float) -> int:
    """Take every connection that is free, end those that others have, and take these too; returns the refusals."""
    servers = troubled.installation.servers()
    assert servers is not None
    url = servers.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    refused, until = 0, time.monotonic() + seconds
    with ExitStack() as stack:
        held = [stack.enter_context(psycopg.connect(url, autocommit=True, connect_timeout=10))]
        while time.monotonic() < until or not refused:
            try:
                held.append(stack.enter_context(psycopg.connect(url, autocommit=True, connect_timeout=10)))
            except psycopg.OperationalError:
                refused += 1
                held[0].execute(END_SESSIONS, [[session.info.backend_pid for session in held]])
                time.sleep(0.1)
    return refused


def _exhaust_valkey(troubled: World, seconds: float) -> int:
    """Allow one connection, ours, and end those of others; returns how many were refused then."""
    servers = troubled.installation.servers()
    assert servers is not None
    with connect_redis(servers.redis_url) as redis:
        usual = redis.config_get("maxclients")["maxclients"]
        before = _refused(redis)
        redis.config_set("maxclients", 1)
        try:
            redis.client_kill_filter(_type="normal", skipme=True)
            redis.client_kill_filter(_type="pubsub", skipme=True)
            time.sleep(seconds)
            wait_for(lambda: _refused(redis) > before, LIMIT)
            return _refused(redis) - before
        finally:
            redis.config_set("maxclients", usual)


def _refused(redis: Redis) -> int:
    return int(redis.info("stats")["rejected_connections"])


_TROUBLES: Mapping[_Trouble, Callable[[World, float], int]] = {
    _Trouble("postgres", "killed"): _kill("postgres"),
    _Trouble("postgres", "stopped"): _stop("postgres"),
    _Trouble("postgres", "full"): _exhaust_postgres,
    _Trouble("valkey", "killed"): _kill("valkey"),
    _Trouble("valkey", "stopped"): _stop("valkey"),
    _Trouble("valkey", "full"): _exhaust_valkey,
}
