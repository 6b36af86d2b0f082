"""`/lists`: your lists of games, line by line, and what happened to them."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from pipeline.games.finding.names import read_games
from pipeline.games.following.editing import Placed
from pipeline.games.following.list_export import Activity
from pipeline.games.following.lists import Listed, ListEntry
from pipeline.games.following.naming import NamedLine
from pipeline.operations import lists
from pipeline.operations.lists import ImportedList, SettledEntry
from pipeline.operations.meaning import as_program_means
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, make_page, page_of, read_cursor
from pipeline.web.api.routes.library_words import Name, Place
from pipeline.web.api.routing import Routes

routes = Routes("lists")
ListName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=5000)]


class ListBody(msgspec.Struct, frozen=True, kw_only=True):
    """A list to make. Releases of its games are told, unless it is `ranked` or `wants` says otherwise."""

    name: ListName
    ranked: bool = False
    wants: bool | None = None
    description: Text | None = None


class ListChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of a list: only what is given changes; a `description` of null takes it away."""

    ranked: bool | UnsetType = UNSET
    wants: bool | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET


class EntryBody(msgspec.Struct, frozen=True, kw_only=True):
    """A game to add, by a title or as igdb:1942, at a place or at the end. With `own` IGDB lacks it."""

    title: Name
    at: Place | None = None
    notes: Text | None = None
    own: bool = False


class MoveBody(msgspec.Struct, frozen=True, kw_only=True):
    """The place that a line is to have."""

    place: Place


class NoteBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is to stand beside a line; nothing takes the note away."""

    notes: Text


class MeaningBody(msgspec.Struct, frozen=True, kw_only=True):
    """The game that a line means, by a title, IGDB's number or address; or `own` where IGDB lacks it."""

    game: Name | None = None
    own: bool = False

    def __post_init__(self) -> None:
        if (self.game is None) is not self.own:
            raise ValueError("give one of game and own")


class ListImportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the list is called; one of that name is replaced."""

    name: ListName


@routes.add("GET", "/lists", scope="library")
def list_lists(call: Reading, query: PageQuery) -> Page[Listed]:
    """List your lists of games, and of how many of their lines it is sure which game they mean."""
    return page_of(lists.list_lists(call.connection, call.person_id), query, lambda each: each.name)


@routes.add("POST", "/lists", scope="library", status=201)
def create_list(call: Changing, body: ListBody) -> Listed:
    """Make a list of games, empty at first."""
    row = lists.create(
        call.connection,
        call.person_id,
        call.now,
        body.name,
        ranked=body.ranked,
        wants=body.wants,
        description=body.description,
    )
    return lists.show_list(call.connection, call.person_id, row.slug)


@routes.add("POST", "/lists/imports", scope="library")
def import_list(call: Working, query: ListImportQuery, body: bytes) -> ImportedList:
    """Make a list of a file, in place of yours of that name.

    The body is the file itself, of 16 MB at most: a title a line, CSV or JSON, whatever its Content-Type. CSV and
    objects of JSON may have title, year, platform, and igdb_id or an address at igdb.com. What was settled and noted by
    hand stays with its lines.
    """
    return lists.import_list(call.runtime, call.person_id, call.now, query.name, read_games(body), origin=None)


@routes.add("GET", "/lists/{name}", scope="library")
def show_list(call: Reading, name: str) -> Listed:
    """Show one list by its name or slug."""
    return lists.show_list(call.connection, call.person_id, name)


@routes.add("PATCH", "/lists/{name}", scope="library")
def change_list(call: Changing, name: str, body: ListChange) -> Listed:
    """Say what a list is about, whether its order is a ranking, and whether its games' releases are told."""
    given = {field: value for field, value in msgspec.structs.asdict(body).items() if value is not UNSET}
    if "description" in given:
        given["description"] = given["description"] or ""
    row = lists.change(call.connection, call.person_id, call.now, name, **given)
    return lists.show_list(call.connection, call.person_id, row.slug)


@routes.add("DELETE", "/lists/{name}", scope="library")
def remove_list(call: Changing, name: str) -> None:
    """Remove a list; what was recorded of its games stays."""
    lists.remove(call.connection, call.person_id, call.now, name)


@routes.add("GET", "/lists/{name}/log", scope="library")
def show_log(call: Reading, name: str, query: PageQuery) -> Page[Activity]:
    """List what happened to a list, the oldest first."""
    after = read_cursor(query, int)
    activities = lists.load_log(
        call.connection, call.person_id, name, after_id=after[0] if after else 0, limit=query.limit + 1
    )
    return make_page(activities, query, lambda each: each.id)


@routes.add("GET", "/lists/{name}/entries", scope="library")
def list_entries(call: Reading, name: str, query: PageQuery) -> Page[ListEntry]:
    """List the lines of a list in its order: what each was taken for, how, and how sure that is."""
    return page_of(lists.list_entries(call.connection, call.person_id, name), query, lambda each: each.position)


@routes.add("POST", "/lists/{name}/entries", scope="library", status=201)
def add_entry(call: Working, name: str, body: EntryBody) -> Placed:
    """Add a game to a list, at its end or at a place; IGDB is asked for a title that nothing here has."""
    return lists.add_entry(
        call.runtime, call.person_id, call.now, name, body.title, at=body.at, notes=body.notes, own=body.own
    )


@routes.add("DELETE", "/lists/{name}/entries/{entry}", scope="library")
def remove_entry(call: Changing, name: str, entry: str) -> None:
    """Take a line off a list. It is named by its `id`, or by a title, or as igdb:1942."""
    lists.remove_entry(call.connection, call.person_id, call.now, name, as_program_means(entry))


@routes.add("POST", "/lists/{name}/entries/{entry}/move", scope="library")
def move_entry(call: Changing, name: str, entry: str, body: MoveBody) -> Placed:
    """Move a line of a list to another place; those in between make room."""
    return lists.move_entry(call.connection, call.person_id, call.now, name, as_program_means(entry), body.place)


@routes.add("PUT", "/lists/{name}/entries/{entry}/note", scope="library")
def note_entry(call: Changing, name: str, entry: str, body: NoteBody) -> NamedLine:
    """Write a note beside a line of a list."""
    return lists.note_entry(call.connection, call.person_id, call.now, name, as_program_means(entry), body.notes)


@routes.add("POST", "/lists/{name}/entries/{entry}/settle", scope="library")
def settle_entry(call: Working, name: str, entry: str, body: MeaningBody) -> SettledEntry:
    """Say which game a line of a list means; the answer holds for that title in lists, imports and syncs."""
    return lists.settle_entry(call.runtime, call.person_id, call.now, name, as_program_means(entry), body.game)
