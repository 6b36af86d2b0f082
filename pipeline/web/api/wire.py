"""Read what a request is written in, strictly: what JSON or PostgreSQL cannot hold is named, not stumbled over."""

import json
import math
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec

from pipeline.web.api.problems import FieldProblem, InvalidRequest

# Objects and lists within one another; no body of ours has more than five.
DEEPEST = 32
MOST_QUERY_FIELDS = 200
# The numbers that a column holds.
SMALLEST, LARGEST = -(2**63), 2**63 - 1
# Nothing of ours was before or will be after; a time zone must not push a time out of what Python knows.
FIRST_YEAR, LAST_YEAR = 1900, 2999
_NUL = "\0"


def read_segments(path: bytes) -> list[str]:
    """Return the parts of a path as it was sent, each with its percent signs undone: a name may hold a slash.

    One that names nothing, since it is no UTF-8 or holds NUL, is empty.
    """
    try:
        parts = [unquote_to_bytes(part).decode() if b"%" in part else part.decode() for part in path.split(b"/")[1:]]
    except UnicodeDecodeError:
        return []
    return [] if any(_NUL in part for part in parts) else parts


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


def find_unfit(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield where numbers and times stand that no column holds, and what is wrong with them."""
    if isinstance(value, int | float) and not _is_in_range(value):
        yield pointer, "is beyond the numbers of 64 bits"
    elif isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
        yield pointer, f"is not within the years {FIRST_YEAR} to {LAST_YEAR}"
    for name, part in _parts(value):
        yield from find_unfit(part, f"{pointer}/{escape(name)}")


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


def _wrong(value: object, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield where something stands that nothing of ours can keep, and what it is."""
    if isinstance(value, str):
        yield from ((pointer, reason) for reason in _wrong_text(value))
    elif isinstance(value, int | float) and not _is_in_range(value):
        yield pointer, "is beyond the numbers of 64 bits"
    elif isinstance(value, dict | list) and depth >= DEEPEST:
        yield pointer, f"is nested more than {DEEPEST} deep"
    else:
        for name, part in _parts(value):
            at = f"{pointer}/{escape(name)}"
            yield from ((at, f"its name {reason}") for reason in _wrong_text(name))
            yield from _wrong(part, at, depth + 1)


def _parts(value: object) -> Iterator[tuple[str, Any]]:
    """Yield what a value is made of, with the names of the parts."""
    if isinstance(value, msgspec.Struct):
        yield from ((name, getattr(value, name)) for name in value.__struct_fields__)
    elif isinstance(value, Mapping):
        yield from ((str(name), part) for name, part in value.items())
    elif isinstance(value, Collection) and not isinstance(value, str | bytes):
        yield from ((str(number), part) for number, part in enumerate(value))


def _is_in_range(number: Any) -> bool:
    return math.isfinite(number) if isinstance(number, float) else SMALLEST <= number <= LARGEST


def _wrong_text(text: str) -> Iterator[str]:
    if _NUL in text:
        yield "holds the character NUL"
    try:
        text.encode()
    except UnicodeEncodeError:
        yield "holds half of a surrogate pair"
