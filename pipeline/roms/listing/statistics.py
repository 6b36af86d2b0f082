"""Add a person's collection up, by platform."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, text

from models.platforms import PLATFORMS

_QUERY = text("""
    WITH mine AS (
        SELECT rom.*, (
            SELECT coalesce(sum(file.size), 0) FROM rom_members AS member
            JOIN rom_files AS file ON file.id = member.file_id
            WHERE member.rom_id = rom.id AND file.missing_since IS NULL
        ) AS bytes
        FROM roms AS rom JOIN rom_folders AS folder ON folder.id = rom.folder_id
        WHERE folder.person_id = :person AND folder.removed_at IS NULL
    )
    SELECT platform, count(*) AS roms, count(DISTINCT coalesce('game ' || game_id, title_key)) AS games,
        count(*) FILTER (WHERE verdict = 'verified') AS verified,
        count(*) FILTER (WHERE verdict = 'incomplete') AS incomplete,
        count(*) FILTER (WHERE verdict = 'bad') AS bad,
        count(*) FILTER (WHERE verdict = 'unknown') AS unknown,
        count(*) FILTER (WHERE game_id IS NOT NULL) AS matched,
        count(*) FILTER (WHERE missing_since IS NOT NULL) AS missing,
        CAST(sum(bytes) AS bigint) AS bytes
    FROM mine GROUP BY platform ORDER BY roms DESC, platform
""")


class PlatformStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has on a platform; ROMs of one title are one game. `bytes` are those on the disk."""

    platform: str | None
    name: str
    games: int
    roms: int
    verified: int
    incomplete: int
    bad: int
    unknown: int
    matched: int
    missing: int
    bytes: int


def load_statistics(connection: Connection, person_id: int) -> Sequence[PlatformStatistics]:
    """Return what a person has on each platform, the most ROMs first."""
    return [
        PlatformStatistics(
            name=known.name if (known := PLATFORMS.get(row.platform or "")) else row.platform or "unknown",
            **row._mapping,  # noqa: SLF001 - SQLAlchemy's public name
        )
        for row in connection.execute(_QUERY, {"person": person_id})
    ]
