"""What happens to EventSub's sockets, subscriptions and conduits, and messages that were never sent."""

from datetime import datetime
from typing import Any

from tests.twitch.eventsub import ENABLED, Conduit, Subscription, Transport
from tests.twitch.messages import NOTIFICATION, TYPES, Message, Sent, new_id
from tests.twitch.running import Running
from tests.twitch.sockets import Session
from tests.twitch.times import nanoseconds

NOBODY = "a secret that nobody shares"
# The version in use of each type.
VERSIONS = dict(TYPES.keys())


class Subscribers(Running):
    """Everything of EventSub that a test may look at or let happen."""

    @property
    def sent(self) -> list[Sent]:
        """All EventSub messages so far, those that found no shard among them."""
        return list(self._core.eventsub.sent)

    @property
    def sessions(self) -> list[Session]:
        """The live sockets, oldest first."""
        return self._call(lambda: list(self._core.eventsub.sessions))

    @property
    def subscriptions(self) -> list[Subscription]:
        """All EventSub subscriptions, those that ended among them."""
        return self._call(lambda: list(self._core.eventsub.subscriptions.values()))

    @property
    def conduits(self) -> list[Conduit]:
        """All conduits, with their shards."""
        return self._call(lambda: list(self._core.eventsub.conduits.values()))

    def drop_sockets(self, abort: bool = True) -> int:
        """Tear down all sockets (the client sees 1006), or close them as in 4006; how many there were."""
        if not abort:
            return self.close_sockets(4006)

        def run() -> int:
            sessions = list(self._core.eventsub.sessions)
            for session in sessions:
                session.abort()
            return len(sessions)

        return self._call(run)

    def close_sockets(self, code: int) -> int:
        """Close all sockets with a code: 4000 to 4007, 1012; how many there were."""

        def run() -> int:
            sessions = list(self._core.eventsub.sessions)
            for session in sessions:
                session.close(code)
            return len(sessions)

        return self._call(run)

    def ask_to_reconnect(self, url: str | None = None) -> None:
        """Send session_reconnect to all sockets; the address is a true one unless one is given."""
        self._call(lambda: self._sockets.invite(url))

    def stop_keepalives(self) -> None:
        """Send no more keepalives; other messages still go out."""
        self.keepalives = False

    def mute_sockets(self) -> None:
        """Send nothing more on the sockets of now, as a network does that swallows everything: no close either."""

        def run() -> None:
            for session in self._core.eventsub.sessions:
                session.muted = True

        self._call(run)

    def add_conduit(self, shard_count: int = 1, client_id: str | None = None) -> Conduit:
        """Add a conduit, as another program of the same application would."""
        conduit = Conduit(new_id(), client_id or self.client_id, shard_count)
        self._call(lambda: self._core.eventsub.conduits.__setitem__(conduit.id, conduit))
        return conduit

    def add_subscription(
        self,
        type_: str,
        condition: dict[str, str],
        *,
        conduit_id: str | None = None,
        callback: str | None = None,
        secret: str = "",
        status: str = ENABLED,
        client_id: str | None = None,
    ) -> Subscription:
        """Add a subscription, as another program of the same application would; nothing is verified."""
        transport = (
            Transport("conduit", conduit_id=conduit_id)
            if conduit_id is not None
            else Transport("webhook", callback=callback or "https://elsewhere.example.org/eventsub", secret=secret)
        )
        subscription = Subscription(
            id=new_id(),
            client_id=client_id or self.client_id,
            type=type_,
            version=VERSIONS[type_],
            condition=condition,
            transport=transport,
            created_at=nanoseconds(self.now()),
            status=status,
        )
        self._call(lambda: self._core.eventsub.add(subscription))
        return subscription

    def revoke_subscription(self, id: str, status: str = "authorization_revoked") -> None:  # noqa: A002
        """End a subscription, and send the revocation."""
        self._call(lambda: self._core.eventsub.end(self._core.eventsub.subscriptions[id], status))

    def forget_subscription(self, id: str) -> None:  # noqa: A002
        """Remove a subscription without a word, as happens."""
        self._call(lambda: self._core.eventsub.remove(self._core.eventsub.subscriptions[id]))

    def delete_conduit(self, id: str) -> None:  # noqa: A002
        """Delete a conduit, as Twitch does when all its shards were down for 72 hours."""
        self._call(lambda: self._core.eventsub.delete_conduit(self._core.eventsub.conduits[id]))

    def disable_shard(self, conduit_id: str, shard_id: str = "0", status: str = "websocket_disconnected") -> None:
        """Disable a shard although its socket stays open, and tell conduit.shard.disabled."""

        def run() -> None:
            conduit = self._core.eventsub.conduits[conduit_id]
            self._core.eventsub.disable(conduit, conduit.shards[shard_id], status)

        self._call(run)

    def repeat_last_message(self, new_id: bool = False) -> None:
        """Send the last notification again, with the same message id or another."""
        self._call(lambda: self._core.eventsub.repeat(fresh_id=new_id))

    def webhook_message(
        self,
        type: str,  # noqa: A002
        event: dict[str, Any],
        *,
        secret: str,
        message_id: str | None = None,
        timestamp: datetime | str | None = None,
        forged: bool = False,
        kind: str = NOTIFICATION,
        subscription: dict[str, Any] | None = None,
        challenge: str | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook message of a subscription type, signed as Twitch does.

        Nothing is sent. `forged` signs with another secret. `kind` may be "revocation" (the event is left out) or
        "webhook_callback_verification" (give a challenge).
        """
        at = timestamp if isinstance(timestamp, str) else nanoseconds(timestamp or self.now())
        message = Message(
            id=message_id or new_id(),
            at=at,
            kind=kind,
            subscription=subscription or _subscription_of(type, event, at),
            event=event if kind == NOTIFICATION else None,
            challenge=challenge,
        )
        return message.signed(NOBODY if forged else secret)


def _subscription_of(type_: str, event: dict[str, Any], at: str) -> dict[str, Any]:
    """What a webhook message says of the subscription that it belongs to."""
    condition = {key: value for key, value in event.items() if key in {"broadcaster_user_id", "user_id"}}
    return {
        "id": new_id(),
        "status": ENABLED,
        "type": type_,
        "version": VERSIONS[type_],
        "condition": condition,
        "created_at": at,
        "transport": {"method": "webhook", "callback": "https://lootwire.example.org/eventsub"},
        "cost": 1,
    }
