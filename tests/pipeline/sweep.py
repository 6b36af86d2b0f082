"""Walk a valid payload, and put every bad value in the place of each of its values and parts in turn."""

from collections.abc import Iterator
from typing import Any

import msgspec

Path = tuple[str | int, ...]
# As the bytes that a service would send. The last four are no JSON to a strict reader.
BAD_VALUES = {
    "null": b"null",
    "an empty text": b'""',
    "a text": b'"odd"',
    "NUL": b'"\\u0000"',
    "true": b"true",
    "an object": b'{"odd":1}',
    "an empty list": b"[]",
    "a list of odd things": b'[7,"odd",null]',
    "a negative number": b"-1",
    "a fraction": b"1.5",
    "a number over 64 bits": b"36893488147419103232",
    "a number of another universe": b"1e400",
    "half a surrogate": b'"\\ud83d"',
    "a value nested too deep": b"[" * 1500 + b"]" * 1500,
    "NUL as a byte": b'"a\x00b"',
    "a byte that is not UTF-8": b'"\xff"',
}
_HOLE = "7b1f-here-stands-the-bad-value"
_QUOTED = f'"{_HOLE}"'.encode()


def paths_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each value and part of some JSON, its own first."""
    yield path
    if isinstance(value, dict):
        for key, part in value.items():
            yield from paths_in(part, (*path, key))
    if isinstance(value, list):
        for nth, part in enumerate(value):
            yield from paths_in(part, (*path, nth))


def sweep(value: Any, *, under: Path = ()) -> Iterator[tuple[Path, str, bytes]]:
    """Yield the JSON with each bad value in each place at or under a path: (where, what, the bytes)."""
    for path in paths_in(value):
        if path[: len(under)] == under:
            holed = msgspec.json.encode(_with_hole(value, path))
            for name, bad in BAD_VALUES.items():
                yield path, name, holed.replace(_QUOTED, bad)


def _with_hole(value: Any, path: Path) -> Any:
    if not path:
        return _HOLE
    key: Any = path[0]
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[key] = _with_hole(value[key], path[1:])
    return changed
