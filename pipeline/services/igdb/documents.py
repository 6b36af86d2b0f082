"""Cut IGDB's answers into documents without reading them, so that unchanged ones cost next to nothing."""

import json
import math
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from pipeline.errors import InvalidItem, SourceChanged
from pipeline.fetch.mending import readable
from pipeline.fetch.shapes import UNREADABLE, clean, digest
from pipeline.services.igdb.shapes import Id

# Part of every digest: raise it when documents are read in a new way, and the next sync reads all of them anew.
READING = b"1"
# JSON may hold, and PostgreSQL refuses to keep: NUL and surrogates (of which pairs would be fine).
_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class Document(msgspec.Struct, frozen=True, gc=False):
    """A row of an answer, not read yet: its id, and a digest that changes when anything in it does."""

    igdb_id: int
    digest: bytes
    raw: bytes | msgspec.Raw


class Documents(msgspec.Struct, frozen=True):
    """The rows of an answer; `broken` are those without an id, with the reason."""

    documents: Sequence[Document]
    broken: Sequence[tuple[bytes, str]] = ()


class _Head(msgspec.Struct, gc=False):
    id: Id


_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_HEADS = msgspec.json.Decoder(list[_Head])
_HEAD = msgspec.json.Decoder(_Head)
# The largest real document has a tenth of it; what is stored of one is copied several times on its way.
MAX_ROW = 2 * 2**20


def split_rows(payload: bytes) -> list[msgspec.Raw]:
    """Return the rows of an answer; raises `SourceChanged` where it is no list, or a row is too large."""
    return _ROWS.decode(_readable(payload))


def split_documents(payload: bytes) -> Documents:
    """Cut an answer into documents; raises `SourceChanged` where it is no list."""
    answer = _readable(payload)
    rows = _ROWS.decode(answer)
    try:
        heads = _HEADS.decode(answer)
    except UNREADABLE:
        return _split_one_by_one(rows)
    return Documents([Document(h.id, digest(raw, READING), raw) for h, raw in zip(heads, rows, strict=True)])


def document(raw: bytes | msgspec.Raw) -> Document:
    """Return one row as a document; raises `InvalidItem` where it has no id."""
    readable = raw
    try:
        try:
            head = _HEAD.decode(raw)
        except UNREADABLE:
            readable = storable(raw)
            head = _HEAD.decode(readable)
    except UNREADABLE as error:
        raise InvalidItem(f"a row without an id: {error}") from error
    return Document(head.id, digest(readable, READING), readable)


def _readable(payload: bytes) -> bytes:
    """Return an answer that is a list of rows; one half of a surrogate in a summary must not cost the whole page."""
    mended = readable(payload)
    try:
        rows = _ROWS.decode(mended)
    except UNREADABLE as error:
        raise SourceChanged(f"IGDB's answer is no list: {error}", payload=payload) from error
    size = max((memoryview(row).nbytes for row in rows), default=0) if len(mended) > MAX_ROW else 0
    if size > MAX_ROW:
        raise SourceChanged(f"IGDB's answer has a row of {size:,} bytes: larger than {MAX_ROW // 2**20} MiB")
    return mended


def _split_one_by_one(rows: Sequence[msgspec.Raw]) -> Documents:
    documents, broken = [], []
    for raw in rows:
        try:
            documents.append(document(raw))
        except InvalidItem as error:
            broken.append((bytes(raw), str(error)))
    return Documents(documents, broken)


def storable(raw: bytes | msgspec.Raw) -> bytes:
    """Return JSON that PostgreSQL keeps: the same bytes, unless they hold NUL, half surrogates or broken UTF-8."""
    data = bytes(raw)
    if b"\\u" in data and _UNSTORABLE.search(data):
        return _scrubbed(data)
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return _scrubbed(data)
    return data


def _scrubbed(data: bytes) -> bytes:
    try:
        return msgspec.json.encode(_scrub(json.loads(data.decode(errors="replace"))))
    except (ValueError, RecursionError) as error:
        raise InvalidItem(f"no JSON that can be kept: {error}") from error


def _scrub(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_scrub(part) for part in value]
    if isinstance(value, dict):
        return {clean(key) or "": _scrub(part) for key, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
