"""Create and delete subscriptions at Twitch until they are those that we want."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import msgspec

from pipeline.channels.eventsub.reconcile import ENABLED, PENDING, Plan, Wanted, reconcile, states
from pipeline.errors import SourceUnavailable
from pipeline.services.twitch.helix_eventsub import EventSubManagement, Transport
from pipeline.services.twitch.helix_requests import EventSubLimit, RequestRejected, TooManyTransports, TooMuchCost

logger = logging.getLogger(__name__)
UNLISTED_409 = "Twitch says that they exist already (409), and does not list them"
UNLISTED_202 = "Twitch says that it made them (202), and does not list them"


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """How a round went; a subscription exists where Twitch lists it, whatever it answered when asked for it.

    `subscribed` counts the wanted ones that Twitch lists as working, `pending` those whose address it verifies.
    Twitch's limits leave no room for those in `left_out`; it refused `refused`, and of `unlisted` it said that it made
    them, or that they are there already, and does not list them, or as ended. `reasons` say why, the most frequent
    first. `finished` is false where the round was broken off because the program ends.
    """

    plan: Plan
    created: int
    deleted: int
    subscribed: int = 0
    pending: int = 0
    left_out: tuple[Wanted, ...] = ()
    refused: tuple[Wanted, ...] = ()
    unlisted: tuple[Wanted, ...] = ()
    reasons: tuple[str, ...] = ()
    finished: bool = True


class Settling:
    """How long to wait before the next look: `usual`, but soon where some are not there yet, then ever longer."""

    def __init__(self, first: timedelta, usual: timedelta) -> None:
        self._first = first
        self._usual = usual
        self._next = first
        # When the first of these looks was, by the monotonic clock; None while all are there.
        self.since: float | None = None

    def pause_after(self, at: float, *, settled: bool) -> timedelta:
        """Return the pause after a look at a moment of the monotonic clock."""
        if settled:
            self.since, self._next = None, self._first
            return self._usual
        self.since = at if self.since is None else self.since
        pause = min(self._next, self._usual)
        self._next = pause * 2
        return pause


class _Requests(msgspec.Struct, kw_only=True):
    """How the requests of a round were answered."""

    made: list[Wanted] = msgspec.field(default_factory=list)
    # Twitch said that they were there already.
    there: list[Wanted] = msgspec.field(default_factory=list)
    left_out: list[Wanted] = msgspec.field(default_factory=list)
    refused: list[Wanted] = msgspec.field(default_factory=list)
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    finished: bool = True


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
    existing = helix.subscriptions()
    plan = reconcile(wanted, existing, ours, trusted=trusted)
    for broken in plan.broken:
        fields = {"type": broken.type, "condition": dict(broken.condition), "status": broken.status}
        logger.warning("Twitch has ended a subscription", extra=fields)
    deleted = 0
    for subscription_id in plan.delete:
        if not go_on():
            return Reconciled(plan=plan, created=0, deleted=deleted, finished=False)
        deleted += helix.delete_subscription(subscription_id)
    requests = _create(helix, plan, ours, go_on)
    if not requests.finished:
        return Reconciled(plan=plan, created=len(requests.made), deleted=deleted, finished=False)
    # Twitch has answered 409 to all of them while its list was empty: what it lists is what there is.
    listed = helix.subscriptions() if requests.made or requests.there else existing
    return _result(plan, requests, states(wanted, listed, ours, without=plan.delete), deleted)


def _create(helix: EventSubManagement, plan: Plan, ours: Transport, go_on: Callable[[], bool]) -> _Requests:
    requests = _Requests(left_out=list(plan.left_out))
    for done, want in enumerate(plan.create):
        if not go_on():
            requests.finished = False
            break
        try:
            answer = helix.create_subscription(want.type, want.version, want.condition, ours)
            (requests.there if answer.subscription is None else requests.made).append(want)
        except TooMuchCost as error:
            logger.warning("not all channels have room among the subscriptions: %s", error)
            requests.left_out += plan.create[done:]
            break
        except TooManyTransports as error:
            # It passes: Twitch counts sockets that are gone for a while.
            raise SourceUnavailable(str(error)) from error
        except (EventSubLimit, RequestRejected) as error:
            requests.refused.append(want)
            requests.reasons[str(error)] += 1
    return requests


def _result(plan: Plan, requests: _Requests, state: Mapping[Wanted, str], deleted: int) -> Reconciled:
    good = {want for want, status in state.items() if status in {ENABLED, PENDING}}
    unlisted = [(want, UNLISTED_202) for want in requests.made if want not in good]
    unlisted += [(want, UNLISTED_409) for want in requests.there if want not in good]
    reasons = requests.reasons.copy()
    reasons.update(f"Twitch has ended them: {state[want]}" if want in state else reason for want, reason in unlisted)
    for reason, times in reasons.items():
        logger.warning("Twitch refused subscriptions", extra={"reason": reason, "times": times})
    statuses = Counter(state.values())
    return Reconciled(
        plan=plan,
        created=sum(want in good for want in requests.made),
        deleted=deleted,
        subscribed=statuses[ENABLED],
        pending=statuses[PENDING],
        left_out=tuple(requests.left_out),
        refused=tuple(requests.refused),
        unlisted=tuple(want for want, _ in unlisted),
        reasons=tuple(reason for reason, _ in reasons.most_common()),
    )
