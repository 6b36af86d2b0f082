"""Load release dates as pages show them, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, Select, any_, literal, or_, select

from feeds.pages.card_rows import GAME_FEED
from feeds.pages.changes_rows import load_news
from feeds.pages.releases import Release, ReleasesPage, in_order, merged
from feeds.public import is_named_game
from models import Game, GameMetadata, Platform, ReleaseDate
from models.periods import Period
from models.pictures import cover_url, sized
from models.release_numbers import CANCELLED, OFFLINE, REGIONS, STAGES, period_of

JUST_OUT = timedelta(days=14)
MOST_SHOWN = 600
NEWS_SHOWN = 40


def load_releases(connection: Connection, games: Mapping[int, int]) -> Mapping[int, list[Release]]:
    """Return the listed release dates of entries of IGDB (by the games that they are), by game and in their order."""
    of_entries = ReleaseDate.game_igdb_id == any_(literal(list(games), ARRAY(BigInteger)))
    by_game: dict[int, list[Release]] = defaultdict(list)
    for row in connection.execute(_listed(of_entries)):
        by_game[games[row.game_igdb_id]].append(_release(row))
    return {game_id: in_order(merged(releases)) for game_id, releases in by_game.items()}


def load_upcoming(connection: Connection, now: datetime) -> tuple[Release, ...]:
    """Return the dates of games that the public knows from two weeks ago on; of periods those that are not over."""
    today = now.astimezone(UTC).date()
    is_ahead = or_(
        (ReleaseDate.precision == "day") & (ReleaseDate.date >= today - JUST_OUT),
        ReleaseDate.precision.in_(("month", "quarter", "year")) & (ReleaseDate.year >= today.year),
        # Of games that are out a date that nobody knows is no news.
        (ReleaseDate.precision == "tbd")
        & or_(GameMetadata.first_release_at.is_(None), GameMetadata.first_release_at > now),
    )
    statement = _listed(is_ahead, GameMetadata.removed_at.is_(None))
    releases = [_release(row) for row in connection.execute(statement)]
    kept = [release for release in releases if not _is_over(release.when, today)]
    return tuple(in_order(merged(kept))[:MOST_SHOWN])


def _listed(*where: ColumnElement[bool]) -> Select[Any]:
    columns = ("game_igdb_id", "region", "status", "precision", "date", "year", "quarter", "month")
    return (
        select(
            *[getattr(ReleaseDate, name) for name in columns],
            Platform.name.label("platform"),
            Game.name.label("game"),
            Game.box_art_url,
            GameMetadata.name.label("entry"),
            GameMetadata.cover_id,
            GAME_FEED.path,
        )
        .join(GameMetadata, GameMetadata.igdb_id == ReleaseDate.game_igdb_id)
        .join(Game, Game.id == GameMetadata.game_id)
        .join(Platform, Platform.igdb_id == ReleaseDate.platform_id, isouter=True)
        .join(GAME_FEED, (GAME_FEED.scope == "game") & (GAME_FEED.game_id == Game.id), isouter=True)
        .where(
            *where,
            is_named_game(Game.id),
            ReleaseDate.last_seen_at.is_(None),
            ReleaseDate.status.is_distinct_from(OFFLINE),
        )
        .order_by(ReleaseDate.game_igdb_id, ReleaseDate.igdb_id)
    )


def _release(row: Any) -> Release:
    region = REGIONS.get(row.region)
    place = " ".join(filter(None, (row.platform, f"({region})" if region and row.platform else region)))
    return Release(
        game=row.entry,
        game_path=row.path,
        when=period_of(row.precision, row.date, row.year, row.quarter, row.month),
        platforms=(place,) if place else (),
        stage=STAGES.get(row.status),
        is_cancelled=row.status == CANCELLED,
        box_art_url=sized(row.box_art_url) or cover_url(row.cover_id),
    )


def _is_over(when: Period, today: date) -> bool:
    if when.last is None:
        return False
    return when.last < (today - JUST_OUT if when.day else today)


def load_releases_page(connection: Connection, now: datetime) -> ReleasesPage:
    """Return what the page of releases shows at `now`."""
    return ReleasesPage(
        releases=load_upcoming(connection, now), news=load_news(connection, "releases", most=NEWS_SHOWN)
    )
