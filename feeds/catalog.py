"""Know which feeds there are, which of them events touched, and what is in them."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    RowMapping,
    Select,
    Text,
    any_,
    bindparam,
    column,
    literal,
    or_,
    select,
    true,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import insert

from feeds.content import FeedContent, Item, Scope
from feeds.words import service_name
from models import Event, Feed, Game, Organization
from models.events import EventDetail, detail_from_json
from models.names import slug

ITEMS_PER_FEED = 50
ALL_TITLE = "Everything"
# A source's health is the operator's business: such events are on no public feed.
PUBLIC = Event.kind.not_like("source.%")

_logger = logging.getLogger(__name__)

# `mark` runs with every snapshot that brings news, and building a statement costs more than running it: built once.
_TOUCHED = or_(
    Feed.scope == "all",
    (Feed.scope == "service") & (Feed.service == any_(bindparam("services", type_=ARRAY(Text)))),
    (Feed.scope == "game") & (Feed.game_id == any_(bindparam("games", type_=ARRAY(BigInteger)))),
    (Feed.scope == "organization")
    & (Feed.organization_id == any_(bindparam("organizations", type_=ARRAY(BigInteger)))),
)
_LOCKED = (
    select(Feed.id, Feed.scope, Feed.service, Feed.game_id, Feed.organization_id)
    .order_by(Feed.id)
    .with_for_update(key_share=True)
)
_LOCK_TOUCHED = _LOCKED.where(_TOUCHED)
_SUBJECTS = (
    select(Event.service, Event.game_id, Event.organization_id)
    .where(Event.id == any_(bindparam("ids", type_=ARRAY(BigInteger))), PUBLIC)
    .distinct()
)
_RAISE_VERSIONS = update(Feed).values(version=Feed.version + 1)
_RAISE_VERSIONS_OF = _RAISE_VERSIONS.where(Feed.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))


class Touched(msgspec.Struct, frozen=True):
    """The feeds that some events belong to, beside the one of everything."""

    services: frozenset[str]
    games: frozenset[int]
    organizations: frozenset[int]

    def parameters(self) -> dict[str, Any]:
        """Return what the condition `_TOUCHED` compares with."""
        return {
            "services": list(self.services),
            "games": list(self.games),
            "organizations": list(self.organizations),
        }

    @property
    def is_empty(self) -> bool:
        return not (self.services or self.games or self.organizations)

    def without(self, rows: Iterable[RowMapping]) -> "Touched":
        """Return what is left when these rows of `feeds` are taken out."""
        found = list(rows)
        return Touched(
            self.services - {row["service"] for row in found},
            self.games - {row["game_id"] for row in found},
            self.organizations - {row["organization_id"] for row in found},
        )


def mark(connection: Connection, event_ids: Sequence[int]) -> None:
    """Mark the feeds that these events belong to as in need of writing; feeds that are missing are created.

    Belongs in the transaction that appended the events, as late as possible: it locks the row of the feed of
    everything until the commit, and others that mark wait for it. That row is locked before any other, so two that
    mark never wait for each other in a circle.
    """
    touched = _touched_by(connection, event_ids)
    if touched is None:
        return
    rows = _lock_touched(connection, touched)
    if not rows:
        # The very first mark. Alone, for whoever inserts more before it holds this lock may meet another who does.
        _create(connection, [_row("all", "all", ALL_TITLE)])
        rows = _lock_touched(connection, touched)
    missing = touched.without(rows)
    if not missing.is_empty:
        _create(connection, _missing_rows(connection, missing))
        rows = _lock_touched(connection, touched)
    connection.execute(_RAISE_VERSIONS_OF, {"ids": [row["id"] for row in rows]})


def mark_all(connection: Connection) -> None:
    """Mark every feed, for when the published folder is new or the way that feeds look has changed."""
    connection.execute(_LOCKED)
    connection.execute(_RAISE_VERSIONS)


def load_marked(
    connection: Connection, limit: int, *, after_id: int = 0, items: int = ITEMS_PER_FEED
) -> list[FeedContent]:
    """Return up to `limit` marked feeds with an id above `after_id`, by id, each with its newest events.

    The version is read before the events, so what is settled never claims more than what was loaded.
    Takes one query, and one more for each scope among the feeds.
    """
    marked = (
        select(Feed.id, Feed.version, Feed.scope, Feed.path, Feed.title)
        .where(Feed.version != Feed.written_version, Feed.id > after_id)
        .order_by(Feed.id)
        .limit(limit)
    )
    feeds = connection.execute(marked).all()
    loaded: dict[int, list[Item]] = {feed.id: [] for feed in feeds}
    for scope in sorted({feed.scope for feed in feeds}):
        ids = [feed.id for feed in feeds if feed.scope == scope]
        for row in connection.execute(_newest_items(scope, ids, items)).mappings():
            loaded[row["feed_id"]].append(_item(row))
    return [
        FeedContent(
            feed_id=feed.id,
            version=feed.version,
            scope=feed.scope,
            path=feed.path,
            title=feed.title,
            items=tuple(loaded[feed.id]),
        )
        for feed in feeds
    ]


def settle_written(connection: Connection, written: Sequence[tuple[int, int, int]], now: datetime) -> None:
    """Note that feeds are on disk: their ids, the versions that were loaded, and how many items they have.

    A feed that was marked again in the meantime has a higher version by now and stays marked.
    """
    if not written:
        return
    rows = values(
        column("id", BigInteger), column("version", BigInteger), column("item_count", Integer), name="written"
    ).data(list(written))
    connection.execute(_LOCKED.where(Feed.id == _ids(feed_id for feed_id, _, _ in written)))
    connection.execute(
        update(Feed)
        .where(Feed.id == rows.c.id, Feed.written_version < rows.c.version)
        .values(
            written_version=rows.c.version, items=rows.c.item_count, written_at=literal(now, DateTime(timezone=True))
        )
    )


def feed_path(folder: str, name: str, public_id: str) -> str:
    """Return the path of a feed: the name as a slug, where ASCII letters are left of it, and its public id."""
    return f"{folder}/{'-'.join(part for part in (slug(name), public_id) if part)}"


def _touched_by(connection: Connection, event_ids: Sequence[int]) -> Touched | None:
    rows = connection.execute(_SUBJECTS, {"ids": list(event_ids)}).all()
    if not rows:
        return None
    return Touched(
        frozenset(row.service for row in rows if row.service),
        frozenset(row.game_id for row in rows if row.game_id is not None),
        frozenset(row.organization_id for row in rows if row.organization_id is not None),
    )


def _lock_touched(connection: Connection, touched: Touched) -> Sequence[RowMapping]:
    return connection.execute(_LOCK_TOUCHED, touched.parameters()).mappings().all()


def _create(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    # Another transaction may have created some of them a moment ago, which is as good.
    connection.execute(insert(Feed).values(rows).on_conflict_do_nothing())


def _missing_rows(connection: Connection, missing: Touched) -> list[dict[str, Any]]:
    return [
        *(
            _row("service", f"services/{slug(service)}", service_name(service), service=service)
            for service in sorted(missing.services)
        ),
        *(
            _row("game", feed_path("games", game.name, game.public_id), game.name, game_id=game.id)
            for game in _named(connection, Game, missing.games)
        ),
        *(
            _row("organization", feed_path("organizations", owner.name, owner.public_id), owner.name, owner_id=owner.id)
            for owner in _named(connection, Organization, missing.organizations)
        ),
    ]


def _row(
    scope: Scope,
    path: str,
    title: str,
    *,
    service: str | None = None,
    game_id: int | None = None,
    owner_id: int | None = None,
) -> dict[str, Any]:
    return {
        "scope": scope,
        "path": path,
        "title": title,
        "service": service,
        "game_id": game_id,
        "organization_id": owner_id,
    }


def _named(connection: Connection, table: type[Game] | type[Organization], ids: frozenset[int]) -> Sequence[Any]:
    if not ids:
        return []
    statement = select(table.id, table.name, table.public_id).where(table.id == _ids(ids)).order_by(table.id)
    return connection.execute(statement).all()


def _newest_items(scope: str, feed_ids: Sequence[int], items: int) -> Select[Any]:
    # One scope at a time: with all four in one condition the planner could not use the index of any.
    belongs: dict[str, ColumnElement[bool]] = {
        "all": true(),
        "service": Event.service == Feed.service,
        "game": Event.game_id == Feed.game_id,
        "organization": Event.organization_id == Feed.organization_id,
    }
    newest = (
        select(Event.id, Event.event_key, Event.kind, Event.occurred_at, Event.title, Event.service, Event.detail)
        .where(PUBLIC, belongs[scope])
        .order_by(Event.occurred_at.desc(), Event.id.desc())
        .limit(items)
        .correlate(Feed)
        .lateral("newest")
    )
    return (
        select(Feed.id.label("feed_id"), newest)
        .join_from(Feed, newest, true())
        .where(Feed.id == _ids(feed_ids))
        .order_by(Feed.id, newest.c.occurred_at.desc(), newest.c.id.desc())
    )


def _item(row: RowMapping) -> Item:
    try:
        detail = detail_from_json(row["detail"])
    except msgspec.ValidationError:
        # One unreadable event must not keep a feed, least of all that of everything, from being written.
        _logger.warning("The detail of event %s cannot be read: its title alone is published", row["id"], exc_info=True)
        detail = EventDetail()
    return Item(
        event_key=row["event_key"],
        kind=row["kind"],
        occurred_at=row["occurred_at"].astimezone(UTC),
        title=row["title"],
        service=row["service"],
        detail=detail,
    )


def _ids(ids: Iterable[int]) -> ColumnElement[Any]:
    # One array parameter: a list of thousands of ids would be as many parameters, and a new statement each time.
    return any_(literal(sorted(ids), ARRAY(BigInteger)))
