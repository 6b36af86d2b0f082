"""`/admin/eventsub`: how Twitch's messages come in, and what Twitch has subscribed for us."""

from typing import Annotated

import msgspec

from pipeline.channels.eventsub.looking import EventSubFigures, Messages, SubscriptionLine, Verification
from pipeline.operations import eventsub
from pipeline.web.api.calls import Reading, Working
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routing import Routes

routes = Routes("eventsub")
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class SubscriptionsQuery(PageQuery, frozen=True, kw_only=True):
    """A page of subscriptions: of a status, a type, ours or foreign ones."""

    status: Word | None = None
    type: Word | None = None
    ours: bool | None = None


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How many subscriptions are gone."""

    removed: int


@routes.add("GET", "/admin/eventsub", scope="admin", role="owner")
def show_eventsub(call: Working) -> EventSubFigures:
    """Say how Twitch's messages come in: subscriptions wanted, enabled and failed, as the last look found them."""
    return eventsub.show_eventsub(call.runtime, call.now)


@routes.add("GET", "/admin/eventsub/messages", scope="admin", role="owner")
def show_messages(call: Reading) -> Messages:
    """Count the messages that were received, handled and refused, by type, and show the last twenty."""
    return eventsub.show_messages(call.connection)


@routes.add("GET", "/admin/eventsub/subscriptions", scope="admin", role="owner")
def list_subscriptions(call: Working, query: SubscriptionsQuery) -> Page[SubscriptionLine]:
    """Ask Twitch for the subscriptions of our application, with what each costs; each page asks anew."""
    listed = eventsub.list_subscriptions(call.runtime, status=query.status, kind=query.type, ours=query.ours)
    return page_of(listed, query, lambda each: each.id)


@routes.add("POST", "/admin/eventsub/verify", scope="admin", role="owner")
def verify(call: Working) -> Verification:
    """Ask Twitch for all subscriptions and compare them with those that we want; nothing is changed."""
    return eventsub.verify(call.runtime, call.now)


@routes.add("DELETE", "/admin/eventsub/subscriptions", scope="admin", role="owner", status=200)
def remove_own(call: Working) -> Removed:
    """Delete all subscriptions of ours; those that are wanted are made anew as soon as the program of EventSub looks.

    Foreign ones, which another program has with the same application, stay.
    """
    return Removed(removed=eventsub.remove_own(call.runtime, call.now))


@routes.add("DELETE", "/admin/eventsub/subscriptions/{subscription}", scope="admin", role="owner")
def remove_one(call: Working, subscription: str) -> None:
    """Delete one subscription by Twitch's id of it, a foreign one too."""
    eventsub.remove_one(call.runtime, call.now, subscription)
