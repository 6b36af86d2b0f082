"""Know which feeds there are, which of them are in need of writing, and what is in them."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Integer,
    Text,
    case,
    cast,
    column,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import insert

from feeds.content import FeedContent, Item
from feeds.feed_rows import as_ids
from feeds.on_now import load_on_now, older_on_now
from feeds.scopes import CEASED, PODCASTS, SCOPES, FeedKey, feed_row
from feeds.take_in import is_any_unpublished
from models import Channel, Event, Feed, FeedItem, Organization
from models.details import StreamDetail, detail_type, read_detail

ITEMS_PER_FEED = 50
_logger = logging.getLogger(__name__)

_LOCKED = select(Feed.id).order_by(Feed.id).with_for_update(key_share=True)
_RAISE_VERSIONS = update(Feed).values(version=Feed.version + 1)
_MARKED = Feed.version != Feed.written_version
# Without those whose link was revoked.
_CONTENT = (
    select(
        Feed.id,
        Feed.version,
        Feed.scope,
        Feed.path,
        Feed.title,
        Feed.service,
        Feed.game_id,
        Feed.organization_id,
        Feed.channel_id,
        Feed.link_id,
        Feed.archived,
        Feed.archivable,
        Feed.ceased_at,
        func.coalesce(Feed.service, Organization.service, Channel.service).label("of_service"),
    )
    .outerjoin(Organization, Organization.id == Feed.organization_id)
    .outerjoin(Channel, Channel.id == Feed.channel_id)
    .order_by(Feed.id)
)
_NEWEST = text("""
    SELECT feed.id, newest.event_id FROM unnest(CAST(:feeds AS bigint[])) AS feed (id)
    CROSS JOIN LATERAL (
        SELECT event_id, occurred_at FROM feed_items WHERE feed_id = feed.id
        ORDER BY occurred_at DESC, event_id DESC LIMIT :items
    ) AS newest
    ORDER BY feed.id, newest.occurred_at DESC, newest.event_id DESC
""")
_ARCHIVED = text("""
    SELECT feed_items.feed_id, page.number AS page, feed_items.event_id
    FROM unnest(CAST(:feeds AS bigint[]), CAST(:pages AS bigint[])) AS page (feed_id, number)
    JOIN feed_items ON feed_items.feed_id = page.feed_id
        AND feed_items.position > (page.number - 1) * :size AND feed_items.position <= page.number * :size
    ORDER BY feed_items.feed_id, feed_items.position DESC
""")
_EVENTS = select(
    Event.id,
    Event.event_key,
    Event.kind,
    Event.occurred_at,
    Event.title,
    Event.service,
    Event.channel_id,
    cast(Event.detail, Text).label("detail"),
)


def create_first(connection: Connection) -> None:
    """Create the feed of everything where there is none yet: its address answers before the first event."""
    if connection.scalar(select(Feed.id).where(Feed.scope == "all")) is None:
        connection.execute(insert(Feed).values(feed_row(FeedKey("all"))).on_conflict_do_nothing())


def mark_all(connection: Connection, *, page_size: int = ITEMS_PER_FEED) -> None:
    """Mark every feed, for when the published folder is new or the way that feeds look has changed.

    Their pages of older items, with `page_size` of them each, are to be written again too.
    """
    connection.execute(_LOCKED)
    pages = case((Feed.total > page_size, Feed.total / page_size), else_=0)
    # A whole number of pages: SQLAlchemy divides as Python does.
    connection.execute(_RAISE_VERSIONS.values(archivable=func.floor(pages), archived=0))


def mark_feeds(connection: Connection, feed_ids: Sequence[int]) -> None:
    """Mark feeds whose pages have something else to show."""
    connection.execute(_LOCKED.where(Feed.id == as_ids(feed_ids)))
    connection.execute(_RAISE_VERSIONS.where(Feed.id == as_ids(feed_ids)))


def load_feeds(
    connection: Connection,
    feed_ids: Iterable[int],
    *,
    items: int = ITEMS_PER_FEED,
    private: Mapping[int, str] | None = None,
) -> list[FeedContent]:
    """Return these feeds, by id, each with its newest events, marked or not; podcasts, which have none, are left out.

    A feed has its newest `items`, and of what is on now (`feeds.on_now`) at least the newest event, however old.
    `private` has the folders of personal feeds by their links; those without one are left out.
    The version is read before the events, so what is settled never claims more than what was loaded.
    """
    has_events = Feed.scope.not_in(sorted(PODCASTS))
    statement = _CONTENT.where(Feed.id == as_ids(feed_ids), has_events, _is_reachable(private or {}))
    return _load(connection, connection.execute(statement).all(), items, private or {})


def marked_ids(connection: Connection, private: Mapping[int, str] | None = None) -> list[int]:
    """Return the ids of the feeds that are in need of writing: those that share events stand together.

    An organization is followed by its games and campaigns, so that an event of all of them is rendered once.
    """
    newest = (
        select(Event.organization_id)
        .join(FeedItem, FeedItem.event_id == Event.id)
        .where(FeedItem.feed_id == Feed.id)
        .order_by(FeedItem.occurred_at.desc(), FeedItem.event_id.desc())
        .limit(1)
        .correlate(Feed)
        .scalar_subquery()
    )
    owner = case(
        (Feed.scope == "organization", Feed.organization_id),
        (Feed.scope.in_(["game", "campaign", "category", "game_releases"]), newest),
    )
    marked = select(Feed.id).where(_MARKED, _is_reachable(private or {}))
    return list(connection.scalars(marked.order_by(owner.nulls_first(), Feed.id)))


def is_any_marked(connection: Connection, private: Mapping[int, str] | None = None) -> bool:
    """Return whether a feed is in need of writing, or an event in need of being taken in."""
    marked = select(exists().where(_MARKED, _is_reachable(private or {})))
    return is_any_unpublished(connection) or bool(connection.scalar(marked))


def load_archives(
    connection: Connection, wanted: Sequence[tuple[FeedContent, int]], *, page_size: int
) -> list[FeedContent]:
    """Return pages of older items: of each feed the page with this number, its newest items first.

    The first page has the first `page_size` items that came to the feed.
    """
    parameters = {
        "feeds": [feed.feed_id for feed, _ in wanted],
        "pages": [number for _, number in wanted],
        "size": page_size,
    }
    places: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in connection.execute(_ARCHIVED, parameters):
        places[row.feed_id, row.page].append(row.event_id)
    loaded = load_items(connection, {event_id for listed in places.values() for event_id in listed})
    return [
        msgspec.structs.replace(
            feed,
            archive=number,
            items=tuple(loaded[event_id] for event_id in places[feed.feed_id, number] if event_id in loaded),
        )
        for feed, number in wanted
    ]


def load_unarchived(connection: Connection, feed_ids: Iterable[int] | None, *, at_most: int) -> dict[int, list[int]]:
    """Return the numbers of the pages of older items that are missing on disk, by feed; those with the fewest first.

    Of these feeds those that lack `at_most` so many; or, of all feeds, the first `at_most` pages that are missing.
    """
    missing = Feed.archivable - Feed.archived
    statement = select(Feed.id, Feed.archived, Feed.archivable).where(Feed.archived < Feed.archivable)
    statement = statement.order_by(missing, Feed.id).limit(None if feed_ids is not None else at_most)
    if feed_ids is not None:
        statement = statement.where(Feed.id == as_ids(feed_ids), missing <= at_most)
    rows = connection.execute(statement)
    return {row.id: list(range(row.archived + 1, min(row.archivable, row.archived + at_most) + 1)) for row in rows}


def settle_archived(connection: Connection, archived: Mapping[int, int], *, is_news: bool) -> None:
    """Note up to which page the older items of feeds are on disk; where that `is_news`, the feeds are marked.

    A feed that has all its pages by then says so to readers when it is written the next time.
    """
    if not archived:
        return
    rows = values(column("id", BigInteger), column("archived", BigInteger), name="done").data(list(archived.items()))
    connection.execute(_LOCKED.where(Feed.id == as_ids(archived)))
    is_whole = rows.c.archived >= Feed.archivable
    version = case((is_whole, Feed.version + 1), else_=Feed.version) if is_news else Feed.version
    connection.execute(update(Feed).where(Feed.id == rows.c.id).values(archived=rows.c.archived, version=version))


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


def _is_reachable(private: Mapping[int, str]) -> Any:
    return or_(Feed.link_id.is_(None), Feed.link_id == as_ids(private))


def _load(connection: Connection, feeds: Sequence[Any], items: int, private: Mapping[int, str]) -> list[FeedContent]:
    if not feeds:
        return []
    newest: dict[int, list[int]] = defaultdict(list)
    for feed_id, event_id in connection.execute(_NEWEST, {"feeds": [feed.id for feed in feeds], "items": items}):
        newest[feed_id].append(event_id)
    on_now = load_on_now(connection)
    for feed in feeds:
        newest[feed.id] += older_on_now(feed, newest[feed.id], on_now)
    loaded = load_items(connection, {event_id for listed in newest.values() for event_id in listed})
    return [
        FeedContent(
            feed_id=feed.id,
            version=feed.version,
            scope=feed.scope,
            path=feed.path if feed.link_id is None else f"{private[feed.link_id]}/{feed.scope}",
            title=feed.title,
            # An event that a person deleted by hand must not keep its feeds from being written.
            items=(*_ceasing(feed), *(loaded[event_id] for event_id in newest[feed.id] if event_id in loaded)),
            service=feed.of_service,
            ttl_minutes=SCOPES[feed.scope].ttl_minutes,
            archives=feed.archived,
            is_ceasing=feed.ceased_at is not None,
        )
        for feed in feeds
        if feed.scope in SCOPES
    ]


def _ceasing(feed: Any) -> tuple[Item, ...]:
    """Return the item that says that no more will come: the newest of a channel's feed that has ceased."""
    if feed.ceased_at is None:
        return ()
    at = feed.ceased_at.astimezone(UTC)
    reason = f"Nobody here follows {feed.title} any more: nothing new will come, and what is here stays."
    return (
        Item(
            event_key=f"{CEASED}:{feed.path}@{at:%Y-%m-%dT%H:%M:%SZ}",
            kind=CEASED,
            occurred_at=at,
            title=f"This feed has ended: {feed.title}",
            service=feed.of_service,
            detail=StreamDetail(channel=feed.title, name=reason),
            page=feed.path,
        ),
    )


def load_items(connection: Connection, event_ids: Iterable[int]) -> dict[int, Item]:
    """Return events as feeds show them, by their ids, in two queries."""
    rows = connection.execute(_EVENTS.where(Event.id == as_ids(event_ids))).all()
    pages = _pages_of(connection, {row.channel_id for row in rows if row.channel_id is not None})
    return {row.id: _item(row, pages.get(row.channel_id)) for row in rows}


def _pages_of(connection: Connection, channel_ids: Iterable[int]) -> dict[int | None, str]:
    ids = list(channel_ids)
    if not ids:
        return {}
    # All columns of the unique index, so that it is used.
    before = [Feed.service.is_(None), Feed.game_id.is_(None), Feed.organization_id.is_(None)]
    statement = select(Feed.channel_id, Feed.path).where(
        Feed.scope == "channel", *before, Feed.channel_id == as_ids(ids)
    )
    return {row.channel_id: row.path for row in connection.execute(statement)}


def _item(row: Any, page: str | None) -> Item:
    try:
        detail = read_detail(row.kind, row.detail)
    except msgspec.ValidationError:
        # One unreadable event must not keep a feed, least of all that of everything, from being written.
        _logger.warning("The detail of event %s cannot be read: its title alone is published", row.id, exc_info=True)
        detail = detail_type(row.kind)()
    return Item(
        event_key=row.event_key,
        kind=row.kind,
        occurred_at=row.occurred_at.astimezone(UTC),
        title=row.title,
        service=row.service,
        detail=detail,
        page=page,
    )
