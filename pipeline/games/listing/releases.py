"""Read release dates by when they are, as far as a person may see their games."""

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)

from feeds.personal import followed_games
from feeds.public import is_game_seen_by
from models import Game, GameMetadata, Platform, ReleaseDate
from models.names import name_key
from models.release_numbers import CANCELLED, OFFLINE, REGIONS, STAGES, period_of
from pipeline.games.releases.details import PC


class ReleaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A release date, no more precise than IGDB means it: `when` is `2026-11-21`, `2026-11`, `2026-Q4`, `2026`.

    It lies between `first_day` and `last_day`, both included. `id` is IGDB's number of the date, `igdb_id` of the game.
    """

    game: str
    public_id: str
    igdb_id: int
    id: int
    when: str
    words: str
    first_day: date
    last_day: date
    platform: str | None
    region: str | None
    stage: str | None
    cancelled: bool


class ReleaseFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which dates are wanted: those that may be in the window, both of its days included; what is not given is any."""

    since: date | None = None
    until: date | None = None
    platforms: Collection[int] | None = None
    followed: bool = False


class Position(NamedTuple):
    """Where a line stands in the list."""

    last_day: date
    igdb_id: int
    id: int


_HAS_YEAR = ReleaseDate.year.between(date.min.year, date.max.year)
_IS_DAY = (ReleaseDate.precision == "day") & ReleaseDate.date.is_not(None)
_MONTH_OF_QUARTER = case((ReleaseDate.precision == "quarter", ReleaseDate.quarter * 3))
_MONTH = case((ReleaseDate.precision == "month", ReleaseDate.month))
_ONE = literal(1)
_FIRST = case(
    (_IS_DAY, ReleaseDate.date),
    else_=func.make_date(ReleaseDate.year, func.coalesce(_MONTH, _MONTH_OF_QUARTER - 2, _ONE), _ONE),
)
_LAST_MONTH = func.make_date(ReleaseDate.year, func.coalesce(_MONTH, _MONTH_OF_QUARTER, literal(12)), _ONE)
_LAST = case(
    (_IS_DAY, ReleaseDate.date),
    else_=cast(_LAST_MONTH + literal_column("interval '1 month'") - literal_column("interval '1 day'"), Date),
)
_KEY = tuple_(_LAST, ReleaseDate.game_igdb_id, ReleaseDate.igdb_id)


def list_releases(
    connection: Connection,
    wanted: ReleaseFilter,
    person_id: int,
    *,
    after: Position | None = None,
    limit: int | None = None,
) -> list[ReleaseLine]:
    """Return release dates by their last days, behind a position; those to be determined are in no window."""
    statement = (
        select(
            Game.public_id,
            GameMetadata.name.label("game"),
            ReleaseDate.game_igdb_id,
            ReleaseDate.igdb_id,
            *(ReleaseDate.precision, ReleaseDate.date, ReleaseDate.year, ReleaseDate.quarter, ReleaseDate.month),
            *(ReleaseDate.region, ReleaseDate.status, ReleaseDate.platform_id),
            func.coalesce(Platform.name, Platform.abbreviation).label("platform"),
        )
        .join(GameMetadata, GameMetadata.igdb_id == ReleaseDate.game_igdb_id)
        .join(Game, Game.id == GameMetadata.game_id)
        .outerjoin(Platform, Platform.igdb_id == ReleaseDate.platform_id)
        .where(*_conditions(wanted, person_id, after))
        .order_by(_LAST, ReleaseDate.game_igdb_id, ReleaseDate.igdb_id)
        .limit(limit)
    )
    return [_line(row) for row in connection.execute(statement)]


def platforms_named(connection: Connection, name: str) -> list[int]:
    """Return the platforms of a name, or of a short one: events say PC for Windows, and only how a name begins."""
    key = name_key(name)
    rows = connection.execute(select(Platform.igdb_id, Platform.name, Platform.abbreviation).order_by(Platform.igdb_id))
    return [
        igdb_id
        for igdb_id, full, short in rows
        if key in {name_key(each) for each in (full, (full or "").partition(" (")[0], short) if each}
        or (igdb_id == PC and key == "pc")
    ]


def _conditions(wanted: ReleaseFilter, person_id: int, after: Position | None) -> Iterator[ColumnElement[bool]]:
    person: Any = literal(person_id, BigInteger)
    yield ReleaseDate.last_seen_at.is_(None)
    yield ReleaseDate.status.is_distinct_from(OFFLINE)
    yield GameMetadata.removed_at.is_(None)
    yield ReleaseDate.precision != "tbd"
    yield _HAS_YEAR
    yield is_game_seen_by(person)
    if wanted.since is not None:
        yield wanted.since <= _LAST
    if wanted.until is not None:
        yield wanted.until >= _FIRST
    if wanted.platforms is not None:
        yield ReleaseDate.platform_id.in_(wanted.platforms)
    if wanted.followed:
        yield Game.id.in_(followed_games(person_id))
    if after is not None:
        yield tuple_(*(literal(part) for part in after)) < _KEY


def _line(row: Any) -> ReleaseLine:
    when = period_of(row.precision, row.date, row.year, row.quarter, row.month)
    return ReleaseLine(
        game=row.game,
        public_id=row.public_id,
        igdb_id=row.game_igdb_id,
        id=row.igdb_id,
        when=str(when),
        words=when.words,
        first_day=when.first or date.min,
        last_day=when.last or date.max,
        platform="PC" if row.platform_id == PC else row.platform,
        region=None if row.region is None else REGIONS.get(row.region),
        stage=None if row.status is None else STAGES.get(row.status),
        cancelled=row.status == CANCELLED,
    )


def position_of(line: ReleaseLine) -> Position:
    """Return where a line stands in the list."""
    return Position(line.last_day, line.igdb_id, line.id)
