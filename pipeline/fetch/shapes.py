"""The small shapes that wire formats share, and how their values become ours."""

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Annotated, TypeVar

import msgspec
import xxhash

from pipeline.errors import InvalidItem

Shape = TypeVar("Shape")
# What msgspec raises for JSON that is broken, of the wrong shape, not UTF-8, or nested a thousand deep.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# PostgreSQL's integer: a larger number in a payload is nonsense and sets its item aside.
MOST = 2**31 - 1
Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
# Ids are looked up by index, which holds no entry of over 2,704 bytes.
LONGEST_ID = 500
# A time without a zone is refused where the service is known to send one.
Time = Annotated[datetime, msgspec.Meta(tz=True)]
# What a header may hold: a token of other characters could not be shown to anybody.
Token = Annotated[str, msgspec.Meta(pattern="^[!-~]+$")]
# Services send ids as text or as numbers; we keep text.
Id = str | int
_NOT_STORABLE = dict.fromkeys([0, *range(0xD800, 0xE000)])


def read_value(decoder: msgspec.json.Decoder[Shape], raw: bytes | msgspec.Raw) -> Shape | None:
    """Return a value that an answer can do without; None where it cannot be read."""
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        return None


def digest(*parts: bytes | msgspec.Raw) -> bytes:
    """Return 16 bytes that differ where the raw bytes of two items do.

    Not a cryptographic hash, which would cost more than all else that the steady state does: a source that made two
    items collide would only hide its own news.
    """
    state = xxhash.xxh3_128()
    for part in parts:
        state.update(part)
    return state.digest()


def clean(text: str | None) -> str | None:
    """Return the text without what PostgreSQL cannot store (NUL, lone surrogates); None where nothing is left."""
    if text is None:
        return None
    # Nearly all text is printable, and to see that costs a tenth of translating it.
    storable = text if text.isprintable() else text.translate(_NOT_STORABLE)
    return storable.strip() or None


def required(text: str | None, field: str) -> str:
    """Return the cleaned text, or refuse the item if nothing is left of it."""
    cleaned = clean(text)
    if cleaned is None:
        raise InvalidItem(f"`{field}` is empty")
    return cleaned


def identity(key: Id | None) -> str | None:
    """Return an id as text that can be stored; None where nothing is left of it."""
    cleaned = None if key is None else clean(str(key))
    return cleaned if cleaned is None or len(cleaned) <= LONGEST_ID else _shortened(cleaned)


def _shortened(key: str) -> str:
    """Return an id that stands for one longer than any real id, which no index could hold."""
    return f"{key[: LONGEST_ID - 33]}#{digest(key.encode()).hex()}"


def required_id(key: Id, field: str) -> str:
    """Return an id as text that can be stored, or refuse the item if nothing is left of it."""
    required(str(key), field)
    return identity(key) or ""


def utc(time: datetime | None) -> datetime | None:
    """Return the time in UTC; a time that no calendar holds there refuses the item.

    The first year of the calendar says nothing (0001-01-01T00:00:00Z is how services in Go write that there is no
    time), nor does its last ("never"): neither leaves room for a time zone or an hour before and after.
    """
    if time is None:
        return None
    try:
        at = time.astimezone(UTC)
    except OverflowError as error:
        raise InvalidItem(f"time out of range: {time.isoformat()}") from error
    return at if MINYEAR < at.year < MAXYEAR else None


def required_utc(time: datetime) -> datetime:
    """Return the time in UTC, or refuse the item where it says nothing."""
    at = utc(time)
    if at is None:
        raise InvalidItem(f"time out of range: {time.isoformat()}")
    return at
