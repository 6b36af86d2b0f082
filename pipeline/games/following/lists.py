"""Keep lists of games that people hand in: which game each line was taken for, and which lines a person must settle."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain, count

import msgspec
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from models import GameList, GameListEntry, GameMetadata, WantedGame
from models.errors import UsageError
from models.names import slug
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.games.finding.finder import Choice, Finding
from pipeline.games.following.follows import games_for
from pipeline.games.releases.news import introduce
from pipeline.games.store.wanted import Reason, begin_wanting, unwant, want

REASON: Reason = "list"
BY_HAND = "settled by hand"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a list: its text, the game that it is taken for, and how sure that is; `position` counts from 1."""

    position: int
    written: str
    verdict: str
    igdb_id: int | None
    name: str | None
    score: float | None
    why: str | None


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A list, with how many of its lines were found and how many wait for a person to settle them."""

    name: str
    origin: str | None
    created_at: datetime
    entries: int
    sure: int
    unsure: int
    none: int


def store_list(
    connection: Connection,
    name: str,
    origin: str | None,
    findings: Sequence[Finding],
    now: datetime,
    *,
    digest: str | None = None,
) -> None:
    """Store a list in place of the one of that name: its games are wanted, those of the old one no more.

    `digest` is that of its file, where rules keep it as that says.
    """
    begin_wanting(connection, now)
    values = {"origin": origin, "digest": digest, "created_at": now}
    row = upsert(GameList).values(name=name, slug=_free_slug(connection, name), **values)
    kept = row.on_conflict_do_update(index_elements=["person_id", "name"], set_=values)
    list_id = connection.execute(kept.returning(GameList.id)).scalar_one()
    connection.execute(delete(GameListEntry).where(GameListEntry.list_id == list_id))
    rows = [_row(list_id, position, finding) for position, finding in enumerate(findings, 1)]
    if rows:
        execute_rows(connection, insert_rows(GameListEntry.__table__, tuple(rows[0])), rows)
    _want_what_is_listed(connection, now)


def remove_list(connection: Connection, name: str, now: datetime) -> None:
    """Remove a list; its games are wanted for it no more. Raises `UsageError` if there is none of that name."""
    begin_wanting(connection, now)
    list_id = _id_of(connection, name)
    connection.execute(delete(GameListEntry).where(GameListEntry.list_id == list_id))
    connection.execute(delete(GameList).where(GameList.id == list_id))
    _want_what_is_listed(connection, now)


def settle_entry(connection: Connection, name: str, position: int, finding: Finding, now: datetime) -> None:
    """Write down which game a person says that a line means; raises `UsageError` if there is no such line."""
    begin_wanting(connection, now)
    line = (GameListEntry.list_id == _id_of(connection, name)) & (GameListEntry.position == position)
    values = {"igdb_id": finding.igdb_id, "score": 1.0, "explanation": BY_HAND}
    if not connection.execute(update(GameListEntry).where(line).values(**values)).rowcount:
        raise UsageError(f"the list {name!r} has no line {position}; `lootwire games lists show` tells them")
    _want_what_is_listed(connection, now)


def with_settled(connection: Connection, name: str, findings: Sequence[Finding]) -> list[Finding]:
    """Return findings with the games that a person said the lines of a list mean, where these are there still."""
    lines = (GameListEntry.list_id == GameList.id) & (GameListEntry.explanation == BY_HAND)
    query = select(GameListEntry.written, GameListEntry.igdb_id).join(GameList, lines).where(GameList.name == name)
    settled = dict(connection.execute(query).all())
    return [
        Finding(asked=each.asked, verdict="sure", how="id", why=BY_HAND, igdb_id=settled[each.asked.written], score=1.0)
        if each.asked.written in settled
        else each
        for each in findings
    ]


def load_lists(connection: Connection) -> list[Listed]:
    """Return all lists by name."""
    sure = GameListEntry.igdb_id.is_not(None)
    unsure = GameListEntry.igdb_id.is_(None) & GameListEntry.score.is_not(None)
    none = GameListEntry.igdb_id.is_(None) & GameListEntry.score.is_(None)
    counts = [func.count().filter(condition) for condition in (GameListEntry.position.is_not(None), sure, unsure, none)]
    query = (
        select(GameList.name, GameList.origin, GameList.created_at, *counts)
        .outerjoin(GameListEntry, GameListEntry.list_id == GameList.id)
        .group_by(GameList.id)
        .order_by(GameList.name)
    )
    names = Listed.__struct_fields__
    return [Listed(**dict(zip(names, row, strict=True))) for row in connection.execute(query)]


def load_entries(connection: Connection, name: str) -> list[Entry]:
    """Return the lines of a list in its order; raises `UsageError` if there is none of that name."""
    query = (
        select(
            GameListEntry.position,
            GameListEntry.written,
            GameListEntry.igdb_id,
            GameMetadata.name,
            GameListEntry.score,
            GameListEntry.explanation,
        )
        .outerjoin(GameMetadata, GameMetadata.igdb_id == GameListEntry.igdb_id)
        .where(GameListEntry.list_id == _id_of(connection, name))
        .order_by(GameListEntry.position)
    )
    return [
        Entry(
            position=row.position,
            written=row.written,
            verdict="sure" if row.igdb_id is not None else "none" if row.score is None else "unsure",
            igdb_id=row.igdb_id,
            name=row.name,
            score=row.score,
            why=row.explanation,
        )
        for row in connection.execute(query)
    ]


def choices_in_words(choices: Iterable[Choice]) -> str:
    """Return the choices as a person reads them: "Doom (2016) is 7351, Doom (1993) is 673"."""
    return ", ".join(
        f"{choice.name}{f' ({choice.year})' if choice.year else ''} is {choice.igdb_id}" for choice in choices
    )


def _row(list_id: int, position: int, finding: Finding) -> dict[str, object]:
    why = finding.why
    if finding.verdict == "unsure" and finding.choices:
        why = f"{why}: {choices_in_words(finding.choices)}"
    return {
        "list_id": list_id,
        "position": position,
        "written": finding.asked.written,
        "igdb_id": finding.igdb_id,
        "score": None if finding.verdict == "none" else finding.score,
        "explanation": why,
    }


def _want_what_is_listed(connection: Connection, now: datetime) -> None:
    listed = set(connection.scalars(select(GameListEntry.igdb_id).where(GameListEntry.igdb_id.is_not(None))))
    wanted_before = set(connection.scalars(select(WantedGame.igdb_id).where(WantedGame.reasons.contains([REASON]))))
    ids = {igdb_id for igdb_id in listed if igdb_id is not None}
    new = ids - wanted_before
    games_for(connection, new)
    want(connection, new, REASON, now)
    unwant(connection, wanted_before - ids, REASON)
    introduce(connection, new, now)


def _free_slug(connection: Connection, name: str) -> str:
    """Return a slug that no list of another name has."""
    plain = slug(name) or "list"
    known = set(connection.scalars(select(GameList.slug).where(GameList.name != name, GameList.slug.startswith(plain))))
    return next(each for each in chain([plain], (f"{plain}-{n}" for n in count(2))) if each not in known)


def _id_of(connection: Connection, name: str) -> int:
    list_id = connection.scalar(select(GameList.id).where(GameList.name == name))
    if list_id is None:
        names = connection.scalars(select(GameList.name).order_by(GameList.name)).all()
        known = f"there are: {', '.join(names)}" if names else "there are none yet"
        raise UsageError(f"there is no list {name!r}; {known}")
    return list_id
