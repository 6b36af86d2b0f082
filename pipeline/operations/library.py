"""What a person owns, wishes for and says of games: the library."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import get_args

import msgspec
from sqlalchemy import Connection

from pipeline.games.platforms import called
from pipeline.library.journal.entries import Addition, Outcome, add_entry, forget_work, hide_work, unhide_work
from pipeline.library.journal.people import platforms_of, set_platforms
from pipeline.library.journal.reading import check_word
from pipeline.library.journal.states import STATUSES, StateChange, Wish, check_wish, set_state
from pipeline.library.journal.turns import begin_writing
from pipeline.library.listing.adding_up import Statistics
from pipeline.library.listing.checks import Remark, check_library
from pipeline.library.listing.origins import Origin, load_origins
from pipeline.library.listing.pages import WorkPage, load_work_page
from pipeline.library.listing.statistics import load_statistics
from pipeline.library.listing.titles import missing
from pipeline.library.listing.works import Filter, ListedWork, Order, WorkKey, choose_works
from pipeline.library.records import Ownership, Store
from pipeline.library.standing import WORDS
from pipeline.operations.meaning import game_meant, work_of_library
from pipeline.runtime.runtime import Runtime

STORES: tuple[str, ...] = get_args(Store)
# What of a work may be asked for: what is said of it, and what it is to a person besides.
WISHED_STATUSES = tuple(dict.fromkeys((*STATUSES, *WORDS)))


class NewWork(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how a person has a game that they add by hand."""

    store: Store = "other"
    platform: str = ""
    ownership: Ownership = "owned"
    acquired_on: date | None = None


class AddedWork(msgspec.Struct, frozen=True, kw_only=True):
    """A game that a person added: it is new, was there already, changed, or was brought back."""

    work_id: int
    igdb_id: int | None
    name: str
    ownership: Ownership
    outcome: Outcome


class ChangedWork(msgspec.Struct, frozen=True, kw_only=True):
    """What a person's word on a game changed; nothing where it was so already."""

    work_id: int
    igdb_id: int | None
    name: str
    changes: list[StateChange]


class ShownWork(msgspec.Struct, frozen=True, kw_only=True):
    """A game that is hidden or shown from now on; `entries` are those of which that was not so before."""

    work_id: int
    igdb_id: int | None
    name: str
    is_hidden: bool
    entries: int


class ForgottenWork(msgspec.Struct, frozen=True, kw_only=True):
    """A game that was taken out of the library and the journal, with how much of it went."""

    work_id: int
    igdb_id: int | None
    name: str
    entries: int
    playthroughs: int


class WorkOrigins(msgspec.Struct, frozen=True, kw_only=True):
    """Every value of a game, and whose word it is."""

    work_id: int
    name: str
    origins: list[Origin]


class PlayedOn(msgspec.Struct, frozen=True, kw_only=True):
    """The platforms that a person plays on, as events name them."""

    platforms: list[str]


def list_works(
    connection: Connection,
    person_id: int,
    wish: Filter,
    order: Order = "name",
    *,
    after: WorkKey | None = None,
    limit: int | None = None,
) -> list[tuple[WorkKey, ListedWork]]:
    """Return the games of a library that fit a filter, in an order, each with its place for the next page.

    Raises `UsageError` for a status or a store that there is not.
    """
    plain = msgspec.structs.replace(
        wish,
        statuses=tuple(check_word(word, WISHED_STATUSES, "status") for word in wish.statuses),
        stores=tuple(check_word(word, STORES, "store") for word in wish.stores),
        platforms=tuple(map(called, wish.platforms)),
    )
    return choose_works(connection, person_id, plain, order, after=after, limit=limit)


def show_work(connection: Connection, person_id: int, game: str | int) -> WorkPage:
    """Return all that is known of a game of a person: a title, or a work's number. Raises `UnknownWork`."""
    named = work_of_library(connection, person_id, game)
    page = load_work_page(connection, person_id, named.work_id)
    if page is None:
        raise missing(connection, person_id, str(game))
    return page


def show_origins(connection: Connection, person_id: int, game: str | int) -> WorkOrigins:
    """Return every value of a game with who said it; also of what was removed or is hidden."""
    named = work_of_library(connection, person_id, game)
    origins = load_origins(connection, person_id, named.work_id)
    return WorkOrigins(work_id=named.work_id, name=named.name, origins=origins)


def add_up(connection: Connection, person_id: int, year: int | None = None) -> Statistics:
    """Return a library in figures, of all times or of one year."""
    return load_statistics(connection, person_id, year)


def check(connection: Connection, person_id: int) -> list[Remark]:
    """Return what stands out in a library: owned twice, wished but owned, never started, finished and not played."""
    return check_library(connection, person_id)


def add_work(
    runtime: Runtime, person_id: int, now: datetime, game: str | int, wish: NewWork, *, own: bool = False
) -> AddedWork:
    """Add a game by hand, or bring back one that was forgotten; IGDB is asked for one that nothing here has.

    With `own` the title is that of a game that IGDB lacks. Raises `UnclearGame` and what `game_meant` raises.
    """
    meant = game_meant(runtime, person_id, game, own=own)
    with runtime.engine.begin() as connection:
        begin_writing(connection)
        chosen = meant.game(connection, now, platform=wish.platform)
        addition = Addition(
            game=chosen,
            store=wish.store,
            platform=called(wish.platform),
            ownership=wish.ownership,
            acquired_on=wish.acquired_on,
        )
        outcome = add_entry(connection, person_id, addition, now)
    return AddedWork(
        work_id=chosen.work_id, igdb_id=chosen.igdb_id, name=chosen.name, ownership=wish.ownership, outcome=outcome
    )


def set_work(
    runtime: Runtime, person_id: int, now: datetime, game: str | int, wish: Wish, *, own: bool = False
) -> ChangedWork:
    """Say of a game what no import and no sync overwrites; it need not be in the library. Raises as `add_work` does."""
    check_wish(wish)
    meant = game_meant(runtime, person_id, game, own=own)
    with runtime.engine.begin() as connection:
        begin_writing(connection)
        chosen = meant.game(connection, now)
        changes = set_state(connection, person_id, chosen.work_id, wish, now)
    return ChangedWork(work_id=chosen.work_id, igdb_id=chosen.igdb_id, name=chosen.name, changes=changes)


def hide(connection: Connection, person_id: int, now: datetime, game: str | int, *, hidden: bool = True) -> ShownWork:
    """Hide a game, or show it again; no import and no sync says otherwise. Raises `UnknownWork`."""
    begin_writing(connection)
    work = work_of_library(connection, person_id, game)
    count = (hide_work if hidden else unhide_work)(connection, person_id, work.work_id, now)
    return ShownWork(work_id=work.work_id, igdb_id=work.igdb_id, name=work.name, is_hidden=hidden, entries=count)


def forget(connection: Connection, person_id: int, now: datetime, game: str | int) -> ForgottenWork:
    """Take a game out of the library and the journal; `add_work` brings it back. Raises `UnknownWork`."""
    begin_writing(connection)
    work = work_of_library(connection, person_id, game)
    entries, playthroughs = forget_work(connection, person_id, work.work_id, now)
    return ForgottenWork(
        work_id=work.work_id, igdb_id=work.igdb_id, name=work.name, entries=entries, playthroughs=playthroughs
    )


def list_platforms(connection: Connection, person_id: int) -> PlayedOn:
    """Return the platforms that a person plays on; none where they said none."""
    return PlayedOn(platforms=platforms_of(connection, person_id))


def change_platforms(connection: Connection, person_id: int, names: Sequence[str]) -> PlayedOn:
    """Say which platforms a person plays on, in place of those before. Raises `UsageError` for one that is none."""
    return PlayedOn(platforms=set_platforms(connection, person_id, names))
