"""Users, their channels and streams, categories and videos, as the local Twitch knows them."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass
class Category:
    id: str
    name: str
    igdb_id: str = ""
    box_art_url: str = ""

    def __post_init__(self) -> None:
        mark = "_IGDB" if self.igdb_id else ""
        self.box_art_url = (
            self.box_art_url or f"https://static-cdn.jtvnw.net/ttv-boxart/{self.id}{mark}-{{width}}x{{height}}.jpg"
        )


@dataclass
class Stream:
    """One stream; `begun_at` is when Twitch heard of it, which a test may let differ from `started_at`."""

    id: str
    started_at: datetime
    begun_at: datetime
    viewers: int
    ended_at: datetime | None = None
    # As EventSub and as the list of streams say it; the true list names nothing but `live`, and "" for an error.
    type: str = "live"
    listed_type: str = "live"

    def is_listed(self, now: datetime, lag: float) -> bool:
        delay = timedelta(seconds=lag)
        return self.begun_at + delay <= now and (self.ended_at is None or now < self.ended_at + delay)


@dataclass
class Video:
    id: str
    title: str
    published_at: datetime
    type: str
    stream_id: str | None
    seconds: int
    views: int = 0
    language: str = "en"
    # Where Twitch took the sound away, as Helix writes it.
    muted: list[dict[str, int]] | None = None


@dataclass
class Clip:
    id: str
    title: str
    created_at: datetime
    seconds: float
    game_id: str = ""
    views: int = 0


@dataclass
class User:
    """A user and the channel that belongs to them."""

    id: str
    login: str
    display_name: str
    created_at: datetime
    description: str = ""
    broadcaster_type: str = "partner"
    title: str = ""
    category: Category | None = None
    language: str = "en"
    tags: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    videos: list[Video] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)
    follows: list[tuple["User", datetime]] = field(default_factory=list)

    @property
    def stream(self) -> Stream | None:
        """The stream that runs, if one does."""
        return self.streams[-1] if self.streams and self.streams[-1].ended_at is None else None


class Community:
    """What exists. Unknown logins and categories raise KeyError: a test that names one is wrong."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.logins: dict[str, User] = {}
        self.categories: dict[str, Category] = {}
        self.badges: list[dict[str, Any]] = []
        self._user_ids = itertools.count(100_000_001)
        self._stream_ids = itertools.count(40_000_000_001)
        self._video_ids = itertools.count(2_000_000_001)

    def add_user(self, login: str, user_id: str | None, display_name: str | None, description: str) -> User:
        user = User(
            id=user_id or str(next(self._user_ids)),
            login=login,
            display_name=display_name or login.capitalize(),
            created_at=datetime(2016, 12, 14, 20, 32, 28, tzinfo=UTC),
            description=description,
        )
        assert user.id not in self.users, f"there is a user {user.id}"
        assert login not in self.logins, f"there is a user {login}"
        self.users[user.id] = self.logins[login] = user
        return user

    def remove_user(self, user: User) -> None:
        del self.users[user.id], self.logins[user.login]

    def rename(self, user: User, login: str, display_name: str | None) -> None:
        assert login not in self.logins, f"there is a user {login}"
        del self.logins[user.login]
        user.login, user.display_name = login, display_name or login.capitalize()
        self.logins[login] = user

    def category(self, name_or_id: str) -> Category | None:
        """The category of this id or name; the empty text is none."""
        if not name_or_id:
            return None
        if name_or_id in self.categories:
            return self.categories[name_or_id]
        by_name = {category.name: category for category in self.categories.values()}
        return by_name[name_or_id]

    def begin(
        self, user: User, viewers: int, stream_id: str | None, started_at: datetime | None, now: datetime
    ) -> Stream:
        """Start a stream; one that still runs ends now."""
        self.end(user, now)
        stream = Stream(stream_id or str(next(self._stream_ids)), started_at or now, now, viewers)
        # A stream that had ended goes on under the same id, as after a short loss of its signal.
        user.streams = [*(old for old in user.streams if old.id != stream.id), stream]
        return stream

    def end(self, user: User, now: datetime) -> Stream | None:
        stream = user.stream
        if stream is not None:
            stream.ended_at = now
        return stream

    def add_video(self, user: User, video_id: str | None, **known: Any) -> Video:
        video = Video(id=video_id or str(next(self._video_ids)), **known)
        user.videos.append(video)
        return video

    def listed(self, users: Iterable[User], now: datetime, lag: float) -> list[tuple[User, Stream]]:
        """The streams of these users that /streams tells of, those with the most viewers first."""
        rows = [(user, stream) for user in users for stream in user.streams[-3:] if stream.is_listed(now, lag)]
        return sorted(rows, key=lambda row: (-row[1].viewers, row[1].id))
