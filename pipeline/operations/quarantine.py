"""Payloads that were set aside because they could not be read, or were not believed."""

import gzip
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select

from models import QuarantinedPayload, Source
from models.errors import UnknownThing
from models.moments import Moment


class QuarantinedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A payload that was set aside, with the reason: by which source, and how often it came."""

    source: str
    id: int
    reason: str
    detail: str
    origin: str
    first_seen_at: Moment
    last_seen_at: Moment
    times_seen: int


class QuarantinedContent(msgspec.Struct, frozen=True, kw_only=True):
    """A payload that was set aside with what is in it: as `text`, or in Base64 as `data` where it is no text."""

    payload: QuarantinedAnswer
    text: str | None
    data: bytes | None


def list_quarantine(connection: Connection, limit: int, *, before: int | None = None) -> list[QuarantinedAnswer]:
    """Return payloads, the newest first; those below a number alone if asked."""
    query = _LISTED.limit(limit)
    if before is not None:
        query = query.where(QuarantinedPayload.id < before)
    return [QuarantinedAnswer(**row) for row in connection.execute(query).mappings()]


def show_quarantined(connection: Connection, payload_id: int) -> QuarantinedContent:
    """Return a payload with what is in it; raises `UnknownThing`."""
    content = load_payload(connection, payload_id)
    row = connection.execute(_LISTED.where(QuarantinedPayload.id == payload_id)).mappings().one()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return QuarantinedContent(payload=QuarantinedAnswer(**row), text=None, data=content)
    return QuarantinedContent(payload=QuarantinedAnswer(**row), text=text, data=None)


def load_payload(connection: Connection, payload_id: int) -> bytes:
    """Return a payload byte for byte; raises `UnknownThing`."""
    kept = connection.scalar(select(QuarantinedPayload.payload_gzip).where(QuarantinedPayload.id == payload_id))
    if kept is None:
        raise UnknownThing(f"there is no payload {payload_id}; `lootwire quarantine` lists them")
    return gzip.decompress(kept)


_P = QuarantinedPayload
_LISTED: Select[*tuple[Any, ...]] = (
    select(
        Source.name.label("source"),
        *(_P.id, _P.reason, _P.detail, _P.origin, _P.first_seen_at, _P.last_seen_at, _P.times_seen),
    )
    .join(Source, Source.id == _P.source_id)
    .order_by(_P.id.desc())
)
