"""Entries of the library for what there is a ROM of."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select, text

from models import Game, Rom, RomFolder
from pipeline.database.bulk import execute_rows
from pipeline.games.store.wanted import begin_wanting
from pipeline.library.records import Store
from pipeline.library.store.person_works import renew, renew_wanted
from pipeline.roms.platforms import PLATFORMS

STORE: Store = "rom"
# Who has one of these has a part of the game at most.
PARTS = ("demo", "kiosk", "dlc", "update", "bios", "program")
_PRESENT = (
    select(Rom.game_id, Rom.platform, func.min(Rom.igdb_id).label("igdb_id"), Game.public_id, Game.name)
    .join(RomFolder, RomFolder.id == Rom.folder_id)
    .join(Game, Game.id == Rom.game_id)
    .where(Rom.game_id == func.any(bindparam("ids", type_=ARRAY(BigInteger))), Rom.missing_since.is_(None))
    .where(RomFolder.person_id == bindparam("person"), RomFolder.removed_at.is_(None))
    .where(~Rom.flags.bool_op("&&")(bindparam("parts", list(PARTS), type_=Rom.flags.type)))
    .group_by(Rom.game_id, Rom.platform, Game.public_id, Game.name)
    .order_by(Rom.game_id, Rom.platform)
)
_WORKS = select(Game.work_id).where(
    Game.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))), Game.work_id.is_not(None)
)
# What is there as it should be is not written again; a removed entry stays as it is.
_PUT = text("""
    INSERT INTO library_entries AS e
        (person_id, game_id, igdb_id, store, external_id, platform, title, ownership, first_seen_at)
    SELECT :person, r.game_id, r.igdb_id, :store, r.external_id, r.platform, r.title, 'owned', :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r (game_id bigint, igdb_id bigint, external_id text, platform text, title text)
    ON CONFLICT (person_id, store, external_id, platform) DO UPDATE
    SET game_id = excluded.game_id, igdb_id = excluded.igdb_id, title = excluded.title, last_seen_at = NULL,
        absences = 0, ownership = CASE e.ownership WHEN 'wished' THEN 'owned' ELSE e.ownership END
    WHERE e.removed_at IS NULL AND (
        e.game_id <> excluded.game_id OR e.igdb_id IS DISTINCT FROM excluded.igdb_id OR e.last_seen_at IS NOT NULL
        OR e.ownership = 'wished'
    )
    RETURNING game_id
""")
_NOTE_GONE = text("""
    UPDATE library_entries AS e SET last_seen_at = :now
    WHERE e.person_id = :person AND e.store = :store AND e.game_id = ANY(CAST(:ids AS bigint[]))
        AND e.external_id LIKE 'game/%' AND e.last_seen_at IS NULL AND e.removed_at IS NULL
        AND NOT EXISTS (
            SELECT FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (external_id text, platform text)
            WHERE r.external_id = e.external_id AND r.platform = e.platform
        )
    RETURNING game_id
""")


def shelve(connection: Connection, person_id: int, game_ids: Collection[int], now: datetime) -> set[int]:
    """Make a person's library fit the ROMs that are there of some games; returns the works of which anything changed.

    A game has an entry of the store `rom` for each platform on which it is there, none for demos and the like. Where no
    ROM is there any more the entry is noted gone. What a person has hidden or removed stays so. What works are to the
    person is renewed, and what is wanted; no event tells of it. Belongs in a transaction that took the turn to store.
    """
    ids = sorted(set(game_ids))
    if not ids:
        return set()
    # Several slugs may be one platform to the library: all arcade boards are.
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for row in connection.execute(_PRESENT, {"ids": ids, "person": person_id}):
        known = PLATFORMS.get(row.platform or "")
        entry = {
            "game_id": row.game_id,
            "igdb_id": row.igdb_id,
            "external_id": f"game/{row.public_id}",
            "platform": known.name if known is not None else "",
            "title": row.name,
        }
        rows.setdefault((entry["external_id"], entry["platform"]), entry)
    parameters: dict[str, Any] = {"person": person_id, "store": STORE, "now": now}
    present = list(rows.values())
    changed = set(execute_rows(connection, _PUT, present, **parameters).scalars())
    changed |= set(execute_rows(connection, _NOTE_GONE, present, ids=ids, **parameters).scalars())
    works = {work_id for work_id in connection.scalars(_WORKS, {"ids": sorted(changed)}) if work_id is not None}
    renew(connection, person_id, works, now)
    if works and renew_wanted(connection, now):
        begin_wanting(connection, now)
    return works
