"""A request as the door takes it, and what it answers; nothing of either knows Starlette."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

JSON = "application/json"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came; the names of its headers are in lower case."""

    method: str
    # As it was written, without the query.
    target: str
    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    # The address of the client, behind proxies that are trusted.
    client: str
    body: bytes = b""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is answered."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    # Sent instead of a body, whole or in parts.
    file: Path | None = None
