"""Tell what is news in IGDB's answers: of wanted games alone, for nobody waits for the other 300,000."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select, text, update

from models import Event, ReleaseDate
from models.events import EventKind
from models.periods import Period
from notifiers.days import drop_waiting
from pipeline.events.append import NewEvent, append_events
from pipeline.games.matching.records import GAME_TYPES
from pipeline.games.releases.compare import (
    CANCELLED,
    LAST_ZONE,
    OFFLINE,
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
from pipeline.services.igdb.covers import cover_url
from pipeline.services.igdb.records import GameRecord, ReleaseRecord

# IGDB's number: https://api-docs.igdb.com/#game-status.
GAME_CANCELLED = 6
# Entries of a wanted game that are worth a word: not mods, bundles, forks, packs and updates.
_TOLD_TYPES = frozenset({1, 2, 4, 6, 7, 8, 9, 10, 11})
# What was told early in the day, somewhere, may wait for its day elsewhere.
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
_TOLD_ANEW = (
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
_PAINT = text("""
    UPDATE games SET box_art_url = painted.url
    FROM unnest(CAST(:ids AS bigint[]), CAST(:urls AS text[])) AS painted (id, url)
    WHERE games.id = painted.id AND games.box_art_url IS NULL
""")


def tell_releases(connection: Connection, stored: StoredGames, now: datetime, *, silent: bool) -> Counter[str]:
    """Append the events of games that were just stored, inside the caller's transaction; returns them by kind.

    What IGDB tells of a game when it is first asked for it is published and told to nobody. An entry that is new at
    IGDB (not `silent`) and belongs to a wanted game is told. Games that nobody wants have no events.
    """
    records = {one.record.igdb_id: one.record for one in (*stored.added, *stored.changed)}
    parents = set() if silent else {parent for one in stored.added if (parent := one.record.parent_igdb_id)}
    entries = load_wanted(connection, records.keys() | parents)
    if not entries:
        return Counter()
    first = [one.record.igdb_id for one in stored.added if one.record.igdb_id in entries]
    counted = introduce(connection, first, now)
    paint(connection, (one for key, one in entries.items() if key in records))
    changed = [one for one in stored.changed if one.record.igdb_id in entries]
    old = [one for one in changed if entries[one.record.igdb_id].is_unasked]
    counted += _append(connection, _changes(connection, old, entries, now), now, silent=True)
    events = _changes(connection, [one for one in changed if one not in old], entries, now)
    events += [
        _child(entries[one.record.parent_igdb_id], one.record, now)
        for one in stored.added
        if one.record.igdb_id not in entries
        and one.record.parent_igdb_id in entries
        and one.record.game_type in _TOLD_TYPES
    ]
    return counted + _append(connection, events, now, silent=False)


def introduce(connection: Connection, igdb_ids: Collection[int], now: datetime) -> Counter[str]:
    """Publish games that somebody just came to want, with the dates that lie before them; nobody is told.

    A second time changes nothing, and neither does a game that is not stored yet: its first document introduces it.
    """
    if not igdb_ids:
        return Counter()
    # What was linked before it was stored is its game's from now on.
    attach(connection, [game_id for some in games_of(connection, igdb_ids).values() for game_id in some])
    entries = load_wanted(connection, igdb_ids)
    if not entries:
        return Counter()
    paint(connection, entries.values())
    today = (now + LAST_ZONE).date()
    releases = {
        igdb_id: [one.release for one in found if one.last_seen_at is None and _lies_ahead(one.release, today)]
        for igdb_id, found in load_releases(connection, entries).items()
    }
    names = load_platforms(connection, (one for found in releases.values() for one in found))
    events = []
    for igdb_id, entry in entries.items():
        events.append(game_event(entry, now))
        for group, some in _announced(releases.get(igdb_id, ())).items():
            events.append(release_event(entry, group, some, names, now, damped=False))
    return _append(connection, events, now, silent=True)


def introduce_wanted(connection: Connection, now: datetime) -> Counter[str]:
    """Introduce the games that were stored before anybody wanted them; some at a time."""
    return introduce(connection, list(connection.scalars(_NOT_INTRODUCED)), now)


def paint(connection: Connection, entries: Iterable[Entry]) -> None:
    """Give games that no service told a box art of their cover for one."""
    covers = {one.game_id: cover_url(one.cover_id) for one in entries if one.game_id and not one.box_art_url}
    found = {game_id: url for game_id, url in covers.items() if url}
    if found:
        connection.execute(_PAINT, {"ids": list(found), "urls": list(found.values())})


def _changes(
    connection: Connection, changed: Sequence[StoredGame], entries: Mapping[int, Entry], now: datetime
) -> list[NewEvent]:
    if not changed:
        return []
    connection.execute(_BACK, {"ids": [one.record.igdb_id for one in changed]})
    found = {one.record.igdb_id: compare(one.releases_before, one.releases_after, now) for one in changed}
    names = load_platforms(connection, (change.release for changes in found.values() for change in changes))
    events = []
    for one in changed:
        entry, changes = entries[one.record.igdb_id], found[one.record.igdb_id]
        _tell_anew(connection, one, changes, now)
        if _is_called_off(one):
            events.append(release_event(entry, Group(EventKind.RELEASE_CANCELLED, None, None, None), (), names, now))
            changes = tuple(change for change in changes if change.kind != EventKind.RELEASE_CANCELLED)
        for group, some in grouped(changes).items():
            events.append(release_event(entry, group, [change.release for change in some], names, now))
    return events


def _tell_anew(connection: Connection, game: StoredGame, changes: Sequence[Change], now: datetime) -> None:
    """Have a release told again that was told to be out and has another day ahead; what still waits is dropped."""
    today = (now + LAST_ZONE).date()
    left = [one for one in changes if one.old is not None and one.old != one.new and not _over(one.new, today)]
    ids = [key for one in left for key in (one.release.igdb_id, one.replaced) if key is not None]
    if not ids:
        return
    connection.execute(_TOLD_ANEW, {"game": game.record.igdb_id, "ids": ids})
    standing = {period_of(one.release) for one in game.releases_after if one.last_seen_at is None}
    days = {str(one.old) for one in left if one.old not in standing}
    told = select(Event.id).where(
        Event.occurred_at > now - _STILL_WAITING,
        Event.kind == EventKind.RELEASE_OUT,
        Event.event_key.startswith(f"{EventKind.RELEASE_OUT}:{SERVICE}/{game.record.igdb_id}:", autoescape=True),
        Event.detail["when"].astext.in_(days),
    )
    drop_waiting(connection, list(connection.scalars(told)))


def _over(period: Period | None, today: date) -> bool:
    return period is not None and is_over(period, today)


def _is_called_off(game: StoredGame) -> bool:
    return (
        game.record.game_status == GAME_CANCELLED
        and game.before is not None
        and game.before.game_status != GAME_CANCELLED
    )


def _announced(releases: Iterable[ReleaseRecord]) -> dict[Group, list[ReleaseRecord]]:
    found: dict[Group, list[ReleaseRecord]] = {}
    for one in releases:
        group = Group(EventKind.RELEASE_ANNOUNCED, stage_of(one), None, period_of(one))
        found.setdefault(group, []).append(one)
    return found


def _lies_ahead(release: ReleaseRecord, today: date) -> bool:
    return release.status not in {OFFLINE, CANCELLED} and not is_over(period_of(release), today)


def _child(parent: Entry, record: GameRecord, now: datetime) -> NewEvent:
    """Return the event of an entry that is new and belongs to a wanted game."""
    told = game_event(parent, now)
    detail = msgspec.structs.replace(
        told.detail,
        name=record.name,
        url=record.url,
        box_art_url=cover_url(record.cover_id) or told.detail.box_art_url,
        description=(record.summary or "")[:SUMMARY_LENGTH] or None,
        stage=GAME_TYPES[record.game_type or 0],
    )
    return msgspec.structs.replace(told, subject=f"{SERVICE}/{record.igdb_id}", detail=detail)


def _append(connection: Connection, events: Sequence[NewEvent], now: datetime, *, silent: bool) -> Counter[str]:
    return append_events(connection, events, source_id=load_source(connection), silent=silent, now=now)
