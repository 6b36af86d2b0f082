"""Read IGDB's release dates for no more than they say.

https://api-docs.igdb.com/#release-date: a day, a quarter and a year may all carry the same `date`, the last day of the
period. Only the format tells which it is; where that is missing or unknown, nothing finer than the year is believed.
"""

import functools
import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from pipeline.services.igdb.records import Precision, ReleaseRecord
from pipeline.services.igdb.shapes import Kind, WireNamed, WirePlatform, WireReleaseDate

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TBD = 7
_FORMATS: dict[int | None, Precision] = {
    0: "day",
    1: "month",
    2: "year",
    3: "quarter",
    4: "quarter",
    5: "quarter",
    6: "quarter",
    _TBD: "tbd",
}


def utc_time(seconds: int | None) -> datetime | None:
    """Return the time that IGDB writes as seconds since 1970."""
    return None if seconds is None else _EPOCH + timedelta(seconds=seconds)


def number(kind: Kind | None) -> int | None:
    """Return IGDB's number of a kind, expanded or not."""
    return kind.id if isinstance(kind, WireNamed) else kind


def release_records(game_igdb_id: int, wires: Iterable[WireReleaseDate]) -> tuple[ReleaseRecord, ...]:
    """Return a game's release dates, each id once; those without an id get one of ours, the same at every reading."""
    records: dict[int, ReleaseRecord] = {}
    nameless = 0
    for wire in wires:
        key = wire.id
        if key is None:
            nameless += 1
            key = _made_up_id(game_igdb_id, wire, nameless)
        records[key] = release_record(key, wire)
    return tuple(records.values())


def release_record(igdb_id: int, wire: WireReleaseDate) -> ReleaseRecord:
    """Return one release date with the period that its format allows."""
    date_format = number(wire.date_format if wire.date_format is not None else wire.category)
    day = None if wire.date is None else _day(wire.date)
    precision = _precision(date_format, wire, day)
    year = day.year if day is not None and (precision == "day" or wire.y is None) else wire.y
    month = day.month if day is not None and (precision == "day" or wire.m is None) else wire.m
    return ReleaseRecord(
        igdb_id,
        platform_id(wire),
        number(wire.release_region if wire.release_region is not None else wire.region),
        number(wire.status),
        precision,
        None if precision == "tbd" else day,
        None if precision == "tbd" else year,
        date_format - 2 if date_format is not None and precision == "quarter" else None,
        month if precision in {"day", "month"} else None,
    )


def _precision(date_format: int | None, wire: WireReleaseDate, day: date | None) -> Precision:
    """Return the precision that the format names, or a coarser one where the row lacks the fields for it."""
    year = wire.y is not None or day is not None
    precision = _FORMATS.get(date_format, "year")
    if precision == "tbd" or not year:
        return "tbd"
    if precision == "day" and day is None:
        precision = "month"
    if precision == "month" and day is None and wire.m is None:
        precision = "year"
    return precision


@functools.lru_cache(maxsize=16384)
def _day(seconds: int) -> date:
    return (_EPOCH + timedelta(seconds=seconds)).date()


def platform_id(wire: WireReleaseDate) -> int | None:
    """Return IGDB's id of a release date's platform."""
    return wire.platform.id if isinstance(wire.platform, WirePlatform) else wire.platform


def _made_up_id(game_igdb_id: int, wire: WireReleaseDate, nth: int) -> int:
    """Return an id below 0 that outlives a change of the date, which is what changes."""
    identity = f"{game_igdb_id}/{platform_id(wire)}/{number(wire.release_region)}/{nth}"
    return -int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=7).digest()) - 1
