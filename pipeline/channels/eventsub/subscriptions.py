"""Create and delete subscriptions at Twitch until they are those that we want."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from pipeline.channels.eventsub.reconcile import Plan, Wanted, reconcile
from pipeline.errors import SourceUnavailable
from pipeline.services.twitch.helix_eventsub import EventSubManagement, Transport
from pipeline.services.twitch.helix_requests import EventSubLimit, RequestRejected, TooManyTransports, TooMuchCost

logger = logging.getLogger(__name__)


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """How a round went. Twitch's limits leave no room for the wanted ones in `left_out`; it refused `refused`.

    `finished` is false where the round was broken off because the program ends.
    """

    plan: Plan
    created: int
    deleted: int
    left_out: tuple[Wanted, ...] = ()
    refused: tuple[Wanted, ...] = ()
    finished: bool = True

    @property
    def subscribed(self) -> int:
        """How many of the wanted subscriptions there are now."""
        return self.plan.kept + self.created


def put_right(
    helix: EventSubManagement,
    wanted: Sequence[Wanted],
    ours: Transport,
    *,
    trusted: bool = True,
    go_on: Callable[[], bool] = lambda: True,
) -> Reconciled:
    """Delete unwanted subscriptions and create missing ones; thousands take minutes, as the shared budget allows.

    `go_on` is called before each request. Raises `SourceUnavailable` or `SourceRefused` where Twitch serves none now;
    changes made until then stay.
    """
    plan = reconcile(wanted, helix.subscriptions(), ours, trusted=trusted)
    for broken in plan.broken:
        fields = {"type": broken.type, "condition": dict(broken.condition), "status": broken.status}
        logger.warning("Twitch has ended a subscription", extra=fields)
    deleted = 0
    for subscription_id in plan.delete:
        if not go_on():
            return Reconciled(plan=plan, created=0, deleted=deleted, finished=False)
        deleted += helix.delete_subscription(subscription_id)
    return _create(helix, plan, ours, deleted, go_on)


def _create(
    helix: EventSubManagement, plan: Plan, ours: Transport, deleted: int, go_on: Callable[[], bool]
) -> Reconciled:
    left_out, refused, created = list(plan.left_out), [], 0
    reasons: Counter[str] = Counter()
    finished = True
    for done, want in enumerate(plan.create):
        if not go_on():
            finished = False
            break
        try:
            helix.create_subscription(want.type, want.version, want.condition, ours)
            created += 1
        except TooMuchCost as error:
            logger.warning("not all channels have room among the subscriptions: %s", error)
            left_out += plan.create[done:]
            break
        except TooManyTransports as error:
            # It passes: Twitch counts sockets that are gone for a while.
            raise SourceUnavailable(str(error)) from error
        except (EventSubLimit, RequestRejected) as error:
            refused.append(want)
            reasons[str(error)] += 1
    for reason, times in reasons.items():
        logger.warning("Twitch refused subscriptions", extra={"reason": reason, "times": times})
    return Reconciled(
        plan=plan,
        created=created,
        deleted=deleted,
        left_out=tuple(left_out),
        refused=tuple(refused),
        finished=finished,
    )
