"""Append the news in IGDB's answers: of wanted games alone, since nobody waits for the other 300,000."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select, text, update

from feeds.take_in import mark
from models import Event, ReleaseDate
from models.events import EventKind
from models.periods import Period
from models.pictures import cover_url
from models.release_numbers import CANCELLED, OFFLINE
from notifiers.days import drop_waiting
from pipeline.events.append import NewEvent, append_events
from pipeline.games.matching.records import GAME_TYPES
from pipeline.games.releases.compare import (
    LAST_ZONE,
    Change,
    Group,
    compare,
    grouped,
    is_over,
    period_of,
    stage_of,
)
from pipeline.games.releases.details import (
    SERVICE,
    SUMMARY_LENGTH,
    Entry,
    game_event,
    load_platforms,
    load_source,
    load_wanted,
    release_event,
)
from pipeline.games.store.games import StoredGame, StoredGames
from pipeline.games.store.links import attach, games_of
from pipeline.games.store.releases import load_releases
from pipeline.services.igdb.records import GameRecord, ReleaseRecord

# IGDB's number: https://api-docs.igdb.com/#game-status.
GAME_CANCELLED = 6
# The types of entries that are news where they belong to a wanted game: not mods, bundles, forks, packs and updates.
_NEWS_TYPES = frozenset({1, 2, 4, 6, 7, 8, 9, 10, 11})
# An event that was appended early in the day may wait for the day to begin in other zones.
_STILL_WAITING = timedelta(days=3)
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
# A date that came back may go again, and is then judged again.
_BACK = (
    update(ReleaseDate)
    .where(
        ReleaseDate.game_igdb_id == func.any(_IDS),
        ReleaseDate.judged_at.is_not(None),
        ReleaseDate.last_seen_at.is_(None),
    )
    .values(judged_at=None)
)
_ANNOUNCE_AGAIN = (
    update(ReleaseDate)
    .where(
        ReleaseDate.game_igdb_id == bindparam("game"),
        ReleaseDate.igdb_id == func.any(_IDS),
        ReleaseDate.told_at.is_not(None),
    )
    .values(told_at=None)
)
_NOT_INTRODUCED = text("""
    SELECT wanted.igdb_id FROM wanted_games AS wanted JOIN game_metadata USING (igdb_id)
    WHERE NOT EXISTS (SELECT FROM events WHERE event_key = 'game.added:igdb/' || wanted.igdb_id)
    ORDER BY wanted.wanted_at, wanted.igdb_id LIMIT 200
""")
_WANTED_BY_OTHERS_TOO = text("""
    SELECT DISTINCT game_id FROM wanted_games JOIN game_metadata USING (igdb_id)
    WHERE reasons @> ARRAY['library'] AND cardinality(reasons) > 1 AND game_id IS NOT NULL
""")
_REVEAL = (
    update(Event)
    .where(
        Event.game_id == func.any(_IDS),
        Event.is_private,
        Event.person_id.is_(None),
        Event.kind.like("release.%") | Event.kind.like("game.%"),
    )
    .values(is_private=False)
    .returning(Event.id)
)
_PAINT = text("""
    UPDATE games SET box_art_url = painted.url
    FROM unnest(CAST(:ids AS bigint[]), CAST(:urls AS text[])) AS painted (id, url)
    WHERE games.id = painted.id AND games.box_art_url IS NULL
""")


def append_releases(connection: Connection, stored: StoredGames, now: datetime, *, silent: bool) -> Counter[str]:
    """Append the events of games that were just stored, inside the caller's transaction; returns them by kind.

    The first answer of IGDB for a game makes silent events. An entry that is new at IGDB (not `silent`) and belongs to
    a wanted game is news. Games that are not wanted have no events.
    """
    records = {game.record.igdb_id: game.record for game in (*stored.added, *stored.changed)}
    parents = set() if silent else {parent for game in stored.added if (parent := game.record.parent_igdb_id)}
    entries = load_wanted(connection, records.keys() | parents)
    if not entries:
        return Counter()
    first = [game.record.igdb_id for game in stored.added if game.record.igdb_id in entries]
    counted = introduce(connection, first, now)
    paint(connection, (entry for key, entry in entries.items() if key in records))
    changed = [game for game in stored.changed if game.record.igdb_id in entries]
    old = [game for game in changed if entries[game.record.igdb_id].is_unasked]
    counted += _append(connection, _changes(connection, old, entries, now), now, silent=True)
    events = _changes(connection, [game for game in changed if game not in old], entries, now)
    events += [
        _child(entries[game.record.parent_igdb_id], game.record, now)
        for game in stored.added
        if game.record.igdb_id not in entries
        and game.record.parent_igdb_id in entries
        and game.record.game_type in _NEWS_TYPES
    ]
    return counted + _append(connection, events, now, silent=False)


def introduce(connection: Connection, igdb_ids: Collection[int], now: datetime) -> Counter[str]:
    """Append silent events of games that are newly wanted, with the dates that lie before them.

    A second time changes nothing, and neither does a game that is not stored yet: its first document introduces it.
    """
    if not igdb_ids:
        return Counter()
    # An entry that was linked before it was stored is its game's from now on.
    attach(connection, [game_id for some in games_of(connection, igdb_ids).values() for game_id in some])
    entries = load_wanted(connection, igdb_ids)
    if not entries:
        return Counter()
    paint(connection, entries.values())
    today = (now + LAST_ZONE).date()
    releases = {
        igdb_id: [row.release for row in rows if row.last_seen_at is None and _lies_ahead(row.release, today)]
        for igdb_id, rows in load_releases(connection, entries).items()
    }
    names = load_platforms(connection, (release for some in releases.values() for release in some))
    events = []
    for igdb_id, entry in entries.items():
        events.append(game_event(entry, now))
        for group, some in _announced(releases.get(igdb_id, ())).items():
            events.append(release_event(entry, group, some, names, now, damped=False))
    return _append(connection, events, now, silent=True)


def introduce_wanted(connection: Connection, now: datetime) -> Counter[str]:
    """Introduce the games that were stored before they were wanted; some at a time."""
    return introduce(connection, list(connection.scalars(_NOT_INTRODUCED)), now)


def reveal(connection: Connection) -> int:
    """Make events public that libraries alone brought, of games that are wanted for another reason too by now.

    They go on public feeds with the next publish, and no messages are sent. Returns how many they are.
    """
    game_ids = list(connection.scalars(_WANTED_BY_OTHERS_TOO))
    revealed = list(connection.scalars(_REVEAL, {"ids": game_ids})) if game_ids else []
    mark(connection, sorted(revealed))
    return len(revealed)


def paint(connection: Connection, entries: Iterable[Entry]) -> None:
    """Give a game its cover for a box art, where no service gives it one."""
    covers = {entry.game_id: cover_url(entry.cover_id) for entry in entries if entry.game_id and not entry.box_art_url}
    urls = {game_id: url for game_id, url in covers.items() if url}
    if urls:
        connection.execute(_PAINT, {"ids": list(urls), "urls": list(urls.values())})


def _changes(
    connection: Connection, changed: Sequence[StoredGame], entries: Mapping[int, Entry], now: datetime
) -> list[NewEvent]:
    if not changed:
        return []
    connection.execute(_BACK, {"ids": [game.record.igdb_id for game in changed]})
    compared = {game.record.igdb_id: compare(game.releases_before, game.releases_after, now) for game in changed}
    names = load_platforms(connection, (change.release for changes in compared.values() for change in changes))
    events = []
    for game in changed:
        entry, changes = entries[game.record.igdb_id], compared[game.record.igdb_id]
        _announce_again(connection, game, changes, now)
        if _is_called_off(game):
            events.append(release_event(entry, Group(EventKind.RELEASE_CANCELLED, None, None, None), (), names, now))
            changes = tuple(change for change in changes if change.kind != EventKind.RELEASE_CANCELLED)
        for group, some in grouped(changes).items():
            events.append(release_event(entry, group, [change.release for change in some], names, now))
    return events


def _announce_again(connection: Connection, game: StoredGame, changes: Sequence[Change], now: datetime) -> None:
    """Have a release announced again that was announced as out and has another day ahead; drop its waiting messages."""
    today = (now + LAST_ZONE).date()
    moved = [c for c in changes if c.old is not None and c.old != c.new and not _over(c.new, today)]
    ids = [key for change in moved for key in (change.release.igdb_id, change.replaced) if key is not None]
    if not ids:
        return
    connection.execute(_ANNOUNCE_AGAIN, {"game": game.record.igdb_id, "ids": ids})
    standing = {period_of(row.release) for row in game.releases_after if row.last_seen_at is None}
    days = {str(change.old) for change in moved if change.old not in standing}
    announced = select(Event.id).where(
        Event.occurred_at > now - _STILL_WAITING,
        Event.kind == EventKind.RELEASE_OUT,
        Event.event_key.startswith(f"{EventKind.RELEASE_OUT}:{SERVICE}/{game.record.igdb_id}:", autoescape=True),
        Event.detail["when"].astext.in_(days),
    )
    drop_waiting(connection, list(connection.scalars(announced)))


def _over(period: Period | None, today: date) -> bool:
    return period is not None and is_over(period, today)


def _is_called_off(game: StoredGame) -> bool:
    return (
        game.record.game_status == GAME_CANCELLED
        and game.before is not None
        and game.before.game_status != GAME_CANCELLED
    )


def _announced(releases: Iterable[ReleaseRecord]) -> dict[Group, list[ReleaseRecord]]:
    groups: dict[Group, list[ReleaseRecord]] = {}
    for release in releases:
        group = Group(EventKind.RELEASE_ANNOUNCED, stage_of(release), None, period_of(release))
        groups.setdefault(group, []).append(release)
    return groups


def _lies_ahead(release: ReleaseRecord, today: date) -> bool:
    return release.status not in {OFFLINE, CANCELLED} and not is_over(period_of(release), today)


def _child(parent: Entry, record: GameRecord, now: datetime) -> NewEvent:
    """Return the event of an entry that is new and belongs to a wanted game."""
    event = game_event(parent, now)
    detail = msgspec.structs.replace(
        event.detail,
        name=record.name,
        url=record.url,
        box_art_url=cover_url(record.cover_id) or event.detail.box_art_url,
        description=(record.summary or "")[:SUMMARY_LENGTH] or None,
        stage=GAME_TYPES[record.game_type or 0],
    )
    return msgspec.structs.replace(event, subject=f"{SERVICE}/{record.igdb_id}", detail=detail)


def _append(connection: Connection, events: Sequence[NewEvent], now: datetime, *, silent: bool) -> Counter[str]:
    return append_events(connection, events, source_id=load_source(connection), silent=silent, now=now)
