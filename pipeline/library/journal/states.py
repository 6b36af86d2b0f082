"""Write what a person says of a work: each field with whose word it is, so that no machine overwrites theirs."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, get_args

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from models import GameState
from models.errors import UsageError
from pipeline.library.journal.turns import end_writing
from pipeline.library.records import Status

HAND = "hand"
STATUSES: tuple[str, ...] = get_args(Status)
# What each field is where nobody says anything. A rating takes its scale along.
EMPTY: Mapping[str, Any] = {
    "status": None,
    "rating": None,
    "is_favourite": False,
    "tags": [],
    "notes": None,
    "name": None,
    "year": None,
    "genres": None,
    "cover_url": None,
    "series": None,
}
FIELDS = tuple(EMPTY)
_SCALE = "rating_scale"
LONGEST_NAME, LONGEST_TAG, MOST_TAGS, LONGEST_NOTES = 300, 60, 50, 20_000
YEARS = range(1947, 2101)


class StateChange(msgspec.Struct, frozen=True, kw_only=True):
    """A field that a person changed, before and after."""

    field: str
    old: Any
    new: Any


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of a work: values by field, fields that they give back to machines, tags more and less.

    A rating comes with its `rating_scale`.
    """

    values: Mapping[str, Any] = {}
    cleared: Collection[str] = ()
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()


def check_wish(wish: Wish) -> None:
    """Raise `UsageError` for what cannot be: a field set and cleared at once, a year of no game, an endless text."""
    both = sorted(set(wish.cleared) & set(wish.values))
    if wish.tags_added and "tags" in wish.cleared:
        both.append("tags")
    if both:
        raise UsageError(f"{both[0]} cannot be set and cleared at once")
    if unknown := sorted(set(wish.cleared) - set(FIELDS)):
        raise UsageError(f"there is no field {unknown[0]!r} to clear: there are {', '.join(FIELDS)}")
    year = wish.values.get("year")
    if year is not None and year not in YEARS:
        raise UsageError(f"{year} is no year of a game: {YEARS[0]} to {YEARS[-1]}")
    cover = wish.values.get("cover_url")
    if cover is not None and not cover.startswith(("https://", "http://")):
        raise UsageError(f"{cover!r} is no address of a picture: it begins with https://")
    names = [wish.values.get("name"), wish.values.get("series"), *(wish.values.get("genres") or ())]
    for text, most in (
        *((name, LONGEST_NAME) for name in names),
        *((tag, LONGEST_TAG) for tag in wish.tags_added),
        (wish.values.get("notes"), LONGEST_NOTES),
        (cover, 2000),
    ):
        _check_text(text, most)


def set_state(connection: Connection, person_id: int, work_id: int, wish: Wish, now: datetime) -> list[StateChange]:
    """Write down what a person says of a work, and return what that changed; belongs in a turn.

    What was cleared is given back: the next import or sync may say it. Raises `UsageError`.
    """
    check_wish(wish)
    row = connection.execute(_of(person_id, work_id)).mappings().one_or_none()
    before: dict[str, Any] = dict(EMPTY) | {_SCALE: None} | (dict(row) if row is not None else {"set_by": {}})
    after = before | dict(wish.values) | {field: EMPTY[field] for field in wish.cleared}
    set_by = before["set_by"] | {field: HAND for field in wish.values if field in EMPTY}
    if "rating" in wish.cleared:
        after[_SCALE] = None
    if wish.tags_added or wish.tags_removed:
        after["tags"] = _tags(before["tags"], wish)
        set_by["tags"] = HAND
    after["set_by"] = {field: whose for field, whose in set_by.items() if field not in wish.cleared}
    write_state(connection, person_id, work_id, after, now)
    end_writing(connection, person_id, [work_id], now)
    return [
        StateChange(field=field, old=before[field], new=after[field])
        for field in FIELDS
        if before[field] != after[field]
    ]


def write_state(connection: Connection, person_id: int, work_id: int, row: Mapping[str, Any], now: datetime) -> None:
    """Write a row of what a person says of a work, without what follows from it."""
    values = {name: row[name] for name in (*FIELDS, _SCALE, "set_by")} | {"updated_at": now}
    statement = insert(GameState).values(person_id=person_id, work_id=work_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["person_id", "work_id"], set_=values))


def load_state(connection: Connection, person_id: int, work_id: int) -> Mapping[str, Any] | None:
    """Return the row of what a person says of a work; None where they said nothing."""
    row = connection.execute(_of(person_id, work_id)).mappings().one_or_none()
    return None if row is None else dict(row)


def _of(person_id: int, work_id: int) -> Any:
    columns = [column for column in GameState.__table__.c if column.name not in {"person_id", "work_id"}]
    return select(*columns).where(GameState.person_id == person_id, GameState.work_id == work_id)


def _tags(before: Collection[str], wish: Wish) -> list[str]:
    """Return the tags in the order in which they came; case does not tell two of them apart."""
    gone = {tag.strip().casefold() for tag in wish.tags_removed}
    tags = {tag.casefold(): tag for tag in before}
    tags = {key: tag for key, tag in tags.items() if key not in gone}
    for tag in wish.tags_added:
        tags.setdefault(tag.strip().casefold(), tag.strip())
    if len(tags) > MOST_TAGS:
        raise UsageError(f"a game has {MOST_TAGS} tags at most")
    return list(tags.values())


def _check_text(text: str | None, most: int) -> None:
    if text is None:
        return
    if not text.strip():
        raise UsageError("an empty text says nothing: --clear FIELD takes a value away")
    if len(text) > most:
        raise UsageError(f"{text[:40]!r}… has {len(text):,} letters; {most:,} at most")
