"""Write queries in APICalypse, IGDB's language, so that no title can break out of its quotes.

https://api-docs.igdb.com/#apicalypse. Names of fields are checked, numbers are numbers, and texts are quoted here and
nowhere else: a query is only ever made of what these functions return.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

# The most rows of one answer, and the most queries of one request.
MOST_ROWS = 500
MOST_QUERIES = 10
# No title is longer, and a query has to end somewhere.
LONGEST_TEXT = 500
_FIELD = re.compile(r"(?:\*|[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*(?:\.\*)?)\Z")
_ENDPOINT = re.compile(r"[a-z_]+(?:/count)?\Z")
_SPACES = re.compile(r"\s+")

Value = str | int | float | bool | None


class Condition(msgspec.Struct, frozen=True):
    """A part of a `where`, written in APICalypse; made by the functions below."""

    text: str
    # Whether it joins several conditions, and needs brackets among others.
    joined: bool = False


def quoted(text: str) -> str:
    """Return a text as APICalypse writes it: one line, without control characters, quotes and backslashes escaped.

    IGDB's own titles hold no line breaks or controls, so a title that does means the same with spaces there.
    """
    plain = "".join(c if c.isprintable() else " " for c in text)
    line = _SPACES.sub(" ", plain).strip()[:LONGEST_TEXT]
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'


def equal(field: str, value: Value) -> Condition:
    """Return the condition that a field has this value, or that it has none where the value is None."""
    return Condition(f"{_field(field)} = {_written(value)}")


def above(field: str, number: float) -> Condition:
    """Return the condition that a field is greater than a number."""
    return Condition(f"{_field(field)} > {_number(number)}")


def at_least(field: str, number: float) -> Condition:
    """Return the condition that a field is not less than a number."""
    return Condition(f"{_field(field)} >= {_number(number)}")


def at_most(field: str, number: float) -> Condition:
    """Return the condition that a field is not greater than a number."""
    return Condition(f"{_field(field)} <= {_number(number)}")


def any_of(field: str, values: Iterable[int | str]) -> Condition:
    """Return the condition that a field has one of these values; raises `ValueError` where there is none."""
    return Condition(f"{_field(field)} = ({_listed(values)})")


def both(*conditions: Condition) -> Condition:
    """Return the condition that all of these hold."""
    return _joined(" & ", conditions)


def query(
    fields: Sequence[str] = (),
    *,
    where: Condition | None = None,
    search: str | None = None,
    sort: str | None = None,
    descending: bool = False,
    limit: int | None = None,
    offset: int | None = None,
) -> str:
    """Return a whole query; `search` and `sort` exclude each other. Raises `ValueError` for what is none."""
    if search is not None and sort is not None:
        raise ValueError("what is searched for comes in the order of how well it fits")
    if limit is not None and not 0 < limit <= MOST_ROWS:
        raise ValueError(f"a limit is 1 to {MOST_ROWS}, not {limit}")
    clauses = [
        "fields " + ",".join(map(_field, fields)) if fields else None,
        None if search is None else f"search {quoted(search)}",
        None if where is None else f"where {where.text}",
        None if sort is None else f"sort {_field(sort)} {'desc' if descending else 'asc'}",
        None if limit is None else f"limit {_number(limit)}",
        None if offset is None else f"offset {_number(offset)}",
    ]
    return " ".join(f"{clause};" for clause in clauses if clause is not None)


def multiquery(queries: Mapping[str, tuple[str, str]]) -> str:
    """Return up to ten queries as one, from name to endpoint and query; an endpoint may end in `/count`."""
    if not 1 <= len(queries) <= MOST_QUERIES:
        raise ValueError(f"a multiquery holds 1 to {MOST_QUERIES} queries, not {len(queries)}")
    return " ".join(f"query {_endpoint(of)} {quoted(name)} {{ {text} }};" for name, (of, text) in queries.items())


def _joined(sign: str, conditions: Sequence[Condition]) -> Condition:
    if not conditions:
        raise ValueError("no conditions to join")
    if len(conditions) == 1:
        return conditions[0]
    return Condition(sign.join(f"({part.text})" if part.joined else part.text for part in conditions), joined=True)


def _listed(values: Iterable[int | str]) -> str:
    written = ",".join(map(_written, values))
    if not written:
        raise ValueError("an empty list fits nothing, and IGDB does not take it")
    return written


def _written(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else _number(value)


def _number(number: float) -> str:
    # A text that poses as a number must not get through, whatever the annotations say.
    if type(number) is int:
        return str(number)
    if type(number) is not float or not abs(number) < 1e15:
        raise ValueError(f"{number!r} is no number that IGDB takes")
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _field(name: str) -> str:
    if not _FIELD.match(name):
        raise ValueError(f"{name!r} is no name of a field")
    return name


def _endpoint(name: str) -> str:
    if not _ENDPOINT.match(name):
        raise ValueError(f"{name!r} is no endpoint")
    return name
