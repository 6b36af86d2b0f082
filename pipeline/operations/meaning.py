"""Which game a person means: one of their library, or one of IGDB's catalogue."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection

from models.errors import LootwireError, UsageError
from models.printable import NAME_LENGTH, on_a_line
from pipeline.errors import SourceError, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.games.finding.finder import Choice, Finder, Finding
from pipeline.games.finding.names import read_name
from pipeline.games.following.lists import choices_in_words
from pipeline.library.journal.games import GameOfWork, game_of_entry, game_of_work, own_game
from pipeline.library.listing.titles import NamedWork, missing, work_named, work_numbered
from pipeline.programs.sources import register
from pipeline.runtime.runtime import Runtime, utc_now


class UnclearGame(UsageError):
    """A title is no game for sure; `choices` are those that it may mean, the likeliest first, if it is any."""

    def __init__(self, message: str, choices: Sequence[Choice] = ()) -> None:
        super().__init__(message)
        self.choices = tuple(choices)


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


def work_of_library(connection: Connection, person_id: int, game: str | int) -> NamedWork:
    """Return the work of a person's library that a title means, or that has a number.

    Raises `UnknownWork` with the nearest names, `UsageError` where several bear the title.
    """
    if isinstance(game, int):
        named = work_numbered(connection, person_id, game)
    else:
        named = work_named(connection, person_id, game)
    if named is None:
        raise missing(connection, person_id, str(game))
    return named


def game_meant(runtime: Runtime, person_id: int, game: str | int, *, own: bool = False) -> Meant:
    """Return the game that a title means: one of the person's library, or else one that IGDB has; a number is a work's.

    With `own` it is one that IGDB lacks. Raises `UnclearGame` with the choices where that is unsure, `UnknownWork` for
    a number of none, `SourceError` where IGDB is needed and does not answer.
    """
    if isinstance(game, int):
        with runtime.engine.connect() as connection:
            return Meant(person_id=person_id, work=work_of_library(connection, person_id, game))
    if own:
        if not (title := " ".join(game.split())):
            raise UsageError("a game that IGDB lacks needs a title")
        return Meant(person_id=person_id, own=title)
    with runtime.engine.connect() as connection:
        named = work_named(connection, person_id, game)
    if named is not None:
        return Meant(person_id=person_id, work=named)
    try:
        with open_finder(runtime) as finder:
            finding = finder.find([read_name(game)])[0]
    except LootwireError as error:
        with runtime.engine.connect() as connection:
            absent = missing(connection, person_id, game)
        message = f"{absent}. To look further: {error}. Or take it for a game that IGDB lacks: --own"
        raise (SourceUnavailable if isinstance(error, SourceError) else LootwireError)(message) from error
    if finding.igdb_id is None:
        raise UnclearGame(_unclear(finding), finding.choices)
    return Meant(person_id=person_id, igdb_id=finding.igdb_id)


def as_program_means(written: str) -> str | int:
    """Return what a program names a game by: figures are a work's number, all else is a title or `igdb:1942`.

    A person means the game "1942" by the same.
    """
    is_number = written.isascii() and written.isdigit()
    return int(written[:18]) if is_number else written


def today_of(now: datetime) -> date:
    """Return the day that it is at a moment where Lootwire runs."""
    return now.astimezone().date()


@contextmanager
def open_finder(runtime: Runtime) -> Iterator[Finder]:
    """Give a finder of games, with a row for every source: IGDB's answers are stored under theirs."""
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
    with Client() as client:
        yield Finder(engine=runtime.engine, open_igdb=lambda: runtime.igdb(client), clock=utc_now)


def unclear(finding: Finding) -> str:
    """Return why an entry of IGDB is not sure, and what it may be, in a sentence."""
    written = finding.asked.written
    if not finding.choices:
        return f"{written!r} is no game that is known: {finding.why}"
    return f"{written!r} may be several games: {choices_in_words(finding.choices)}; say which by its number"


def _unclear(finding: Finding) -> str:
    written = on_a_line(finding.asked.written, NAME_LENGTH)
    if not finding.choices:
        return f"{written!r} is no game that is known ({finding.why}); --own takes it for one that IGDB lacks"
    return f"{written!r} may be several games: {choices_in_words(finding.choices)}; say which as igdb:NUMBER"
