"""Read a document of an unknown shape part by part: parts that do not fit are set aside, the rest is kept."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from pipeline.errors import InvalidItem
from pipeline.fetch.mending import decode_readable
from pipeline.fetch.shapes import UNREADABLE
from pipeline.services.igdb.records import Fault
from pipeline.services.igdb.shapes import WireGame

_GAME = msgspec.json.Decoder(WireGame)
_DOCUMENT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_FIELDS = get_type_hints(WireGame, include_extras=True)


def read_game(data: bytes) -> tuple[WireGame, tuple[Fault, ...]]:
    """Read a document, and return the faults of the parts left out; raises `InvalidItem` where it is no object."""
    try:
        return _GAME.decode(data), ()
    except UNREADABLE:
        pass
    try:
        fields = _DOCUMENT.decode(data)
    except UNREADABLE as error:
        raise InvalidItem(str(error)) from error
    faults: list[Fault] = []
    document = _plain({name: _readable(name, raw, faults) for name, raw in fields.items()})
    if not isinstance(document, dict):
        raise InvalidItem("a document that is no object")
    parts = {name: _part(name, document[name], faults) for name in _FIELDS if document.get(name) is not None}
    return WireGame(**parts), tuple(faults)


def _readable(name: str, raw: msgspec.Raw, faults: list[Fault]) -> Any:
    value, problems = decode_readable(raw)
    faults += [Fault(name, problem) for problem in problems]
    return value


def _part(name: str, value: Any, faults: list[Fault]) -> Any:
    """Return one field's value, or of a list those of its elements that fit; None where nothing does."""
    kind = _FIELDS[name]
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        faults.append(Fault(name, str(error)))
    element = _element(kind)
    if element is None or not isinstance(value, list):
        return None
    return list(_fitting(value, element))


def _element(kind: Any) -> Any:
    """Return the type of a list's elements, or None where the field is no list."""
    return next((get_args(option)[0] for option in get_args(kind) if get_origin(option) is list), None)


def _fitting(values: list[Any], kind: Any) -> Iterator[Any]:
    for value in values:
        try:
            yield msgspec.convert(value, kind)
        except msgspec.ValidationError:
            continue


def _plain(value: Any) -> Any:
    """Return an answer as IGDB writes it, where a proxy in front of IGDB has changed it.

    Proxies write times in ISO 8601, and lists as objects with ids for keys.
    """
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value and all(key.isdecimal() and isinstance(part, dict) for key, part in value.items()):
        return [_plain(part) for part in value.values()]
    return {key: _seconds(part) if key.endswith(("_at", "date")) else _plain(part) for key, part in value.items()}


def _seconds(value: Any) -> Any:
    """Return a written time as seconds since 1970."""
    if not isinstance(value, str):
        return value
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return value
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
