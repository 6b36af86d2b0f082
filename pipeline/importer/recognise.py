"""Recognise a payload by its content, and name the sources that read it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pipeline.drops.sources import FROM_FILES, RECOGNISERS
from pipeline.drops.sources.looks import Look, Recognition
from pipeline.errors import SourceChanged
from pipeline.fetch.shapes import UNREADABLE
from pipeline.ingest.source import ListSource


class Recognised(msgspec.Struct, frozen=True):
    """The kind of a payload, in words, and the sources that read it: a dashboard has campaigns and rewards."""

    taken_for: str
    sources: Sequence[ListSource]


class _Updated(msgspec.Struct):
    lastUpdatedAt: datetime | None = None  # noqa: N815


def recognise_all(payload: bytes, path: str, sources: Sequence[ListSource]) -> Recognised:
    """Return what a payload is and the sources that read it; raises `SourceChanged` with what is wrong with it."""
    by_name = {source.name: source for source in (*FROM_FILES, *sources)}
    taken_for, names = _recognise(payload, path)
    return Recognised(taken_for, [by_name[name] for name in names])


def updated_time(payload: bytes) -> datetime | None:
    """Return the time that the mirror's version 2 gives for its data; None for every other payload."""
    if payload.lstrip()[:1] != b"{":
        return None
    try:
        updated_at = msgspec.json.decode(payload, type=_Updated).lastUpdatedAt
    except UNREADABLE:
        return None
    return updated_at if updated_at is not None and updated_at.tzinfo is not None else None


def _recognise(payload: bytes, path: str) -> Recognition:
    if not payload.strip():
        raise SourceChanged("the file is empty")
    if payload.lstrip()[:1] == b"<":
        raise SourceChanged("HTML or XML, not JSON: perhaps an error page that was saved")
    look = Look(payload, path)
    try:
        for recognise in RECOGNISERS:
            if (recognition := recognise(look)) is not None:
                return recognition
        listed = look.rows is not None
    except UNREADABLE as error:
        raise SourceChanged(f"not JSON that we know: {error}") from error
    raise SourceChanged(f"a {'list' if listed else 'JSON object'} of no source that we know")
