"""`/deliveries`: what was sent to a person's targets, what waits, and why."""

from typing import Annotated

import msgspec

from models import DeliveryState
from models.moments import Moment
from pipeline.operations import deliveries
from pipeline.operations.deliveries import DeliveryAnswer, WhyAnswer
from pipeline.web.api.calls import Changing, Reading
from pipeline.web.api.paging import Limit, Page, PageQuery, make_page, read_cursor
from pipeline.web.api.routing import Routes

routes = Routes("deliveries")
Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Kind = Annotated[
    str,
    msgspec.Meta(pattern=r"^[a-z_]+\.([a-z_]+|\*)$", description="A kind, campaign.added, or a family, campaign.*."),
]


class DeliveriesQuery(PageQuery, frozen=True, kw_only=True):
    """Which deliveries: to a target, in a state, of a kind of event, made since a time."""

    target: str | None = None
    state: DeliveryState | None = None
    kind: Kind | None = None
    since: Moment | None = None


class ReplayedDead(msgspec.Struct, frozen=True, kw_only=True):
    """How many dead deliveries are sent again, the newest."""

    limit: Limit = 100


@routes.add("GET", "/deliveries", scope="targets")
def list_deliveries(call: Reading, query: DeliveriesQuery) -> Page[DeliveryAnswer]:
    """List what was sent to your targets, what waits and what was given up, the newest first."""
    after = read_cursor(query, Number)
    rows = deliveries.list_deliveries(
        call.connection,
        call.person_id,
        state=query.state,
        target=query.target,
        kind=query.kind,
        since=query.since,
        before=None if after is None else after[0],
        limit=query.limit + 1,
    )
    return make_page(rows, query, lambda each: each.id)


@routes.add("POST", "/deliveries/replay", scope="targets")
def replay_dead(call: Changing, body: ReplayedDead) -> list[DeliveryAnswer]:
    """Send the newest of the dead again; answers with them as they are then."""
    return deliveries.replay_dead(call.connection, call.person_id, call.now, body.limit)


@routes.add("GET", "/deliveries/{delivery}", scope="targets")
def show_delivery(call: Reading, delivery: Number) -> WhyAnswer:
    """Say why a delivery was sent, or not: the event, what the target answered, which subscriptions asked for it."""
    return deliveries.explain_delivery(call.connection, call.person_id, delivery)


@routes.add("POST", "/deliveries/{delivery}/replay", scope="targets")
def replay_delivery(call: Changing, delivery: Number) -> DeliveryAnswer:
    """Send again what was sent, or was given up as dead, as if it were new.

    Quiet hours and digests of its target hold it as they hold what is new.
    """
    return deliveries.replay_delivery(call.connection, call.person_id, call.now, delivery)
