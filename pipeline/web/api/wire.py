"""Read what a request is written in, strictly: what neither JSON nor PostgreSQL can hold is named, not stumbled over."""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote_to_bytes

from pipeline.web.api.problems import FieldProblem, InvalidRequest

# Objects and lists within one another; no body of ours has more than five.
DEEPEST = 32
MOST_QUERY_FIELDS = 200
# The numbers that a column holds.
SMALLEST, LARGEST = -(2**63), 2**63 - 1
_NUL = "\0"


def read_segments(path: bytes) -> list[str] | None:
    """Return the parts of a path as it was sent, each with its percent signs undone: a name may hold a slash.

    None for one that names nothing, since it is no UTF-8 or holds NUL.
    """
    try:
        parts = [unquote_to_bytes(part).decode() if b"%" in part else part.decode() for part in path.split(b"/")[1:]]
    except UnicodeDecodeError:
        return None
    return None if any(_NUL in part for part in parts) else parts


def read_query(query: bytes) -> list[tuple[str, str]]:
    """Return a query's names with their values, in their order; raises `InvalidRequest` for what is no text."""
    if not query:
        return []
    try:
        pairs = parse_qsl(query.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_QUERY_FIELDS)
    except ValueError as error:
        # Not what the library says of it, which quotes bytes.
        detail = "is no UTF-8" if isinstance(error, UnicodeDecodeError) else f"has more than {MOST_QUERY_FIELDS} fields"
        raise InvalidRequest([FieldProblem(pointer="/query", detail=detail)]) from error
    for name, value in pairs:
        if _NUL in name or _NUL in value:
            raise InvalidRequest([FieldProblem(pointer=f"/query/{escape(name)}", detail="holds the character NUL")])
    return pairs


def read_json(body: bytes) -> Any:
    """Return what a body says; an empty one is an object without fields.

    Raises `InvalidRequest` for what is no JSON (RFC 8259), and for what some readers take one way and some another:
    names that an object has twice, NaN, numbers beyond 64 bits, halves of characters.
    """
    if not body:
        return {}
    try:
        value = json.loads(body.decode(), object_pairs_hook=_read_object, parse_constant=_refuse)
        problems = [FieldProblem(pointer=pointer, detail=detail) for pointer, detail in _wrong(value, "", 0)]
    except (ValueError, RecursionError) as error:
        detail = "is nested too deeply" if isinstance(error, RecursionError) else _reason(error)
        raise InvalidRequest([FieldProblem(pointer="", detail=f"the body is no JSON: {detail}")]) from error
    if problems:
        raise InvalidRequest(problems)
    return value


def is_in_range(value: Any) -> bool:
    """Return whether a number is one that a column holds; what is no number is."""
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or SMALLEST <= value <= LARGEST


def escape(name: str) -> str:
    """Return a name as a part of a JSON pointer (RFC 6901)."""
    return printable(name).replace("~", "~0").replace("/", "~1")


def printable(name: str) -> str:
    """Return a name without what no text may hold: a half of a character, NUL."""
    return name.encode("utf-8", "replace").decode().replace(_NUL, "?")


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"an object has the name {printable(twice)!r} twice")
    return read


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _reason(error: ValueError) -> str:
    return "it is no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _wrong(value: Any, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield where something stands that nothing of ours can keep, and what it is."""
    if isinstance(value, str):
        if _NUL in value:
            yield pointer, "holds the character NUL"
        elif not value.isascii() and not _is_text(value):
            yield pointer, "holds half of a surrogate pair"
    elif isinstance(value, dict | list):
        if depth >= DEEPEST:
            yield pointer, f"is nested more than {DEEPEST} deep"
            return
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in parts:
            if isinstance(name, str):
                yield from ((f"{pointer}/{escape(name)}", f"its name {reason}") for _, reason in _wrong(name, "", 0))
            yield from _wrong(part, f"{pointer}/{escape(str(name))}", depth + 1)
    elif not is_in_range(value):
        yield pointer, "is beyond the numbers of 64 bits"


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
