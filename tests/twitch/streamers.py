"""What streamers do on the local Twitch: they exist, go live, change their titles, and go offline."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.twitch.eventsub import ENABLED
from tests.twitch.messages import channel_update, stream_offline, stream_online, user_update
from tests.twitch.running import Running
from tests.twitch.world import Category, Clip, Stream, User, Video


class Streamers(Running):
    """Users, channels, streams, categories, videos, badges and follows. Unknown logins raise KeyError."""

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
        type: str = "live",  # noqa: A002
        listed_type: str = "live",
    ) -> Stream:
        """Start a stream and tell stream.online, with a type (rerun, …) of its own or that of the list.

        `category` is a name or an id; None leaves what the channel says.
        """

        def run() -> Stream:
            user = self._core.world.logins[login]
            self._set(user, title=title, category=category, language=language, tags=tags)
            stream = self._core.world.begin(user, viewers, stream_id, started_at, self.now())
            stream.type, stream.listed_type = type, listed_type
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
        labels: Sequence[str] | None = None,
        announce: bool = True,
    ) -> User:
        """Change what a channel says, and tell channel.update."""

        def run() -> User:
            user = self._core.world.logins[login]
            self._set(user, title=title, category=category, language=language, tags=tags)
            if labels is not None:
                user.labels = list(labels)
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
        muted: list[dict[str, int]] | None = None,
    ) -> Video:
        """Publish a video; no EventSub message tells of it."""
        known = {
            "title": title,
            "type": type,
            "stream_id": stream_id,
            "published_at": published_at or self.now(),
            "seconds": seconds,
            "views": views,
            "muted": muted,
        }
        return self._call(lambda: self._core.world.add_video(self._core.world.logins[login], id, **known))

    def add_clip(self, login: str, clip: Clip) -> None:
        """Have a clip of a channel."""
        self._call(lambda: self._core.world.logins[login].clips.append(clip))

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
