"""Read lists of channels that people have: text, CSV, and JSON in the shapes that Twitch and its tools export. Pure."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from models.errors import LootwireError
from pipeline.channels.following.names import Name, parse_name

LARGEST_LIST = 16 * 1024 * 1024
MOST_NAMES = 50_000
DEEPEST = 20
_PREFIXES = ("", "broadcaster_", "to_", "user_", "channel_", "streamer_", "followed_")
# Ids first: they stay when a channel is renamed. `_id` is how Twitch's interface before Helix wrote them.
_ID_KEYS = (*(f"{prefix}id" for prefix in _PREFIXES if prefix), "_id", "id")
# A name is what is displayed, which need not be the login.
_LOGIN_KEYS = (
    *(f"{prefix}{word}" for word in ("login", "username") for prefix in _PREFIXES),
    *("url", "link", "address"),
    *(f"{prefix}name" for prefix in _PREFIXES),
    *("channel", "streamer"),
)
_ONE = frozenset({"channel", "user", "broadcaster"})
_MANY = frozenset({"channels", "data", "followed", "following", "follows", "logins", "streamers", "users"})


class ReadList(msgspec.Struct, frozen=True):
    """The channels that a list names, each once, and how it was read: `text`, `CSV (login)`, `JSON`."""

    names: tuple[Name, ...]
    taken_as: str


def read_list(data: bytes) -> ReadList:
    """Return the channels of a list; raises `LootwireError` where it is no text, too large, or names none."""
    if len(data) > LARGEST_LIST:
        raise LootwireError(f"a list of channels has {LARGEST_LIST // 1024**2} MB at most")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LootwireError("this is no list of channels: it is not text in UTF-8") from None
    names, taken_as = _read(text)
    each = {(name.external_id, name.login, name.problem and name.text): name for name in names}
    if not each:
        raise LootwireError(f"this list names no channels (read as {taken_as})")
    if len(each) > MOST_NAMES:
        raise LootwireError(f"this list names {len(each):,} channels; {MOST_NAMES:,} at most")
    return ReadList(tuple(each.values()), taken_as)


def _read(text: str) -> tuple[list[Name], str]:
    if text.lstrip()[:1] in {"[", "{"}:
        return list(_from_json(text)), "JSON"
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    delimiter = next((sign for sign in ",;\t" if lines and sign in lines[0]), None)
    header = _cells(lines[0], delimiter) if lines else []
    if delimiter is not None or any(_key(cell) in _LOGIN_KEYS + _ID_KEYS for cell in header):
        return _from_csv(lines, delimiter or ",")
    return [parse_name(line) for line in lines], "text"


def _from_csv(lines: list[str], delimiter: str) -> tuple[list[Name], str]:
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    header = [_key(cell) for cell in rows[0]]
    column = next((header.index(key) for key in (*_ID_KEYS, *_LOGIN_KEYS) if key in header), None)
    if column is None:
        return [parse_name(row[0]) for row in rows if row and row[0].strip()], "CSV (first column)"
    cells = [row[column].strip() for row in rows[1:] if len(row) > column]
    is_id = header[column] in _ID_KEYS
    return [_name(cell, is_id=is_id) for cell in cells if cell], f"CSV ({header[column]})"


def _from_json(text: str) -> Iterator[Name]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise LootwireError("this list begins as JSON does, and cannot be read as such") from None
    yield from _walk(value, 0)


def _walk(value: Any, depth: int) -> Iterator[Name]:
    """Find the channels in a document: texts and numbers in a list, and objects that have an id or a login."""
    if depth > DEEPEST:
        raise LootwireError("this list is nested too deeply")
    if isinstance(value, dict):
        parts = [part for key, part in value.items() if _holds_channels(_key(key), part)]
        name = None if parts else _from_object(value)
        yield from [name] if name else (name for part in parts or value.values() for name in _walk_in(part, depth))
    elif isinstance(value, list):
        for part in value:
            is_plain = isinstance(part, str | int) and not isinstance(part, bool)
            yield from [parse_name(str(part))] if is_plain else _walk_in(part, depth)


def _holds_channels(key: str, part: Any) -> bool:
    """Whether an object is about the channels in this part, not about itself: the owner of a list is not followed."""
    if isinstance(part, dict):
        return key in _ONE
    return isinstance(part, list) and (key in _MANY or any(isinstance(element, dict) for element in part))


def _walk_in(value: Any, depth: int) -> Iterator[Name]:
    if isinstance(value, dict | list):
        yield from _walk(value, depth + 1)


def _from_object(value: dict[str, Any]) -> Name | None:
    values = {_key(key): str(part).strip() for key, part in value.items() if isinstance(part, str | int) and part}
    number = next((values[key] for key in _ID_KEYS if values.get(key, "").isdecimal()), None)
    if number is not None:
        return _name(number, is_id=True)
    login = next((values[key] for key in _LOGIN_KEYS if values.get(key)), None)
    return None if login is None else _name(login, is_id=False)


def _name(written: str, *, is_id: bool) -> Name:
    """Read a cell or a field: under the heading of an id digits are one, under that of a login they are not."""
    name = parse_name(written)
    if is_id and name.external_id:
        return Name(name.text, external_id=name.external_id)
    if not is_id and name.external_id:
        return Name(name.text, login=name.login, problem=None if name.login else "is no login")
    return name


def _cells(line: str, delimiter: str | None) -> list[str]:
    return line.split(delimiter) if delimiter else [line]


def _key(cell: str) -> str:
    return cell.strip().strip('"').lower().replace(" ", "_").replace("-", "_")
