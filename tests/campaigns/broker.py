"""The broker is emptied, and the network to PostgreSQL and Redis falls silent: packets are dropped, nothing is refused.

The servers are external ones, reached by TCP. What was in the broker was a hint, so that nothing is lost by FLUSHALL;
and when the network is back after 8 seconds, a minute or five, the workers consume again within half a minute.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from pipeline.fetch.limiter import connect_redis
from tests.campaigns.campaign import Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.campaigns.installation import PROCESSES
from tests.campaigns.own_servers import own_servers
from tests.campaigns.trouble import HURRIED, World, world

CONSUMES_WITHIN = 30.0
LIMIT = 300.0


@dataclass(frozen=True, kw_only=True)
class Holes(Size):
    """So many times the broker is emptied, and so many holes there are of each length in seconds."""

    emptied: int
    holes_each: int
    lengths: tuple[float, ...]
    changes_each: int
    campaign_minutes: float


FULL = Holes(emptied=20, holes_each=5, lengths=(8, 60, 300), changes_each=50, campaign_minutes=30)
SHORT = Holes(
    shortens=(*HURRIED, "how long the network is silent (2 s)"),
    emptied=1,
    holes_each=1,
    lengths=(2,),
    changes_each=20,
    campaign_minutes=600,
)


def run(size: Holes, trial: Trial) -> Sequence[Claim]:
    """Empty the broker and cut the network, each time in the midst of changes."""
    order = [0.0] * size.emptied + [length for length in size.lengths for _ in range(size.holes_each)]
    trial.dice.shuffle(order)
    after: list[tuple[float, float]] = []
    is_hurried = bool(size.shortens)
    with own_servers(trial.folder / "servers") as servers, world(trial, is_hurried=is_hurried, servers=servers) as cut:
        for seconds in order:
            cut.change(size.changes_each, minutes=size.campaign_minutes)
            # At any moment of what the change brings about: of a poll's second, and of storing and sending.
            time.sleep(trial.dice.uniform(0, 2))
            _trouble(cut, seconds, servers.redis_url)
            after.append((seconds, cut.consumes_after(LIMIT)))
            if seconds or len(after) % 10 == 0:
                trial.say(
                    f"{len(after)} of {len(order)}: {seconds:g} s of silence, consumes after {after[-1][1]:.1f} s"
                )
        settled_after = cut.settle()
        holes = [pair for pair in after if pair[0]]
        claims = cut.claims(may_repeat=len(holes) * PROCESSES)
        kind = cut.network.kind
    late = [f"{seconds:g} s of silence: {late:.0f} s" for seconds, late in after if late > CONSUMES_WITHIN]
    return [
        *claims,
        none_of("later than half a minute after it healed", late),
        at_most("consumes after, at most", max(late for _, late in after), CONSUMES_WITHIN, "s"),
        *(
            figure(
                f"consumes after {length:g} s of silence, at the median",
                median(b for a, b in holes if a == length),
                "s",
            )
            for length in size.lengths
        ),
        at_least("times emptied or silent", len(after), len(order)),
        Claim("the network is", kind),
        figure("all quiet after the last", settled_after, "s"),
    ]


def _trouble(cut: World, seconds: float, redis_url: str) -> None:
    if seconds:
        cut.network.hush(seconds)
        return
    with connect_redis(redis_url) as redis:
        redis.flushall()
