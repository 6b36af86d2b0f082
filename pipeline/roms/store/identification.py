"""Say of each set what the DATs say of it, in a few statements for all of them; no file is read.

A content is compared with a DAT's file by the strongest hash that both have: SHA-1, else MD5, else CRC32 and size; a
CHD by the SHA-1 in its header. All of a set's contents decide together which game it is: one that holds all that any
DAT knows of the set comes before others, then one that is whole, that holds more, that is no bad dump, that is no
clone of a DAT that has the parent too, whose name is the set's, that is of its platform; and at last, so that it is
the same one each time, the first by the names of DAT and game. An archive that is itself a file of a DAT is that, and
its members are none of the set's.
"""

# ruff: noqa: S608 - statements are put together of our own parts, and values are parameters.

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from pipeline.roms.identifying import ARCHIVES, DISC_FILES, HEADER_BYTES, STRENGTHS, ends_with

# For hash joins of half a million files within the memory; the default is 4 MB.
_MEMORY = text("SELECT set_config('work_mem', '24MB', true)")
# How many rows there are is all that the planner is to know of tables that are gone at once: a small sample says it.
_SAMPLE = text("SELECT set_config('default_statistics_target', '10', true)")
_WHICH = "(CAST(:folder_id AS bigint) IS NULL OR {0}.folder_id = :folder_id)"
_SETS = f"{_WHICH} AND (CAST(:rom_ids AS bigint[]) IS NULL OR {{0}}.id = ANY(CAST(:rom_ids AS bigint[])))"
# In this order a scan and an import of DATs take the folders, before they write ROMs.
_LOCK_FOLDERS = text(
    "SELECT id FROM rom_folders WHERE CAST(:folder_id AS bigint) IS NULL OR id = :folder_id"
    " ORDER BY id FOR NO KEY UPDATE"
)
# What files of DATs can be compared at all.
KNOWN = "(d.sha1 IS NOT NULL OR d.md5 IS NOT NULL OR d.crc32 IS NOT NULL) AND d.status <> 'nodump'"

# What a DAT's file may be known by: each content as it is, and without its header.
_KEYS = """
    SELECT rom_id, place, file_id, position, sha1, md5, crc32, size, disk_sha1 FROM unit
    UNION ALL
    SELECT rom_id, place, file_id, position, sha1_headerless, md5_headerless, crc32_headerless, size - header_bytes,
        NULL
    FROM unit WHERE header_bytes > 0
"""
# Pairs of contents and files of DATs, with the place of what they were known by in `STRENGTHS`. What only few of the
# contents or few of the files can be compared by is a join of its own, so that half a million are hashed for no other.
_MATCHES = """
    SELECT k.rom_id, k.place, k.file_id, k.position, d.dat_game_id, d.position AS rom, d.status, 1 AS strength
    FROM {keys} AS k JOIN dat_roms AS d ON d.sha1 = k.sha1 AND NOT d.is_disk
    UNION ALL
    SELECT k.rom_id, k.place, k.file_id, k.position, d.dat_game_id, d.position, d.status, 2
    FROM {keys} AS k JOIN dat_roms AS d ON d.md5 = k.md5 AND NOT d.is_disk WHERE k.sha1 IS NULL
    UNION ALL
    SELECT k.rom_id, k.place, k.file_id, k.position, d.dat_game_id, d.position, d.status, 2
    FROM {keys} AS k JOIN dat_roms AS d ON d.md5 = k.md5 AND NOT d.is_disk WHERE k.sha1 IS NOT NULL AND d.sha1 IS NULL
    UNION ALL
    SELECT k.rom_id, k.place, k.file_id, k.position, d.dat_game_id, d.position, d.status, 3
    FROM {keys} AS k JOIN dat_roms AS d ON d.crc32 = k.crc32 AND d.size = k.size AND NOT d.is_disk
    WHERE k.sha1 IS NULL AND k.md5 IS NULL
    UNION ALL
    SELECT k.rom_id, k.place, k.file_id, k.position, d.dat_game_id, d.position, d.status, 3
    FROM {keys} AS k JOIN dat_roms AS d ON d.crc32 = k.crc32 AND d.size = k.size AND NOT d.is_disk
    WHERE (k.sha1 IS NOT NULL OR k.md5 IS NOT NULL) AND (d.sha1 IS NULL OR d.md5 IS NULL)
        AND (d.sha1 IS NULL OR k.sha1 IS NULL) AND (d.md5 IS NULL OR k.md5 IS NULL)
    UNION ALL
    SELECT k.rom_id, k.place, k.file_id, k.position, d.dat_game_id, d.position, d.status, 0
    FROM {keys} AS k JOIN dat_roms AS d ON d.sha1 = k.disk_sha1 AND d.is_disk WHERE k.disk_sha1 IS NOT NULL
"""
# The files of DATs that lie anywhere in the collection of `:person`, in a set or not: `there (dat_game_id, rom)`.
FILES_THAT_ARE_THERE = f"""
unit AS (
    SELECT CAST(NULL AS bigint) AS rom_id, 0 AS place, c.*
    FROM rom_files AS f
    JOIN rom_folders AS o ON o.id = f.folder_id AND o.removed_at IS NULL AND o.person_id = :person
    JOIN rom_contents AS c ON c.file_id = f.id
    WHERE f.missing_since IS NULL
),
key AS ({_KEYS}),
there AS (SELECT DISTINCT dat_game_id, rom FROM ({_MATCHES.format(keys="key")}) AS match)"""
# Tables of their own, so that PostgreSQL knows how many there are. Of a set that is gone all files count, since it is
# still what it was; of any other those that are there.
_MAKE_KEYS = text(
    f"""
CREATE TEMPORARY TABLE identified_keys ON COMMIT DROP AS
WITH unit AS (
    SELECT r.id AS rom_id, m.position AS place, c.*
    FROM roms AS r
    JOIN rom_members AS m ON m.rom_id = r.id
    JOIN rom_files AS f ON f.id = m.file_id
    JOIN rom_contents AS c ON c.file_id = f.id
    WHERE {_SETS.format("r")} AND (f.missing_since IS NULL OR r.missing_since IS NOT NULL)
)
{_KEYS}"""
)
# An archive that is itself a file of a DAT has no members.
_MAKE_HITS = text(
    f"""
CREATE TEMPORARY TABLE identified_hits ON COMMIT DROP AS
SELECT rom_id, place, file_id, file_id * 16777216 + position AS unit, position, dat_game_id, rom, status, strength,
    dat_id, game_name, game_position, is_clone, files
FROM (
    SELECT m.*, g.dat_id, g.name AS game_name, g.position AS game_position, g.parent_name IS NOT NULL AS is_clone,
        g.files,
        min(m.position) OVER (PARTITION BY m.rom_id, m.file_id) AS first
    FROM ({_MATCHES.format(keys="identified_keys")}) AS m
    JOIN dat_games AS g ON g.id = m.dat_game_id
    JOIN dat_files AS f ON f.id = g.dat_id AND f.superseded_at IS NULL
) AS living
WHERE position = 0 OR first > 0"""
)
# What a set is looked up by, as `pipeline.roms.store.matches` has it: what its DAT's game is called, else its name.
_LOOKED_UP_BY = """coalesce(
            (SELECT concat_ws(E'\\n', coalesce(g.description, g.name), coalesce(g.year, r.year), g.role)
                FROM dat_games AS g WHERE g.id = {}),
            concat_ws(E'\\n', r.written, r.year, 'game'))"""
_IS_ANY = text(
    f"SELECT EXISTS (SELECT FROM dat_games) OR EXISTS (SELECT FROM roms AS r WHERE {_SETS.format('r')}"
    " AND (r.verdict <> 'unknown' OR r.right_name IS NOT NULL OR r.identified_by IS NOT NULL))"
)
_DONE = text("DROP TABLE identified_keys, identified_hits")
_IDENTIFY = text(
    rf"""
WITH whole_set AS (SELECT rom_id, count(DISTINCT unit) AS known FROM identified_hits GROUP BY rom_id),
candidate AS (
    SELECT rom_id, dat_game_id, count(DISTINCT unit) AS held, count(DISTINCT rom) AS there, max(strength) AS strength,
        bool_or(status = 'baddump') AS is_bad, min(place) AS place, min(rom) AS rom, min(position) AS position,
        min(dat_id) AS dat_id, min(game_name) AS game_name, min(game_position) AS game_position,
        bool_or(is_clone) AS is_clone, min(files) AS files
    FROM identified_hits GROUP BY rom_id, dat_game_id
),
-- A CHD is no longer the tracks that Redump lists: it goes by its name.
chd AS MATERIALIZED (
    SELECT r.id AS rom_id, r.platform, min(m.position) AS place,
        regexp_replace(f.shown, '^.*/|\.[^./]*$', '', 'g') AS name
    FROM rom_files AS f
    JOIN rom_members AS m ON m.file_id = f.id
    JOIN roms AS r ON r.id = m.rom_id
    WHERE f.container = 'chd' AND {_SETS.format("r")} AND (f.missing_since IS NULL OR r.missing_since IS NOT NULL)
        AND NOT EXISTS (SELECT FROM identified_hits AS h WHERE h.rom_id = r.id)
    GROUP BY r.id, r.platform, f.shown
),
named AS (
    SELECT chd.rom_id, g.id AS dat_game_id, chd.place, g.dat_id, g.name AS game_name, g.position AS game_position,
        g.parent_name IS NOT NULL AS is_clone
    FROM chd
    JOIN dat_games AS g ON g.name = chd.name
    JOIN dat_files AS f ON f.id = g.dat_id AND f.superseded_at IS NULL
    WHERE (chd.platform IS NULL OR f.platform IS NULL OR chd.platform = f.platform)
        AND EXISTS (SELECT FROM dat_roms AS d WHERE d.dat_game_id = g.id AND NOT d.is_disk AND d.name ~ :disc_files)
),
known AS (
    SELECT rom_id, dat_game_id, held, strength, is_bad, place, rom, position, dat_id, game_name, game_position,
        is_clone, there >= files AS is_whole
    FROM candidate
    UNION ALL
    SELECT rom_id, dat_game_id, 0, 4, false, place, NULL, NULL, dat_id, game_name, game_position, is_clone, false
    FROM named
),
-- Of a list of discs each disc is a game: all of its files but sheets must be in one that is whole.
lists AS (
    SELECT r.id AS rom_id, count(*) FILTER (WHERE f.sheet = '{{}}' AND NOT EXISTS (
        SELECT FROM identified_hits AS h JOIN known USING (rom_id, dat_game_id)
        WHERE h.rom_id = r.id AND h.file_id = m.file_id AND known.is_whole
    )) AS left_over
    FROM roms AS r
    JOIN rom_members AS m ON m.rom_id = r.id
    JOIN rom_files AS f ON f.id = m.file_id
    WHERE r.kind = 'm3u' AND {_SETS.format("r")}
    GROUP BY r.id
),
best AS (
    SELECT DISTINCT ON (k.rom_id)
        k.*, r.written, r.kind, f.platform, k.held = s.known AS is_all,
        CASE WHEN r.kind = 'm3u' THEN regexp_replace(k.game_name, ' \((Disc|Disk) [^)]*\)', '')
            ELSE k.game_name END AS name
    FROM known AS k
    JOIN roms AS r ON r.id = k.rom_id
    JOIN dat_files AS f ON f.id = k.dat_id
    LEFT JOIN whole_set AS s ON s.rom_id = k.rom_id
    ORDER BY k.rom_id,
        CASE WHEN r.kind = 'm3u' THEN k.place END,
        k.held = s.known DESC, k.is_whole DESC, k.held DESC, k.is_bad,
        -- A DAT that knows of no parents is no better for that.
        k.is_clone AND bool_or(NOT k.is_clone) OVER (PARTITION BY k.rom_id, k.dat_id), k.game_name <> r.written,
        (r.platform = f.platform) IS NOT TRUE, k.strength,
        f.name COLLATE "C", k.game_name COLLATE "C", f.digest, k.game_position
),
judged AS (
    SELECT b.rom_id, b.dat_game_id, CASE WHEN b.strength < 4 THEN b.platform END AS platform,
        CASE
            WHEN b.strength = 4 THEN 'unknown'
            WHEN b.is_bad THEN 'bad'
            WHEN b.is_whole AND coalesce(lists.left_over, 0) = 0 THEN 'verified'
            ELSE 'incomplete'
        END AS verdict,
        (CAST(:strengths AS text[]))[b.strength + 1] AS identified_by,
        CASE WHEN b.written <> b.name AND (b.is_whole OR b.is_all OR b.strength = 4) THEN coalesce(
            -- A file by itself is called as the DAT's file is, which may not be what it calls the game.
            CASE WHEN b.kind = 'file' OR (b.kind = 'archive' AND b.position = 0) THEN (
                SELECT nullif(regexp_replace(d.name, '^.*[/\\]|\.[A-Za-z0-9_]{{1,8}}$', '', 'g'), '')
                FROM dat_roms AS d WHERE d.dat_game_id = b.dat_game_id AND d.position = b.rom
            ) END, b.name)
        END AS right_name
    FROM best AS b
    LEFT JOIN lists USING (rom_id)
),
answer AS (
    SELECT r.id, r.dat_game_id IS NULL AS was_unknown, j.dat_game_id, coalesce(j.verdict, 'unknown') AS verdict,
        j.identified_by, nullif(j.right_name, r.written) AS right_name, coalesce(r.platform, j.platform) AS platform
    FROM roms AS r LEFT JOIN judged AS j ON j.rom_id = r.id
    WHERE {_SETS.format("r")}
),
-- What is called otherwise now, or is of another platform, is looked up again; a person's word stays.
changed AS (
    UPDATE roms AS r
    SET dat_game_id = a.dat_game_id, verdict = a.verdict, identified_by = a.identified_by, right_name = a.right_name,
        platform = a.platform,
        matched_at = CASE WHEN r.matched_at IS NULL OR r.pinned_at IS NOT NULL THEN r.matched_at
            WHEN r.platform IS NOT DISTINCT FROM a.platform
                AND (r.dat_game_id IS NOT DISTINCT FROM a.dat_game_id
                    OR {_LOOKED_UP_BY.format("r.dat_game_id")} = {_LOOKED_UP_BY.format("a.dat_game_id")})
            THEN r.matched_at
        END
    FROM answer AS a
    WHERE r.id = a.id AND (r.dat_game_id, r.verdict, r.identified_by, r.right_name, r.platform)
        IS DISTINCT FROM (a.dat_game_id, a.verdict, a.identified_by, a.right_name, a.platform)
    RETURNING r.id, a.was_unknown AND a.dat_game_id IS NOT NULL AS is_new
)
SELECT count(*) AS changed, array_agg(id ORDER BY id) FILTER (WHERE is_new) AS newly FROM changed
"""
)
_COUNTS = text(f"SELECT r.verdict, count(*) AS sets FROM roms AS r WHERE {_WHICH.format('r')} GROUP BY r.verdict")
# Members of archives that no CRC32 explains, whose size a DAT's file has: with a header, or without a CRC32; and such
# as have the CRC32 of one whose size the DAT does not say. And archives that have the size of one that is an archive.
_NEEDS_DEEP = text(
    rf"""
WITH live AS (
    SELECT d.crc32, d.size, d.sha1, d.md5, d.name
    FROM dat_roms AS d
    JOIN dat_games AS g ON g.id = d.dat_game_id
    JOIN dat_files AS f ON f.id = g.dat_id AND f.superseded_at IS NULL
    WHERE NOT d.is_disk AND {KNOWN}
),
shallow AS (
    SELECT c.file_id, c.position, c.crc32, c.size,
        (SELECT h.bytes FROM unnest(CAST(:endings AS text[]), CAST(:bytes AS int[])) AS h (ending, bytes)
            WHERE h.ending = lower(substring(c.member FROM '\.([^.]*)$'))) AS header
    FROM rom_files AS f JOIN rom_contents AS c ON c.file_id = f.id
    WHERE f.folder_id = :folder_id AND f.missing_since IS NULL AND f.read_at IS NOT NULL AND f.error IS NULL
        AND f.container IN ('zip', '7z', 'rar', 'tar', 'gz') AND c.sha1 IS NULL AND c.md5 IS NULL
),
member AS (
    SELECT s.* FROM shallow AS s WHERE s.position > 0
        AND NOT EXISTS (SELECT FROM live WHERE live.crc32 = s.crc32 AND live.size = s.size)
)
SELECT file_id FROM (
    SELECT file_id FROM member JOIN live ON live.size = member.size AND live.crc32 IS NULL
    UNION
    SELECT file_id FROM member JOIN live ON live.crc32 = member.crc32 AND live.size IS NULL
    UNION
    SELECT file_id FROM member JOIN live ON live.size = member.size - member.header
    UNION
    SELECT file_id FROM shallow JOIN live ON live.size = shallow.size AND live.name ~ :archives WHERE position = 0
) AS deep ORDER BY file_id
"""
)


class Identified(msgspec.Struct, frozen=True, kw_only=True):
    """How many sets were looked at, how many are now identified otherwise than before, and how all of them stand.

    `newly` are the ids of those that a DAT knows now and none did before, in order.
    """

    roms: int
    changed: int
    verified: int
    incomplete: int
    bad: int
    unknown: int
    newly: tuple[int, ...] = ()


def identify(
    connection: Connection,
    *,
    folder_id: int | None = None,
    rom_ids: Collection[int] | None = None,
    now: datetime,  # noqa: ARG001 - as all units of work are called; nothing of a verdict is a time yet
) -> Identified:
    """Set what DATs say of each set of a folder, or of all: game, verdict, by which hash, and its right name.

    With `rom_ids` those alone are looked at: where only they or their files have changed, the others stay what they
    are. A set of no known platform gets that of its DAT. A set whose files are all gone keeps what it was. What is
    called otherwise by its DAT now is due to be matched with a game again (`matched_at`). Rows that stay as they are
    are not written. It locks the rows of folders first: a transaction that writes ROMs before does so too.
    """
    which = {"folder_id": folder_id}
    connection.execute(_MEMORY)
    connection.execute(_LOCK_FOLDERS, which)
    some = {**which, "rom_ids": None if rom_ids is None else [*rom_ids]}
    changed, newly = _identify(connection, some) if connection.scalar(_IS_ANY, some) else (0, ())
    counts = {row.verdict: row.sets for row in connection.execute(_COUNTS, which)}
    return Identified(
        roms=sum(counts.values()),
        changed=changed,
        verified=counts.get("verified", 0),
        incomplete=counts.get("incomplete", 0),
        bad=counts.get("bad", 0),
        unknown=counts.get("unknown", 0),
        newly=newly,
    )


def _identify(connection: Connection, sets: Mapping[str, Any]) -> tuple[int, tuple[int, ...]]:
    connection.execute(_SAMPLE)
    connection.execute(_MAKE_KEYS, sets)
    connection.execute(text("ANALYZE identified_keys"))
    connection.execute(_MAKE_HITS)
    connection.execute(text("ANALYZE identified_hits"))
    parameters = {**sets, "strengths": list(STRENGTHS), "disc_files": ends_with(DISC_FILES)}
    changed = connection.execute(_IDENTIFY, parameters).one()
    connection.execute(_DONE)
    return changed.changed, tuple(changed.newly or ())


def needs_deep(connection: Connection, folder_id: int) -> list[int]:
    """Return the ids of a folder's archives that a DAT may know, and not by what is known of their members.

    They are to be read with all hashes: their list of contents has no more than CRC32 and size, and neither says what a
    member is without its copier's header. An archive that was read so is not named again.
    """
    parameters = {
        "folder_id": folder_id,
        "endings": list(HEADER_BYTES),
        "bytes": list(HEADER_BYTES.values()),
        "archives": ends_with(ARCHIVES),
    }
    connection.execute(_MEMORY)
    return list(connection.execute(_NEEDS_DEEP, parameters).scalars())
