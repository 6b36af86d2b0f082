"""Compare the subscriptions that we want with those that exist: which to create, which to delete, which to report.

Pure. Twitch counts a cost of 1 for each subscription about a user who has not authorised our application, and allows
a total (10,000 unless it says otherwise) for all subscriptions of a client, ours or not.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from pipeline.channels.eventsub.notifications import OF_CHANNELS, SHARD_DISABLED
from pipeline.channels.following.watched import Watched
from pipeline.services.twitch.helix_eventsub import EventSubSubscription, Subscriptions, Transport

USUAL_MAX_COST = 10_000
ENABLED = "enabled"
# A webhook's subscription is verified within minutes, or gets another status by itself.
PENDING = "webhook_callback_verification_pending"
# The user is gone, or the version: Twitch would only refuse it again.
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
    """The changes that make the subscriptions right. Delete first: it makes room.

    `left_out` are wanted ones that the cost limit has no room for, `broken` ours that Twitch has ended. `kept` counts
    those that are right already.
    """

    delete: tuple[str, ...] = ()
    create: tuple[Wanted, ...] = ()
    left_out: tuple[Wanted, ...] = ()
    broken: tuple[EventSubSubscription, ...] = ()
    kept: int = 0


def wanted_for(channels: Sequence[Watched], *, client_id: str, conduit: bool) -> list[Wanted]:
    """Return the subscriptions that we want, the most important first: channels followed by hand, streams online."""
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
    """Return the plan for our subscriptions; those of others are left alone, and only their cost counts.

    Where ours are not `trusted`, because they were made with another secret, all of them are made anew.
    """
    mine = [subscription for subscription in existing.subscriptions if is_ours(subscription.transport, ours)]
    broken = [subscription for subscription in mine if subscription.status not in {ENABLED, PENDING}]
    hopeless = {_key(subscription) for subscription in broken if subscription.status in BEYOND_REPAIR}
    best = _best_of_each(subscription for subscription in mine if trusted and subscription.status in {ENABLED, PENDING})
    fits, left_out = _within_cost([want for want in wanted if want not in hopeless], best, existing, mine)
    keep = {best[want].id for want in fits if want in best}
    return Plan(
        # One beyond repair stays for as long as Twitch keeps it in the list, and is not wanted meanwhile.
        delete=tuple(
            subscription.id
            for subscription in mine
            if subscription.id not in keep and _key(subscription) not in hopeless
        ),
        create=tuple(want for want in fits if want not in best),
        left_out=tuple(left_out),
        broken=tuple(broken),
        kept=len(keep),
    )


def states(
    wanted: Iterable[Wanted], existing: Subscriptions, ours: Transport, *, without: Iterable[str] = ()
) -> Mapping[Wanted, str]:
    """Return the statuses of the wanted subscriptions of ours that Twitch lists, `without` those deleted since."""
    gone = set(without)
    best = _best_of_each(
        subscription
        for subscription in existing.subscriptions
        if is_ours(subscription.transport, ours) and subscription.id not in gone
    )
    return {want: best[want].status for want in dict.fromkeys(wanted) if want in best}


def _best_of_each(subscriptions: Iterable[EventSubSubscription]) -> Mapping[Wanted, EventSubSubscription]:
    """Return one subscription of each kind and condition: one that works where there are several, or else may yet."""
    best: dict[Wanted, EventSubSubscription] = {}
    for subscription in sorted(subscriptions, key=lambda s: (s.status != ENABLED, s.status != PENDING, s.id)):
        best.setdefault(_key(subscription), subscription)
    return best


def _key(subscription: EventSubSubscription) -> Wanted:
    """Return a subscription as a wanted one, to compare; we never want a condition of several parts."""
    parts = sorted((name, value) for name, value in subscription.condition.items() if value)
    return Wanted(subscription.type, subscription.version, parts[0] if len(parts) == 1 else ("", ""))


def _within_cost(
    wanted: Iterable[Wanted],
    known: Mapping[Wanted, EventSubSubscription],
    existing: Subscriptions,
    mine: Iterable[EventSubSubscription],
) -> tuple[list[Wanted], list[Wanted]]:
    """Split the wanted subscriptions into those that fit and those that do not; new ones count at full cost."""
    foreign = existing.total_cost - sum(subscription.cost for subscription in mine)
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
