"""Helix's endpoints of EventSub subscriptions: https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription."""

from typing import Any
from urllib.parse import urlsplit

from tests.twitch.answers import Answer, Call, Refused, missing, page
from tests.twitch.core import Core
from tests.twitch.eventsub import ENABLED, PENDING, Subscription, Transport
from tests.twitch.messages import TYPES, new_id
from tests.twitch.times import nanoseconds

# Known by name, and refused to those whom no user authorised.
PRIVATE = {"channel.follow"}
FREE = {"conduit.shard.disabled"}
FILTERS = ("status", "type", "user_id", "subscription_id", "conduit_id")
OPTIONAL = {"conduit.shard.disabled": "conduit_id"}


def create(core: Core, call: Call) -> Answer:
    body = call.json()
    type_, version = str(body.get("type")), str(body.get("version"))
    condition = _condition(core, type_, version, body.get("condition"))
    transport = _transport(core, call, body.get("transport"))
    _check_room(core, call, type_, condition, transport)
    subscription = Subscription(
        id=new_id(),
        client_id=call.token.client_id,
        type=type_,
        version=version,
        condition=condition,
        transport=transport,
        created_at=nanoseconds(core.settings.now()),
        status=PENDING if transport.method == "webhook" else ENABLED,
        cost=0 if type_ in FREE else 1,
        user_id=call.token.user_id,
    )
    if core.settings.forgets_subscriptions == 409:
        raise Refused(409, "subscription already exists")
    shown = subscription.shown()
    if core.settings.forgets_subscriptions is not None:
        return 202, {"data": [shown], **_totals(core, call)}
    core.eventsub.add(subscription)
    if transport.method == "webhook" and core.settings.verifies_webhooks:
        core.webhooks.verify(subscription, transport, lambda status: core.eventsub.set_status(subscription, status))
    return 202, {"data": [shown], **_totals(core, call)}


def index(core: Core, call: Call) -> Answer:
    filters = [name for name in FILTERS if name in call.query]
    if len(filters) > 1:
        raise Refused(400, "only one of status, type, user_id, subscription_id and conduit_id may be given")
    rows = [s for s in _own(core, call) if not filters or call.query[filters[0]] in _filtered(s, filters[0])]
    part, pagination = page(rows, call, first=100)
    return 200, {**_totals(core, call), "data": [s.shown() for s in part], "pagination": pagination}


def delete(core: Core, call: Call) -> Answer:
    subscription = core.eventsub.subscriptions.get(call.required("id"))
    if subscription is None or subscription.client_id != call.token.client_id:
        raise Refused(404, "subscription not found")
    core.eventsub.remove(subscription)
    return 204, None


def webhook(transport: dict[str, Any]) -> Transport:
    """A webhook's transport, for a subscription or a shard; raises `Refused` where Twitch would not call it."""
    callback, secret = transport.get("callback"), transport.get("secret")
    address = urlsplit(callback) if isinstance(callback, str) else None
    if address is None or address.scheme != "https" or address.port not in {None, 443}:
        raise Refused(400, "callback must be a https URL with standard port 443")
    if not isinstance(secret, str) or not secret.isascii() or not 10 <= len(secret) <= 100:
        raise Refused(400, "secret must be an ASCII string of 10 to 100 characters")
    return Transport("webhook", callback=callback, secret=secret)


def _condition(core: Core, type_: str, version: str, condition: Any) -> dict[str, str]:
    needed = TYPES.get((type_, version))
    if needed is None:
        if type_ in {name for name, _ in TYPES}:
            raise Refused(410, "subscription type version is no longer supported")
        raise Refused(400, "invalid subscription type and version")
    given = condition if isinstance(condition, dict) else {}
    absent = [name for name in needed if not given.get(name)]
    if absent:
        why = (
            f"Key: 'SubscriptionCondition.{n}' Error:Field validation for '{n}' failed on the 'required' tag"
            for n in absent
        )
        raise Refused(400, "unknown validation error: " + "\n".join(why))
    if type_ in PRIVATE:
        raise Refused(403, "subscription missing proper authorization")
    if any(name.endswith("user_id") and value not in core.world.users for name, value in given.items()):
        raise Refused(400, "condition user does not exist")
    return {name: str(value) for name, value in given.items() if name in {*needed, OPTIONAL.get(type_)}}


def _transport(core: Core, call: Call, transport: Any) -> Transport:
    if not isinstance(transport, dict) or "method" not in transport:
        raise missing("transport")
    method, is_app = transport["method"], call.token.user_id is None
    if method not in {"webhook", "websocket", "conduit"}:
        raise Refused(400, "invalid transport method")
    # A plain websocket wants a user's token; the others want the application's.
    if is_app == (method == "websocket"):
        raise Refused(400, "invalid transport and auth combination")
    if method == "webhook":
        return webhook(transport)
    if method == "websocket":
        session = core.eventsub.session(str(transport.get("session_id")))
        if session is None:
            raise Refused(400, "websocket transport session does not exist or has already disconnected")
        others = {s.transport.session for s in _own(core, call) if s.user_id == call.token.user_id} - {None, session}
        if len(others) >= core.settings.max_sockets:
            raise Refused(429, "number of websocket transports limit exceeded")
        return Transport.by_socket(session)
    conduit = core.eventsub.conduits.get(str(transport.get("conduit_id")))
    if conduit is None or conduit.client_id != call.token.client_id:
        raise Refused(400, "conduit does not exist")
    return Transport("conduit", conduit_id=conduit.id)


def _check_room(core: Core, call: Call, type_: str, condition: dict[str, str], transport: Transport) -> None:
    alike = [s for s in core.eventsub.alike(type_, condition) if s.client_id == call.token.client_id]
    if any(_goes_to(s.transport) == _goes_to(transport) for s in alike):
        raise Refused(409, "subscription already exists")
    if len(alike) >= core.settings.max_same_subscriptions:
        raise Refused(429, "maximum subscriptions with type and condition exceeded")
    cost = 0 if type_ in FREE else 1
    if core.eventsub.totals(call.token.client_id)[1] + cost > core.settings.max_total_cost:
        raise Refused(429, "total cost exceeded")


def _goes_to(transport: Transport) -> tuple[str | None, ...]:
    return transport.callback, transport.session_id, transport.conduit_id


def _own(core: Core, call: Call) -> list[Subscription]:
    return [s for s in core.eventsub.subscriptions.values() if s.client_id == call.token.client_id]


def _totals(core: Core, call: Call) -> dict[str, int]:
    """Of all subscriptions of the application, whatever the filter."""
    total, cost = core.eventsub.totals(call.token.client_id)
    return {"total": total, "total_cost": cost, "max_total_cost": core.settings.max_total_cost}


def _filtered(subscription: Subscription, name: str) -> set[str | None]:
    """Return the values of a subscription that a filter compares."""
    match name:
        case "status":
            return {subscription.status}
        case "type":
            return {subscription.type}
        case "subscription_id":
            return {subscription.id}
        case "conduit_id":
            return {subscription.transport.conduit_id}
        case _:
            return {value for key, value in subscription.condition.items() if key.endswith("user_id")}
