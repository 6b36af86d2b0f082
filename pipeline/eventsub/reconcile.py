"""Compare the subscriptions that we want with those that there are: what to create, what to delete, what to report.

Pure. Twitch counts a cost of 1 for each subscription about somebody who has not authorised our application, and
allows a total (10,000 unless it says otherwise) for all subscriptions of a client, ours or not.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from pipeline.eventsub.meaning import OF_CHANNELS, SHARD_DISABLED
from pipeline.sources.helix_eventsub import EventSubSubscription, Subscriptions, Transport
from pipeline.streams.following import Watched

USUAL_MAX_COST = 10_000
ENABLED = "enabled"
# A webhook's subscription is verified within minutes, or gets another status by itself.
PENDING = "webhook_callback_verification_pending"
# The user is gone, or the version: asking again would only be refused.
BEYOND_REPAIR = frozenset({"user_removed", "version_removed"})


class Wanted(msgspec.Struct, frozen=True):
    """A subscription that we want: its type, its version, and its condition as a name and a value."""

    type: str
    version: str
    subject: tuple[str, str]

    @property
    def condition(self) -> dict[str, str]:
        """The condition as Twitch writes it."""
        return dict([self.subject])


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the subscriptions right. Delete first: it makes room.

    `left_out` are wanted ones that the cost limit has no room for, `broken` ours that Twitch has ended. `kept` counts
    those that are right already.
    """

    delete: tuple[str, ...] = ()
    create: tuple[Wanted, ...] = ()
    left_out: tuple[Wanted, ...] = ()
    broken: tuple[EventSubSubscription, ...] = ()
    kept: int = 0


def wanted_for(channels: Sequence[Watched], *, client_id: str, conduit: bool) -> list[Wanted]:
    """Return what we want, the most important first: what was followed by hand, and streams that go online."""
    wanted = [Wanted(*SHARD_DISABLED, ("client_id", client_id))] if conduit else []
    for by_hand in (True, False):
        ids = [channel.external_id for channel in channels if channel.by_hand is by_hand]
        wanted += [Wanted(kind, version, ("broadcaster_user_id", i)) for kind, version in OF_CHANNELS for i in ids]
    return wanted


def is_ours(transport: Transport, ours: Transport) -> bool:
    """Whether messages of a subscription travel to us: through our conduit, or to our address."""
    if transport.method != ours.method:
        return False
    if ours.method == "conduit":
        return transport.conduit_id == ours.conduit_id
    return transport.callback == ours.callback


def reconcile(wanted: Sequence[Wanted], existing: Subscriptions, ours: Transport, *, trusted: bool = True) -> Plan:
    """Return what is missing, too much and broken; what is not ours is left alone, and only its cost counts.

    Where what exists is not `trusted`, because it was made with another secret, all of ours is made anew.
    """
    mine = [told for told in existing.subscriptions if is_ours(told.transport, ours)]
    broken = [told for told in mine if told.status not in {ENABLED, PENDING}]
    hopeless = {_key(told) for told in broken if told.status in BEYOND_REPAIR}
    best = _best_of_each(told for told in mine if trusted and told.status in {ENABLED, PENDING})
    fits, left_out = _within_cost([want for want in wanted if want not in hopeless], best, existing, mine)
    keep = {best[want].id for want in fits if want in best}
    return Plan(
        # What is beyond repair stays in the list for as long as Twitch keeps it there, and is not asked for meanwhile.
        delete=tuple(told.id for told in mine if told.id not in keep and _key(told) not in hopeless),
        create=tuple(want for want in fits if want not in best),
        left_out=tuple(left_out),
        broken=tuple(broken),
        kept=len(keep),
    )


def _best_of_each(subscriptions: Iterable[EventSubSubscription]) -> Mapping[Wanted, EventSubSubscription]:
    """Return one subscription of each kind and condition, one that works where there are several."""
    found: dict[Wanted, EventSubSubscription] = {}
    for told in sorted(subscriptions, key=lambda told: (told.status != ENABLED, told.id)):
        found.setdefault(_key(told), told)
    return found


def _key(told: EventSubSubscription) -> Wanted:
    """Return what a subscription is about; a condition of several parts is none of those that we want."""
    parts = sorted((name, value) for name, value in told.condition.items() if value)
    return Wanted(told.type, told.version, parts[0] if len(parts) == 1 else ("", ""))


def _within_cost(
    wanted: Iterable[Wanted],
    known: Mapping[Wanted, EventSubSubscription],
    existing: Subscriptions,
    mine: Iterable[EventSubSubscription],
) -> tuple[list[Wanted], list[Wanted]]:
    """Split what is wanted into what fits and what does not; of new ones the full cost is expected."""
    foreign = existing.total_cost - sum(told.cost for told in mine)
    left = (existing.max_total_cost or USUAL_MAX_COST) - max(foreign, 0)
    fits: list[Wanted] = []
    left_out: list[Wanted] = []
    for want in dict.fromkeys(wanted):
        cost = known[want].cost if want in known else _expected_cost(want)
        (fits if cost <= left else left_out).append(want)
        left -= cost if cost <= left else 0
    return fits, left_out


def _expected_cost(want: Wanted) -> int:
    return 0 if (want.type, want.version) == SHARD_DISABLED else 1
