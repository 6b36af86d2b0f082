"""`/library`: what you own, wish for and say of games."""

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from pipeline.library.journal.states import Wish
from pipeline.library.listing.adding_up import Statistics
from pipeline.library.listing.checks import KINDS, Remark
from pipeline.library.listing.pages import WorkPage
from pipeline.library.listing.works import Filter, ListedWork, Order, WorkKey
from pipeline.library.records import Ownership, Status, Store
from pipeline.operations import library
from pipeline.operations.library import AddedWork, ChangedWork, NewWork, PlayedOn, ShownWork, WorkOrigins
from pipeline.operations.meaning import as_program_means
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, make_page, page_of, read_cursor
from pipeline.web.api.routes.library_words import GameNamed, Name, Notes, Year
from pipeline.web.api.routing import Routes

routes = Routes("library")


class LibraryQuery(PageQuery, frozen=True, kw_only=True):
    """Which games of the library: those that fit each condition; of one that is given again any value fits."""

    status: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    store: tuple[Store, ...] = ()
    tag: tuple[str, ...] = ()
    series: str | None = None
    never_played: bool = False
    favourites: bool = False
    hidden: bool = False
    sort: Order = "name"


class YearQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Of which year; of all times without it."""

    year: Year | None = None


class WorkBody(msgspec.Struct, frozen=True, kw_only=True):
    """A game that you have or wish for. With `own` its title is that of one that IGDB lacks."""

    game: GameNamed
    store: Store = "other"
    platform: Annotated[str, msgspec.Meta(max_length=300)] = ""
    ownership: Ownership = "owned"
    acquired_on: date | None = None
    own: bool = False


class WordBody(msgspec.Struct, frozen=True, kw_only=True):
    """What you say of a game: only what is given changes; null gives a value back to imports and syncs.

    A rating goes from 0 to 100, `rating_scale` is the scale that it is shown on.
    """

    status: Status | UnsetType | None = UNSET
    rating: Annotated[float, msgspec.Meta(ge=0, le=100)] | UnsetType | None = UNSET
    rating_scale: Annotated[int, msgspec.Meta(ge=2, le=100)] = 100
    is_favourite: bool | UnsetType | None = UNSET
    notes: Notes | UnsetType | None = UNSET
    name: Name | UnsetType | None = UNSET
    year: Year | UnsetType | None = UNSET
    genres: list[Name] | UnsetType | None = UNSET
    cover_url: str | UnsetType | None = UNSET
    series: Name | UnsetType | None = UNSET
    tags_added: list[str] = []
    tags_removed: list[str] = []


class PlatformsBody(msgspec.Struct, frozen=True, kw_only=True):
    """The platforms that you play on, in place of those before."""

    platforms: list[Name]


@routes.add("GET", "/library", scope="library")
def list_works(call: Reading, query: LibraryQuery) -> Page[ListedWork]:
    """List the games of your library: what each is to you, how long you played it, where you have it.

    `status` is a word such as finished, backlog, owned or wished. Platforms, tags and series are compared without case.
    """
    wish = Filter(
        statuses=query.status,
        platforms=query.platform,
        stores=query.store,
        tags=query.tag,
        series=query.series,
        never_played=query.never_played,
        favourites=query.favourites,
        hidden=query.hidden,
    )
    key = read_cursor(query, float, str, int)
    after = None if key is None else WorkKey(*key)
    works = library.list_works(call.connection, call.person_id, wish, query.sort, after=after, limit=query.limit + 1)
    page = make_page(works, query, lambda each: msgspec.structs.astuple(each[0]))
    return Page(items=[work for _, work in page.items], next=page.next)


@routes.add("POST", "/library", scope="library", status=201)
def add_work(call: Working, body: WorkBody) -> AddedWork:
    """Add a game by hand, or bring back one that you had it forget.

    IGDB is asked for a title that nothing here has. One that may mean several games is refused with the choices.
    """
    wish = NewWork(store=body.store, platform=body.platform, ownership=body.ownership, acquired_on=body.acquired_on)
    return library.add_work(call.runtime, call.person_id, call.now, body.game, wish, own=body.own)


@routes.add("GET", "/library/stats", scope="library")
def show_statistics(call: Reading, query: YearQuery) -> Statistics:
    """Add your library up: games, hours and finishes by time, platform, store, genre and series; what is best.

    Of a year, the games that you played or finished in it.
    """
    return library.add_up(call.connection, call.person_id, query.year)


@routes.add("GET", "/library/remarks", scope="library")
def list_remarks(call: Reading, query: PageQuery) -> Page[Remark]:
    """List what stands out: owned twice, wished but owned, never started, finished without a playthrough."""
    remarks = library.check(call.connection, call.person_id)
    return page_of(remarks, query, lambda each: (KINDS.index(each.kind), each.name.casefold(), each.work_id))


@routes.add("GET", "/library/platforms", scope="library")
def list_platforms(call: Reading) -> PlayedOn:
    """List the platforms that you play on."""
    return library.list_platforms(call.connection, call.person_id)


@routes.add("PUT", "/library/platforms", scope="library")
def set_platforms(call: Changing, body: PlatformsBody) -> PlayedOn:
    """Say which platforms you play on, in place of those before; none for no one in particular."""
    return library.change_platforms(call.connection, call.person_id, body.platforms)


@routes.add("GET", "/library/{work}", scope="library")
def show_work(call: Reading, work: str) -> WorkPage:
    """Show all that is known of a game of yours: where you have it, how often you played it, what you said of it.

    It is named by its `work_id`, or by a title, or as igdb:1942.
    """
    return library.show_work(call.connection, call.person_id, as_program_means(work))


@routes.add("PATCH", "/library/{work}", scope="library")
def set_work(call: Working, work: str, body: WordBody) -> ChangedWork:
    """Say of a game what no import and no sync overwrites: status, rating, tags, notes, and what it is called.

    A game named by a title or as igdb:1942 need not be in your library.
    """
    return library.set_work(call.runtime, call.person_id, call.now, as_program_means(work), _wish(body))


@routes.add("DELETE", "/library/{work}", scope="library")
def forget_work(call: Changing, work: str) -> None:
    """Take a game out of your library and journal; no import and no sync brings it back, adding it does."""
    library.forget(call.connection, call.person_id, call.now, as_program_means(work))


@routes.add("POST", "/library/{work}/hide", scope="library")
def hide_work(call: Changing, work: str) -> ShownWork:
    """Hide a game: a tool, a server, one that you tried once; no import and no sync shows it again."""
    return library.hide(call.connection, call.person_id, call.now, as_program_means(work))


@routes.add("POST", "/library/{work}/unhide", scope="library")
def unhide_work(call: Changing, work: str) -> ShownWork:
    """Show a hidden game again."""
    return library.hide(call.connection, call.person_id, call.now, as_program_means(work), hidden=False)


@routes.add("GET", "/library/{work}/origins", scope="library")
def show_origins(call: Reading, work: str) -> WorkOrigins:
    """Say of every value of a game who said it: you, a line of a file, a shop's account, or what it follows from."""
    return library.show_origins(call.connection, call.person_id, as_program_means(work))


def _wish(body: WordBody) -> Wish:
    fields: dict[str, Any] = msgspec.structs.asdict(body)
    added, removed, scale = (fields.pop(name) for name in ("tags_added", "tags_removed", "rating_scale"))
    values = {name: value for name, value in fields.items() if value is not UNSET and value is not None}
    if "rating" in values:
        values["rating_scale"] = scale
    cleared = tuple(name for name, value in fields.items() if value is None)
    return Wish(values=values, cleared=cleared, tags_added=tuple(added), tags_removed=tuple(removed))
