"""EventSub's books: subscriptions, conduits, shards and sessions, and the way a message takes between them."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec

from tests.twitch.messages import CHALLENGE, NOTIFICATION, REVOCATION, Message, Sent, new_id
from tests.twitch.settings import Settings
from tests.twitch.times import nanoseconds

if TYPE_CHECKING:
    from tests.twitch.sockets import Session

ENABLED = "enabled"
PENDING = "webhook_callback_verification_pending"
ALIVE = {ENABLED, PENDING}
# The status of a shard, or of a subscription to a plain websocket, by the code that closed its socket.
STATUS_OF_CLOSE = {
    4000: "websocket_internal_error",
    4001: "websocket_received_inbound_traffic",
    4002: "websocket_failed_ping_pong",
    4003: "websocket_connection_unused",
    4004: "websocket_failed_to_reconnect",
    4005: "websocket_network_timeout",
    4006: "websocket_network_error",
}
DISCONNECTED = "websocket_disconnected"


@dataclass(eq=False)
class Transport:
    """Where messages go: a webhook, a websocket session, or a conduit's shards."""

    method: str
    callback: str | None = None
    secret: str = field(default="", repr=False)
    session: "Session | None" = None
    # What is known of a session after it is gone.
    session_id: str | None = None
    connected_at: str | None = None
    disconnected_at: str | None = None
    conduit_id: str | None = None

    @classmethod
    def by_socket(cls, session: "Session") -> "Transport":
        transport = cls("websocket")
        transport.move_to(session)
        return transport

    def move_to(self, session: "Session") -> None:
        self.session, self.session_id, self.connected_at = session, session.id, session.connected_at
        self.disconnected_at = None

    def shown(self) -> dict[str, str]:
        """Return the transport as answers show it, without its secret."""
        names = ("method", "callback", "session_id", "conduit_id", "connected_at", "disconnected_at")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(eq=False)
class Subscription:
    id: str
    client_id: str
    type: str
    version: str
    condition: dict[str, str]
    transport: Transport
    created_at: str
    status: str = ENABLED
    cost: int = 1
    # Whose token made it; None is the application.
    user_id: str | None = None
    # Messages that never reached the callback.
    failures: int = 0

    def shown_cost(self) -> int:
        """One that ended costs nothing."""
        return self.cost if self.status in ALIVE else 0

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "status": self.status,
            "type": self.type,
            "version": self.version,
            "condition": self.condition,
            "created_at": self.created_at,
            "transport": self.transport.shown(),
            "cost": self.shown_cost(),
        }


@dataclass(eq=False)
class Shard:
    id: str
    transport: Transport
    status: str = ENABLED

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, "status": self.status, "transport": self.transport.shown()}


@dataclass(eq=False)
class Conduit:
    """Shards are known from their first assignment on."""

    id: str
    client_id: str
    shard_count: int
    shards: dict[str, Shard] = field(default_factory=dict)
    turn: Iterator[int] = field(default_factory=count, repr=False)

    def next_shard(self) -> Shard | None:
        """Messages are spread over the enabled shards."""
        enabled = [shard for shard in self.shards.values() if shard.status == ENABLED]
        return enabled[next(self.turn) % len(enabled)] if enabled else None


def topic(type_: str, condition: dict[str, str]) -> tuple[str, bytes]:
    return type_, msgspec.json.encode(condition, order="sorted")


class EventSub:
    """Belongs to one thread; nothing here waits."""

    def __init__(self, settings: Settings, post: Callable[[Subscription, Message, Transport], None]) -> None:
        self._settings = settings
        self._post = post
        self.subscriptions: dict[str, Subscription] = {}
        # What the living subscriptions of each application cost, and how many there are of any status.
        self._cost: Counter[str] = Counter()
        self._count: Counter[str] = Counter()
        self._by_topic: dict[tuple[str, bytes], list[Subscription]] = defaultdict(list)
        self.conduits: dict[str, Conduit] = {}
        self.sessions: list[Session] = []
        self.sent: list[Sent] = []
        self._last: tuple[Subscription, Message] | None = None

    # Subscriptions

    def add(self, subscription: Subscription) -> None:
        self.subscriptions[subscription.id] = subscription
        if subscription.transport.session is not None:
            subscription.transport.session.attached = True
        self._by_topic[topic(subscription.type, subscription.condition)].append(subscription)
        self._count[subscription.client_id] += 1
        self._cost[subscription.client_id] += subscription.shown_cost()

    def remove(self, subscription: Subscription) -> None:
        del self.subscriptions[subscription.id]
        self._by_topic[topic(subscription.type, subscription.condition)].remove(subscription)
        self._count[subscription.client_id] -= 1
        self._cost[subscription.client_id] -= subscription.shown_cost()

    def set_status(self, subscription: Subscription, status: str) -> None:
        before = subscription.shown_cost()
        subscription.status = status
        if subscription.id in self.subscriptions:
            self._cost[subscription.client_id] += subscription.shown_cost() - before

    def alike(self, type_: str, condition: dict[str, str]) -> list[Subscription]:
        """The living subscriptions of this type and condition."""
        return [s for s in self._by_topic[topic(type_, condition)] if s.status in ALIVE]

    def totals(self, client_id: str) -> tuple[int, int]:
        """How many subscriptions an application has, and what they cost."""
        return self._count[client_id], self._cost[client_id]

    def end(self, subscription: Subscription, status: str) -> None:
        """End a subscription for a reason, and notify the subscriber."""
        self.set_status(subscription, status)
        self._send(subscription, self._message(subscription, REVOCATION))

    # Messages

    def publish(self, type_: str, condition: dict[str, str], event: dict[str, Any]) -> None:
        """Tell an event to all who subscribed to it; what finds no shard is lost."""
        for subscription in list(self._by_topic[topic(type_, condition)]):
            if subscription.status == ENABLED:
                message = self._message(subscription, NOTIFICATION, event=event)
                self._last = (subscription, message)
                self._send(subscription, message)

    def repeat(self, *, fresh_id: bool) -> None:
        """Send the last notification once more."""
        assert self._last is not None, "nothing was sent so far"
        subscription, message = self._last
        self._send(subscription, replace(message, id=new_id()) if fresh_id else message)

    def challenge(self, subscription: Subscription, text: str) -> Message:
        return self._message(subscription, CHALLENGE, challenge=text)

    def _message(self, subscription: Subscription, kind: str, **content: Any) -> Message:
        at = nanoseconds(self._settings.now())
        shown = subscription.shown()
        # Helix tells since when a socket is connected; messages do not.
        transport = {key: value for key, value in shown["transport"].items() if not key.endswith("connected_at")}
        return Message(new_id(), at, kind, shown | {"transport": transport}, **content)

    def _send(self, subscription: Subscription, message: Message) -> None:
        transport: Transport | None = subscription.transport
        if subscription.transport.method == "conduit":
            conduit = self.conduits.get(subscription.transport.conduit_id or "")
            shard = conduit.next_shard() if conduit else None
            transport = shard.transport if shard else None
        to = ""
        if transport is not None and transport.session is not None:
            to = transport.session.id
            transport.session.put(message.envelope())
        elif transport is not None and transport.callback is not None:
            to = transport.callback
            self._post(subscription, message, transport)
        self.sent.append(Sent(message, to, time.time()))

    # Conduits and sessions

    def delete_conduit(self, conduit: Conduit) -> None:
        """Its subscriptions go on being listed for a while, as `conduit_deleted`."""
        del self.conduits[conduit.id]
        for subscription in self.subscriptions.values():
            if subscription.transport.conduit_id == conduit.id:
                self.set_status(subscription, "conduit_deleted")

    def session(self, session_id: str) -> "Session | None":
        """The youngest live session of this id: after a reconnect that is the one which gets the messages."""
        return next((s for s in reversed(self.sessions) if s.id == session_id and not s.closing), None)

    def adopt(self, old: "Session", new: "Session") -> None:
        """After a reconnect, all that went to the old socket goes to the new one."""
        for subscription in self.subscriptions.values():
            if subscription.transport.session is old:
                subscription.transport.move_to(new)
        for _, shard in self._shards_of(old):
            shard.transport.move_to(new)
        new.attached = new.attached or old.attached

    def lost(self, session: "Session", code: int) -> None:
        """Disable what a closed socket carried, and notify the subscribers of conduit.shard.disabled."""
        self.sessions.remove(session)
        status, at = STATUS_OF_CLOSE.get(code, DISCONNECTED), nanoseconds(self._settings.now())
        for subscription in self.subscriptions.values():
            if subscription.transport.session is session:
                self.set_status(subscription, status)
                subscription.transport.disconnected_at, subscription.transport.session = at, None
        for conduit, shard in self._shards_of(session):
            shard.transport.disconnected_at = at
            self.disable(conduit, shard, status)

    def disable(self, conduit: Conduit, shard: Shard, status: str) -> None:
        shard.status = status
        event = {"conduit_id": conduit.id, "shard_id": shard.id, "status": status, "transport": shard.transport.shown()}
        shard.transport.session = None
        for condition in ({"client_id": conduit.client_id}, {"client_id": conduit.client_id, "conduit_id": conduit.id}):
            self.publish("conduit.shard.disabled", condition, event)

    def _shards_of(self, session: "Session") -> list[tuple[Conduit, Shard]]:
        return [
            (conduit, shard)
            for conduit in self.conduits.values()
            for shard in conduit.shards.values()
            if shard.transport.session is session
        ]
