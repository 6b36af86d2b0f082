"""Which rows a `where` means. A row is a document with everything expanded; a reference compares as its id."""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipeline.demo.igdb.language import Both, Condition, Either, Several, Text, Where

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def holds(where: Where, row: Mapping[str, Any]) -> bool:
    """Whether a row is meant."""
    match where:
        case Both(parts):
            return all(holds(part, row) for part in parts)
        case Either(parts):
            return any(holds(part, row) for part in parts)
        case Condition(field, sign, value):
            return _compare(list(values_at(row, field)), sign, value)


def values_at(row: Any, field: str) -> Iterator[Any]:
    """Yield the values at a path, of each element of lists on the way; references give their ids."""
    if isinstance(row, list):
        for item in row:
            yield from values_at(item, field)
    elif not field:
        yield row.get("id") if isinstance(row, dict) else row
    elif isinstance(row, dict):
        head, _, rest = field.partition(".")
        if head in row:
            yield from values_at(row[head], rest)


def _compare(values: list[Any], sign: str, value: Any) -> bool:
    if sign in _ORDERS:
        return any(_ORDERS[sign](actual, value) for actual in values if type(actual) in {int, float})
    same = _same(values, value, folded="~" in sign)
    return not same if sign.startswith("!") else same


def _same(values: list[Any], value: Any, *, folded: bool) -> bool:
    if value is None:
        return not values
    if isinstance(value, Several):
        return _among(values, value, folded=folded) is not value.negated
    return any(_equal(actual, value, folded=folded) for actual in values)


def _among(values: list[Any], several: Several, *, folded: bool) -> bool:
    hits = [any(_equal(actual, value, folded=folded) for actual in values) for value in several.values]
    if several.bracket == "(":
        return any(hits)
    return all(hits) and (several.bracket == "[" or len(values) == len(several.values))


def _equal(actual: Any, value: Any, *, folded: bool) -> bool:
    if not isinstance(value, Text):
        return actual == value and type(actual) is not str and (type(actual) is bool) is (type(value) is bool)
    if not isinstance(actual, str):
        return False
    text, wanted = (actual.casefold(), value.text.casefold()) if folded else (actual, value.text)
    if value.before and value.after:
        return wanted in text
    if value.before:
        return text.endswith(wanted)
    return text.startswith(wanted) if value.after else text == wanted
