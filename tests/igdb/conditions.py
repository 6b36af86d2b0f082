"""Which rows a `where` means. A row is a document with everything expanded; a reference compares as its id."""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.igdb.language import Both, Condition, Either, Several, Text, Where

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
    """What stands at a path, of each element of lists on the way; references give their ids."""
    if isinstance(row, list):
        for one in row:
            yield from values_at(one, field)
    elif not field:
        yield row.get("id") if isinstance(row, dict) else row
    elif isinstance(row, dict):
        head, _, rest = field.partition(".")
        if head in row:
            yield from values_at(row[head], rest)


def _compare(found: list[Any], sign: str, value: Any) -> bool:
    if sign in _ORDERS:
        return any(_ORDERS[sign](one, value) for one in found if type(one) in {int, float})
    same = _same(found, value, folded="~" in sign)
    return not same if sign.startswith("!") else same


def _same(found: list[Any], value: Any, *, folded: bool) -> bool:
    if value is None:
        return not found
    if isinstance(value, Several):
        return _among(found, value, folded=folded) is not value.negated
    return any(_equal(one, value, folded=folded) for one in found)


def _among(found: list[Any], several: Several, *, folded: bool) -> bool:
    hits = [any(_equal(one, value, folded=folded) for one in found) for value in several.values]
    if several.bracket == "(":
        return any(hits)
    return all(hits) and (several.bracket == "[" or len(found) == len(several.values))


def _equal(one: Any, value: Any, *, folded: bool) -> bool:
    if not isinstance(value, Text):
        return one == value and type(one) is not str and (type(one) is bool) is (type(value) is bool)
    if not isinstance(one, str):
        return False
    text, wanted = (one.casefold(), value.text.casefold()) if folded else (one, value.text)
    if value.before and value.after:
        return wanted in text
    if value.before:
        return text.endswith(wanted)
    return text.startswith(wanted) if value.after else text == wanted
