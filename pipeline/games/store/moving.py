"""What follows games that move from one work to another: lists, what people say of works, and what works are to them.

The tables of libraries are written here by their columns alone: their subject stands above the games.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select, text

from models import Game

# Whoever has something of a work may have it of another one now. Which words hold of both, the library's clock says
# when it finds them due; so that it does not miss one that has no row yet, an empty row is made.
_DUE = text("""
    WITH moved AS (
        SELECT * FROM unnest(CAST(:before AS bigint[]), CAST(:after AS bigint[])) AS moved (work_before, work_id)
    ), affected AS (
        SELECT person_id, unnest(ARRAY[moved.work_before, moved.work_id]) AS work_id
        FROM person_works JOIN moved ON person_works.work_id IN (moved.work_before, moved.work_id)
    )
    INSERT INTO person_works (person_id, work_id, words, stores, platforms, changes_at)
    SELECT DISTINCT person_id, work_id, CAST('{}' AS text[]), CAST('{}' AS text[]), CAST('{}' AS text[]),
        CAST('epoch' AS timestamptz)
    FROM affected
    ON CONFLICT (work_id, person_id) DO UPDATE SET changes_at = 'epoch'
""")
_LISTED = text("""
    UPDATE game_list_entries AS line SET work_id = moved.work_id
    FROM unnest(CAST(:games AS bigint[]), CAST(:before AS bigint[]), CAST(:after AS bigint[]))
        AS moved (game_id, work_before, work_id)
    WHERE line.work_id = moved.work_before AND (moved.work_before = ANY(CAST(:emptied AS bigint[]))
        OR EXISTS (SELECT FROM game_external_ids AS link
            WHERE link.game_id = moved.game_id AND link.service = 'igdb'
            AND split_part(link.external_id, '/', 1) = CAST(line.igdb_id AS text)))
""")
# What a person says of both works holds of the one that goes on; where they differ, the notes keep what was said of
# the other one, for no machine may lose it.
_MERGE = text("""
    UPDATE game_states AS kept SET
        status = coalesce(kept.status, other.status),
        rating = coalesce(kept.rating, other.rating),
        rating_scale = CASE WHEN kept.rating IS NULL THEN other.rating_scale ELSE kept.rating_scale END,
        is_favourite = kept.is_favourite OR other.is_favourite,
        tags = ARRAY(SELECT DISTINCT unnest(kept.tags || other.tags) ORDER BY 1),
        notes = nullif(concat_ws(E'\\n', kept.notes, nullif(other.notes, kept.notes),
            CASE WHEN other.status <> kept.status THEN works.name || ': ' || other.status END,
            CASE WHEN other.rating <> kept.rating THEN works.name || ': ' || other.rating || ' of 100' END), ''),
        name = coalesce(kept.name, other.name), year = coalesce(kept.year, other.year),
        genres = coalesce(kept.genres, other.genres), cover_url = coalesce(kept.cover_url, other.cover_url),
        series = coalesce(kept.series, other.series), set_by = other.set_by || kept.set_by
    FROM game_states AS other JOIN works ON works.id = other.work_id
    WHERE other.work_id = :emptied AND kept.work_id = :heir AND kept.person_id = other.person_id
""")
_MERGED = text("""
    DELETE FROM game_states AS other WHERE other.work_id = :emptied AND EXISTS (
        SELECT FROM game_states AS kept WHERE kept.work_id = :heir AND kept.person_id = other.person_id)
""")
_HAND_OVER = text("UPDATE game_states SET work_id = :heir WHERE work_id = :emptied")
_STILL = select(Game.work_id).where(Game.work_id == func.any(bindparam("before", type_=ARRAY(BigInteger)))).distinct()


def follow(connection: Connection, moved: Mapping[int, tuple[int, int]]) -> None:
    """Have all that hangs on works follow games that have moved; `moved` has the work before and after by game.

    Belongs after the games were written. Where a work has lost its last game, what people say of it is said of the
    other one.
    """
    if not moved:
        return
    games: dict[str, Any] = {
        "games": list(moved),
        "before": [before for before, _ in moved.values()],
        "after": [after for _, after in moved.values()],
    }
    heirs = _heirs(moved.values(), set(connection.scalars(_STILL, {"before": games["before"]})))
    connection.execute(_DUE, games)
    connection.execute(_LISTED, games | {"emptied": list(heirs)})
    # Several works may have one heir, and a statement changes a row once.
    for work_id, heir in heirs.items():
        for statement in (_MERGE, _MERGED, _HAND_OVER):
            connection.execute(statement, {"emptied": work_id, "heir": heir})


def _heirs(moved: Collection[tuple[int, int]], kept: Collection[int | None]) -> dict[int, int]:
    """Return the works that go on for those that have lost all games, by the latter."""
    heirs = {before: after for before, after in sorted(moved, reverse=True) if before not in kept}
    for before, after in heirs.items():
        heir = after
        while heir in heirs:
            heir = heirs[heir]
        heirs[before] = heir
    return heirs
