"""Say what each scope of feeds is about: which events it shows, where its files lie, what its row holds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Text,
    any_,
    literal,
    literal_column,
    select,
)

from feeds.content import Scope
from models import Channel, Event, Game, Organization
from models.events import EventKind
from models.names import public_id, slug
from models.words.units import service_heading

ALL_TITLE = "Everything"
RELEASES_TITLE = "Releases"
# A source's health, and the installation's, are the operator's business, and that hundreds of badges were there before
# we first looked is no news. Such events are on no public feed.
PUBLIC = (
    Event.kind.not_like("source.%")
    & Event.kind.not_like("operator.%")
    & ~((Event.kind == EventKind.BADGE_ADDED) & Event.silent)
)
_OF_CHANNELS_ALONE = (
    EventKind.STREAM_TITLE_CHANGED,
    EventKind.STREAM_CATEGORY_CHANGED,
    *(kind for kind in EventKind if kind.is_on_request),
)
# Streams of all channels would drown the campaigns of a service or a game, and a new title or category, or a rerun,
# interests only readers of the channel's own feed.
_DROPS = PUBLIC & Event.kind.not_like("stream.%") & Event.kind.not_like("video.%")
# As the partial index says it, so that it is used.
_RELEASES = PUBLIC & (
    Event.kind.like(literal_column("'release.%'", Text)) | Event.kind.like(literal_column("'game.%'", Text))
)
# Releases announced before the game was wanted are on its own feed and that of releases: a list brings hundreds.
_NEWS = PUBLIC & ~(Event.kind.in_([EventKind.RELEASE_ANNOUNCED, EventKind.GAME_ADDED]) & Event.silent)
_DROPS_ALONE = (
    _DROPS
    & Event.kind.not_like("release.%")
    & Event.kind.not_like("game.%")
    & (Event.kind != EventKind.CAMPAIGN_WATCHABLE)
)
SHOWN: Mapping[Scope, ColumnElement[bool]] = {
    "all": _NEWS & Event.kind.not_in(_OF_CHANNELS_ALONE),
    "releases": _RELEASES & ~((Event.kind == EventKind.GAME_ADDED) & Event.silent),
    "service": _DROPS_ALONE,
    "game": _DROPS,
    "organization": _DROPS_ALONE,
    "channel": PUBLIC,
}


class Touched(msgspec.Struct, frozen=True):
    """The feeds that some events belong to; those of everything and of releases are among them or not."""

    everything: bool
    services: frozenset[str]
    games: frozenset[int]
    organizations: frozenset[int]
    channels: frozenset[int]
    releases: bool = False

    def parameters(self) -> dict[str, Any]:
        """Return what the condition for touched feeds compares with."""
        return {
            "everything": self.everything,
            "services": list(self.services),
            "games": list(self.games),
            "organizations": list(self.organizations),
            "channels": list(self.channels),
            "releases": self.releases,
        }

    @property
    def is_only_everything(self) -> bool:
        return not (self.services or self.games or self.organizations or self.channels or self.releases)

    def without(self, rows: Iterable[RowMapping]) -> "Touched":
        """Return what is left when these rows of `feeds` are taken out."""
        present = list(rows)
        return Touched(
            self.everything,
            self.services - {row["service"] for row in present},
            self.games - {row["game_id"] for row in present},
            self.organizations - {row["organization_id"] for row in present},
            self.channels - {row["channel_id"] for row in present},
            self.releases and all(row["scope"] != "releases" for row in present),
        )


def feed_path(folder: str, name: str, public_id: str) -> str:
    """Return the path of a feed: the name as a slug, where ASCII letters are left of it, and its public id."""
    return f"{folder}/{'-'.join(part for part in (slug(name), public_id) if part)}"


def channel_path(service: str, external_id: str, login: str) -> str:
    """Return the path of a channel's feed and page; once `feeds` has it, it outlives the login."""
    return feed_path("channels", login, public_id(service, external_id))


def missing_rows(connection: Connection, missing: Touched) -> list[dict[str, Any]]:
    """Return rows for `feeds` of the scopes that have none yet, in a stable order."""
    return [
        *([feed_row("releases", "releases", RELEASES_TITLE)] if missing.releases else ()),
        *(
            feed_row("service", f"services/{slug(service)}", service_heading(service), service=service)
            for service in sorted(missing.services)
        ),
        *(
            feed_row("game", feed_path("games", game.name, game.public_id), game.name, game_id=game.id)
            for game in _named(connection, Game, missing.games)
        ),
        *(
            feed_row(
                "organization", feed_path("organizations", owner.name, owner.public_id), owner.name, owner_id=owner.id
            )
            for owner in _named(connection, Organization, missing.organizations)
        ),
        *(
            feed_row(
                "channel",
                channel_path(row.service, row.external_id, row.login),
                row.display_name or row.login,
                channel_id=row.id,
            )
            for row in _channels(connection, missing.channels)
        ),
    ]


def feed_row(
    scope: Scope,
    path: str,
    title: str,
    *,
    service: str | None = None,
    game_id: int | None = None,
    owner_id: int | None = None,
    channel_id: int | None = None,
) -> dict[str, Any]:
    """Return a row for `feeds`."""
    return {
        "scope": scope,
        "path": path,
        "title": title,
        "service": service,
        "game_id": game_id,
        "organization_id": owner_id,
        "channel_id": channel_id,
    }


def _named(connection: Connection, table: type[Game] | type[Organization], ids: frozenset[int]) -> Sequence[Any]:
    if not ids:
        return []
    statement = select(table.id, table.name, table.public_id).where(table.id == as_ids(ids)).order_by(table.id)
    return connection.execute(statement).all()


def _channels(connection: Connection, ids: frozenset[int]) -> Sequence[Any]:
    if not ids:
        return []
    columns = (Channel.id, Channel.service, Channel.external_id, Channel.login, Channel.display_name)
    statement = select(*columns).where(Channel.id == as_ids(ids)).order_by(Channel.id)
    return connection.execute(statement).all()


def as_ids(ids: Iterable[int]) -> ColumnElement[Any]:
    """Return what a column of ids is compared with."""
    # One array parameter: a list of thousands of ids would be as many parameters, and a new statement each time.
    return any_(literal(sorted(ids), ARRAY(BigInteger)))
