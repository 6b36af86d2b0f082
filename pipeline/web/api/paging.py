"""Lists in pages that a change between two of them neither repeats nor skips: each page goes on behind a key."""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from pipeline.web.api.problems import FieldProblem, InvalidRequest

MOST = 500
Item = TypeVar("Item")
Limit = Annotated[int, msgspec.Meta(ge=1, le=MOST, description="How many items a page has at most.")]
Cursor = Annotated[str, msgspec.Meta(max_length=1000, description="What `next` of the page before said.")]


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a list; a list with filters has a struct of its own that inherits this one."""

    limit: Limit = 100
    cursor: Cursor | None = None


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """A page of a list. `next` is the cursor of the one after it, null on the last."""

    items: list[Item]
    next: str | None = None


def page_of(items: Iterable[Item], query: PageQuery, key: Callable[[Item], Any]) -> Page[Item]:
    """Return a page of a list that is short enough to be loaded whole, ordered by a key that no two items share."""
    ordered = sorted(items, key=key)
    if (after := read_cursor(query)) is not None:
        ordered = [item for item in ordered if _is_behind(_plain(key(item)), after)]
    return make_page(ordered[: query.limit + 1], query, key)


def make_page(items: list[Item], query: PageQuery, key: Callable[[Item], Any]) -> Page[Item]:
    """Return a page of items that a query ordered and began behind the cursor, one more than `limit` where there is."""
    kept = items[: query.limit]
    is_last = len(items) <= query.limit
    return Page(items=kept, next=None if is_last else write_cursor(key(kept[-1])))


def write_cursor(key: Any) -> str:
    """Return a key as an opaque cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(_plain(key))).decode().rstrip("=")


def read_cursor(query: PageQuery, *kinds: Any) -> list[Any] | None:
    """Return the key that the page begins behind, its parts of these `kinds` if any are given.

    Raises `InvalidRequest` for a cursor that none of our pages gave.
    """
    if query.cursor is None:
        return None
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        parts = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=list[Any])
        return [msgspec.convert(part, kind) for part, kind in zip(parts, kinds, strict=True)] if kinds else parts
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        message = "is no cursor of this list; begin without one"
        raise InvalidRequest([FieldProblem(pointer="/query/cursor", detail=message)]) from error


def _plain(key: Any) -> list[Any]:
    parts = key if isinstance(key, tuple | list) else [key]
    return msgspec.to_builtins(list(parts))  # type: ignore[no-any-return]


def _is_behind(key: list[Any], after: list[Any]) -> bool:
    try:
        return key > after
    except TypeError:
        message = "is the cursor of another list; begin without one"
        raise InvalidRequest([FieldProblem(pointer="/query/cursor", detail=message)]) from None
