"""Make hostile inputs out of real ones: change the structure of JSON, and the bytes of anything.

Pure but for its dice, so that a seed gives the same inputs on every machine.
"""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

# What parsers stumble over: the edges of numbers, times, texts, addresses and shapes.
_TIMES = (
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0002-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-03-04T05:06:07",
    "2026-03-04",
    "2026-03-04T05:06:60.123456789Z",
    "Sat, 31 Dec 9999 23:59:59 -2359",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Thu, 32 Foo 2026 25:61:61 GMT",
)
_TEXTS = (
    "",
    " ",
    "\0",
    "\ud800",
    "\udc00x",
    "é",
    "²",
    "٣",
    "\u2028",
    "\x1b[31m",
    "a" * 300,
    "9" * 5000,
    "-",
    "%",
    "[",
    "'\"",
    "null",
    "NaN",
    "{{7*7}}",
    "../../x",
    "~nobody-of-that-name/x",
)
_ADDRESSES = (
    "http://[",
    "http://[::1",
    "https://x:99999/",
    "https://x:y/",
    "http://\u2100.example/",
    "wss://[/",
    "//",
    "http://",
    "http://a" + "." * 300,
    "http://xn--\xff/",
    "twitch.tv/[",
    "https://www.twitch.tv/?x=[",
    "https://www.igdb.com/games/",
)
_NUMBERS = (0, -1, 1, 2**31, 2**31 - 1, 2**32, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 1e308, -1e308, 1e-308, 0.5)
_PLAIN: Sequence[Any] = (None, True, False, [], {}, [[]], [None], {"": None}, {"id": {}})
_VALUES: Sequence[Any] = (*_TIMES, *_TEXTS, *_ADDRESSES, *_NUMBERS, *_PLAIN)
_TOKENS = (
    *(json.dumps(value).encode() for value in _VALUES),
    *(text.encode("utf-8", "replace") for text in (*_TIMES, *_TEXTS, *_ADDRESSES)),
    b"\xff",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98",
    b"\\ud83d",
    b"\\u0000",
    b"\\",
    b'"',
    b"[" * 1200,
    b'{"a":' * 1200,
    b"1e999",
    b"-0",
    b"9" * 5000,
    b",",
    b"\r\n",
    b"\n",
    b"\0",
    b"\0\0\0\0\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x80\x00\x00\x00\x00\x00\x00\x00",
)
MOST_BYTES = 64 * 1024


def mutated(dice: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Return an input that differs from `data` in one to four places; parts may come from the `others`."""
    for _ in range(dice.choice((1, 1, 1, 2, 2, 4))):
        data = _structure(dice, data, others) if dice.random() < 0.6 else _bytes(dice, data, others)
    return data[:MOST_BYTES]


def _structure(dice: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    value = _decoded(data)
    if value is _NOTHING:
        return _bytes(dice, data, others)
    places = list(_places(value))
    if not places:
        return json.dumps(dice.choice(_VALUES)).encode()
    holder, key = dice.choice(places)
    dice.choice(_CHANGES)(dice, holder, key, others)
    try:
        return json.dumps(value, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
    except RecursionError:
        return data


_NOTHING = object()


def _decoded(data: bytes) -> Any:
    if data.lstrip()[:1] not in {b"{", b"["}:
        return _NOTHING
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return _NOTHING


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place inside a value, as what holds it and its key there."""
    places: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        pairs = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, part in pairs:
            places.append((holder, key))
            if isinstance(part, dict | list):
                waiting.append(part)
    return places


def _replace(dice: random.Random, holder: Any, key: Any, _: Sequence[bytes]) -> None:
    holder[key] = dice.choice(_VALUES)


def _remove(_: random.Random, holder: Any, key: Any, __: Sequence[bytes]) -> None:
    del holder[key]


def _repeat(dice: random.Random, holder: Any, key: Any, _: Sequence[bytes]) -> None:
    holder[key] = [holder[key]] * dice.choice((1, 2, 30))


def _rename(dice: random.Random, holder: Any, key: Any, _: Sequence[bytes]) -> None:
    if isinstance(holder, dict):
        holder[dice.choice(("", "id", str(key) + "\0", str(key).swapcase(), "data", "\ud800"))] = holder.pop(key)


def _swap(dice: random.Random, holder: Any, key: Any, _: Sequence[bytes]) -> None:
    """Let two values beside each other change places."""
    other = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


def _graft(dice: random.Random, holder: Any, key: Any, others: Sequence[bytes]) -> None:
    """Put a part of another input there."""
    value = _decoded(dice.choice(others))
    places = [] if value is _NOTHING else _places(value)
    if places:
        from_holder, from_key = dice.choice(places)
        holder[key] = from_holder[from_key]


def _bend(dice: random.Random, holder: Any, key: Any, _: Sequence[bytes]) -> None:
    """Change a text or a number a little."""
    value = holder[key]
    if isinstance(value, str):
        at = dice.randrange(len(value) + 1)
        holder[key] = value[:at] + dice.choice(_TEXTS) + value[at + dice.randrange(3) :]
    elif isinstance(value, int | float):
        holder[key] = dice.choice((-value, str(value), value + 1, [value], value * 10**12))
    else:
        holder[key] = dice.choice(_VALUES)


_CHANGES: Sequence[Callable[[random.Random, Any, Any, Sequence[bytes]], None]] = (
    _replace,
    _replace,
    _replace,
    _remove,
    _repeat,
    _rename,
    _swap,
    _graft,
    _bend,
    _bend,
)


def _bytes(dice: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at = dice.randrange(len(data) + 1)
    end = min(len(data), at + dice.choice((1, 2, 4, 16, 200)))
    middle = data[at:end]
    match dice.randrange(7):
        case 0:
            middle = bytes([dice.randrange(256)]) + middle[1:]
        case 1:
            middle = dice.choice(_TOKENS) + middle
        case 2:
            middle = dice.choice(_TOKENS)
        case 3:
            middle = b""
        case 4:
            middle *= dice.choice((2, 3, 50))
        case 5:
            end = len(data)
            middle = b""
        case _:
            end = len(data)
            other = dice.choice(others)
            middle = other[dice.randrange(len(other) + 1) :]
    return data[:at] + middle + data[end:]
