"""Show an entry of IGDB with all that is known of it as one page: for the terminal, or as JSON."""

from collections.abc import Iterable
from datetime import date

import msgspec
from sqlalchemy import Connection, select

from models import GameMetadata
from models.moments import Moment
from models.pictures import cover_url
from models.release_numbers import CANCELLED, REGIONS
from pipeline.games.matching.records import GAME_TYPES, MAIN_GAME
from pipeline.games.records import StoredRelease
from pipeline.games.releases.compare import period_of, stage_of
from pipeline.games.releases.details import load_platforms
from pipeline.games.store.releases import load_releases
from pipeline.services.igdb.records import ReleaseRecord

LARGE_COVER = "720p"


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One release date. `when` is no more precise than IGDB means it: `2026-11-21`, `2026-Q4`, `2026`, `tbd`."""

    when: str
    words: str
    platform: str | None
    region: str | None
    stage: str | None
    cancelled: bool


class Kin(msgspec.Struct, frozen=True):
    """An edition, an expansion or another entry that belongs to this one, or that this one belongs to."""

    igdb_id: int
    name: str
    what: str


class GamePage(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with all that a page shows; times are UTC."""

    igdb_id: int
    name: str
    url: str | None
    what: str
    cover: str | None
    summary: str | None
    rating: float | None
    rating_count: int | None
    first_release_at: Moment | None
    genres: list[str]
    themes: list[str]
    modes: list[str]
    platforms: list[str]
    companies: list[str]
    franchises: list[str]
    releases: list[Release]
    belongs_to: list[Kin]
    kin: list[Kin]
    synced_at: Moment
    removed_at: Moment | None


def load_page(connection: Connection, igdb_id: int) -> GamePage | None:
    """Return the page of an entry; None where the catalogue does not have it (yet)."""
    row = (
        connection.execute(select(*GameMetadata.__table__.c).where(GameMetadata.igdb_id == igdb_id))
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    kept = {name: row[name] for name in GamePage.__struct_fields__ if name in row}
    parents = {row["version_parent_igdb_id"], row["parent_igdb_id"]} - {None}
    return GamePage(
        **kept,
        what=_what(row["game_type"], row["version_parent_igdb_id"]),
        cover=cover_url(row["cover_id"], LARGE_COVER),
        releases=_releases(connection, igdb_id),
        belongs_to=_kin(connection, GameMetadata.igdb_id.in_(parents)) if parents else [],
        kin=_kin(
            connection,
            (GameMetadata.version_parent_igdb_id == igdb_id) | (GameMetadata.parent_igdb_id == igdb_id),
        ),
    )


def _what(game_type: int | None, version_of: int | None) -> str:
    return "edition" if version_of is not None else GAME_TYPES.get(game_type or MAIN_GAME, "entry")


def _kin(connection: Connection, condition: object) -> list[Kin]:
    rows = connection.execute(
        select(GameMetadata.igdb_id, GameMetadata.name, GameMetadata.game_type, GameMetadata.version_parent_igdb_id)
        .where(condition, GameMetadata.removed_at.is_(None))  # type: ignore[arg-type]
        .order_by(GameMetadata.first_release_at, GameMetadata.igdb_id)
    )
    return [Kin(row.igdb_id, row.name, _what(row.game_type, row.version_parent_igdb_id)) for row in rows]


def _releases(connection: Connection, igdb_id: int) -> list[Release]:
    """Return the dates that are listed, the earliest first, those to be determined last."""
    listed = [row for row in load_releases(connection, [igdb_id]).get(igdb_id, ()) if row.last_seen_at is None]
    names = load_platforms(connection, [row.release for row in listed])
    return [_release(row.release, names) for row in _in_order(listed)]


def _in_order(rows: Iterable[StoredRelease]) -> list[StoredRelease]:
    def key(row: StoredRelease) -> tuple[date, date, int]:
        period = period_of(row.release)
        return period.last or date.max, period.first or date.max, row.release.igdb_id

    return sorted(rows, key=key)


def _release(release: ReleaseRecord, names: dict[int, str]) -> Release:
    period = period_of(release)
    return Release(
        when=str(period),
        words=period.words,
        platform=None if release.platform_id is None else names.get(release.platform_id),
        region=None if release.region is None else REGIONS.get(release.region),
        stage=stage_of(release),
        cancelled=release.status == CANCELLED,
    )
