"""Store the release dates of IGDB games: a date that is gone stays, with the time at which it was found gone."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import Insert

from models import ReleaseDate
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.database.copying import copy_rows
from pipeline.games.records import StoredRelease
from pipeline.services.igdb.records import GameRecord, ReleaseRecord

RELEASES: Table = ReleaseDate.__table__  # type: ignore[assignment]
_RECORD_FIELDS = ReleaseRecord.__struct_fields__
_COLUMNS = ("game_igdb_id", "first_seen_at", *_RECORD_FIELDS)
_CHANGED = (*_COLUMNS, "last_seen_at")

Releases = dict[int, tuple[StoredRelease, ...]]

_STORED = (
    select(
        RELEASES.c.game_igdb_id,
        RELEASES.c.first_seen_at,
        RELEASES.c.last_seen_at,
        RELEASES.c.told_at,
        *[RELEASES.c[name] for name in _RECORD_FIELDS],
    )
    .where(RELEASES.c.game_igdb_id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
    .order_by(RELEASES.c.game_igdb_id, RELEASES.c.igdb_id)
)


def load_releases(connection: Connection, game_igdb_ids: Iterable[int]) -> Releases:
    """Return the release dates of games by the games' ids, also those that are no longer listed."""
    by_game: dict[int, list[StoredRelease]] = {}
    for game, first_seen_at, last_seen_at, out_at, *fields in connection.execute(_STORED, {"ids": list(game_igdb_ids)}):
        stored = StoredRelease(ReleaseRecord(*fields), first_seen_at, last_seen_at, out_at)
        by_game.setdefault(game, []).append(stored)
    return {game: tuple(releases) for game, releases in by_game.items()}


def add_releases(connection: Connection, records: Sequence[GameRecord], asked_at: datetime) -> Releases:
    """Write the release dates of games that are new, and return them."""
    rows = [
        (record.igdb_id, asked_at, *msgspec.structs.astuple(release))
        for record in records
        for release in record.releases
    ]
    copy_rows(connection, RELEASES, _COLUMNS, rows)
    return {
        record.igdb_id: tuple(StoredRelease(release, asked_at) for release in record.releases) for record in records
    }


def update_releases(
    connection: Connection, records: Iterable[GameRecord], before: Mapping[int, Sequence[StoredRelease]], at: datetime
) -> Releases:
    """Write those release dates of games that differ from the stored ones in `before`, and return all of them."""
    after: Releases = {}
    rows: list[dict[str, Any]] = []
    for record in records:
        stored = {row.release.igdb_id: row for row in before.get(record.igdb_id, ())}
        merged = merge_releases(stored, record, at)
        after[record.igdb_id] = tuple(merged.values())
        rows += [_row(record.igdb_id, release) for key, release in merged.items() if stored.get(key) != release]
    if rows:
        execute_rows(connection, _upserted(), rows)
    return after


def merge_releases(stored: Mapping[int, StoredRelease], record: GameRecord, at: datetime) -> dict[int, StoredRelease]:
    """Return a game's release dates by their ids after a document that was asked for at `at`.

    A date that it does not list is gone, unless the document holds bare ids of release dates.
    """
    merged = dict(stored)
    listed = {release.igdb_id for release in record.releases}
    if "releases" not in record.untold:
        for key, known in stored.items():
            if key not in listed and known.last_seen_at is None:
                merged[key] = msgspec.structs.replace(known, last_seen_at=at)
    for release in record.releases:
        before = stored.get(release.igdb_id)
        merged[release.igdb_id] = StoredRelease(
            release, before.first_seen_at if before else at, None, before.told_at if before else None
        )
    return merged


def _row(game_igdb_id: int, stored: StoredRelease) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(stored.release),
        "game_igdb_id": game_igdb_id,
        "first_seen_at": stored.first_seen_at,
        "last_seen_at": stored.last_seen_at,
    }


@functools.cache
def _upserted() -> Insert:
    statement = insert_rows(RELEASES, _CHANGED)
    return statement.on_conflict_do_update(
        index_elements=[RELEASES.c.game_igdb_id, RELEASES.c.igdb_id],
        set_={name: statement.excluded[name] for name in (*_RECORD_FIELDS, "last_seen_at") if name != "igdb_id"},
    )
