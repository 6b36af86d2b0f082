"""`/playthroughs`: what you played, from when to when and how far."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from pipeline.library.journal.playthroughs import Written
from pipeline.library.listing.pages import Through
from pipeline.library.records import Completion, Status
from pipeline.operations import journal
from pipeline.operations.meaning import as_program_means
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routes.library_words import GameNamed, Name, Notes, Number, Year
from pipeline.web.api.routing import Routes

routes = Routes("playthroughs")
When = Annotated[
    str, msgspec.Meta(max_length=40, description="As far as you know it: 2012, 1999-Q3, nov 2020, 2020-11-21, today.")
]
Hours = Annotated[str, msgspec.Meta(max_length=40, description="41h, 1:30 or 90 min.")]
Rating = Annotated[str, msgspec.Meta(max_length=20, description="4/5, 8.5/10 or 85.")]
Platform = Annotated[str, msgspec.Meta(max_length=300)]


class JournalQuery(PageQuery, frozen=True, kw_only=True):
    """Which playthroughs: of a game (a work's number, a title, igdb:1942), or finished in a year."""

    game: Name | None = None
    year: Year | None = None


class PlayedBody(msgspec.Struct, frozen=True, kw_only=True):
    """A game and how you played it. With `own` its title is that of one that IGDB lacks."""

    game: GameNamed
    platform: Platform | None = None
    started: When | None = None
    finished: When | None = None
    hours: Hours | None = None
    rating: Rating | None = None
    notes: Notes | None = None
    completion: Completion | None = None
    status: Status | None = None
    is_replay: bool | None = None
    own: bool = False


class FinishedBody(msgspec.Struct, frozen=True, kw_only=True):
    """A game that you finished, today where `finished` does not say when."""

    game: GameNamed
    finished: When = "today"
    platform: Platform | None = None
    hours: Hours | None = None
    rating: Rating | None = None
    notes: Notes | None = None
    completion: Completion | None = None
    own: bool = False


class EditBody(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of a playthrough: only what is given changes; null takes a value away."""

    platform: Platform | UnsetType | None = UNSET
    started: When | UnsetType | None = UNSET
    finished: When | UnsetType | None = UNSET
    hours: Hours | UnsetType | None = UNSET
    rating: Rating | UnsetType | None = UNSET
    notes: Notes | UnsetType | None = UNSET
    completion: Completion | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET
    is_replay: bool | UnsetType = UNSET


@routes.add("GET", "/playthroughs", scope="library")
def list_playthroughs(call: Reading, query: JournalQuery) -> Page[Through]:
    """List what you played, the last first: what is under way, then by its end."""
    game = None if query.game is None else as_program_means(query.game)
    throughs = journal.list_playthroughs(call.connection, call.person_id, game, query.year)
    return page_of(throughs, query, journal.place_of)


@routes.add("POST", "/playthroughs", scope="library", status=201)
def add_playthrough(call: Working, body: PlayedBody) -> Written:
    """Write down that you play a game, or played it once; without any date it begins today.

    IGDB is asked for a title that nothing here has. One that may mean several games is refused with the choices.
    """
    values = _values(call, body)
    return journal.add(call.runtime, call.person_id, call.now, body.game, values, platform=body.platform, own=body.own)


@routes.add("POST", "/playthroughs/finish", scope="library")
def finish_game(call: Working, body: FinishedBody) -> Written:
    """Write down that you finished a game: its playthrough that is under way, or one that you never wrote down."""
    values = _values(call, body)
    return journal.finish(
        call.runtime, call.person_id, call.now, body.game, values, platform=body.platform, own=body.own
    )


@routes.add("GET", "/playthroughs/{playthrough}", scope="library")
def show_playthrough(call: Reading, playthrough: Number) -> Through:
    """Show one playthrough."""
    return journal.show_playthrough(call.connection, call.person_id, playthrough)


@routes.add("PATCH", "/playthroughs/{playthrough}", scope="library")
def edit_playthrough(call: Changing, playthrough: Number, body: EditBody) -> Written:
    """Change what is written of a playthrough; no import changes it from then on."""
    fields = msgspec.structs.asdict(body)
    cleared = [name for name, value in fields.items() if value is None]
    return journal.edit(call.connection, call.person_id, call.now, playthrough, _values(call, body), cleared)


@routes.add("DELETE", "/playthroughs/{playthrough}", scope="library")
def remove_playthrough(call: Changing, playthrough: Number) -> None:
    """Take a playthrough out of your journal; no import brings it back."""
    journal.remove(call.connection, call.person_id, call.now, playthrough)


def _values(call: Changing | Working, body: PlayedBody | FinishedBody | EditBody) -> dict[str, Any]:
    fields = msgspec.structs.asdict(body)
    given = {name: None if value is UNSET else value for name, value in fields.items()}
    return journal.read_values(call.now, **{name: given[name] for name in given.keys() - {"game", "own"}})
