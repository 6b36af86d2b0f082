"""The DATs that were imported, and how much of each a person has, wherever the files lie."""

# ruff: noqa: S608 - statements are put together of our own parts, and values are parameters.

from datetime import datetime

import msgspec
from sqlalchemy import Connection, text

from models.people import OWNER_ID
from pipeline.roms.store.identification import FILES_THAT_ARE_THERE, KNOWN

_DATS = text(
    f"""
WITH {FILES_THAT_ARE_THERE},
held AS (
    SELECT dat_game_id, count(*) AS files, bool_or(d.status = 'baddump') AS is_bad
    FROM there JOIN dat_roms AS d USING (dat_game_id) WHERE d.position = there.rom GROUP BY dat_game_id
),
-- What some set is whole of lacks nothing, even where its files were known by a CHD's header.
said AS (
    SELECT dat_game_id, bool_or(verdict = 'verified') AS is_whole, bool_or(verdict = 'bad') AS is_bad
    FROM roms AS r JOIN rom_folders AS o ON o.id = r.folder_id AND o.removed_at IS NULL AND o.person_id = :person
    WHERE r.missing_since IS NULL AND dat_game_id IS NOT NULL GROUP BY dat_game_id
),
-- Devices of MAME have no files: nobody has or lacks them.
game AS (
    SELECT g.dat_id, s.is_whole, coalesce(s.is_bad OR h.is_bad, h.is_bad, s.is_bad) AS is_bad, h.files,
        h.files >= (SELECT count(*) FROM dat_roms AS d WHERE d.dat_game_id = g.id AND {KNOWN}) AS is_there
    FROM dat_games AS g
    LEFT JOIN held AS h ON h.dat_game_id = g.id
    LEFT JOIN said AS s ON s.dat_game_id = g.id
    WHERE EXISTS (SELECT FROM dat_roms AS r WHERE r.dat_game_id = g.id)
),
state AS (
    SELECT dat_id, CASE
        WHEN is_whole OR (is_there AND NOT is_bad) THEN 'have' WHEN is_bad THEN 'bad' WHEN files > 0 THEN 'part'
    END AS state FROM game
)
SELECT d.id, d.kind, d.name, d.version, d.platform, d.file_name, d.games, d.roms, d.imported_at, d.superseded_at,
    coalesce(h.total, 0) AS total, coalesce(h.whole, 0) AS have, coalesce(h.bad, 0) AS bad,
    coalesce(h.part, 0) AS incomplete
FROM dat_files AS d
LEFT JOIN (
    SELECT dat_id, count(*) AS total, count(*) FILTER (WHERE state = 'have') AS whole,
        count(*) FILTER (WHERE state = 'bad') AS bad, count(*) FILTER (WHERE state = 'part') AS part
    FROM state GROUP BY dat_id
) AS h ON h.dat_id = d.id
WHERE :with_superseded OR d.superseded_at IS NULL
ORDER BY d.platform NULLS LAST, d.name, d.superseded_at DESC NULLS FIRST, d.id
"""
)


class ListedDat(msgspec.Struct, frozen=True, kw_only=True):
    """A DAT in one version; `total` are its games that have files, of which a collection has some.

    Of `have` all files are there, whichever DAT a set goes by, `bad` are bad dumps, `incomplete` such as lack a file.
    What a newer version has taken the place of (`superseded_at`) counts nothing.
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


def list_dats(connection: Connection, *, with_superseded: bool = False, person_id: int = OWNER_ID) -> list[ListedDat]:
    """Return the DATs by platform and name, of the same name the newest first, and how much of each a person has."""
    rows = connection.execute(_DATS, {"with_superseded": with_superseded, "person": person_id}).mappings()
    return [ListedDat(**row) for row in rows]
