"""Keep lists of games that people hand in: which game each line was taken for, and which lines a person must settle."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from models import GameList, GameListEntry, GameMetadata
from models.errors import UsageError
from models.moments import Moment
from models.people import OWNER_ID
from pipeline.games.finding.finder import Choice, Finding
from pipeline.games.finding.names import GameName
from pipeline.games.following.list_news import tell_at_once
from pipeline.games.following.list_rows import (
    BY_HAND,
    NewLine,
    add_list,
    load_lines,
    lock_list,
    log_change,
    mean,
    read_list,
    replace_lines,
    want_what_is_listed,
)
from pipeline.games.store.decisions import Answer, Decisions, decide, key_of_title, load_decisions, own_game
from pipeline.games.store.wanted import begin_wanting

_LISTED = (
    *(GameList.name, GameList.slug, GameList.description, GameList.ranked, GameList.wants),
    *(GameList.origin, GameList.created_at),
)


class ListEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a list: its text, the game that it is taken for, and how sure that is; `position` counts from 1.

    `id` stays with the line wherever it is moved.
    """

    position: int
    written: str
    verdict: str
    igdb_id: int | None
    name: str | None
    score: float | None
    why: str | None
    notes: str | None
    work_id: int | None
    added_at: Moment
    id: int


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A list, with how many of its lines were found and how many wait for a person to settle them.

    One that `wants` its games has their releases told; of one that is `ranked` the order says which is better.
    """

    name: str
    slug: str
    description: str | None
    ranked: bool
    wants: bool
    origin: str | None
    created_at: Moment
    entries: int
    sure: int
    unsure: int
    none: int


class OpenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a list of which it is not sure which game it means; `work_id` is set for one that a person settled."""

    id: int
    list: str
    position: int
    written: str
    score: float | None
    why: str | None
    work_id: int | None = None


def store_list(
    connection: Connection,
    name: str,
    origin: str | None,
    findings: Sequence[Finding],
    now: datetime,
    *,
    digest: str | None = None,
    person_id: int = OWNER_ID,
) -> None:
    """Store a list in place of the one of that name: its games are wanted, those of the old one no more.

    `digest` is that of its file, where rules keep it as that says. What a person noted beside a line that stays is
    kept. No event tells of it.
    """
    lines = [_line(finding) for finding in findings]
    keep_list(connection, name, lines, now, origin=origin, digest=digest, person_id=person_id)


def keep_list(
    connection: Connection,
    name: str,
    lines: Sequence[NewLine],
    now: datetime,
    *,
    person_id: int = OWNER_ID,
    origin: str | None = None,
    digest: str | None = None,
    ranked: bool = False,
    wants: bool = True,
    description: str | None = None,
) -> None:
    """Store the lines of a list in place of those of the list of that name; whether that is ranked and wants stays.

    A new list is made with the last three. The log has it as one change, of which no event tells; what a person did to
    the list before, and no event told yet, is told now.
    """
    begin_wanting(connection, now)
    values = {"origin": origin, "digest": digest, "created_at": now}
    of_name = (GameList.person_id == person_id) & (GameList.name == name)
    list_id = connection.scalar(update(GameList).where(of_name).values(**values).returning(GameList.id))
    is_new = list_id is None
    if list_id is None:
        row = {"origin": origin, "digest": digest, "ranked": ranked, "wants": wants, "description": description}
        list_id = add_list(connection, name, person_id, now, **row)
    else:
        tell_at_once(connection, list_id, now)
    changes = replace_lines(connection, list_id, lines, now)
    if is_new or changes:
        log_change(connection, list_id, "created" if is_new else "replaced", changes, now, silent=True)
    want_what_is_listed(connection, now)


def remove_list(connection: Connection, name: str, now: datetime, *, person_id: int = OWNER_ID) -> None:
    """Remove a list with its log; its games are wanted for it no more. Raises `UsageError` if there is none."""
    begin_wanting(connection, now)
    list_id = lock_list(connection, name, person_id).id
    connection.execute(delete(GameListEntry).where(GameListEntry.list_id == list_id))
    connection.execute(delete(GameList).where(GameList.id == list_id))
    want_what_is_listed(connection, now)


def settle_entry(
    connection: Connection,
    name: str,
    position: int,
    igdb_id: int | None,
    now: datetime,
    *,
    person_id: int = OWNER_ID,
) -> None:
    """Write down which entry a person says that a line means; without one it is our own game, which IGDB lacks.

    That holds for its title in all lists, and in all that is imported and synced from now on.
    Raises `UsageError` if there is no such line.
    """
    begin_wanting(connection, now)
    row = lock_list(connection, name, person_id)
    line = next((each for each in load_lines(connection, row.id) if each.position == position), None)
    if line is None:
        raise UsageError(f"the list {row.name!r} has no line {position}; `lootwire games lists show` tells them")
    answer = Answer(verdict="is", igdb_id=igdb_id)
    if igdb_id is None:
        answer = Answer(verdict="own", game_id=own_game(connection, line.written, None, now))
    mean(connection, {line.id: NewLine(written=line.written, igdb_id=answer.igdb_id, game_id=answer.game_id)})
    decide(connection, person_id, key_of_title(line.written), answer, now)
    settle_open_lines(connection, person_id)
    want_what_is_listed(connection, now)


def settle_open_lines(connection: Connection, person_id: int) -> int:
    """Have the lines of a person's lists mean what that person has said of their titles; returns how many they are.

    Belongs after `begin_wanting`, and before `want_what_is_listed`.
    """
    decisions = load_decisions(connection, person_id)
    is_open = GameListEntry.igdb_id.is_(None) & GameListEntry.work_id.is_(None)
    lines = select(GameListEntry.id, GameListEntry.written).join(GameList, GameList.id == GameListEntry.list_id)
    meant = {}
    for line_id, written in connection.execute(lines.where(GameList.person_id == person_id, is_open)).all():
        answer = decisions.find(written)
        if answer is not None and answer.verdict != "skip":
            meant[line_id] = NewLine(written=written, igdb_id=answer.igdb_id, game_id=answer.game_id)
    mean(connection, meant)
    return len(meant)


def load_open_lines(connection: Connection, person_id: int) -> list[OpenLine]:
    """Return the lines of a person's lists that wait for their word; a title that they skip waits no more."""
    decisions = load_decisions(connection, person_id)
    is_open = GameListEntry.igdb_id.is_(None) & GameListEntry.work_id.is_(None)
    lines = _lines_named(connection, (GameList.person_id == person_id) & is_open)
    return [line for line in lines if decisions.find(line.written) is None]


def load_lines_by_id(connection: Connection, person_id: int, ids: Iterable[int]) -> list[OpenLine]:
    """Return lines of a person's lists by their rows, those that there are."""
    return _lines_named(connection, (GameList.person_id == person_id) & GameListEntry.id.in_(sorted(ids)))


def _lines_named(connection: Connection, condition: ColumnElement[bool]) -> list[OpenLine]:
    query = (
        select(
            *(GameListEntry.id, GameList.name.label("list"), GameListEntry.position, GameListEntry.written),
            *(GameListEntry.score, GameListEntry.explanation.label("why"), GameListEntry.work_id),
        )
        .join(GameList, GameList.id == GameListEntry.list_id)
        .where(condition)
        .order_by(GameList.name, GameListEntry.position)
    )
    return [OpenLine(**row) for row in connection.execute(query).mappings()]


def with_settled(
    connection: Connection, name: str, findings: Sequence[Finding], *, person_id: int = OWNER_ID
) -> list[Finding]:
    """Return findings with the games that a person said the titles of a list mean, here or in an import."""
    settled = settled_names(connection, name, [finding.asked for finding in findings], person_id)
    return [settled.get(finding.asked, finding) for finding in findings]


def settled_names(
    connection: Connection, name: str, games: Iterable[GameName], person_id: int = OWNER_ID
) -> dict[GameName, Finding]:
    """Return the findings of titles that a person settled: in the list of that name, or in any list or import.

    What names an entry by its number or address needs no such word.
    """
    lines = (GameListEntry.list_id == GameList.id) & (GameListEntry.explanation == BY_HAND)
    query = select(GameListEntry.written, GameListEntry.igdb_id).join(GameList, lines)
    of_list = (GameList.name == name) & (GameList.person_id == person_id) & GameListEntry.igdb_id.is_not(None)
    here = dict(connection.execute(query.where(of_list)).all())
    decisions = load_decisions(connection, person_id)
    titles = (game for game in games if game.igdb_id is None and game.slug is None)
    settled = ((game, _settled(game, here.get(game.written), decisions)) for game in titles)
    return {game: finding for game, finding in settled if finding is not None}


def load_lists(connection: Connection, person_id: int = OWNER_ID) -> list[Listed]:
    """Return a person's lists by name."""
    sure = GameListEntry.igdb_id.is_not(None) | GameListEntry.work_id.is_not(None)
    unsure = ~sure & GameListEntry.score.is_not(None)
    none = ~sure & GameListEntry.score.is_(None)
    counts = [func.count().filter(condition) for condition in (GameListEntry.position.is_not(None), sure, unsure, none)]
    query = (
        select(*_LISTED, *counts)
        .outerjoin(GameListEntry, GameListEntry.list_id == GameList.id)
        .where(GameList.person_id == person_id)
        .group_by(GameList.id)
        .order_by(GameList.name)
    )
    names = Listed.__struct_fields__
    return [Listed(**dict(zip(names, row, strict=True))) for row in connection.execute(query)]


def load_entries(connection: Connection, name: str, person_id: int = OWNER_ID) -> list[ListEntry]:
    """Return the lines of a list in its order; raises `UsageError` if there is none of that name."""
    query = (
        select(
            GameListEntry.position,
            GameListEntry.written,
            GameListEntry.igdb_id,
            GameMetadata.name,
            GameListEntry.score,
            GameListEntry.explanation,
            GameListEntry.notes,
            GameListEntry.work_id,
            GameListEntry.added_at,
            GameListEntry.id,
        )
        .outerjoin(GameMetadata, GameMetadata.igdb_id == GameListEntry.igdb_id)
        .where(GameListEntry.list_id == read_list(connection, name, person_id).id)
        .order_by(GameListEntry.position)
    )
    return [
        ListEntry(
            position=row.position,
            written=row.written,
            verdict="sure"
            if row.igdb_id is not None or row.work_id is not None
            else "none"
            if row.score is None
            else "unsure",
            igdb_id=row.igdb_id,
            name=row.name,
            score=row.score,
            why=row.explanation,
            notes=row.notes,
            work_id=row.work_id,
            added_at=row.added_at,
            id=row.id,
        )
        for row in connection.execute(query)
    ]


def choices_in_words(choices: Iterable[Choice]) -> str:
    """Return the choices as a person reads them: "Doom (2016) is 7351, Doom (1993) is 673"."""
    return ", ".join(
        f"{choice.name}{f' ({choice.year})' if choice.year else ''} is {choice.igdb_id}" for choice in choices
    )


def _settled(game: GameName, igdb_id: int | None, decisions: Decisions) -> Finding | None:
    answer = decisions.find(game.written, platforms=game.platforms, year=game.year) if igdb_id is None else None
    if igdb_id is None and (answer is None or answer.verdict == "skip"):
        # Whoever has it on a list does not skip it.
        return None
    known, own = (igdb_id, None) if answer is None else (answer.igdb_id, answer.game_id)
    return Finding(asked=game, verdict="sure", how="id", why=BY_HAND, igdb_id=known, game_id=own, score=1.0)


def _line(finding: Finding) -> NewLine:
    why = finding.why
    if finding.verdict == "unsure" and finding.choices:
        why = f"{why}: {choices_in_words(finding.choices)}"
    score = None if finding.verdict == "none" else finding.score
    return NewLine(
        written=finding.asked.written,
        igdb_id=finding.igdb_id,
        game_id=finding.game_id,
        score=score,
        explanation=why,
    )
