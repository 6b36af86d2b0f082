"""The DATs that were imported, and how much of each a collection has."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, text

_DATS = text("""
SELECT d.id, d.kind, d.name, d.version, d.platform, d.file_name, d.games, d.roms, d.imported_at, d.superseded_at,
    coalesce(h.total, 0) AS total, coalesce(h.whole, 0) AS have, coalesce(h.bad, 0) AS bad,
    coalesce(h.part, 0) AS incomplete
FROM dat_files AS d
LEFT JOIN (
    SELECT g.dat_id, count(*) AS total,
        count(*) FILTER (WHERE s.is_whole) AS whole,
        count(*) FILTER (WHERE s.is_bad AND NOT s.is_whole) AS bad,
        count(*) FILTER (WHERE s.is_part AND NOT s.is_whole AND NOT s.is_bad) AS part
    FROM dat_games AS g
    LEFT JOIN (
        SELECT dat_game_id, bool_or(verdict = 'verified') AS is_whole, bool_or(verdict = 'bad') AS is_bad,
            bool_or(verdict = 'incomplete') AS is_part
        FROM roms AS r JOIN rom_folders AS o ON o.id = r.folder_id AND o.removed_at IS NULL
        WHERE r.missing_since IS NULL AND dat_game_id IS NOT NULL GROUP BY dat_game_id
    ) AS s ON s.dat_game_id = g.id
    -- Devices of MAME have no files: nobody has or lacks them.
    WHERE EXISTS (SELECT FROM dat_roms AS r WHERE r.dat_game_id = g.id)
    GROUP BY g.dat_id
) AS h ON h.dat_id = d.id
WHERE :with_superseded OR d.superseded_at IS NULL
ORDER BY d.platform NULLS LAST, d.name, d.superseded_at DESC NULLS FIRST, d.id
""")


class ListedDat(msgspec.Struct, frozen=True, kw_only=True):
    """A DAT in one version; `total` are its games that have files, of which a collection has some.

    `have` are verified, `bad` bad dumps, `incomplete` such as lack a file. What a newer version has taken the place of
    (`superseded_at`) counts nothing.
    """

    id: int
    kind: str
    name: str
    version: str
    platform: str | None
    file_name: str
    games: int
    roms: int
    imported_at: datetime
    superseded_at: datetime | None
    total: int
    have: int
    bad: int
    incomplete: int


def list_dats(connection: Connection, *, with_superseded: bool = False) -> list[ListedDat]:
    """Return the DATs by platform and name, of the same name the newest first."""
    rows = connection.execute(_DATS, {"with_superseded": with_superseded}).mappings()
    return [ListedDat(**row) for row in rows]
