"""What a round of questions brought on its way to be stored: bodies, and failures by what cures them. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from pipeline.errors import SourceChanged, SourceError, SourceRefused, SourceUnavailable
from pipeline.fetch.shapes import digest
from pipeline.library.records import Reading, Record

Kind = Literal["refused", "changed", "unavailable"]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why an account could not be read."""

    kind: Kind
    message: str
    payload: bytes = b""
    retry_after: timedelta | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an account had at a moment of our clock, or why that could not be read."""

    account_id: int
    at: datetime
    body: msgspec.Raw = msgspec.Raw(b"null")
    failure: Failure | None = None


class LookedUp(msgspec.Struct, frozen=True, kw_only=True):
    """What IGDB said of games that the catalogue lacks: its rows, to be stored before their games are taken in.

    One that `is_failed` is to be asked again with the next answer, even if that is the same.
    """

    is_failed: bool = False
    rows: Sequence[msgspec.Raw] = ()
    asked_at: datetime | None = None


class Round(msgspec.Struct, frozen=True):
    """The accounts that were asked together."""

    asked: tuple[Asked, ...] = ()
    looked_up: LookedUp = LookedUp()


_ROUND = msgspec.json.Decoder(Round)


def encode_round(asked: Iterable[Asked], looked_up: LookedUp) -> bytes:
    """Return a round as the payload of an answer."""
    return msgspec.json.encode(Round(tuple(asked), looked_up))


def decode_round(payload: bytes | None) -> Round:
    """Return what `encode_round` wrote; without a payload nobody was asked."""
    return Round() if payload is None else _ROUND.decode(payload)


def failure_of(error: SourceError) -> Failure:
    """Return an error as it can be written down."""
    if isinstance(error, SourceUnavailable):
        return Failure(kind="unavailable", message=str(error), retry_after=error.retry_after)
    payload = error.payload if isinstance(error, SourceChanged) else b""
    return Failure(
        kind="changed" if isinstance(error, SourceChanged) else "refused", message=str(error), payload=payload
    )


def with_way_out(failure: Failure, title: str) -> Failure:
    """Return why an account at a service with this title could not be read, and what cures it, which refusals say."""
    said = failure.message
    if failure.kind == "unavailable":
        # What is said of the way there names only a host.
        away = said if said.startswith(title) else f"{title} is away ({said})"
        said = f"{away}: nothing of the library was changed, and it is asked again by itself"
    elif failure.kind == "changed":
        said = f"{said}: nothing of the library was changed; if it stays so, look for a newer version"
    return msgspec.structs.replace(failure, message=said)


def error_of(failures: Sequence[Failure]) -> SourceError | None:
    """Return the error of those that most needs a person; None where there are none."""
    by_kind = {failure.kind: failure for failure in reversed(failures)}
    if (refused := by_kind.get("refused")) is not None:
        return SourceRefused(refused.message)
    if (changed := by_kind.get("changed")) is not None:
        return SourceChanged(changed.message, payload=changed.payload)
    if (away := by_kind.get("unavailable")) is not None:
        return SourceUnavailable(away.message, retry_after=away.retry_after)
    return None


def digest_of(reading: Reading) -> bytes:
    """Return what differs where an answer says something else, in whatever order it lists its games."""
    return digest(msgspec.json.encode(sorted(reading.records, key=_key)))


def joined(readings: Sequence[Reading]) -> Reading:
    """Return what several accounts of one person have together; a game that two have is the one played longer."""
    first, *others = readings
    if not others:
        return first
    records: dict[int, Record] = {}
    for record in sorted((record for each in readings for record in each.records), key=_played):
        records[_key(record)] = record
    return msgspec.structs.replace(
        first,
        records=list(records.values()),
        broken=[broken for each in readings for broken in each.broken],
        is_whole=all(each.is_whole for each in readings),
    )


def last_played(reading: Reading, now: datetime) -> datetime | None:
    """Return when something was played last, as far as that is not in the future."""
    times = (record.last_played_at for record in reading.records)
    return max((at for at in times if at is not None and at <= now), default=None)


def _key(record: Record) -> int:
    return record.line


def _played(record: Record) -> int:
    return record.playtime_seconds or 0
