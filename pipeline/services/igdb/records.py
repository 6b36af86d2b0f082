"""IGDB's answers, parsed: frozen records, of which the store makes rows.

All times are aware UTC. None means that IGDB has nothing there, unless `untold` says that the document only hides it.
"""

from datetime import date, datetime
from typing import Literal

import msgspec

TitleKind = Literal["name", "localized", "alternative", "slug"]
Precision = Literal["day", "month", "quarter", "year", "tbd"]


class TitleRecord(msgspec.Struct, frozen=True, gc=False):
    """A title under which a game may be looked up, with the key and the words that are looked for."""

    key: str
    title: str
    kind: TitleKind
    words: tuple[str, ...]


class ReleaseRecord(msgspec.Struct, frozen=True, gc=False):
    """One release date, no more precise than IGDB means it: only `year`, `quarter` and `month` give a period.

    `date` is the day where the precision is `day`, else whatever IGDB wrote, mostly the last day of the period.
    """

    igdb_id: int
    platform_id: int | None
    region: int | None
    status: int | None
    precision: Precision
    date: date | None
    year: int | None
    quarter: int | None
    month: int | None


class PlatformRecord(msgspec.Struct, frozen=True, gc=False):
    """A platform, as far as a document describes it."""

    igdb_id: int
    name: str | None = None
    abbreviation: str | None = None
    slug: str | None = None
    generation: int | None = None
    family: str | None = None


class ExternalRecord(msgspec.Struct, frozen=True, gc=False, order=True):
    """A game's id at a service (IGDB's number of it: 1 Steam, 5 GOG, 14 Twitch)."""

    source: int
    uid: str


class GameRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An entry of IGDB. The names in lists are distinct and in IGDB's order; of companies, developers come first.

    `untold` names the fields that the document hides in whole or in part: bare ids, or parts that were set aside. Their
    stored values stay. Every other field is the whole truth: IGDB leaves out what it does not have.
    """

    igdb_id: int
    name: str | None
    slug: str | None = None
    url: str | None = None
    summary: str | None = None
    game_type: int | None = None
    game_status: int | None = None
    parent_igdb_id: int | None = None
    version_parent_igdb_id: int | None = None
    first_release_at: datetime | None = None
    updated_at: datetime | None = None
    cover_id: str | None = None
    rating: float | None = None
    rating_count: int | None = None
    genres: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    franchises: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    titles: tuple[TitleRecord, ...] = ()
    external_games: tuple[ExternalRecord, ...] = ()
    releases: tuple[ReleaseRecord, ...] = ()
    platform_records: tuple[PlatformRecord, ...] = ()
    untold: frozenset[str] = frozenset()


class Fault(msgspec.Struct, frozen=True, gc=False):
    """A part of a document that could not be read and was set aside, while the rest of it landed."""

    field: str
    reason: str


class ParsedGame(msgspec.Struct, frozen=True, gc=False):
    """A document's record; `raw` is the document as PostgreSQL can keep it, `old_names` what IGDB took away."""

    record: GameRecord
    raw: bytes
    faults: tuple[Fault, ...] = ()
    old_names: tuple[str, ...] = ()
