"""Ask Helix, Twitch's application interface, about users, channels, streams, categories, videos, clips and badges.

https://dev.twitch.tv/docs/api/reference/. A key is given once for each value (`id=1&id=2`); a list with commas in it is
answered with nothing, in silence. A hundred keys fit into a request.
"""

import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from pipeline.catalogue.records import ChannelRecord, UserRecord
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import Budget
from pipeline.services.twitch import helix_shapes as shapes
from pipeline.services.twitch.app_token import AppTokens
from pipeline.services.twitch.helix_eventsub import EventSubManagement
from pipeline.services.twitch.helix_requests import (
    PAGE,
    HelixRequests,
    Query,
    Record,
    UserToken,
    read_envelope,
    read_rows,
)
from pipeline.services.twitch.records import CategoryRecord, ChannelInfoRecord, ClipRecord, StreamRecord, VideoRecord

BADGES = "chat/badges/global"
# One key that cannot be makes Twitch refuse all hundred of its request.
POSSIBLE_ID = re.compile(r"[0-9]{1,20}")
POSSIBLE_LOGIN = re.compile(r"[a-z0-9_]{1,25}")


class Helix(EventSubManagement):
    """Helix, asked with the token and the budget of points that all workers share.

    Lists hold each thing once. A row that cannot be read is left out and logged. Every method raises
    `SourceUnavailable` (also where the budget leaves no room in time), `SourceRefused` (its text names the setting),
    or `SourceChanged`.
    """

    def __init__(self, client: Client, url: str, tokens: AppTokens, budget: Budget) -> None:
        super().__init__(HelixRequests(client, url, tokens, budget))

    def users(self, *, ids: Collection[str] = (), logins: Collection[str] = ()) -> list[UserRecord]:
        """Return the users of these ids and logins, as many as exist; each hundred costs a request."""
        keys = [*_keys("id", _ids(ids)), *_keys("login", _logins(logins))]
        return _once(self._by_keys("users", keys, shapes.parse_user), lambda user: user.external_id)

    def streams(
        self, *, user_ids: Collection[str] = (), game_ids: Collection[str] = (), limit: int | None = None
    ) -> list[StreamRecord]:
        """Return the live streams of these users, and those of these categories, most viewers first in each hundred.

        A channel has one stream at most, so each hundred users cost one request. A category costs one for each hundred
        streams, up to `limit`. Lists lag behind EventSub by a minute or so, and their pages may miss a row.
        """
        streams = itertools.chain(
            self._by_keys("streams", _keys("user_id", _ids(user_ids)), shapes.parse_stream, first=True),
            self._streams_of_games(_ids(game_ids)),
        )
        return list(itertools.islice(_unique(streams, lambda stream: stream.channel.external_id), limit))

    def channels(self, ids: Collection[str]) -> list[ChannelInfoRecord]:
        """Return the titles, categories and tags of these users' channels, live or not."""
        channels = self._by_keys("channels", _keys("broadcaster_id", _ids(ids)), shapes.parse_channel)
        return _once(channels, lambda channel: channel.channel.external_id)

    def categories(self, *, ids: Collection[str] = (), names: Collection[str] = ()) -> list[CategoryRecord]:
        """Return the categories of these ids and exact names, as many as exist."""
        keys = [*_keys("id", _ids(ids)), *_keys("name", dict.fromkeys(name for name in names if name.strip()))]
        return _once(self._by_keys("games", keys, shapes.parse_category), lambda category: category.external_id)

    def search_categories(self, text: str) -> list[CategoryRecord]:
        """Return the first hundred categories that Twitch finds for a text; none of them has its IGDB id."""
        if not text.strip():
            return []
        categories = self._page("search/categories", [("query", text), ("first", str(PAGE))], shapes.parse_category)
        return _once(categories, lambda category: category.external_id)

    def videos(self, channel_id: str, *, limit: int = 20) -> list[VideoRecord]:
        """Return the newest videos of a channel, a hundred at most; none where Twitch knows no channel or no video."""
        if not _ids([channel_id]) or limit < 1:
            return []
        query = [("user_id", channel_id), ("sort", "time"), ("first", str(min(limit, PAGE)))]
        reply = self._requests.ask("GET", "videos", query, accept=[404])
        if reply.status == 404:
            return []
        return read_rows(read_envelope(reply, "videos").data, shapes.parse_video, "videos")[:limit]

    def clips(self, channel_id: str, *, since: datetime, limit: int = 20) -> list[ClipRecord]:
        """Return the most viewed clips of a channel that were made since a time, a hundred at most.

        A clip is listed some minutes after it was made.
        """
        if not _ids([channel_id]) or limit < 1:
            return []
        started_at = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        query = [("broadcaster_id", channel_id), ("started_at", started_at), ("first", str(min(limit, PAGE)))]
        reply = self._requests.ask("GET", "clips", query, accept=[404])
        if reply.status == 404:
            return []
        return _once(read_rows(read_envelope(reply, "clips").data, shapes.parse_clip, "clips"), _clip_id)[:limit]

    def badges_payload(self) -> bytes:
        """Return Twitch's whole answer with the global chat badges."""
        return self._requests.ask("GET", BADGES).body

    def followed(self, user_id: str, session: UserToken) -> list[ChannelRecord]:
        """Return the channels that a user follows, from all pages, with a token of theirs that may read them.

        Raises `SourceRefused` where the token is dead or lacks the permission `user:read:follows`.
        """
        path = "channels/followed"
        query = [("user_id", user_id), ("first", str(PAGE))]
        pages = self._requests.pages_as(session, user_id, path, query)
        rows = read_rows((row for page in pages for row in page.data), shapes.parse_followed, path)
        return _once(rows, lambda channel: channel.external_id)

    def _streams_of_games(self, game_ids: Sequence[str]) -> Iterator[StreamRecord]:
        for keys in _batches(_keys("game_id", game_ids)):
            for page in self._requests.pages("streams", [*keys, ("first", str(PAGE))]):
                yield from read_rows(page.data, shapes.parse_stream, "streams")

    def _by_keys(
        self, path: str, keys: Sequence[tuple[str, str]], parse: Callable[[msgspec.Raw], Record], *, first: bool = False
    ) -> Iterator[Record]:
        """Ask for things by their keys; a page holds as many rows as a request holds keys, so one page is all."""
        size = [("first", str(PAGE))] if first else []
        for batch in _batches(keys):
            yield from self._page(path, [*batch, *size], parse)

    def _page(self, path: str, query: Query, parse: Callable[[msgspec.Raw], Record]) -> list[Record]:
        return read_rows(read_envelope(self._requests.ask("GET", path, query), path).data, parse, path)


def _ids(ids: Iterable[str]) -> list[str]:
    return [key for key in dict.fromkeys(ids) if POSSIBLE_ID.fullmatch(key)]


def _clip_id(clip: ClipRecord) -> str:
    return clip.external_id


def _logins(logins: Iterable[str]) -> list[str]:
    return [login for login in dict.fromkeys(map(str.lower, logins)) if POSSIBLE_LOGIN.fullmatch(login)]


def _keys(name: str, values: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, value) for value in values]


def _batches(keys: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    for begin in range(0, len(keys), PAGE):
        yield keys[begin : begin + PAGE]


def _unique(records: Iterable[Record], key: Callable[[Record], str]) -> Iterator[Record]:
    """Yield each record once: pages repeat rows while viewers come and go."""
    seen: set[str] = set()
    for record in records:
        if key(record) not in seen:
            seen.add(key(record))
            yield record


def _once(records: Iterable[Record], key: Callable[[Record], str]) -> list[Record]:
    return list(_unique(records, key))
