"""Put the events on their feeds that no publish has seen yet, and raise the versions of the feeds that they touch.

What appends an event only notes its number (`mark`); everything else happens here, once for many events, in
transactions of a publish that has its turn. A kill repeats such a transaction whole.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, Text, bindparam, case, cast, delete, or_, select, text

from feeds.feed_rows import FeedState, as_ids, lock_feeds
from feeds.personal import Personal, load_personal
from feeds.scopes import CATEGORY_KINDS, PERSONAL, EventFacts, FeedKey, memberships
from models import Event, Feed, Unpublished
from models.events import EventKind
from models.locks import lock_key

# Two runs at once would do harm: the slower could put an older file over a newer one that is settled.
TURN = lock_key("lootwire publish")
# So many events in a transaction: some seconds of work.
AT_ONCE = 5000
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_MARK = text(
    "INSERT INTO unpublished (event_id) SELECT id FROM unnest(CAST(:ids AS bigint[])) AS id ORDER BY id "
    "ON CONFLICT DO NOTHING"
)
_WITH_DETAIL = or_(*(Event.kind.like(f"{family}.%") for family in ("campaign", "reward", "release", "list")))
_EVENTS = (
    select(
        Event.id,
        Event.kind,
        Event.occurred_at,
        Event.silent,
        Event.is_private,
        Event.service,
        Event.game_id,
        Event.organization_id,
        Event.channel_id,
        Event.campaign_id,
        Event.reward_campaign_id,
        Event.person_id,
        case((_WITH_DETAIL, cast(Event.detail, Text))).label("detail"),
    )
    .join(Unpublished, Unpublished.event_id == Event.id)
    .order_by(Event.id)
)
# As the partial indexes say it, so that they are used.
_FIRST = {
    name: text(
        f"SELECT (SELECT min(id) FROM events WHERE kind = 'campaign.added' AND {name} = subject) "  # noqa: S608
        "FROM unnest(CAST(:subjects AS bigint[])) AS subject"
    )
    for name in ("game_id", "organization_id")
}
_KNOWN = text(
    "SELECT feed_items.feed_id, feed_items.event_id FROM unnest(CAST(:feeds AS bigint[]), "
    "CAST(:times AS timestamptz[]), CAST(:events AS bigint[])) AS asked (feed_id, occurred_at, event_id) "
    "JOIN feed_items USING (feed_id, occurred_at, event_id)"
)
_INSERT = text(
    "INSERT INTO feed_items (feed_id, position, event_id, occurred_at) SELECT * FROM unnest("
    "CAST(:feeds AS bigint[]), CAST(:positions AS bigint[]), CAST(:events AS bigint[]), CAST(:times AS timestamptz[]))"
)
_RAISE = text(
    "UPDATE feeds SET version = version + 1, total = touched.total, ceased_at = NULL, "
    "archivable = CASE WHEN touched.total > :size THEN touched.total / :size ELSE 0 END "
    "FROM unnest(CAST(:feeds AS bigint[]), CAST(:totals AS bigint[])) AS touched (id, total) "
    "WHERE feeds.id = touched.id"
)
# A category's feed is there from its first stream on, and has the campaigns that were there before.
_FILL_CATEGORIES = text("""
    INSERT INTO feed_items (feed_id, position, event_id, occurred_at)
    SELECT category.id, row_number() OVER (PARTITION BY category.id ORDER BY feed_items.position),
        feed_items.event_id, feed_items.occurred_at
    FROM feeds AS category
    JOIN feeds AS game ON game.scope = 'game' AND game.service IS NULL AND game.game_id = category.game_id
    JOIN feed_items ON feed_items.feed_id = game.id
    JOIN events ON events.id = feed_items.event_id
    WHERE category.id = ANY(CAST(:feeds AS bigint[]))
        AND events.kind NOT LIKE 'release.%' AND events.kind NOT LIKE 'game.%' AND events.kind <> 'campaign.watchable'
    RETURNING feed_id
""")


class _Benefit(msgspec.Struct):
    distribution_type: str | None = None


class _Drop(msgspec.Struct):
    required_subs: int | None = None
    required_turbo_subs: int | None = None
    benefits: tuple[_Benefit, ...] = ()


class _Detail(msgspec.Struct):
    """What of an event's detail decides on its feeds."""

    name: str | None = None
    required_subs: int | None = None
    required_turbo_subs: int | None = None
    drops: tuple[_Drop, ...] = ()
    platforms: tuple[str, ...] = ()


_DETAILS = msgspec.json.Decoder(_Detail)


class Taken(msgspec.Struct, frozen=True):
    """What a transaction took in: how many events, and how many items they made."""

    events: int = 0
    items: int = 0


def mark(connection: Connection, event_ids: Sequence[int]) -> None:
    """Note events for the next publish to take in; belongs in the transaction that appended them."""
    if event_ids:
        connection.execute(_MARK, {"ids": list(event_ids)})


def is_any_unpublished(connection: Connection) -> bool:
    """Return whether there are events that no publish has taken in."""
    return connection.scalar(select(Unpublished.event_id).limit(1)) is not None


def take_in(connection: Connection, *, page_size: int, limit: int = AT_ONCE) -> Taken:
    """Put up to `limit` events on their feeds, the oldest first, in the caller's transaction; missing feeds are made.

    Pages of older items have `page_size` of them.
    Only a publish that has its turn may call it: places of items go on from the last one.
    """
    rows = connection.execute(_EVENTS.limit(limit)).all()
    if not rows:
        return Taken()
    events = _facts(connection, rows)
    keys = {event.id: memberships(event) for event in events}
    feeds = lock_feeds(connection, {key for listed in keys.values() for key in listed})
    _fill_categories(connection, feeds)
    known = _known(connection, events, keys, feeds)
    items = [
        (feeds[key], event)
        for event in events
        for key in keys[event.id]
        if key in feeds and (feeds[key].id, event.id) not in known
    ]
    _add(connection, items)
    _raise_versions(connection, feeds, page_size)
    connection.execute(delete(Unpublished).where(Unpublished.event_id == as_ids(event.id for event in events)))
    return Taken(len(events), len(items))


def _facts(connection: Connection, rows: Sequence[Any]) -> list[EventFacts]:
    first_of_game = _first(connection, "game_id", rows)
    first_of_organization = _first(connection, "organization_id", rows)
    categories = _categories(connection, rows)
    games = {row.game_id for row in rows if row.game_id is not None}
    personal = load_personal(connection, [row.id for row in rows], games)
    return [
        _fact(
            row,
            _detail(row.detail),
            personal,
            is_first_of_game=row.id in first_of_game,
            is_first_of_organization=row.id in first_of_organization,
            has_category=row.game_id in categories,
        )
        for row in rows
    ]


def _fact(row: Any, detail: _Detail, personal: Personal, **known: bool) -> EventFacts:
    return EventFacts(
        id=row.id,
        kind=row.kind,
        occurred_at=row.occurred_at,
        silent=row.silent,
        is_private=row.is_private or row.person_id is not None,
        service=row.service,
        game_id=row.game_id,
        organization_id=row.organization_id,
        channel_id=row.channel_id,
        campaign_id=row.campaign_id,
        reward_campaign_id=row.reward_campaign_id,
        platforms=tuple(platform.partition(" (")[0] for platform in detail.platforms),
        rewards=frozenset(
            (benefit.distribution_type or "").upper() for drop in detail.drops for benefit in drop.benefits
        ),
        has_to_be_bought=_has_to_be_bought(detail),
        followed=personal.following(row.game_id, row.channel_id, row.person_id),
        targets=personal.hearing(row.id),
        health=personal.health,
        news=personal.news.get(row.game_id or 0, ()),
        library=personal.libraries.get(row.person_id or 0, ()),
        journal=personal.journals.get(row.person_id or 0, ()),
        roms=personal.roms.get(row.person_id or 0, ()),
        lists=personal.lists.get((row.person_id or 0, detail.name or ""), ()),
        **known,
    )


def _detail(encoded: str | None) -> _Detail:
    if encoded is None:
        return _Detail()
    try:
        return _DETAILS.decode(encoded)
    except msgspec.MsgspecError:
        # It is on its feeds by its title alone (`feeds.catalog`).
        return _Detail()


def _has_to_be_bought(detail: _Detail) -> bool:
    """Return whether nothing of a campaign is earned by watching alone, as subscriptions judge it too."""
    if detail.required_subs or detail.required_turbo_subs:
        return True
    return bool(detail.drops) and all(drop.required_subs or drop.required_turbo_subs for drop in detail.drops)


def _first(connection: Connection, name: str, rows: Sequence[Any]) -> Collection[int]:
    """Return the events that brought the first campaign of what they are about."""
    subjects = {getattr(row, name) for row in rows if row.kind == EventKind.CAMPAIGN_ADDED} - {None}
    return set(connection.scalars(_FIRST[name], {"subjects": sorted(subjects)})) if subjects else ()


def _categories(connection: Connection, rows: Sequence[Any]) -> set[int]:
    """Return the games of which streams were seen."""
    games = {row.game_id for row in rows} - {None}
    if not games:
        return set()
    known = select(Feed.game_id).where(Feed.scope == "category", Feed.service.is_(None), Feed.game_id == as_ids(games))
    new = {row.game_id for row in rows if row.kind in CATEGORY_KINDS and row.game_id is not None}
    return new | {game_id for game_id in connection.scalars(known) if game_id is not None}


def _fill_categories(connection: Connection, feeds: Mapping[FeedKey, FeedState]) -> None:
    new = {feed.id: feed for key, feed in feeds.items() if key.scope == "category" and feed.is_new}
    if new:
        for feed_id in connection.scalars(_FILL_CATEGORIES, {"feeds": sorted(new)}):
            new[feed_id].total += 1


def _known(
    connection: Connection,
    events: Sequence[EventFacts],
    keys: Mapping[int, Sequence[FeedKey]],
    feeds: Mapping[FeedKey, FeedState],
) -> set[tuple[int, int]]:
    """Return the pairs of feed and event that are items already: an event may be marked again."""
    on_feeds = [(event, [feeds[key].id for key in keys[event.id] if key in feeds]) for event in events]
    # Few questions an event: it is on all of its public feeds or on none, and on any of the few personal ones.
    personal = {feed.id for key, feed in feeds.items() if key.scope in PERSONAL}
    first = _items_of(connection, [(event, {*ids[:1], *personal.intersection(ids)}) for event, ids in on_feeds])
    again = {event_id for _, event_id in first}
    # A feed that was made since may have been filled with it or not.
    return _items_of(connection, [(event, ids) for event, ids in on_feeds if event.id in again]) if again else first


def _items_of(connection: Connection, asked: Sequence[tuple[EventFacts, Collection[int]]]) -> set[tuple[int, int]]:
    pairs = [(feed_id, event) for event, feed_ids in asked for feed_id in feed_ids]
    parameters = {
        "feeds": [feed_id for feed_id, _ in pairs],
        "times": [event.occurred_at for _, event in pairs],
        "events": [event.id for _, event in pairs],
    }
    return {(row.feed_id, row.event_id) for row in connection.execute(_KNOWN, parameters)}


def _add(connection: Connection, items: Sequence[tuple[FeedState, EventFacts]]) -> None:
    columns: dict[str, list[Any]] = defaultdict(list)
    for feed, event in items:
        feed.total += 1
        columns["feeds"].append(feed.id)
        columns["positions"].append(feed.total)
        columns["events"].append(event.id)
        columns["times"].append(event.occurred_at)
    if items:
        connection.execute(_INSERT, columns)


def _raise_versions(connection: Connection, feeds: Mapping[FeedKey, FeedState], page_size: int) -> None:
    touched = list(feeds.values())
    if touched:
        parameters = {"feeds": [feed.id for feed in touched], "totals": [feed.total for feed in touched]}
        connection.execute(_RAISE, {**parameters, "size": page_size})
