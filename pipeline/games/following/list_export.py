"""What a list holds and what happened to it, for people and programs to read."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from models import GameList, GameListEntry, GameMetadata, ListActivity
from models.moments import Moment
from pipeline.games.following.changes import EntryChange

__all__ = ["Activity", "EntryChange", "Form", "load_log", "written"]

_COLUMNS = ("place", "title", "year", "igdb_id", "written", "notes", "added_at")
_GAMES = (
    select(
        GameListEntry.position.label("place"),
        func.coalesce(GameMetadata.name, GameListEntry.written).label("title"),
        func.extract("year", GameMetadata.first_release_at).label("year"),
        GameListEntry.igdb_id,
        GameListEntry.written,
        GameListEntry.notes,
        GameListEntry.added_at,
    )
    .outerjoin(GameMetadata, GameMetadata.igdb_id == GameListEntry.igdb_id)
    .order_by(GameListEntry.position)
)


class Form(StrEnum):
    """The formats of a list; `lootwire games lists import` reads each."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did to a list, and when an event told of it."""

    at: Moment
    verb: str
    changes: list[EntryChange]
    told_at: Moment | None
    id: int


def load_log(connection: Connection, list_id: int, *, after_id: int = 0, limit: int | None = None) -> list[Activity]:
    """Return what happened to a list, the oldest first; only after an activity, and so many at most, where given."""
    fields = [getattr(ListActivity, name) for name in Activity.__struct_fields__]
    query = select(*fields).where(ListActivity.list_id == list_id, ListActivity.id > after_id)
    rows = connection.execute(query.order_by(ListActivity.id).limit(limit)).mappings()
    return [msgspec.convert(dict(row), Activity) for row in rows]


def written(connection: Connection, list_id: int, form: Form) -> str:
    """Return a list in a format; its lines end with a line feed."""
    query = select(GameList.name, GameList.description, GameList.ranked, GameList.wants).where(GameList.id == list_id)
    about = dict(connection.execute(query).mappings().one())
    rows = connection.execute(_GAMES.where(GameListEntry.list_id == list_id)).mappings()
    return _WRITERS[form](about, [dict(row) | {"year": _year(row["year"])} for row in rows])


def _as_text(_about: Mapping[str, Any], games: Sequence[Mapping[str, Any]]) -> str:
    return "".join(f"{_line(game)}\n" for game in games)


def _as_csv(_about: Mapping[str, Any], games: Sequence[Mapping[str, Any]]) -> str:
    file = io.StringIO()
    rows = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows({**game, "added_at": game["added_at"].isoformat()} for game in games)
    return file.getvalue()


def _as_json(about: Mapping[str, Any], games: Sequence[Mapping[str, Any]]) -> str:
    return msgspec.json.format(msgspec.json.encode({**about, "games": games}), indent=2).decode() + "\n"


def _year(year: Any) -> int | None:
    return None if year is None else int(year)


def _line(game: Mapping[str, Any]) -> str:
    """Return a title with the year of the game that it means: several may share the title."""
    title = " ".join(game["title"].split())
    # Such a line is a comment where a list is read.
    if title.startswith("#") and game["igdb_id"] is not None:
        return f"igdb:{game['igdb_id']}"
    year = f"({game['year']})"
    return f"{title} {year}" if game["year"] is not None and year not in title else title


_WRITERS: Mapping[Form, Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], str]] = {
    Form.TEXT: _as_text,
    Form.CSV: _as_csv,
    Form.JSON: _as_json,
}
