"""The rows of one endpoint, by id; and what is shown of a row."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.demo.igdb.conditions import holds, values_at
from pipeline.demo.igdb.language import Both, Condition, Query, Where

Row = Mapping[str, Any]


class Table:
    """Rows by id: a dictionary, or a mapping that makes each row when it is looked up."""

    def __init__(self, rows: Mapping[int, Row]) -> None:
        self.rows = rows
        self._ids = sorted(rows)

    def put(self, *rows: Row) -> None:
        """Add rows, or replace them."""
        self.rows = dict(self.rows) | {row["id"]: row for row in rows}
        self._ids = sorted(self.rows)

    def remove(self, *ids: int) -> None:
        self.rows = {key: row for key, row in self.rows.items() if key not in ids}
        self._ids = sorted(self.rows)

    def count(self, query: Query) -> int:
        """How many rows a query means, whatever its limit."""
        return len(self._meant(query))

    def select(self, query: Query) -> tuple[list[Row], int]:
        """The page that a query asks for, and how many rows it means in all."""
        ids = self._meant(query)
        shown = shape(query.fields, query.exclude)
        page = ids[query.offset : query.offset + query.limit]
        return [shown.of(self.rows[key]) for key in page], len(ids)

    def _meant(self, query: Query) -> Sequence[int]:
        low, high, rest = bounds(query.where)
        ids: Sequence[int] = self._ids[bisect_right(self._ids, low) : bisect_right(self._ids, high)]
        if rest is not None:
            ids = [key for key in ids if holds(rest, self.rows[key])]
        if query.search is not None:
            return self._found(ids, query.search)
        if query.sort is None or query.sort == ("id", False):
            return ids
        name, descending = query.sort
        return self._sorted(ids, name, descending=descending)

    def _sorted(self, ids: Sequence[int], name: str, *, descending: bool) -> Sequence[int]:
        keyed = [(next(values_at(self.rows[key], name), None), key) for key in ids]
        known = sorted((pair for pair in keyed if pair[0] is not None), reverse=descending)
        return [key for _, key in known] + [key for value, key in keyed if value is None]

    def _found(self, ids: Sequence[int], text: str) -> Sequence[int]:
        """Those whose name, or another one, holds all words that are looked for; short names first."""
        words = text.casefold().split()
        named = [(self.rows[key].get("name") or "", key) for key in ids]
        return [
            key for _, key in sorted((len(name), key) for name, key in named if _holds_words(self.rows[key], words))
        ]


def _holds_words(row: Row, words: Sequence[str]) -> bool:
    names = [*values_at(row, "name"), *values_at(row, "alternative_names.name")]
    return any(all(word in name.casefold() for word in words) for name in names)


def bounds(where: Where | None) -> tuple[int, int, Where | None]:
    """The ids that conditions on the id alone leave, above the first and up to the second, and the other conditions."""
    low, high, rest = 0, 2**63, list[Where]()
    for part in where.parts if isinstance(where, Both) else [] if where is None else [where]:
        match part:
            case Condition("id", ">", int(value)):
                low = max(low, value)
            case Condition("id", ">=", int(value)):
                low = max(low, value - 1)
            case Condition("id", "<=", int(value)):
                high = min(high, value)
            case Condition("id", "<", int(value)):
                high = min(high, value - 1)
            case _:
                rest.append(part)
    return low, high, (Both(tuple(rest)) if rest else None)


@dataclass
class Shape:
    """What is shown of a row: everything (`*`), or some of its fields, each with its own shape."""

    everything: bool = False
    parts: dict[str, "Shape"] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

    def of(self, row: Row) -> dict[str, Any]:
        names = row.keys() if self.everything else ({"id"} | self.parts.keys()) & row.keys()
        return {name: _shown(row[name], self.parts.get(name)) for name in sorted(names - self.hidden)}


def shape(fields: Sequence[str], exclude: Sequence[str] = ()) -> Shape:
    whole = Shape(hidden=frozenset(exclude))
    for path in fields:
        at = whole
        for part in path.split("."):
            if part == "*":
                at.everything = True
            else:
                at = at.parts.setdefault(part, Shape())
    return whole


def _shown(value: Any, shown: Shape | None) -> Any:
    if isinstance(value, list):
        return [_shown(item, shown) for item in value]
    if not isinstance(value, dict) or "id" not in value:
        return value
    if shown is None or not (shown.everything or shown.parts):
        return value["id"]
    return shown.of(value)
