"""What keeps an eye on how many messages a person's plan pays for; the pipeline brings it, for it knows plans. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A message that is about to be sent for the first time, by the first of its deliveries."""

    target_id: int
    person_id: int
    delivery_id: int


# Takes what messages cost in the transaction that claims them, and returns until when those wait that nobody pays for,
# by their targets. The transaction is the first argument.
Meter = Callable[[Any, Sequence[Asked], datetime], Mapping[int, datetime]]
# Gives back what messages cost that are given up, by their deliveries.
GiveBack = Callable[[Any, Sequence[int], datetime], None]


def meter_none(_connection: Any, _asked: Sequence[Asked], _now: datetime) -> Mapping[int, datetime]:
    """Let each message go: nobody counts them."""
    return {}


def give_none_back(_connection: Any, _delivery_ids: Sequence[int], _now: datetime) -> None:
    """Give nothing back, where nothing was taken."""
