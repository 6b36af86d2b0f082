"""`/subscriptions`: what each of a person's targets is told of."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from notifiers.conditions.conditions import Conditions
from pipeline.operations import subscriptions
from pipeline.operations.subscriptions import (
    PlatformsAnswer,
    RehearsedAnswer,
    StoredSubscription,
    SubscriptionAnswer,
)
from pipeline.web.api.calls import Changing, Reading
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routes.targets import TryQuery
from pipeline.web.api.routing import Routes

routes = Routes("subscriptions")
Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
TargetName = Annotated[str, msgspec.Meta(description="A target's name.")]


class NewSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription to add: without conditions to everything, without a name called by what it says.

    `strict` refuses names that nothing has yet, of a game, a channel, a platform.
    """

    target: TargetName
    name: Name | None = None
    conditions: Conditions = Conditions()
    strict: bool = False


class SubscriptionChange(msgspec.Struct, frozen=True, kw_only=True):
    """What changes of a subscription; what is not given stays. `conditions` are all of them."""

    name: Name | UnsetType = UNSET
    target: TargetName | UnsetType = UNSET
    conditions: Conditions | UnsetType = UNSET
    strict: bool = False


class Platforms(msgspec.Struct, frozen=True, kw_only=True):
    """The platforms that you play on, as release dates name them: PC, PlayStation 5; none for all."""

    platforms: list[Annotated[str, msgspec.Meta(min_length=1)]]


@routes.add("GET", "/subscriptions", scope="targets")
def list_subscriptions(call: Reading, query: PageQuery) -> Page[SubscriptionAnswer]:
    """List your subscriptions, the oldest first."""
    return page_of(subscriptions.list_subscriptions(call.connection, call.person_id), query, lambda each: each.id)


@routes.add("POST", "/subscriptions", scope="targets", status=201)
def add_subscription(call: Changing, body: NewSubscription) -> StoredSubscription:
    """Tell a target of events from now on; without conditions, of everything.

    Of several values of a condition one must fit, and all conditions together. The same wish again changes nothing.
    """
    return subscriptions.add_subscription(
        call.connection,
        call.person_id,
        call.now,
        target=body.target,
        name=body.name,
        conditions=body.conditions,
        strict=body.strict,
    )


@routes.add("GET", "/subscriptions/platforms", scope="targets")
def show_platforms(call: Reading) -> PlatformsAnswer:
    """Show the platforms that you play on, which the condition `my_platforms` goes by."""
    return subscriptions.show_platforms(call.connection, call.person_id)


@routes.add("PUT", "/subscriptions/platforms", scope="targets")
def say_platforms(call: Changing, body: Platforms) -> PlatformsAnswer:
    """Say on which platforms you play; on all where you name none."""
    return subscriptions.say_platforms(call.connection, call.person_id, body.platforms)


@routes.add("GET", "/subscriptions/{subscription}", scope="targets")
def show_subscription(call: Reading, subscription: Number) -> SubscriptionAnswer:
    """Show one subscription."""
    return subscriptions.show_subscription(call.connection, call.person_id, subscription)


@routes.add("PATCH", "/subscriptions/{subscription}", scope="targets")
def change_subscription(call: Changing, subscription: Number, body: SubscriptionChange) -> StoredSubscription:
    """Change a subscription: its name, its target, or all its conditions.

    What it asked for before is still sent.
    """
    return subscriptions.change_subscription(
        call.connection,
        call.person_id,
        call.now,
        subscription,
        name=None if body.name is UNSET else body.name,
        target=None if body.target is UNSET else body.target,
        conditions=None if body.conditions is UNSET else body.conditions,
        strict=body.strict,
    )


@routes.add("DELETE", "/subscriptions/{subscription}", scope="targets")
def remove_subscription(call: Changing, subscription: Number) -> None:
    """Remove a subscription; what it asked for before is still sent."""
    subscriptions.remove_subscription(call.connection, call.person_id, subscription)


@routes.add("GET", "/subscriptions/{subscription}/try", scope="targets")
def try_subscription(call: Reading, subscription: Number, query: TryQuery) -> Page[RehearsedAnswer]:
    """Show what a subscription alone would have sent of past events, and when; sends nothing."""
    rows = subscriptions.rehearse_subscription(call.connection, call.person_id, call.now, subscription, query.since)
    return page_of(rows, query, lambda each: each.id)
