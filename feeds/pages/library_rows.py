"""Load what the pages of a person's library show, and the states by which pages that are out of date are recognised.

All queries on a person's own tables are here; the pages beside it are rendered from what these return.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, text

from feeds.content import FeedContent, Scope
from feeds.pages.card_rows import among, utc
from feeds.pages.collection import CollectionPage, OwnedWork
from feeds.pages.game_list import ListPage, Move, Placed
from feeds.pages.journal import JournalPage, Once, Session
from feeds.pages.tallies import Subject
from feeds.personal import RELEVANT
from models import (
    Feed,
    Game,
    GameList,
    GameListEntry,
    GameMetadata,
    GameState,
    LibraryEntry,
    Link,
    ListActivity,
    PersonWork,
    PlaySession,
    Playthrough,
    Work,
)

MOVES_READ = 500
# A digest of rows, whatever their order: pages are written anew where it is another one.
_DIGEST = "SELECT count(*) || '/' || coalesce(sum(hashtextextended(CAST(shown AS text), 0)), 0) FROM ({}) AS shown"
_WORKS_OF = """
    SELECT mine.*, works.name, works.series, state.rating, state.is_favourite, state.tags, state.name AS own_name,
        state.year, state.genres, state.series AS own_series
    FROM person_works AS mine JOIN works ON works.id = mine.work_id
    LEFT JOIN game_states AS state ON state.person_id = mine.person_id AND state.work_id = mine.work_id
    WHERE mine.person_id = :person
"""
_STATES: Mapping[Scope, Sequence[Any]] = {
    "news": [
        text(
            _DIGEST.format(
                # Words of ours.
                f"SELECT work_id FROM person_works WHERE person_id = :person AND words && ARRAY{list(RELEVANT)}"  # noqa: S608
            )
        )
    ],
    "library": [text(_DIGEST.format(_WORKS_OF))],
    "journal": [
        text(_DIGEST.format(_WORKS_OF)),
        text(_DIGEST.format("SELECT * FROM playthroughs WHERE person_id = :person")),
        text(
            _DIGEST.format(
                "SELECT played.* FROM play_sessions AS played JOIN library_entries AS entry ON entry.id = entry_id"
                " WHERE entry.person_id = :person"
            )
        ),
    ],
    "roms": [
        text(
            _DIGEST.format(
                "SELECT rom.*, games.name FROM roms AS rom JOIN rom_folders AS folder ON folder.id = rom.folder_id"
                " LEFT JOIN games ON games.id = rom.game_id"
                " WHERE folder.person_id = :person AND folder.removed_at IS NULL"
            )
        )
    ],
    "list": [
        text(_DIGEST.format("SELECT * FROM game_lists WHERE id = :subject")),
        text(
            _DIGEST.format(
                "SELECT entry.*, works.name FROM game_list_entries AS entry LEFT JOIN works ON works.id = entry.work_id"
                " WHERE entry.list_id = :subject"
            )
        ),
        text("SELECT CAST(max(id) AS text) FROM list_activities WHERE list_id = :subject"),
    ],
}
_OF_FEEDS = select(Feed.id, Link.person_id, Link.subject_id).join(Link, Link.id == Feed.link_id).order_by(Feed.id)


class MineState(msgspec.Struct, frozen=True):
    """A personal feed whose page may change without an event, and a digest of what its page shows."""

    feed_id: int
    link_id: int
    scope: Scope
    digest: str


def load_states(connection: Connection, link_ids: Collection[int]) -> list[MineState]:
    """Return the states of the pages of these links; takes a query or two for each of them."""
    statement = (
        select(Feed.id, Feed.scope, Feed.link_id, Link.person_id, Link.subject_id)
        .join(Link, Link.id == Feed.link_id)
        .where(among(Feed.link_id, sorted(link_ids)), Feed.scope.in_(list(_STATES)))
        .order_by(Feed.id)
    )
    states = []
    for row in connection.execute(statement).all() if link_ids else ():
        about = {"person": row.person_id, "subject": row.subject_id}
        parts = [
            connection.scalar(query, {name: about[name] for name in query.compile().params})
            for query in _STATES[row.scope]
        ]
        states.append(MineState(row.id, row.link_id, row.scope, repr(parts)))
    return states


def load_collections(connection: Connection, feeds: Sequence[FeedContent], _now: datetime) -> dict[int, CollectionPage]:
    """Return what the pages of people's libraries show, by the ids of the feeds."""
    return {
        feed_id: CollectionPage(path=path, works=_load_works(connection, person_id))
        for feed_id, path, person_id, _ in owners(connection, feeds)
    }


def load_journals(connection: Connection, feeds: Sequence[FeedContent], _now: datetime) -> dict[int, JournalPage]:
    """Return what the pages of people's journals and years show, by the ids of the feeds."""
    return {
        feed_id: JournalPage(
            path=path,
            playthroughs=_load_playthroughs(connection, person_id),
            sessions=_load_sessions(connection, person_id),
        )
        for feed_id, path, person_id, _ in owners(connection, feeds)
    }


def load_lists(connection: Connection, feeds: Sequence[FeedContent], _now: datetime) -> dict[int, ListPage]:
    """Return what the pages of people's lists show, by the ids of the feeds."""
    pages = {}
    for feed_id, path, person_id, list_id in owners(connection, feeds):
        row = connection.execute(
            select(GameList.name, GameList.description, GameList.ranked).where(GameList.id == list_id)
        ).one_or_none()
        if row is not None:
            pages[feed_id] = ListPage(
                path=path,
                name=row.name,
                description=row.description,
                is_ranked=row.ranked,
                entries=_load_placed(connection, list_id, person_id),
            )
    return pages


def owners(connection: Connection, feeds: Sequence[FeedContent]) -> list[tuple[int, str, int, int]]:
    """Return feeds with their paths, whose they are, and which list they are about."""
    paths = {feed.feed_id: feed.path for feed in feeds}
    rows = connection.execute(_OF_FEEDS.where(among(Feed.id, sorted(paths))))
    return [(row.id, paths[row.id], row.person_id, row.subject_id or 0) for row in rows]


def _load_works(connection: Connection, person_id: int) -> tuple[OwnedWork, ...]:
    statement = (
        select(
            *(PersonWork.words, PersonWork.status, PersonWork.stores, PersonWork.platforms),
            *(PersonWork.seconds, PersonWork.last_played_at),
            func.coalesce(GameState.name, Work.name).label("name"),
            func.coalesce(GameState.series, Work.series).label("series"),
            *(GameState.rating, GameState.is_favourite, GameState.tags, GameState.year),
            GameMetadata.first_release_at,
        )
        .join(Work, Work.id == PersonWork.work_id)
        .outerjoin(GameState, (GameState.person_id == PersonWork.person_id) & (GameState.work_id == PersonWork.work_id))
        .outerjoin(GameMetadata, GameMetadata.igdb_id == Work.root_igdb_id)
        .where(PersonWork.person_id == person_id)
        .order_by(func.lower(func.coalesce(GameState.name, Work.name)), PersonWork.work_id)
    )
    return tuple(
        OwnedWork(
            name=row.name,
            words=tuple(row.words),
            status=row.status,
            stores=tuple(row.stores),
            platforms=tuple(row.platforms),
            seconds=row.seconds,
            last_played_at=utc(row.last_played_at),
            rating=row.rating,
            is_favourite=bool(row.is_favourite),
            tags=tuple(row.tags or ()),
            series=row.series,
            year=row.year or (row.first_release_at.astimezone(UTC).year if row.first_release_at else None),
        )
        for row in connection.execute(statement)
    )


def _subject_columns(person_id: int) -> tuple[Any, ...]:
    """Return the columns of what a playthrough or a session is of, with the joins that they need."""
    state = (GameState.work_id == Game.work_id) & (GameState.person_id == person_id)
    columns = (
        Game.id.label("game_id"),
        func.coalesce(GameState.name, Work.name, Game.name).label("name"),
        func.coalesce(GameState.series, Work.series).label("series"),
        func.coalesce(GameState.genres, GameMetadata.genres).label("genres"),
    )
    return columns, state


def _load_playthroughs(connection: Connection, person_id: int) -> tuple[Once, ...]:
    columns, state = _subject_columns(person_id)
    once = (*("platform", "status", "completion", "started", "finished", "seconds", "rating", "notes", "is_replay"),)
    statement = (
        select(*(getattr(Playthrough, name) for name in once), GameState.rating.label("of_work"), *columns)
        .join(Game, Game.id == Playthrough.game_id)
        .outerjoin(Work, Work.id == Game.work_id)
        .outerjoin(GameState, state)
        .outerjoin(GameMetadata, GameMetadata.igdb_id == Work.root_igdb_id)
        .where(Playthrough.person_id == person_id, Playthrough.removed_at.is_(None))
        .order_by(Playthrough.id)
    )
    return tuple(
        Once(
            of=_subject(row),
            **{name: getattr(row, name) for name in once if name != "rating"},
            rating=row.rating if row.rating is not None else row.of_work,
        )
        for row in connection.execute(statement)
    )


def _load_sessions(connection: Connection, person_id: int) -> tuple[Session, ...]:
    """Return how long each game was played in each month, by the months in which sessions ended (UTC)."""
    columns, state = _subject_columns(person_id)
    month = func.to_char(func.timezone("UTC", PlaySession.until_at), "YYYY-MM").label("month")
    shown = (*columns, LibraryEntry.platform, LibraryEntry.store)
    statement = (
        select(month, func.sum(PlaySession.seconds).label("seconds"), *shown)
        .join(LibraryEntry, LibraryEntry.id == PlaySession.entry_id)
        .join(Game, Game.id == LibraryEntry.game_id)
        .outerjoin(Work, Work.id == Game.work_id)
        .outerjoin(GameState, state)
        .outerjoin(GameMetadata, GameMetadata.igdb_id == Work.root_igdb_id)
        .where(LibraryEntry.person_id == person_id, LibraryEntry.hidden_at.is_(None))
        .group_by(month, *shown)
        .order_by(month, Game.id, LibraryEntry.store, LibraryEntry.platform)
    )
    return tuple(
        Session(of=_subject(row), month=row.month, seconds=int(row.seconds), platform=row.platform, store=row.store)
        for row in connection.execute(statement)
    )


def _subject(row: Any) -> Subject:
    return Subject(game_id=row.game_id, name=row.name, series=row.series, genres=tuple(row.genres or ()))


def _load_placed(connection: Connection, list_id: int, person_id: int) -> tuple[Placed, ...]:
    moves = _load_moves(connection, list_id)
    statement = (
        select(
            *(GameListEntry.id, GameListEntry.position, GameListEntry.notes, GameListEntry.added_at),
            func.coalesce(GameState.name, Work.name, GameMetadata.name, GameListEntry.written).label("name"),
            *(PersonWork.status, PersonWork.words, GameState.rating),
        )
        .outerjoin(Work, Work.id == GameListEntry.work_id)
        .outerjoin(GameMetadata, GameMetadata.igdb_id == GameListEntry.igdb_id)
        .outerjoin(GameState, (GameState.work_id == GameListEntry.work_id) & (GameState.person_id == person_id))
        .outerjoin(PersonWork, (PersonWork.work_id == GameListEntry.work_id) & (PersonWork.person_id == person_id))
        .where(GameListEntry.list_id == list_id)
        .order_by(GameListEntry.position, GameListEntry.id)
    )
    return tuple(
        Placed(
            place=row.position,
            name=row.name,
            notes=row.notes,
            rating=row.rating,
            status=row.status,
            added_at=row.added_at.astimezone(UTC),
            moves=tuple(moves.get(row.id, ())),
        )
        for row in connection.execute(statement)
    )


class _Change(msgspec.Struct, frozen=True):
    """What of a change of a list says that a line of it moved (`pipeline.games.following.changes`)."""

    entry: int | None = None
    place: int | None = None
    place_before: int | None = None


def _load_moves(connection: Connection, list_id: int) -> Mapping[int, list[Move]]:
    """Return the moves of a list's lines, the newest first, as its activities tell them."""
    statement = (
        select(ListActivity.at, ListActivity.changes)
        .where(ListActivity.list_id == list_id, ListActivity.verb == "moved")
        .order_by(ListActivity.id.desc())
        .limit(MOVES_READ)
    )
    moves: dict[int, list[Move]] = defaultdict(list)
    for row in connection.execute(statement):
        for change in msgspec.convert(row.changes, list[_Change]):
            if change.entry is not None and change.place and change.place_before:
                moves[change.entry].append(
                    Move(at=row.at.astimezone(UTC), place=change.place, place_before=change.place_before)
                )
    return moves
