"""Load what the calendars of feeds show: the newest event of each campaign, and the days that games come out."""

import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, text

from feeds.calendar_content import CalendarEntry, CampaignSpan, ReleaseDay, ReleaseNews, release_days
from feeds.content import FeedContent, Scope
from feeds.personal import RELEVANT
from feeds.scopes import PERSONAL, SCOPES
from models.details import CampaignDetail, EventDetail, ReleaseDetail, read_detail

# A calendar has what ends last, and so all that is open: its programs ask for the whole of it each time.
ENTRIES_PER_CALENDAR = 200
# How far back a feed is looked through for what its calendar shows, where no table says so.
ITEMS_LOOKED_AT = 1000
D = TypeVar("D", bound=EventDetail)
_logger = logging.getLogger(__name__)
_RELEASE = re.compile(r"[a-z._]+:(igdb/\d+)(?::|$)")

# The games whose news the person of a personal feed waits for.
_RELEVANT_GAMES = f"""(
    SELECT games.id FROM links
    JOIN person_works ON person_works.person_id = links.person_id
        AND person_works.words && CAST(ARRAY{list(RELEVANT)} AS text[])
    JOIN games ON games.work_id = person_works.work_id
    WHERE links.id = feed.link_id
)"""  # noqa: S608 - words of ours
_CAMPAIGNS_OF: Mapping[Scope, str] = {
    "all": "true",
    "service": "service = feed.service",
    "game": "game_id = feed.game_id",
    "organization": "organization_id = feed.organization_id",
    "campaign": "id = feed.campaign_id",
    "news": f"game_id IN {_RELEVANT_GAMES}",
}
_REWARDS_OF: Mapping[Scope, str] = {
    "all": "true",
    "service": "service = feed.service",
    "game": "game_id = feed.game_id",
    "reward_campaign": "id = feed.reward_campaign_id",
    "news": f"game_id IN {_RELEVANT_GAMES}",
}
# Feeds of which no table says what is on them.
_SELECTIONS: frozenset[Scope] = frozenset({"ending_soon", "followed", "target"})
_RELEASES_OF: Mapping[Scope, str] = {
    "all": "feed_id = (SELECT id FROM feeds WHERE scope = 'releases')",
    **dict.fromkeys(("releases", "platform", "game_releases", "followed", "target"), "feed_id = feed.id"),
    "game": (
        "feed_id = (SELECT own.id FROM feeds AS own WHERE own.scope = 'game_releases' AND own.service IS NULL"
        " AND own.game_id = feed.game_id)"
    ),
}


def _chosen(table: str, condition: str) -> Any:
    return text(f"""
        SELECT feed.id AS feed_id, chosen.id AS subject_id FROM feeds AS feed CROSS JOIN LATERAL (
            SELECT id FROM {table} WHERE {condition} ORDER BY end_at DESC NULLS LAST, id DESC LIMIT :limit
        ) AS chosen
        WHERE feed.id = ANY(:feeds)
    """)  # noqa: S608 - made of the names above


def _on_feeds(condition: str, kinds: str) -> Any:
    return text(f"""
        SELECT DISTINCT
            feed.id AS feed_id, event.campaign_id, event.reward_campaign_id, event.game_id,
            CASE WHEN event.game_id IS NULL THEN event.id END AS event_id
        FROM feeds AS feed
        CROSS JOIN LATERAL (
            SELECT event_id FROM feed_items WHERE {condition}
            ORDER BY occurred_at DESC, event_id DESC LIMIT :limit
        ) AS newest
        JOIN events AS event ON event.id = newest.event_id
        WHERE feed.id = ANY(:feeds) AND {kinds}
    """)  # noqa: S608 - made of the names above


def _spans(table: str, column: str, deadlines: str) -> Any:
    """Return the query for campaigns: each has a feed of its own, with every event about it and their number."""
    # All columns of the unique index before the last that counts, so that it is used; and one campaign at a time, since
    # the planner would rather read the feeds of all campaigns that there ever were.
    before = "".join(
        f" AND {name} IS NULL"
        for name in ("service", "game_id", "organization_id", "channel_id", "campaign_id")
        if name != column
    )
    scope = column.removesuffix("_id")
    return text(f"""
        SELECT
            campaign.id, campaign.service, campaign.external_id, own.total, event.id AS event_id, event.kind,
            event.occurred_at, CAST(event.detail AS text) AS detail, {deadlines} AS last_chance_at
        FROM unnest(CAST(:ids AS bigint[])) AS asked (id)
        JOIN {table} AS campaign ON campaign.id = asked.id
        CROSS JOIN LATERAL (
            SELECT id, total FROM feeds WHERE scope = '{scope}'{before} AND {column} = asked.id LIMIT 1
        ) AS own
        CROSS JOIN LATERAL (
            SELECT event_id FROM feed_items WHERE feed_id = own.id ORDER BY occurred_at DESC, event_id DESC LIMIT 1
        ) AS newest
        JOIN events AS event ON event.id = newest.event_id
    """)  # noqa: S608 - made of the names above


_LAST_CHANCE = """(
    SELECT max(due_at) FROM campaign_deadlines WHERE campaign_id = campaign.id AND kind LIKE 'last_chance%'
)"""
_CAMPAIGN_SPANS = _spans("drop_campaigns", "campaign_id", _LAST_CHANCE)
_REWARD_SPANS = _spans("reward_campaigns", "reward_campaign_id", "NULL")
_NEWS = text("""
    SELECT id, game_id, kind, event_key, occurred_at, is_private, CAST(detail AS text) AS detail FROM events
    WHERE kind LIKE 'release.%' AND (game_id = ANY(:games) OR id = ANY(:events))
    ORDER BY occurred_at, id
""")
_OF_LIBRARIES = text(f"""
    SELECT feed.id AS feed_id, relevant.id AS game_id FROM feeds AS feed
    CROSS JOIN LATERAL {_RELEVANT_GAMES} AS relevant
    WHERE feed.id = ANY(:feeds)
        AND EXISTS (SELECT FROM events WHERE events.game_id = relevant.id AND events.kind LIKE 'release.%')
""")  # noqa: S608 - made of the names above


def load_calendars(connection: Connection, feeds: Sequence[FeedContent]) -> dict[int, list[CalendarEntry]]:
    """Return what the calendars of these feeds show, by the feeds' ids; those without a calendar have none.

    Everything comes from the event log, so a calendar is the same after an export and import. Takes a query or two for
    each scope among the feeds, and three for all of them.
    """
    by_scope: dict[Scope, list[int]] = defaultdict(list)
    for feed in feeds:
        if SCOPES[feed.scope].has_calendar and feed.archive is None:
            by_scope[feed.scope].append(feed.feed_id)
    spans = _load_spans(connection, by_scope)
    days = _load_days(connection, by_scope, {feed.feed_id: feed.title for feed in feeds if feed.scope == "platform"})
    return {feed_id: [*spans.get(feed_id, ()), *days.get(feed_id, ())] for ids in by_scope.values() for feed_id in ids}


def _load_spans(connection: Connection, by_scope: Mapping[Scope, list[int]]) -> dict[int, list[CampaignSpan]]:
    campaigns = _subjects(connection, by_scope, "drop_campaigns", _CAMPAIGNS_OF)
    rewards = _subjects(connection, by_scope, "reward_campaigns", _REWARDS_OF)
    selections = [feed_id for scope in _SELECTIONS for feed_id in by_scope.get(scope, ())]
    if selections:
        are_of_campaigns = "(event.campaign_id IS NOT NULL OR event.reward_campaign_id IS NOT NULL)"
        statement = _on_feeds("feed_id = feed.id", are_of_campaigns)
        for row in connection.execute(statement, {"feeds": selections, "limit": ITEMS_LOOKED_AT}):
            if row.campaign_id is not None:
                campaigns[row.feed_id].append(row.campaign_id)
            else:
                rewards[row.feed_id].append(row.reward_campaign_id)
    spans: dict[int, list[CampaignSpan]] = defaultdict(list)
    for statement, subjects in ((_CAMPAIGN_SPANS, campaigns), (_REWARD_SPANS, rewards)):
        ids = sorted({subject_id for some in subjects.values() for subject_id in some})
        known = {row.id: _span(row) for row in connection.execute(statement, {"ids": ids})} if ids else {}
        for feed_id, some in subjects.items():
            listed = sorted({subject_id for subject_id in some if subject_id in known})
            spans[feed_id] += [known[subject_id] for subject_id in listed]
    return spans


def _subjects(
    connection: Connection, by_scope: Mapping[Scope, list[int]], table: str, conditions: Mapping[Scope, str]
) -> dict[int, list[int]]:
    subjects: dict[int, list[int]] = defaultdict(list)
    for scope, condition in conditions.items():
        if scope in by_scope:
            parameters = {"feeds": by_scope[scope], "limit": ENTRIES_PER_CALENDAR}
            for feed_id, subject_id in connection.execute(_chosen(table, condition), parameters):
                subjects[feed_id].append(subject_id)
    return subjects


def _span(row: Any) -> CampaignSpan:
    return CampaignSpan(
        subject=f"{row.kind.partition('.')[0]}/{row.service}/{row.external_id}",
        sequence=row.total - 1,
        kind=row.kind,
        occurred_at=row.occurred_at.astimezone(UTC),
        service=row.service,
        detail=_detail(row, row.event_id, CampaignDetail),
        last_chance_at=row.last_chance_at.astimezone(UTC) if row.last_chance_at else None,
    )


def _load_days(
    connection: Connection, by_scope: Mapping[Scope, list[int]], platforms: Mapping[int, str]
) -> dict[int, list[ReleaseDay]]:
    games, events = _announced_on(connection, by_scope)
    if not games and not events:
        return {}
    of_game, of_event = _load_news(connection, games, events)
    # What a library alone brought is on personal calendars only.
    personal = {feed_id for scope in PERSONAL for feed_id in by_scope.get(scope, ())}
    return {
        feed_id: _days(
            [
                *(
                    news
                    for game_id in sorted(games[feed_id])
                    for is_private, news in of_game[game_id]
                    if feed_id in personal or not is_private
                ),
                *(news for event_id in sorted(events[feed_id]) for news in of_event[event_id]),
            ],
            platforms.get(feed_id),
        )
        for feed_id in games.keys() | events.keys()
    }


def _announced_on(
    connection: Connection, by_scope: Mapping[Scope, list[int]]
) -> tuple[defaultdict[int, set[int]], defaultdict[int, set[int]]]:
    """Return the games whose dates calendars show, by feeds, and the events of entries that belong to no game here."""
    games: defaultdict[int, set[int]] = defaultdict(set)
    events: defaultdict[int, set[int]] = defaultdict(set)
    for scope, condition in _RELEASES_OF.items():
        if scope in by_scope:
            parameters = {"feeds": by_scope[scope], "limit": ITEMS_LOOKED_AT}
            for row in connection.execute(_on_feeds(condition, "event.kind LIKE 'release.%'"), parameters):
                if row.game_id is not None:
                    games[row.feed_id].add(row.game_id)
                else:
                    events[row.feed_id].add(row.event_id)
    if "news" in by_scope:
        for row in connection.execute(_OF_LIBRARIES, {"feeds": by_scope["news"]}):
            games[row.feed_id].add(row.game_id)
    return games, events


def _load_news(
    connection: Connection, games: Mapping[int, set[int]], events: Mapping[int, set[int]]
) -> tuple[defaultdict[int, list[tuple[bool, ReleaseNews]]], defaultdict[int, list[ReleaseNews]]]:
    """Return the news of games, each with whether it is private, and those of events, in the order they came."""
    asked = {"games": sorted(set().union(*games.values())), "events": sorted(set().union(*events.values()))}
    of_game: defaultdict[int, list[tuple[bool, ReleaseNews]]] = defaultdict(list)
    of_event: defaultdict[int, list[ReleaseNews]] = defaultdict(list)
    for row in connection.execute(_NEWS, asked):
        if match := _RELEASE.match(row.event_key):
            news = ReleaseNews(
                subject=f"release/{match[1]}",
                kind=row.kind,
                occurred_at=row.occurred_at.astimezone(UTC),
                detail=_detail(row, row.id, ReleaseDetail),
            )
            if row.game_id is None:
                of_event[row.id].append(news)
            else:
                of_game[row.game_id].append((row.is_private, news))
    return of_game, of_event


def _days(news: Sequence[ReleaseNews], platform: str | None) -> list[ReleaseDay]:
    """Return the days of all entries, those that come last where they are too many; of one platform, where given."""
    by_subject: dict[str, list[ReleaseNews]] = defaultdict(list)
    for each in news:
        by_subject[each.subject].append(each)
    days = [day for some in by_subject.values() for day in release_days(some)]
    if platform is not None:
        # Behind a platform may stand its region.
        days = [day for day in days if any(name.partition(" (")[0] == platform for name in day.platforms)]
    return sorted(days, key=lambda day: (day.when, day.subject))[-ENTRIES_PER_CALENDAR:]


def _detail(row: Any, event_id: int, family: type[D]) -> D:
    try:
        detail = read_detail(row.kind, row.detail)
    except msgspec.ValidationError:
        # As with items: one unreadable event must not keep a calendar from being written.
        _logger.warning(
            "The detail of event %s cannot be read: its calendar entry is left out", event_id, exc_info=True
        )
        return family()
    return detail if isinstance(detail, family) else family()
