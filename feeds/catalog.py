"""Know which feeds there are, which of them events touched, and what is in them."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    RowMapping,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    Text,
    any_,
    bindparam,
    case,
    column,
    literal,
    or_,
    select,
    true,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from feeds.content import FeedContent, Item, Scope
from feeds.on_now import load_on_now, with_what_is_on
from feeds.scopes import ALL_TITLE, PUBLIC, SHOWN, Touched, as_ids, feed_row, missing_rows
from models import Event, Feed
from models.details import detail_from_json, detail_type

ITEMS_PER_FEED = 50
_logger = logging.getLogger(__name__)

# `mark` runs with every snapshot that brings news, and building a statement costs more than running it: built once.
_TOUCHED = or_(
    # Even where it is not raised: its lock lets one transaction mark at a time.
    Feed.scope == "all",
    (Feed.scope == "releases") & bindparam("releases", type_=Boolean),
    (Feed.scope == "service") & (Feed.service == any_(bindparam("services", type_=ARRAY(Text)))),
    (Feed.scope == "game") & (Feed.game_id == any_(bindparam("games", type_=ARRAY(BigInteger)))),
    (Feed.scope == "organization")
    & (Feed.organization_id == any_(bindparam("organizations", type_=ARRAY(BigInteger)))),
    (Feed.scope == "channel") & (Feed.channel_id == any_(bindparam("channels", type_=ARRAY(BigInteger)))),
)
_LOCKED = (
    select(Feed.id, Feed.scope, Feed.service, Feed.game_id, Feed.organization_id, Feed.channel_id)
    .order_by(Feed.id)
    .with_for_update(key_share=True)
)
_SUBJECTS = (
    select(
        SHOWN["all"].label("everything"),
        case((SHOWN["service"], Event.service)).label("service"),
        case((SHOWN["game"], Event.game_id)).label("game_id"),
        case((SHOWN["organization"], Event.organization_id)).label("organization_id"),
        Event.channel_id,
        SHOWN["releases"].label("releases"),
    )
    .where(Event.id == any_(bindparam("ids", type_=ARRAY(BigInteger))), PUBLIC)
    .distinct()
)
_RAISE_VERSIONS = update(Feed).values(version=Feed.version + 1)
# One statement locks the rows in the order of their ids, raises their versions and returns which they were.
_TOUCHED_ROWS = _LOCKED.where(_TOUCHED).cte("touched")
_RAISE_TOUCHED = select(_TOUCHED_ROWS).add_cte(
    _RAISE_VERSIONS.where(
        Feed.id == _TOUCHED_ROWS.c.id, or_(_TOUCHED_ROWS.c.scope != "all", bindparam("everything", type_=Boolean))
    ).cte("raised")
)

_PAGE = aliased(Feed)
SHOWN_OF_EVENT = (
    *(Event.id, Event.event_key, Event.kind, Event.occurred_at, Event.title, Event.service, Event.channel_id),
    Event.detail,
)


def mark(connection: Connection, event_ids: Sequence[int]) -> None:
    """Mark the feeds that these events belong to as in need of writing; feeds that are missing are created.

    Belongs in the transaction that appended the events, as late as possible: it locks the row of the feed of
    everything until the commit, and other transactions that mark wait for it. That row is locked before any other, so
    two of them never wait for each other in a circle.
    """
    touched = _touched_by(connection, event_ids)
    if touched is None:
        return
    rows = _raise(connection, touched)
    if not rows:
        # The very first mark. This row alone: two transactions that insert more before they hold its lock may deadlock.
        _create(connection, [feed_row("all", "all", ALL_TITLE)])
        rows = _raise(connection, touched)
    missing = touched.without(rows)
    if not missing.is_only_everything:
        _create(connection, missing_rows(connection, missing))
        # Another transaction may have created some of them meanwhile: their files need not show these events.
        _raise(connection, msgspec.structs.replace(missing, everything=False))


def create_first(connection: Connection) -> None:
    """Create the feed of everything where there is none yet: its address answers before the first event."""
    if connection.scalar(select(Feed.id).where(Feed.scope == "all")) is None:
        _create(connection, [feed_row("all", "all", ALL_TITLE)])


def mark_all(connection: Connection) -> None:
    """Mark every feed, for when the published folder is new or the way that feeds look has changed."""
    connection.execute(_LOCKED)
    connection.execute(_RAISE_VERSIONS)


def load_marked(
    connection: Connection, limit: int, *, after_id: int = 0, items: int = ITEMS_PER_FEED
) -> list[FeedContent]:
    """Return up to `limit` marked feeds with an id above `after_id`, by id, each with its newest events.

    A feed has its newest `items`, and of what is on now (`feeds.on_now`) at least the newest event, however old.
    The version is read before the events, so what is settled never claims more than what was loaded.
    Takes one query, one more for each scope among the feeds, and three for what is on now.
    """
    subjects = (Feed.service, Feed.game_id, Feed.organization_id, Feed.channel_id)
    marked = (
        select(Feed.id, Feed.version, Feed.scope, Feed.path, Feed.title, *subjects)
        .where(Feed.version != Feed.written_version, Feed.id > after_id)
        .order_by(Feed.id)
        .limit(limit)
    )
    feeds = connection.execute(marked).all()
    loaded: dict[int, list[RowMapping]] = {feed.id: [] for feed in feeds}
    for scope in sorted({feed.scope for feed in feeds}):
        ids = [feed.id for feed in feeds if feed.scope == scope]
        for row in connection.execute(_newest_items(scope, ids, items)).mappings():
            loaded[row["feed_id"]].append(row)
    on_now = load_on_now(connection, feeds, SHOWN_OF_EVENT, page_of(Event.channel_id))
    return [
        FeedContent(
            feed_id=feed.id,
            version=feed.version,
            scope=feed.scope,
            path=feed.path,
            title=feed.title,
            items=tuple(map(as_item, with_what_is_on(feed, loaded[feed.id], on_now))),
        )
        for feed in feeds
    ]


def is_any_marked(connection: Connection) -> bool:
    """Return whether a feed is in need of writing."""
    return connection.scalar(select(Feed.id).where(Feed.version != Feed.written_version).limit(1)) is not None


def settle_written(connection: Connection, written: Sequence[tuple[int, int, int]], now: datetime) -> None:
    """Note that feeds are on disk: their ids, the versions that were loaded, and how many items they have.

    A feed that was marked again in the meantime has a higher version by now and stays marked.
    """
    if not written:
        return
    rows = values(
        column("id", BigInteger), column("version", BigInteger), column("item_count", Integer), name="written"
    ).data(list(written))
    connection.execute(_LOCKED.where(Feed.id == as_ids(feed_id for feed_id, _, _ in written)))
    connection.execute(
        update(Feed)
        .where(Feed.id == rows.c.id, Feed.written_version < rows.c.version)
        .values(
            written_version=rows.c.version, items=rows.c.item_count, written_at=literal(now, DateTime(timezone=True))
        )
    )


def _touched_by(connection: Connection, event_ids: Sequence[int]) -> Touched | None:
    rows = connection.execute(_SUBJECTS, {"ids": list(event_ids)}).all()
    if not rows:
        return None
    return Touched(
        any(row.everything for row in rows),
        frozenset(row.service for row in rows if row.service),
        frozenset(row.game_id for row in rows if row.game_id is not None),
        frozenset(row.organization_id for row in rows if row.organization_id is not None),
        frozenset(row.channel_id for row in rows if row.channel_id is not None),
        any(row.releases for row in rows),
    )


def _raise(connection: Connection, touched: Touched) -> Sequence[RowMapping]:
    return connection.execute(_RAISE_TOUCHED, touched.parameters()).mappings().all()


def _create(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    # Another transaction may have created some of them a moment ago, which is as good.
    connection.execute(insert(Feed).values(rows).on_conflict_do_nothing())


def _newest_items(scope: Scope, feed_ids: Sequence[int], items: int) -> Select[Any]:
    # One scope at a time: with all of them in one condition the planner could not use the index of any.
    belongs: dict[Scope, ColumnElement[bool]] = {
        "all": true(),
        "releases": true(),
        "service": Event.service == Feed.service,
        "game": Event.game_id == Feed.game_id,
        "organization": Event.organization_id == Feed.organization_id,
        "channel": Event.channel_id == Feed.channel_id,
    }
    newest = (
        select(*SHOWN_OF_EVENT)
        .where(SHOWN[scope], belongs[scope])
        .order_by(Event.occurred_at.desc(), Event.id.desc())
        .limit(items)
        .correlate(Feed)
        .lateral("newest")
    )
    return (
        select(Feed.id.label("feed_id"), newest, page_of(newest.c.channel_id).label("page"))
        .join_from(Feed, newest, true())
        .where(Feed.id == as_ids(feed_ids))
        .order_by(Feed.id, newest.c.occurred_at.desc(), newest.c.id.desc())
    )


def page_of(channel_id: SQLColumnExpression[int | None]) -> ScalarSelect[str]:
    """Return the path of a channel's page; the condition names all columns of the unique index, so that it is used."""
    none = [_PAGE.service, _PAGE.game_id, _PAGE.organization_id]
    wanted = (_PAGE.scope == "channel", _PAGE.channel_id == channel_id, *[column.is_(None) for column in none])
    return select(_PAGE.path).where(*wanted).scalar_subquery()


def as_item(row: RowMapping) -> Item:
    """Return an event as a feed shows it; of one whose detail cannot be read the title alone is left."""
    try:
        detail = detail_from_json(row["kind"], row["detail"])
    except msgspec.ValidationError:
        # One unreadable event must not keep a feed, least of all that of everything, from being written.
        _logger.warning("The detail of event %s cannot be read: its title alone is published", row["id"], exc_info=True)
        detail = detail_type(row["kind"])()
    return Item(
        event_key=row["event_key"],
        kind=row["kind"],
        occurred_at=row["occurred_at"].astimezone(UTC),
        title=row["title"],
        service=row["service"],
        detail=detail,
        page=row["page"],
    )
