"""The fields that we ask IGDB for, and the shapes in which it answers.

https://api-docs.igdb.com/#game. IGDB leaves out empty fields. A field that IGDB may expand comes as a bare id where we
did not ask for more, or where IGDB has no more; both occur in one list. Names that IGDB took away in 2025 (`category`,
`status`, `region`, `collection`) are read where an old answer still holds them; `OLD_NAMES` lists them.
"""

from typing import Annotated, Any

import msgspec

# Of every game: the fields that columns hold, and those that only the raw document keeps.
GAME_FIELDS = (
    "name",
    "slug",
    "url",
    "summary",
    "storyline",
    "game_type",
    "game_status",
    "parent_game",
    "version_parent",
    "version_title",
    "first_release_date",
    "created_at",
    "updated_at",
    "hypes",
    "rating",
    "rating_count",
    "aggregated_rating",
    "aggregated_rating_count",
    "total_rating",
    "total_rating_count",
    "cover.image_id",
    "cover.width",
    "cover.height",
    "artworks.image_id",
    "videos.name",
    "videos.video_id",
    "genres.name",
    "themes.name",
    "game_modes.name",
    "player_perspectives.name",
    "franchises.name",
    "collections.name",
    "involved_companies.company.name",
    "involved_companies.developer",
    "involved_companies.publisher",
    "involved_companies.porting",
    "involved_companies.supporting",
    "platforms.name",
    "platforms.abbreviation",
    "platforms.slug",
    "platforms.generation",
    "platforms.platform_family.name",
    "alternative_names.name",
    "alternative_names.comment",
    "game_localizations.name",
    "game_localizations.region",
    "external_games.external_game_source",
    "external_games.uid",
    "external_games.url",
    "release_dates.date",
    "release_dates.date_format",
    "release_dates.y",
    "release_dates.m",
    "release_dates.platform",
    "release_dates.release_region",
    "release_dates.status",
    "age_ratings.organization.name",
    "age_ratings.rating_category.rating",
    "websites.type",
    "websites.url",
    "language_supports.language.name",
    "language_supports.language_support_type",
    "bundles",
    "dlcs",
    "expansions",
    "expanded_games",
    "ports",
    "remakes",
    "remasters",
    "standalone_expansions",
)
# The names that IGDB took away, and those that took their places.
OLD_NAMES = {
    "category": "game_type",
    "status": "game_status",
    "collection": "collections",
    "release_dates.category": "release_dates.date_format",
    "release_dates.region": "release_dates.release_region",
    "external_games.category": "external_games.external_game_source",
    "platforms.category": "platforms.platform_type",
    "websites.category": "websites.type",
}

# Beyond PostgreSQL's integers, and beyond the calendar, a number is nonsense; so are the calendar's first year and its
# last, whose days have no day before or after them.
Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Seconds = Annotated[int, msgspec.Meta(ge=-62_104_060_800, le=253_370_764_799)]
Score = Annotated[float, msgspec.Meta(ge=0, le=100)]
Month = Annotated[int, msgspec.Meta(ge=1, le=12)]
Year = Annotated[int, msgspec.Meta(ge=2, le=9998)]


# Shapes hold no cycles, so that the garbage collector need not look at millions of them.
class WireNamed(msgspec.Struct, gc=False):
    """Anything that has a name: a genre, a mode, a company; a status, a format, a source."""

    id: Id | None = None
    name: str | None = None


# An id, the row that it stands for, or (in files that people made of answers) only that row's name.
Named = Id | str | WireNamed
# A number of one of IGDB's own lists.
Kind = Number | WireNamed


class WireCover(msgspec.Struct, gc=False):
    image_id: str | None = None
    url: str | None = None


class WireInvolvedCompany(msgspec.Struct, gc=False):
    company: Named | None = None
    developer: bool | None = None
    publisher: bool | None = None


class WirePlatform(msgspec.Struct, gc=False):
    id: Id | None = None
    name: str | None = None
    abbreviation: str | None = None
    slug: str | None = None
    generation: Number | None = None
    platform_family: Named | None = None
    # Old.
    category: Any = None


class WireExternalGame(msgspec.Struct, gc=False):
    uid: str | None = None
    external_game_source: Kind | None = None
    # Old.
    category: Kind | None = None


class WireReleaseDate(msgspec.Struct, gc=False):
    id: Id | None = None
    date: Seconds | None = None
    date_format: Kind | None = None
    y: Year | None = None
    m: Month | None = None
    platform: Id | WirePlatform | None = None
    release_region: Kind | None = None
    status: Kind | None = None
    # Only the endpoint of release dates gives it.
    game: Id | WireNamed | None = None
    # Old.
    category: Kind | None = None
    region: Kind | None = None


class WireWebsite(msgspec.Struct, gc=False):
    # Old.
    category: Any = None


class WireGame(msgspec.Struct, gc=False):
    """A row of /games."""

    id: Id | None = None
    name: str | None = None
    slug: str | None = None
    url: str | None = None
    summary: str | None = None
    game_type: Kind | None = None
    game_status: Kind | None = None
    parent_game: Id | WireNamed | None = None
    version_parent: Id | WireNamed | None = None
    first_release_date: Seconds | None = None
    updated_at: Seconds | None = None
    total_rating: Score | None = None
    total_rating_count: Number | None = None
    cover: Id | str | WireCover | None = None
    genres: list[Named] | None = None
    themes: list[Named] | None = None
    game_modes: list[Named] | None = None
    franchises: list[Named] | None = None
    collections: list[Named] | None = None
    involved_companies: list[Id | str | WireInvolvedCompany] | None = None
    platforms: list[Id | str | WirePlatform] | None = None
    alternative_names: list[Named] | None = None
    game_localizations: list[Named] | None = None
    external_games: list[Id | WireExternalGame] | None = None
    release_dates: list[Id | WireReleaseDate] | None = None
    websites: list[Id | WireWebsite] | None = None
    # Old.
    category: Kind | None = None
    status: Kind | None = None
    collection: Named | None = None
