"""Reckon which drops of a campaign somebody who starts from nothing can still earn, and until when. Pure.

What is assumed of Twitch, whose documents leave it open. Clients that watch for drops reckon alike (TwitchDropsMiner,
https://github.com/DevilXD/TwitchDropsMiner, `inventory.py` and issues 126 and 133):

- A minute watched counts for every drop of the campaign that is open then: drops run side by side.
- A drop is open from its own start to its own end, inside the campaign's, once all drops are earned that it requires.
- Subscriptions take no time: a drop that asks for some as well can be earned as long as its minutes fit.

A drop that is required but not listed asks for nothing that we know of. Drops that require each other in a circle can
never be earned.
"""

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from pipeline.drops.records import DropRecord, whole_of

# Twitch's categories Special Events and IRL: their campaigns count on the channels that they name, whatever these play.
# A campaign of theirs that names none counts in its category, like any other. Seen by clients that watch for drops:
# https://github.com/rangermix/TwitchDropsMiner/pull/105 and its issue 103.
COUNT_IN_ANY_CATEGORY = ("509663", "509672")
EVER_BEFORE, EVER_AFTER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Latest(NamedTuple):
    """The last moment to begin to watch for a drop, and the end that makes it so: its own, or that of one before it.

    `opens_at` is from when a minute watched counts for it, or for one that it requires.
    """

    start_at: datetime
    end_at: datetime
    opens_at: datetime


class Course:
    """The drops of one campaign, in an order in which they can be earned. All times are aware UTC."""

    def __init__(
        self, drops: Iterable[DropRecord], *, start_at: datetime | None = None, end_at: datetime | None = None
    ) -> None:
        self._start_at = start_at or EVER_BEFORE
        self._end_at = end_at or EVER_AFTER
        listed = {drop.external_id: drop for drop in drops}
        parts: dict[str, list[str]] = {}
        for key in listed:
            parts.setdefault(whole_of(key), []).append(key)
        # A required drop that is listed in parts is earned with all of them.
        self._required = {
            key: [
                part
                for other in drop.precondition_drop_ids or ()
                for part in ((other,) if other in listed else parts.get(other, ()))
            ]
            for key, drop in listed.items()
        }
        self._drops = [listed[key] for key in _in_order(self._required)]

    def opens_at(self, drop: DropRecord) -> datetime:
        """Return from when minutes count for a drop, unless it waits for others."""
        return max(self._start_at, drop.start_at or EVER_BEFORE)

    def closes_at(self, drop: DropRecord) -> datetime:
        """Return until when a drop must be earned."""
        return min(self._end_at, drop.end_at or EVER_AFTER)

    def earned_at(self, at: datetime) -> dict[str, datetime]:
        """Return when each drop is earned by watching from a moment on; without those for which it is too late."""
        earned: dict[str, datetime] = {}
        for drop in self._drops:
            required = self._required[drop.external_id]
            if all(key in earned for key in required):
                begins_at = max([at, self.opens_at(drop), *(earned[key] for key in required)])
                if self.closes_at(drop) - begins_at >= _time(drop):
                    earned[drop.external_id] = begins_at + _time(drop)
        return earned

    def latest_starts(self) -> dict[str, Latest]:
        """Return until when one must begin to watch, by drop; without those that nobody can earn."""
        can_be_earned = self.earned_at(EVER_BEFORE)
        latest: dict[str, Latest] = {}
        together: dict[str, timedelta] = {}
        for drop in self._drops:
            key, required = drop.external_id, self._required[drop.external_id]
            if key in can_be_earned:
                together[key] = _time(drop) + max((together[other] for other in required), default=timedelta(0))
                opens_at = min([latest[other].opens_at for other in required], default=self.opens_at(drop))
                own = Latest(self.closes_at(drop) - together[key], self.closes_at(drop), opens_at)
                latest[key] = min([own, *(latest[other] for other in required)])
        return latest

    def count_now(self, at: datetime) -> list[DropRecord]:
        """Return the drops for which a minute watched at this moment counts, and that watching alone earns in time.

        One that waits for another is not among them: that other is, if it counts.
        """
        earned = self.earned_at(at)
        return [
            drop
            for drop in self._drops
            if takes_only_watching(drop)
            and not self._required[drop.external_id]
            and earned.get(drop.external_id) == at + _time(drop)
        ]


def takes_only_watching(drop: DropRecord) -> bool:
    """Whether a drop asks for minutes and for nothing else."""
    return bool(drop.required_minutes) and not (drop.required_subs or drop.required_turbo_subs)


def _time(drop: DropRecord) -> timedelta:
    return timedelta(minutes=drop.required_minutes or 0)


def _in_order(required: dict[str, list[str]]) -> Iterable[str]:
    """Yield drops after all that they require; without those that wait for themselves."""
    sorter = TopologicalSorter(required)
    # The sorter still hands out all that no circle blocks.
    with contextlib.suppress(CycleError):
        sorter.prepare()
    while ready := sorter.get_ready():
        yield from ready
        sorter.done(*ready)
