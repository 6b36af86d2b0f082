"""A file as formats look at it: its text, its JSON, its table, each read once and only when asked for. Pure."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from models.errors import UsageError
from pipeline.fetch.mending import readable
from pipeline.fetch.shapes import UNREADABLE
from pipeline.library.formats.decoding import as_text
from pipeline.library.formats.table import Table, read_table

# Brackets and commas of one file; `legendary list --json` has a few thousand a game.
MOST_VALUES = 8_000_000
# JSON begins so; a list that begins with "[x]" or "{3}" is text.
_JSON = ('{"', "{}", '["', "[{", "[[", "[]")

_CUT_OFF = ("[", "{")

Parts = Mapping[str, msgspec.Raw] | Sequence[msgspec.Raw]
_PARTS: msgspec.json.Decoder[dict[str, msgspec.Raw] | list[msgspec.Raw]] = msgspec.json.Decoder(
    dict[str, msgspec.Raw] | list[msgspec.Raw]
)
_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Look:
    """A file's content, and its name for sentences; nothing is recognised by the name."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name

    @cached_property
    def text(self) -> str:
        """The file as text; raises `UsageError` for what is none."""
        return as_text(self.data, self.name)

    @cached_property
    def begins_as_json(self) -> bool:
        """Whether its first two signs are those of JSON, or it has but one, after which it was cut off."""
        first = "".join(self.text.lstrip()[:200].split())[:2]
        return first in _JSON or first in _CUT_OFF

    @cached_property
    def json(self) -> Parts | None:
        """The members of a JSON object or list, undecoded; None for what does not begin as JSON does.

        Raises `UsageError` for JSON that cannot be read, or holds more values than any library.
        """
        if not self.begins_as_json:
            return None
        payload = self.text.strip().encode()
        if len(payload) - len(payload.translate(None, b",[{")) > MOST_VALUES:
            raise UsageError(f"{self.name} holds over {MOST_VALUES:,} JSON values: that is no library")
        try:
            return _PARTS.decode(readable(payload))
        except UNREADABLE as error:
            raise UsageError(
                f"{self.name} begins as JSON does and cannot be read as such: {error}. It may be cut off: "
                "export it again"
            ) from error

    @cached_property
    def members(self) -> Mapping[str, msgspec.Raw]:
        """The members of a JSON object; empty for what is none."""
        return self.json if isinstance(self.json, Mapping) else {}

    @cached_property
    def elements(self) -> Sequence[msgspec.Raw]:
        """The elements of a JSON list; empty for what is none."""
        return () if self.json is None or isinstance(self.json, Mapping) else self.json

    @cached_property
    def table(self) -> Table | None:
        """The file as a table with a header; None for what is JSON or no table."""
        return None if self.begins_as_json else read_table(self.text, self.name)

    @cached_property
    def columns(self) -> frozenset[str]:
        """The names of the table's columns in small letters; empty for what is none."""
        return frozenset() if self.table is None else frozenset(name.lower() for name in self.table.header)


def listed(raw: msgspec.Raw | None) -> Sequence[msgspec.Raw]:
    """Return the elements of a list within JSON, undecoded; empty for what is none."""
    try:
        return () if raw is None else _LIST.decode(raw)
    except UNREADABLE:
        return ()


def keys_of(raw: msgspec.Raw | None) -> Mapping[str, msgspec.Raw]:
    """Return the members of an object within JSON, undecoded; empty for what is none."""
    try:
        return {} if raw is None else _OBJECT.decode(raw)
    except UNREADABLE:
        return {}


def first_keys(elements: Sequence[msgspec.Raw]) -> frozenset[str]:
    """Return the keys that the first objects of a list have, by which its format is known."""
    return frozenset(key for element in elements[:5] for key in keys_of(element))
