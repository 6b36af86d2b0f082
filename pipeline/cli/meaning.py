"""Which game a person means on the command line: one of their library, or one of IGDB's catalogue."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated

import msgspec
import typer
from sqlalchemy import Connection

from models.errors import LootwireError, UsageError
from models.people import OWNER_ID
from models.printable import NAME_LENGTH, on_a_line
from pipeline.catalogue.people import person_named
from pipeline.fetch.http import Client
from pipeline.games.finding.finder import Finder, Finding
from pipeline.games.finding.names import read_name
from pipeline.games.following.lists import choices_in_words
from pipeline.library.journal.games import GameOfWork, game_of_entry, game_of_work, own_game
from pipeline.library.listing.titles import NamedWork, missing, work_named
from pipeline.programs.sources import register
from pipeline.runtime.runtime import Runtime, utc_now

Title = Annotated[
    str, typer.Argument(metavar="TITLE", help="A title of the library, igdb:1942, or a work's number as JSON has it.")
]
AnyTitle = Annotated[str, typer.Argument(metavar="TITLE", help="A title, or IGDB's number as igdb:1942.")]
PersonName = Annotated[
    str | None, typer.Option("--person", metavar="NAME", help="Whose library it is; the owner's, if none is given.")
]
Own = Annotated[bool, typer.Option("--own", help="Take the title for a game that IGDB lacks.")]


class Meant(msgspec.Struct, frozen=True, kw_only=True):
    """A game that a person means: a work of theirs, an entry of IGDB, or a title that IGDB lacks."""

    person_id: int
    work: NamedWork | None = None
    igdb_id: int | None = None
    own: str | None = None

    def game(self, connection: Connection, now: datetime, *, platform: str | None = None) -> GameOfWork:
        """Return the game, which gets a row where it has none; belongs in a turn."""
        if self.work is not None:
            game = game_of_work(connection, self.person_id, self.work.work_id, platform)
            return msgspec.structs.replace(game, name=self.work.name)
        if self.igdb_id is not None:
            return game_of_entry(connection, self.igdb_id)
        return own_game(connection, self.own or "", now)


def person_of(runtime: Runtime, name: str | None) -> int:
    """Return the person of a name, the owner without one; raises `UsageError` where there is nobody of that name."""
    if name is None:
        return OWNER_ID
    with runtime.engine.connect() as connection:
        return person_named(connection, name)


def refuse_person(context: typer.Context, name: str | None) -> None:
    """Refuse a person that stands before a command, which would not hear of it."""
    if name is not None and context.invoked_subcommand is not None:
        command = f"{context.command_path} {context.invoked_subcommand}"
        raise UsageError(f"--person belongs after the command: {command} --person {name!r}")


def work_of_library(connection: Connection, person_id: int, title: str) -> NamedWork:
    """Return the work of a person's library that a title means; raises `UsageError` with the nearest names."""
    named = work_named(connection, person_id, title)
    if named is None:
        raise missing(connection, person_id, title)
    return named


def game_meant(runtime: Runtime, person_id: int, title: str, *, own: bool = False) -> Meant:
    """Return the game that a title means: one of the person's library, or else one that IGDB has.

    With `own` it is one that IGDB lacks. Raises `UsageError` with the choices where that is unsure, `SourceError` where
    IGDB is needed and does not answer.
    """
    if own:
        return Meant(person_id=person_id, own=" ".join(title.split()))
    with runtime.engine.connect() as connection:
        named = work_named(connection, person_id, title)
    if named is not None:
        return Meant(person_id=person_id, work=named)
    try:
        with _finder(runtime) as finder:
            finding = finder.find([read_name(title)])[0]
    except LootwireError as error:
        with runtime.engine.connect() as connection:
            absent = missing(connection, person_id, title)
        raise LootwireError(
            f"{absent}. To look further: {error}. Or take it for a game that IGDB lacks: --own"
        ) from error
    if finding.igdb_id is None:
        raise UsageError(_unclear(finding))
    return Meant(person_id=person_id, igdb_id=finding.igdb_id)


def today() -> date:
    """Return the day that it is where the command is given."""
    return utc_now().astimezone().date()


@contextmanager
def _finder(runtime: Runtime) -> Iterator[Finder]:
    """Give a finder of games, with a row for every source: IGDB's answers are stored under theirs."""
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
    with Client() as client:
        yield Finder(engine=runtime.engine, open_igdb=lambda: runtime.igdb(client), clock=utc_now)


def _unclear(finding: Finding) -> str:
    written = on_a_line(finding.asked.written, NAME_LENGTH)
    if not finding.choices:
        return f"{written!r} is no game that is known ({finding.why}); --own takes it for one that IGDB lacks"
    return f"{written!r} may be several games: {choices_in_words(finding.choices)}; say which as igdb:NUMBER"
