"""What feeds and the page are rendered from: frozen values, loaded from rows and free of the database."""

from datetime import datetime
from typing import Literal

import msgspec

from models.details import EventDetail

Scope = Literal[
    "all",
    "releases",
    "ending_soon",
    "no_subscriptions",
    "badges_and_emotes",
    "rewards",
    "badges",
    "new_games",
    "new_organizations",
    "service",
    "game",
    "organization",
    "channel",
    "category",
    "platform",
    "game_releases",
    "campaign",
    "reward_campaign",
    "followed",
    "target",
    "health",
    "news",
    "library",
    "journal",
    "roms",
    "list",
    "show",
    "playlist",
    "sounds",
]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One event as a feed shows it; `page` is the path of its channel's page, without its ending."""

    event_key: str
    kind: str
    occurred_at: datetime
    title: str
    service: str | None = None
    detail: EventDetail
    page: str | None = None


class FeedContent(msgspec.Struct, frozen=True, kw_only=True):
    """A feed with its newest items first, as it was at `version`.

    `service` is that of its organization or its channel. A reader may wait `ttl_minutes` between polls. It has so many
    `archives`, pages of older items (RFC 5005): the first has the oldest, and none ever changes. One of these pages has
    its number in `archive`, and its items as they came. One that `is_ceasing` has said in its newest item that no more
    will come.
    """

    feed_id: int
    version: int
    scope: Scope
    path: str
    title: str
    items: tuple[Item, ...] = ()
    service: str | None = None
    ttl_minutes: int = 15
    archives: int = 0
    archive: int | None = None
    hubs: tuple[str, ...] = ()
    is_ceasing: bool = False


class FeedLink(msgspec.Struct, frozen=True, kw_only=True):
    """A feed as a list of feeds shows it; an organization has the service that names it so."""

    scope: Scope
    path: str
    title: str
    service: str | None = None


class SourceHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a source does, without the error's text: that is the operator's."""

    name: str
    service: str
    last_success_at: datetime | None = None
    failing_since: datetime | None = None


class SourceOff(msgspec.Struct, frozen=True, kw_only=True):
    """Sources that are off, and what switches them on: names of settings, or a command."""

    names: tuple[str, ...]
    needs: str
