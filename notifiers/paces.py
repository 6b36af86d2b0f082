"""Says how fast services want to be sent to, where they write it down. Pure.

A sender asks before each message, so that a service need not refuse first. Servers of one's own have no pace; what
any service answers with (`Retry-After` and its likes) is obeyed besides, see `notifiers.rests`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Pace:
    """So many messages in a second for long, and so many at once."""

    a_second: float
    at_once: int


@dataclass(frozen=True)
class Turn:
    """What one message counts for: a name that is no secret, and its pace."""

    name: str
    pace: Pace


# Takes all turns or none; returns for how long to wait where one is not to be had now.
Take = Callable[[Sequence[Turn]], timedelta]

# Of all targets of a service, and of one, a little below what it allows. Discord: 50 requests a second
# (https://discord.com/developers/docs/topics/rate-limits), and for a web hook what its headers usually say, 5 in 2 s.
# Telegram: 30 messages a second, 1 for a chat
# (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this). Slack: 1 a second for a channel
# (https://api.slack.com/apis/rate-limits).
_OF_SERVICE = {"Discord": Pace(40, 20), "Telegram": Pace(25, 15)}
_OF_TARGET = {"Discord": Pace(2, 4), "Telegram": Pace(1, 2), "Slack": Pace(1, 2)}


def turns_of(label: str, target_id: int) -> list[Turn]:
    """Return what a message to a target counts for, by the label that its address is shown under."""
    service = label.partition(" (")[0]
    own, usual = _OF_TARGET.get(service), _OF_SERVICE.get(service)
    turns = [Turn(f"send:{service}", usual)] if usual else []
    return [*turns, *([Turn(f"send:{service}:{target_id}", own)] if own else [])]


def take_none(_: Sequence[Turn]) -> timedelta:
    """Keep nobody waiting: for a sender that is alone, and asks no Redis."""
    return timedelta(0)
