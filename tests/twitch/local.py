"""The local Twitch as tests, benchmarks and campaigns use it.

`with LocalTwitch() as twitch:` starts real servers on 127.0.0.1; `twitch.go_live("shroud")` does what a streamer does,
`twitch.drop_sockets()` what a network does. What may be set is in `settings.py`. All methods may be called from any
thread but the server's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.twitch.eventsub import ENABLED, Conduit, Subscription, Transport
from tests.twitch.faults import Asked, Fault
from tests.twitch.messages import (
    NOTIFICATION,
    TYPES,
    Message,
    Sent,
    channel_update,
    new_id,
    stream_offline,
    stream_online,
    user_update,
)
from tests.twitch.running import Running
from tests.twitch.sockets import Session
from tests.twitch.times import nanoseconds
from tests.twitch.world import Category, Stream, User, Video

CLIENT_ID = "abc123def456ghi789jkl012mno345"
CLIENT_SECRET = "made0up0secret0of0thirty0chars"
NOBODY = "a secret that nobody shares"
# The version in use of each type.
VERSIONS = dict(TYPES)


class LocalTwitch(Running):
    """A whole Twitch for one application. Ports are free ones unless given."""

    def __init__(
        self,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        *,
        http_port: int = 0,
        socket_port: int = 0,
    ) -> None:
        super().__init__(client_id, client_secret, http_port, socket_port)

    # What happened

    @property
    def requests(self) -> list[Asked]:
        """All requests so far, the websockets' handshakes among them."""
        return list(self._asked)

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

    @property
    def tokens_issued(self) -> int:
        """How many tokens were given out, of applications and users."""
        return self._core.tokens.issued

    def forget_requests(self) -> None:
        """Empty `requests` and `sent`."""

        def run() -> None:
            self._asked.clear()
            self._core.eventsub.sent.clear()

        self._call(run)

    # Users, channels and streams

    def add_user(
        self,
        login: str,
        id: str | None = None,  # noqa: A002
        display_name: str | None = None,
        description: str = "",
    ) -> User:
        """Add a user, whose channel is offline."""
        return self._call(lambda: self._core.world.add_user(login, id, display_name, description))

    def add_users(self, count: int, prefix: str = "channel") -> list[User]:
        """Add many users: channel00001 and so on."""
        return self._call(
            lambda: [
                self._core.world.add_user(f"{prefix}{number:05d}", None, None, "") for number in range(1, count + 1)
            ]
        )

    def add_category(self, id: str, name: str, igdb_id: str = "") -> Category:  # noqa: A002
        """Add a category; an empty `igdb_id` is what Twitch says of those that IGDB does not know."""
        category = Category(id, name, igdb_id)
        self._call(lambda: self._core.world.categories.__setitem__(id, category))
        return category

    def go_live(
        self,
        login: str,
        *,
        title: str | None = None,
        category: str | None = None,
        viewers: int = 100,
        language: str | None = None,
        tags: Sequence[str] | None = None,
        stream_id: str | None = None,
        started_at: datetime | None = None,
        announce: bool = True,
    ) -> Stream:
        """Start a stream and tell stream.online. `category` is a name or an id; None leaves what the channel says."""

        def run() -> Stream:
            user = self._core.world.logins[login]
            self._set(user, title=title, category=category, language=language, tags=tags)
            stream = self._core.world.begin(user, viewers, stream_id, started_at, self.now())
            if announce:
                self._publish("stream.online", user, stream_online(user, stream))
            return stream

        return self._call(run)

    def go_offline(self, login: str, *, announce: bool = True) -> Stream | None:
        """End the stream that runs, if one does, and tell stream.offline."""

        def run() -> Stream | None:
            user = self._core.world.logins[login]
            stream = self._core.world.end(user, self.now())
            if announce:
                self._publish("stream.offline", user, stream_offline(user))
            return stream

        return self._call(run)

    def update_channel(
        self,
        login: str,
        *,
        title: str | None = None,
        category: str | None = None,
        language: str | None = None,
        tags: Sequence[str] | None = None,
        announce: bool = True,
    ) -> User:
        """Change what a channel says, and tell channel.update."""

        def run() -> User:
            user = self._core.world.logins[login]
            self._set(user, title=title, category=category, language=language, tags=tags)
            if announce:
                self._publish("channel.update", user, channel_update(user))
            return user

        return self._call(run)

    def set_viewers(self, login: str, viewers: int) -> None:
        """Change how many watch the stream that runs."""

        def run() -> None:
            stream = self._core.world.logins[login].stream
            assert stream is not None, f"{login} is not live"
            stream.viewers = viewers

        self._call(run)

    def rename(self, login: str, new_login: str, display_name: str | None = None) -> User:
        """Give a user another login; the id stays."""

        def run() -> User:
            user = self._core.world.logins[login]
            self._core.world.rename(user, new_login, display_name)
            self._core.eventsub.publish("user.update", {"user_id": user.id}, user_update(user))
            return user

        return self._call(run)

    def ban(self, login: str) -> None:
        """Remove a user: nothing knows them any more, and their subscriptions end as `user_removed`."""

        def run() -> None:
            user = self._core.world.logins[login]
            self._core.world.remove_user(user)
            for subscription in list(self._core.eventsub.subscriptions.values()):
                if user.id in subscription.condition.values() and subscription.status == ENABLED:
                    self._core.eventsub.end(subscription, "user_removed")

        self._call(run)

    def add_video(
        self,
        login: str,
        *,
        id: str | None = None,  # noqa: A002
        title: str = "A stream",
        type: str = "archive",  # noqa: A002
        stream_id: str | None = None,
        published_at: datetime | None = None,
        seconds: int = 3600,
        views: int = 0,
    ) -> Video:
        """Publish a video; no EventSub message tells of it."""
        known = {
            "title": title,
            "type": type,
            "stream_id": stream_id,
            "published_at": published_at or self.now(),
            "seconds": seconds,
            "views": views,
        }
        return self._call(lambda: self._core.world.add_video(self._core.world.logins[login], id, **known))

    def set_badges(self, badges: Iterable[Mapping[str, Any]]) -> None:
        """Set the global chat badges, as GET /chat/badges/global lists their sets."""
        rows = [dict(each) for each in badges]
        self._call(lambda: self._core.world.badges.__setitem__(slice(None), rows))

    def set_follows(self, user_id: str, logins: Iterable[str]) -> None:
        """Set whom a user follows, as GET /channels/followed tells that user's own token."""

        def run() -> None:
            world = self._core.world
            world.users[user_id].follows = [(world.logins[login], self.now()) for login in logins]

        self._call(run)

    def _set(
        self, user: User, *, title: str | None, category: str | None, language: str | None, tags: Sequence[str] | None
    ) -> None:
        if title is not None:
            user.title = title
        if category is not None:
            user.category = self._core.world.category(category)
        if language is not None:
            user.language = language
        if tags is not None:
            user.tags = list(tags)

    def _publish(self, type_: str, user: User, event: dict[str, Any]) -> None:
        self._core.eventsub.publish(type_, {"broadcaster_user_id": user.id}, event)

    # Tokens, budget and faults

    def user_token(
        self, user_id: str, *, client_id: str | None = None, scopes: Sequence[str] = ("user:read:follows",)
    ) -> str:
        """A user's access token, of this application unless another client is named."""
        return self._call(lambda: self._core.tokens.issue(client_id or self.client_id, user_id, tuple(scopes))).value

    def app_token(self) -> str:
        """An app access token, as the token endpoint would give it."""
        return self._call(lambda: self._core.tokens.issue(self.client_id)).value

    def revoke_app_tokens(self) -> None:
        """Kill every app token."""
        self._call(self._core.tokens.revoke_apps)

    def spend_budget(self) -> None:
        """Leave no point in any bucket that was used so far."""
        self._call(self._core.budgets.spend)

    def refill_budget(self) -> None:
        """Fill all buckets, which a new `budget` needs to be judged from the start."""
        self._call(self._core.budgets.refill)

    def fail(
        self,
        path: str,
        status: int | None,
        body: Any = None,
        times: float = 1,
        headers: Mapping[str, str] | None = None,
        *,
        method: str | None = None,
        delay: float = 0,
        cut_off: bool = False,
        hang: bool = False,
        reset: bool = False,
    ) -> None:
        """Script a fault for the next requests of a path: "/oauth2/token", "/helix/streams", "/streams", "/ws".

        Args:
            path: Where the paths begin that it concerns.
            status: The status to answer with; None is the true answer, which `delay` and `cut_off` may spoil.
            body: None is Helix's error with an empty message; a text is sent as HTML, bytes as they are, all else as
                JSON: see `answers.error_body`.
            times: How many requests it concerns; `math.inf` for all until `heal`.
            headers: More headers.
            method: Only requests of this method.
            delay: Seconds before the answer.
            cut_off: Close the connection in the middle of the body.
            hang: Never answer.
            reset: Tear the connection down instead of answering.
        """
        fault = Fault(path, status, body, times, headers or {}, method, delay, cut_off, hang, reset)
        self._call(lambda: self._faults.add(fault))

    def heal(self) -> None:
        """Forget all scripted faults."""
        self._call(self._faults.clear)

    # EventSub's websockets

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

    # Subscriptions and conduits

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

    # Webhooks

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

    def event(self, type_: str, login: str) -> dict[str, Any]:
        """The event that a user's channel would send now: stream.online, stream.offline, channel.update."""

        def run() -> dict[str, Any]:
            user = self._core.world.logins[login]
            if type_ == "stream.online":
                assert user.stream is not None, f"{login} is not live"
                return stream_online(user, user.stream)
            return {"stream.offline": stream_offline, "channel.update": channel_update, "user.update": user_update}[
                type_
            ](user)

        return self._call(run)


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
