"""What a file looks like at first sight, decoded no further than to the keys by which sources recognise their own."""

import functools
import re
from collections.abc import Mapping, Sequence

import msgspec

# What is recognised, in words, and the names of the sources that read it.
Recognition = tuple[str, Sequence[str]]

Fields = dict[str, msgspec.Raw]
_FIELDS = msgspec.json.Decoder(Fields)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
# A list of many megabytes shows in its first bytes what it lists.
LOOK_AHEAD = 600
_KEY = re.compile(rb'"(\w+)":')


class Look:
    """One payload and the path that it came from. What cannot be read raises one of `UNREADABLE`."""

    def __init__(self, payload: bytes, path: str) -> None:
        self.payload = payload
        self.path = path
        self.is_object = payload.lstrip()[:1] == b"{"

    @functools.cached_property
    def head(self) -> frozenset[bytes]:
        """The keys in the first bytes of a bare list, whatever they belong to."""
        return frozenset(_KEY.findall(self.payload, 0, LOOK_AHEAD)) if self.payload[:1] == b"[" else frozenset()

    @functools.cached_property
    def fields(self) -> Fields:
        """The fields of an object; none of a list."""
        return _FIELDS.decode(self.payload) if self.is_object else {}

    @functools.cached_property
    def is_graphql(self) -> bool:
        """Whether this is an answer of a service's GraphQL, or a part of one."""
        return is_graphql(self.fields)

    @functools.cached_property
    def is_wrapped(self) -> bool:
        """Whether a collector of answers put this one into an envelope of its own."""
        return not self.fields.keys().isdisjoint({"lastUpdatedAt", "firstSeen"})

    @functools.cached_property
    def rows(self) -> Sequence[msgspec.Raw] | None:
        """The rows of a bare list, or of an object's `data`; None where it is no list."""
        if not self.is_object:
            return _ROWS.decode(self.payload)
        data = self.fields.get("data")
        if self.is_graphql or data is None or bytes(data)[:1] != b"[":
            return None
        return _ROWS.decode(data)

    @functools.cached_property
    def first(self) -> Fields:
        """The fields of the first row; none where there is no row."""
        return _FIELDS.decode(self.rows[0]) if self.rows else {}


def is_graphql(fields: Mapping[str, msgspec.Raw]) -> bool:
    """Whether fields are those of a GraphQL answer, of several that a fetch gathered, or of a campaign out of one."""
    data = fields.get("data")
    if data is not None and bytes(data)[:1] == b"{":
        return True
    return not fields.keys().isdisjoint({"errors", "error", "dashboard"}) or fields.keys() >= {"id", "startAt"}


def has_field(row: msgspec.Raw, name: str) -> bool:
    """Whether a row has a field, whatever it holds."""
    return name in _FIELDS.decode(row)
