"""All that is known of one work of a person's library: for `library show`, and for a page of it."""

from datetime import date, datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, case, func, select

from models import (
    Game,
    GameList,
    GameListEntry,
    GameState,
    LibraryEntry,
    LibraryImport,
    PlaySession,
    Playthrough,
    Source,
    Work,
)
from models.moments import Moment
from models.periods import in_words, read_period
from pipeline.library.listing.works import ListedWork, load_works

_FILE = func.coalesce(LibraryImport.name, "hand")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A game in one store on one platform. `origin` is the file, the source or the `hand` that it came from.

    `igdb_id` is the edition.
    """

    id: int
    work_id: int
    igdb_id: int | None
    game: str
    store: str
    external_id: str
    platform: str
    title: str
    ownership: str
    acquired_on: date | None
    playtime_seconds: int | None
    last_played_at: Moment | None
    first_seen_at: Moment
    last_seen_at: Moment | None
    hidden_at: Moment | None
    removed_at: Moment | None
    origin: str
    line: int | None


class Through(msgspec.Struct, frozen=True, kw_only=True):
    """A playthrough; `started` and `finished` as `models.periods` writes them, `origin` as an entry has it."""

    id: int
    work_id: int
    igdb_id: int | None
    game: str
    platform: str
    status: str
    completion: str | None
    started: str | None
    finished: str | None
    seconds: int | None
    rating: float | None
    rating_scale: int | None
    notes: str | None
    is_replay: bool
    created_at: Moment
    edited_at: Moment | None
    import_key: str | None
    origin: str

    @property
    def when(self) -> str:
        """Say from when to when it went, as precisely as the person knows."""
        begun, ended = in_words(self.started), in_words(self.finished)
        if begun is not None and ended is not None:
            return begun if begun == ended else f"{begun} to {ended}"
        return f"since {begun}" if begun is not None else ended or ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """How much the playtime of an entry grew between two answers of its shop."""

    work_id: int
    store: str
    platform: str
    until_at: datetime
    seconds: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A work's place on a list; its `position` says which is better where the list is ranked."""

    list: str
    position: int
    ranked: bool


class RelativeWork(msgspec.Struct, frozen=True):
    """A work that is a remake or an expansion of another one, or that such a one is of."""

    name: str
    relation: str


class WorkPage(msgspec.Struct, frozen=True, kw_only=True):
    """A work with its entries, playthroughs and places; what was removed is on it only where that was asked for."""

    work: ListedWork
    entries: list[Entry]
    playthroughs: list[Through]
    lists: list[Place]
    relatives: list[RelativeWork]


def load_work_page(connection: Connection, person_id: int, work_id: int) -> WorkPage | None:
    """Return the page of a work; None where it is nothing to the person any more."""
    works = load_works(connection, person_id, work_id)
    if not works:
        return None
    return WorkPage(
        work=works[0],
        entries=[row for row in load_entries(connection, person_id, work_id) if row.removed_at is None],
        playthroughs=load_playthroughs(connection, person_id, work_id),
        lists=_places(connection, person_id, work_id),
        relatives=_relatives(connection, work_id),
    )


def load_entries(connection: Connection, person_id: int, work_id: int | None = None) -> list[Entry]:
    """Return the entries of a person, removed and hidden ones too, of one work where that is given."""
    fields = (name for name in Entry.__struct_fields__ if name not in {"game", "origin", "line", "work_id"})
    query = (
        select(
            *(getattr(LibraryEntry, name) for name in fields),
            Game.work_id,
            # Which game it is of, where a work has several: its own name, whatever the person calls the work.
            Game.name.label("game"),
            case((LibraryEntry.source_id.is_not(None), Source.name), else_=_FILE).label("origin"),
            LibraryEntry.import_line.label("line"),
        )
        .join(Game, Game.id == LibraryEntry.game_id)
        .outerjoin(LibraryImport, LibraryImport.id == LibraryEntry.import_id)
        .outerjoin(Source, Source.id == LibraryEntry.source_id)
        .where(LibraryEntry.person_id == person_id, _is_of(work_id))
        .order_by(LibraryEntry.id)
    )
    return [Entry(**row) for row in connection.execute(query).mappings()]


def load_playthroughs(connection: Connection, person_id: int, work_id: int | None = None) -> list[Through]:
    """Return the playthroughs of a person, or of one work: the last end first, what has none before all others."""
    fields = (name for name in Through.__struct_fields__ if name not in {"game", "origin", "work_id"})
    query = (
        select(
            *(getattr(Playthrough, name) for name in fields),
            Game.work_id,
            func.coalesce(GameState.name, Work.name).label("game"),
            _FILE.label("origin"),
        )
        .join(Game, Game.id == Playthrough.game_id)
        .join(Work, Work.id == Game.work_id)
        .outerjoin(GameState, (GameState.work_id == Work.id) & (GameState.person_id == Playthrough.person_id))
        .outerjoin(LibraryImport, LibraryImport.id == Playthrough.import_id)
        .where(Playthrough.person_id == person_id, Playthrough.removed_at.is_(None), _is_of(work_id))
    )
    throughs = [Through(**row) for row in connection.execute(query).mappings()]
    return sorted(throughs, key=order_of, reverse=True)


def load_sessions(connection: Connection, person_id: int) -> list[Session]:
    """Return how a person's playtime grew, in order."""
    query = (
        select(Game.work_id, LibraryEntry.store, LibraryEntry.platform, PlaySession.until_at, PlaySession.seconds)
        .join(LibraryEntry, LibraryEntry.id == PlaySession.entry_id)
        .join(Game, Game.id == LibraryEntry.game_id)
        .where(LibraryEntry.person_id == person_id, LibraryEntry.removed_at.is_(None))
        .order_by(PlaySession.until_at, PlaySession.entry_id)
    )
    return [Session(**row) for row in connection.execute(query).mappings()]


def _is_of(work_id: int | None) -> ColumnElement[bool]:
    return Game.work_id.is_not(None) if work_id is None else Game.work_id == work_id


def order_of(through: Through) -> tuple[date, date, int]:
    """Return what orders a journal: what is under way is the newest, what nobody knows the end of the oldest."""
    ended, begun = read_period(through.finished), read_period(through.started)
    first = (begun and begun.last) or date.min
    if through.finished is None and through.status in {"playing", "paused"}:
        return date.max, first, through.id
    return (ended and ended.last) or first, first, through.id


def _places(connection: Connection, person_id: int, work_id: int) -> list[Place]:
    query = (
        select(GameList.name.label("list"), GameListEntry.position, GameList.ranked)
        .join(GameListEntry, GameListEntry.list_id == GameList.id)
        .where(GameListEntry.work_id == work_id, GameList.person_id == person_id)
        .order_by(GameList.name)
    )
    return [Place(**row) for row in connection.execute(query).mappings()]


def _relatives(connection: Connection, work_id: int) -> list[RelativeWork]:
    """Return what a work is of, and what is of it: "remake of Final Fantasy VII", "Final Fantasy VII: its remake"."""
    this = select(Work.parent_work_id).where(Work.id == work_id).scalar_subquery()
    above = select(Work.name).where(Work.id == this)
    own = connection.scalar(select(Work.relation).where(Work.id == work_id))
    relatives = [RelativeWork(name, f"{own} of") for name in connection.scalars(above) if own is not None]
    below = select(Work.name, Work.relation).where(Work.parent_work_id == work_id).order_by(Work.name)
    return [*relatives, *(RelativeWork(row.name, row.relation or "") for row in connection.execute(below))]
