"""Turn IGDB's documents into records; one bad part of a game does not cost the rest of it. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from pipeline.errors import InvalidItem
from pipeline.services.igdb.dates import number, release_records, utc_time
from pipeline.services.igdb.documents import storable
from pipeline.services.igdb.records import (
    ExternalRecord,
    GameRecord,
    ParsedGame,
    PlatformRecord,
    TitleKind,
    TitleRecord,
)
from pipeline.services.igdb.salvage import read_game
from pipeline.services.igdb.shapes import (
    Named,
    WireCover,
    WireExternalGame,
    WireGame,
    WireInvolvedCompany,
    WireNamed,
    WirePlatform,
    WireReleaseDate,
)
from pipeline.services.igdb.titles import title_record

# The longest that a slug or a shop's own id may be: both are looked up by index.
_KEY_LENGTH = 500
_IMAGE = re.compile(r"/(\w+)\.\w+$")
# "doom--1" is the second game that is called Doom, not Doom 1.
_NUMBERED_SLUG = re.compile(r"--\d+$")
# The names in the record of fields that the document calls otherwise.
_COLUMNS = {
    "parent_game": "parent_igdb_id",
    "version_parent": "version_parent_igdb_id",
    "first_release_date": "first_release_at",
    "total_rating": "rating",
    "total_rating_count": "rating_count",
    "cover": "cover_id",
    "game_modes": "modes",
    "collection": "collections",
    "involved_companies": "companies",
    "release_dates": "releases",
    "category": "game_type",
    "status": "game_status",
}
# Lists whose rows had a category.
_CATEGORISED = ("release_dates", "external_games", "platforms", "websites")
_Part = TypeVar("_Part")


def parse_game(raw: bytes | msgspec.Raw) -> ParsedGame:
    """Read a row of /games; raises `InvalidItem` only where it is no object with an id."""
    data = storable(raw)
    wire, faults = read_game(data)
    if wire.id is None:
        raise InvalidItem("`id` is missing")
    return ParsedGame(_record(wire.id, wire, {fault.field for fault in faults}), data, faults, old_names(wire, data))


def _record(igdb_id: int, wire: WireGame, faulty: set[str]) -> GameRecord:
    hidden = {_COLUMNS.get(field, field) for field in faulty}

    def names(field: str, values: Iterable[Any] | None) -> tuple[str, ...]:
        if not values:
            return ()
        distinct, whole = _names(values)
        if not whole:
            hidden.add(field)
        return distinct

    name, slug = text(wire.name), text(wire.slug)
    releases = _expanded(wire.release_dates, WireReleaseDate, "releases", hidden)
    involved = _expanded(wire.involved_companies, WireInvolvedCompany, "companies", hidden)
    if isinstance(wire.cover, int):
        hidden.add("cover_id")
    return GameRecord(
        igdb_id=igdb_id,
        name=name,
        slug=slug and slug[:_KEY_LENGTH],
        url=text(wire.url),
        summary=text(wire.summary),
        game_type=number(wire.category if wire.game_type is None else wire.game_type),
        game_status=number(wire.status if wire.game_status is None else wire.game_status),
        # A proxy writes 0 where IGDB leaves it out.
        parent_igdb_id=number(wire.parent_game) or None,
        version_parent_igdb_id=number(wire.version_parent) or None,
        first_release_at=utc_time(wire.first_release_date),
        updated_at=utc_time(wire.updated_at),
        cover_id=_cover_id(wire.cover),
        # IGDB writes fourteen digits; four would be plenty, and the column holds seven.
        rating=None if wire.total_rating is None else round(wire.total_rating, 4),
        rating_count=wire.total_rating_count,
        genres=names("genres", wire.genres),
        themes=names("themes", wire.themes),
        modes=names("modes", wire.game_modes),
        franchises=names("franchises", wire.franchises),
        collections=names("collections", _collections(wire)),
        companies=names("companies", _companies(involved)),
        platforms=names("platforms", wire.platforms),
        titles=_titles(
            name,
            names("game_localizations", wire.game_localizations),
            names("alternative_names", wire.alternative_names),
            slug,
        ),
        external_games=_externals(_expanded(wire.external_games, WireExternalGame, "external_games", hidden)),
        releases=release_records(igdb_id, releases),
        platform_records=tuple(_platforms(wire, releases)),
        untold=frozenset(hidden),
    )


def text(written: str | None) -> str | None:
    """Return a text without spaces around it; None where nothing is left."""
    return written and (written.strip() or None)


def _names(values: Iterable[Any]) -> tuple[tuple[str, ...], bool]:
    """Return the distinct names among values, and whether each value has one: a bare id has none."""
    distinct: dict[str, None] = {}
    whole = True
    for value in values:
        name = text(value if isinstance(value, str) else getattr(value, "name", None))
        if name is None:
            whole = False
        else:
            distinct[name] = None
    return tuple(distinct), whole


def _expanded(values: Sequence[Any] | None, kind: type[_Part], field: str, hidden: set[str]) -> list[_Part]:
    """Return the expanded parts of a list; where others are bare ids, the field is noted as hidden."""
    expanded = [value for value in values or () if isinstance(value, kind)]
    if len(expanded) != len(values or ()):
        hidden.add(field)
    return expanded


def _collections(wire: WireGame) -> Sequence[Named]:
    old = [] if wire.collection is None else [wire.collection]
    return old if wire.collections is None else wire.collections


def _cover_id(cover: int | str | WireCover | None) -> str | None:
    image, url = (cover.image_id, cover.url) if isinstance(cover, WireCover) else (None, cover)
    if image is not None:
        return text(image)
    match = _IMAGE.search(url) if isinstance(url, str) else None
    return match and match[1]


def _companies(involved: Sequence[WireInvolvedCompany]) -> list[Named]:
    """Return the companies, developers before publishers before others."""
    ordered = sorted(involved, key=lambda wire: (not wire.developer, not wire.publisher))
    return [wire.company for wire in ordered if wire.company is not None]


def _titles(
    name: str | None, localized: Iterable[str], alternative: Iterable[str], slug: str | None
) -> tuple[TitleRecord, ...]:
    """Return the titles, each key once and of its best kind."""
    by_key: dict[str, TitleRecord] = {}
    for title, kind in _kinds(name, localized, alternative, slug):
        record = title_record(title, kind)
        by_key.setdefault(record.key, record)
    return tuple(by_key.values())


def _kinds(
    name: str | None, localized: Iterable[str], alternative: Iterable[str], slug: str | None
) -> Iterator[tuple[str, TitleKind]]:
    if name is not None:
        yield name, "name"
    for title in localized:
        yield title, "localized"
    for title in alternative:
        yield title, "alternative"
    if slug is not None and not _NUMBERED_SLUG.search(slug):
        yield slug, "slug"


def _externals(wires: Iterable[WireExternalGame]) -> tuple[ExternalRecord, ...]:
    records: dict[ExternalRecord, None] = {}
    for wire in wires:
        source = number(wire.category if wire.external_game_source is None else wire.external_game_source)
        uid = text(wire.uid)
        if source is not None and uid is not None and len(uid) <= _KEY_LENGTH:
            records[ExternalRecord(source, uid)] = None
    return tuple(records)


def _platforms(wire: WireGame, releases: Iterable[WireReleaseDate]) -> Iterator[PlatformRecord]:
    for platform in (*(wire.platforms or ()), *(release.platform for release in releases)):
        if isinstance(platform, WirePlatform) and platform.id is not None and platform.name is not None:
            yield _platform_record(platform.id, platform)


def _platform_record(igdb_id: int, wire: WirePlatform) -> PlatformRecord:
    family = wire.platform_family
    return PlatformRecord(
        igdb_id,
        text(wire.name),
        text(wire.abbreviation),
        text(wire.slug),
        wire.generation,
        text(family.name) if isinstance(family, WireNamed) else None,
    )


def old_names(wire: WireGame, data: bytes) -> tuple[str, ...]:
    """Return the names in a document that IGDB took away in 2025, as `OLD_NAMES` lists them."""
    names = [name for name in ("category", "status", "collection") if getattr(wire, name) is not None]
    if any(isinstance(release, WireReleaseDate) and release.region is not None for release in wire.release_dates or ()):
        names.append("release_dates.region")
    # Looking for the word first costs a fraction of asking every part for it.
    if b'"category"' in data:
        names += [f"{field}.category" for field in _CATEGORISED if _categorised(getattr(wire, field))]
    return tuple(names)


def _categorised(parts: Iterable[Any] | None) -> bool:
    return any(getattr(part, "category", None) is not None for part in parts or ())
