"""Append what time alone brings about for release dates: games that come out, and dates that IGDB no longer lists."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Engine, func, or_, select, tuple_, update

from models import GameMetadata, ReleaseDate, Source, WantedGame
from models.events import EventKind
from models.periods import read_period
from models.release_numbers import CANCELLED, OFFLINE
from notifiers.days import begins_first
from pipeline.events.append import NewEvent, append_events
from pipeline.events.damping import HeldBack, take_due_now
from pipeline.games.following.follows import renew_follows
from pipeline.games.following.list_news import tell_changes
from pipeline.games.releases.compare import (
    GONE_FOR,
    LAST_ZONE,
    Group,
    is_over,
    is_withdrawn,
    item_of,
    period_of,
    place_of,
    stage_of,
    stated,
)
from pipeline.games.releases.details import (
    SERVICE,
    Entry,
    later_events,
    load_platforms,
    load_source,
    load_wanted,
    release_event,
    stored_release,
)
from pipeline.games.releases.news import introduce_wanted, reveal
from pipeline.games.store.releases import load_releases
from pipeline.games.store.works import give_missing_works
from pipeline.ingest.turn import take_turn
from pipeline.services.igdb.records import ReleaseRecord

# A game that came out longer ago than this while nothing ran is no news; and a day so near to one that is told is
# the same release with its date put right.
LATEST = timedelta(days=7)
GONE_AT_MOST = timedelta(days=14)
AT_ONCE = 500
# An event to append, and whether it is silent: published, but sent to nobody.
Pending = tuple[NewEvent, bool]


def advance(engine: Engine, now: datetime) -> Counter[str]:
    """Append releases whose day has begun in the first zone, and those that are off; introduce newly wanted games.

    What damping held back is told when it is due, and so is what somebody did to a list. Games that were linked with
    an entry of IGDB get their works.

    Returns the events by kind. Safe to call twice, and late: a day of the last week makes one event.
    """
    with engine.begin() as connection:
        take_turn(connection)
        pending = [*settle_days(connection, now), *settle_withdrawn(connection, now)]
        renew_follows(connection, now)
        counted = introduce_wanted(connection, now)
        reveal(connection)
        counted += _append_held(connection, now) + tell_changes(connection, now)
        give_missing_works(connection)
        for silent in (True, False):
            some = [event for event, is_silent in pending if is_silent is silent]
            if some:
                counted += append_events(connection, some, source_id=load_source(connection), silent=silent, now=now)
        return counted


def settle_days(connection: Connection, now: datetime) -> list[Pending]:
    """Return an event for each game and day that has begun in the first listener's zone, and mark those dates as told.

    It is silent where the game came to be wanted when its day was over everywhere.
    """
    rows = _due(connection, begins_first(connection, now))
    if not rows:
        return []
    ids = {row.game_igdb_id for row in rows}
    entries, announced = load_wanted(connection, ids), _announced(connection, ids)
    fresh = [row for row in rows if not _is_announced(row, announced)]
    releases = {row: stored_release(row) for row in fresh}
    names = load_platforms(connection, releases.values())
    _settle(connection, rows, told_at=now)
    events = []
    for (igdb_id, day), some in groupby(fresh, key=attrgetter("game_igdb_id", "date")):
        entry = entries[igdb_id]
        at, silent = min(now, _midnight(day)), entry.wanted_at >= _over_everywhere(day)
        by_stage = _by_stage(releases[row] for row in some)
        events += [(_out(entry, stage, listed, names, at), silent) for stage, listed in by_stage.items()]
    return events


def settle_withdrawn(connection: Connection, now: datetime) -> list[Pending]:
    """Return events of releases that are off because IGDB no longer lists them, and mark those dates as judged."""
    rows = _gone(connection, now)
    if not rows:
        return []
    ids = {row.game_igdb_id for row in rows}
    entries, releases = load_wanted(connection, ids), load_releases(connection, ids)
    _settle(connection, rows, judged_at=now)
    withdrawn: dict[tuple[int, Group], list[ReleaseRecord]] = {}
    gone = {(row.game_igdb_id, row.igdb_id) for row in rows}
    for igdb_id in sorted(ids):
        for stored in releases[igdb_id]:
            release = stored.release
            if (igdb_id, release.igdb_id) in gone and is_withdrawn(stored, releases[igdb_id], now):
                group = Group(EventKind.RELEASE_CANCELLED, stage_of(release), period_of(release), None)
                withdrawn.setdefault((igdb_id, group), []).append(release)
    names = load_platforms(connection, (release for some in withdrawn.values() for release in some))
    return [
        (release_event(entries[igdb_id], group, some, names, now, reason="IGDB no longer lists it"), False)
        for (igdb_id, group), some in withdrawn.items()
    ]


def _append_held(connection: Connection, now: datetime) -> Counter[str]:
    """Append what damping held back until now: these events too may be held back, until another moment."""
    counted: Counter[str] = Counter()
    while due := take_due_now(connection, EventKind.RELEASE_MOVED.family, f"{SERVICE}/", now):
        source_id = load_source(connection)
        for held in due:
            events = settle_held(connection, held)
            counted += append_events(connection, events, source_id=source_id, silent=held.silent, now=now)
    return counted


def settle_held(connection: Connection, held: HeldBack) -> list[NewEvent]:
    """Return the events of a game's dates that are others than was announced last; what is over interests nobody."""
    igdb_id = int(held.subject.removeprefix(f"{SERVICE}/"))
    entry = load_wanted(connection, [igdb_id]).get(igdb_id)
    if entry is None:
        return []
    today = (held.due_at + LAST_ZONE).date()
    listed = [row.release for row in load_releases(connection, [igdb_id]).get(igdb_id, ()) if row.last_seen_at is None]
    by_item: dict[str, list[ReleaseRecord]] = {}
    for release in listed:
        if not is_over(period_of(release), today):
            by_item.setdefault(item_of(release), []).append(release)
    differences = []
    for item, when in held.announced.items():
        announced = read_period(when)
        # Of several dates of one place none differs where one is as announced.
        if announced not in [stated(release) for release in by_item.get(item, ())]:
            differences += [(release, announced, stated(release)) for release in by_item.get(item, ())[:1]]
    names = load_platforms(connection, (release for release, _, _ in differences))
    return later_events(entry, differences, names, held.due_at)


def _due(connection: Connection, today: date) -> Sequence[Any]:
    query = (
        select(ReleaseDate)
        .join(WantedGame, WantedGame.igdb_id == ReleaseDate.game_igdb_id)
        .join(GameMetadata, GameMetadata.igdb_id == ReleaseDate.game_igdb_id)
        .where(
            # As the partial index says it, so that it is used.
            ReleaseDate.precision == "day",
            ReleaseDate.told_at.is_(None),
            ReleaseDate.last_seen_at.is_(None),
            ReleaseDate.date.between(today - LATEST, today),
            or_(ReleaseDate.status.is_(None), ReleaseDate.status.not_in([OFFLINE, CANCELLED])),
            GameMetadata.removed_at.is_(None),
        )
        .order_by(ReleaseDate.game_igdb_id, ReleaseDate.date, ReleaseDate.igdb_id)
        .limit(AT_ONCE)
    )
    return connection.execute(query).all()


def _announced(connection: Connection, ids: Iterable[int]) -> dict[int, list[ReleaseRecord]]:
    return {
        igdb_id: [stored.release for stored in releases if stored.told_at is not None]
        for igdb_id, releases in load_releases(connection, ids).items()
    }


def _is_announced(row: Any, announced: dict[int, list[ReleaseRecord]]) -> bool:
    """Whether another row of this place was announced for this: IGDB's editors delete rows and write them anew."""
    release = stored_release(row)
    return any(
        place_of(other) == place_of(release)
        and stage_of(other) == stage_of(release)
        and other.date is not None
        and abs(other.date - row.date) <= LATEST
        for other in announced.get(row.game_igdb_id, ())
    )


def _by_stage(releases: Iterable[ReleaseRecord]) -> dict[str | None, list[ReleaseRecord]]:
    by_stage: dict[str | None, list[ReleaseRecord]] = {}
    for release in releases:
        by_stage.setdefault(stage_of(release), []).append(release)
    return by_stage


def _out(
    entry: Entry, stage: str | None, releases: Sequence[ReleaseRecord], names: dict[int, str], at: datetime
) -> NewEvent:
    group = Group(EventKind.RELEASE_OUT, stage, None, period_of(releases[0]))
    return release_event(entry, group, releases, names, at, damped=False)


def _gone(connection: Connection, now: datetime) -> Sequence[Any]:
    """Return the rows that have been gone for long enough, and that IGDB was asked about since."""
    asked_at = select(func.max(Source.last_success_at)).where(Source.service == SERVICE).scalar_subquery()
    query = (
        select(ReleaseDate)
        .join(WantedGame, WantedGame.igdb_id == ReleaseDate.game_igdb_id)
        .join(GameMetadata, GameMetadata.igdb_id == ReleaseDate.game_igdb_id)
        .where(
            ReleaseDate.judged_at.is_(None),
            ReleaseDate.last_seen_at.between(now - GONE_AT_MOST, now - GONE_FOR),
            asked_at > ReleaseDate.last_seen_at + GONE_FOR,
            GameMetadata.removed_at.is_(None),
        )
        .order_by(ReleaseDate.game_igdb_id, ReleaseDate.igdb_id)
        .limit(AT_ONCE)
    )
    return connection.execute(query).all()


def _settle(connection: Connection, rows: Sequence[Any], **values: datetime) -> None:
    keys = [(row.game_igdb_id, row.igdb_id) for row in rows]
    among = tuple_(ReleaseDate.game_igdb_id, ReleaseDate.igdb_id).in_(keys)
    connection.execute(update(ReleaseDate).where(among).values(**values))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _over_everywhere(day: date) -> datetime:
    return _midnight(day) + timedelta(days=1) - LAST_ZONE
