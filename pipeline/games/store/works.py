"""Works: which of our games are one, by IGDB's families or by a person's hand."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from models import Game, GameMetadata, Work
from models.names import name_key
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.games.store.links import Link, load_links
from pipeline.games.store.moving import follow
from pipeline.games.works import Family, Kin, above, family_of

_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_KIN = select(
    GameMetadata.igdb_id,
    GameMetadata.game_type,
    GameMetadata.parent_igdb_id,
    GameMetadata.version_parent_igdb_id,
).where(GameMetadata.igdb_id == func.any(_IDS))
# What people call a game's series: IGDB's collection, or else its franchise.
_DESCRIBED = select(
    GameMetadata.igdb_id,
    GameMetadata.name,
    func.coalesce(func.nullif(GameMetadata.collections[1], ""), func.nullif(GameMetadata.franchises[1], "")).label(
        "series"
    ),
).where(GameMetadata.igdb_id == func.any(_IDS))
_ASSIGN = text("""
    UPDATE games SET work_id = given.work_id
    FROM unnest(CAST(:games AS bigint[]), CAST(:works AS bigint[])) AS given (game_id, work_id)
    WHERE games.id = given.game_id AND games.work_pinned_at IS NULL AND games.work_id IS DISTINCT FROM given.work_id
""")
_WORKS_OF = (
    select(Game.id, Game.work_id, Game.work_pinned_at, Work.root_igdb_id)
    .outerjoin(Work, Work.id == Game.work_id)
    .where(Game.id == func.any(_IDS))
)
_MISSING = text("""
    SELECT DISTINCT games.id FROM games JOIN game_external_ids AS link ON link.game_id = games.id
    WHERE games.work_id IS NULL AND link.service = 'igdb' AND link.external_id ~ '^[0-9]{1,18}(/[0-9a-f]+)?$'
    ORDER BY games.id LIMIT 500
""")
_OF_FAMILIES = text("""
    WITH RECURSIVE below (igdb_id) AS (
        SELECT unnest(CAST(:changed AS bigint[]))
        UNION SELECT entry.igdb_id FROM below JOIN game_metadata AS entry
            ON entry.parent_igdb_id = below.igdb_id OR entry.version_parent_igdb_id = below.igdb_id
    )
    SELECT games.id FROM games JOIN works ON works.id = games.work_id
    WHERE works.root_igdb_id = ANY(CAST(:known AS bigint[]))
    UNION SELECT games.id FROM games JOIN game_external_ids AS link ON link.game_id = games.id
    WHERE games.work_id IS NOT NULL AND link.service = 'igdb' AND link.external_id ~ '^[0-9]{1,18}(/[0-9a-f]+)?$'
        AND CAST(split_part(link.external_id, '/', 1) AS bigint) IN (SELECT igdb_id FROM below)
""")
_RENAME = text("""
    UPDATE works SET name = known.name, name_key = known.name_key, series = known.series,
        parent_work_id = known.parent_work_id, relation = known.relation
    FROM unnest(CAST(:ids AS bigint[]), CAST(:names AS text[]), CAST(:keys AS text[]), CAST(:series AS text[]),
        CAST(:parents AS bigint[]), CAST(:relations AS text[]))
        AS known (id, name, name_key, series, parent_work_id, relation)
    WHERE works.id = known.id AND (works.name, works.series, works.parent_work_id, works.relation)
        IS DISTINCT FROM (known.name, known.series, known.parent_work_id, known.relation)
""")


def give_works(connection: Connection, game_ids: Collection[int]) -> dict[int, int]:
    """Give games their works, which are made where there are none; returns the work of each game.

    Games that IGDB knows get their family's, others keep the one that they have, or get one of their own. A pinned
    game keeps its work. Running it again, after IGDB says otherwise or a game was linked anew, moves games: what people
    say of a work that none of our games is any more goes with them, and their `person_works` are due to be renewed.
    """
    if not game_ids:
        return {}
    rows = {row.id: row for row in connection.execute(_WORKS_OF, {"ids": list(game_ids)})}
    free = [game_id for game_id, row in rows.items() if row.work_pinned_at is None]
    links = load_links(connection, free) if free else {}
    entries = {game_id: link.igdb_id for game_id, link in links.items() if link.igdb_id is not None}
    kin = load_kin(connection, entries.values()) if entries else {}
    families = {game_id: family_of(igdb_id, kin) for game_id, igdb_id in entries.items()}
    works = _works_of_families(connection, families.values(), kin)
    given = {game_id: works[family.root_igdb_id] for game_id, family in families.items()}
    # A game that is no entry of IGDB, as a person says, is of no family.
    lacking = [key for key in free if key not in given and (rows[key].work_id is None or _is_strange(rows[key], links))]
    given |= _own_works(connection, lacking) if lacking else {}
    known = {game_id: row.work_id for game_id, row in rows.items()}
    _assign(connection, known, given)
    return {game_id: work_id for game_id, work_id in {**known, **given}.items() if work_id is not None}


def give_missing_works(connection: Connection) -> None:
    """Give works to games that were linked with an entry of IGDB since; some at a time."""
    give_works(connection, list(connection.scalars(_MISSING)))


def renew_families(connection: Connection, changed: Collection[int], known: Collection[int]) -> None:
    """Move games to the works that they belong to since entries say otherwise to which game they belong.

    `changed` are entries whose type or parents are others now: what belongs to them moves with them. Works that hang on
    any entry of `known` are called as that is called now. Games without a work get none.
    """
    games = {"changed": list(changed), "known": list(known)}
    give_works(connection, list(connection.scalars(_OF_FAMILIES, games)))


def pin_work(connection: Connection, game_id: int, work_id: int, now: datetime) -> None:
    """Make a game one of a work by a person's hand: it stays there, whatever IGDB says later."""
    row = connection.execute(_WORKS_OF, {"ids": [game_id]}).one()
    connection.execute(update(Game).where(Game.id == game_id).values(work_id=work_id, work_pinned_at=now))
    follow(connection, {game_id: (row.work_id, work_id)} if row.work_id not in {None, work_id} else {})


def pin_alone(connection: Connection, game_id: int, now: datetime) -> int:
    """Make a game a work of its own by a person's hand; returns that work."""
    row = connection.execute(_WORKS_OF, {"ids": [game_id]}).one()
    shared = select(Game.id).where(Game.work_id == row.work_id, Game.id != game_id).limit(1)
    is_own = row.work_id is not None and row.root_igdb_id is None and connection.scalar(shared) is None
    work_id: int = row.work_id if is_own else _own_works(connection, [game_id])[game_id]
    pin_work(connection, game_id, work_id, now)
    return work_id


def unpin_work(connection: Connection, game_id: int) -> int:
    """Let IGDB say again to which work a game belongs; returns that work."""
    connection.execute(update(Game).where(Game.id == game_id).values(work_pinned_at=None))
    return give_works(connection, [game_id])[game_id]


def _is_strange(row: Any, links: Mapping[int, Link]) -> bool:
    """Whether a game that a person says IGDB does not have is in a family of IGDB's."""
    return row.id in links and row.root_igdb_id is not None


def _assign(connection: Connection, known: Mapping[int, int | None], given: Mapping[int, int]) -> None:
    """Write the works of games where they are others, and have all that hangs on them follow."""
    moved = {game_id: (known[game_id], work_id) for game_id, work_id in given.items() if known[game_id] != work_id}
    if not moved:
        return
    connection.execute(_ASSIGN, {"games": list(moved), "works": [work_id for _, work_id in moved.values()]})
    follow(connection, {key: (before, after) for key, (before, after) in moved.items() if before is not None})


def load_kin(connection: Connection, igdb_ids: Iterable[int]) -> dict[int, Kin]:
    """Return what says to which families entries belong: of them, and of all above them that are stored."""
    kin: dict[int, Kin] = {}
    asked = set(igdb_ids)
    while asked:
        rows = connection.execute(_KIN, {"ids": sorted(asked)})
        stored = {
            row.igdb_id: Kin(
                igdb_id=row.igdb_id,
                game_type=row.game_type,
                parent_igdb_id=row.parent_igdb_id,
                version_parent_igdb_id=row.version_parent_igdb_id,
            )
            for row in rows
        }
        kin |= stored
        parents = {parent for each in stored.values() for parent in (above(each), each.parent_igdb_id)}
        asked = {parent for parent in parents if parent is not None} - kin.keys() - asked
    return kin


def _works_of_families(
    connection: Connection, families: Collection[Family], kin: Mapping[int, Kin]
) -> Mapping[int, int]:
    """Return the works by the entries that they hang on; missing ones are made."""
    by_root = {family.root_igdb_id: family for family in families}
    related = {family.related_igdb_id for family in families} - {None}
    roots = by_root.keys() | {igdb_id for igdb_id in related if igdb_id is not None}
    if not roots:
        return {}
    described = {row.igdb_id: row for row in connection.execute(_DESCRIBED, {"ids": sorted(roots)})}
    rows = []
    for root in sorted(roots):
        name, series = (described[root].name, described[root].series) if root in described else (f"IGDB {root}", None)
        row = {"name": name, "name_key": name_key(name), "root_igdb_id": root, "series": series, "how": "igdb"}
        rows.append(row)
    statement = insert_rows(Work.__table__, tuple(rows[0])).on_conflict_do_nothing(index_elements=["root_igdb_id"])
    added = execute_rows(connection, statement.returning(Work.root_igdb_id, Work.id), rows)
    new = {row.root_igdb_id: row.id for row in added}
    there = select(Work.root_igdb_id, Work.id).where(Work.root_igdb_id == func.any(_IDS))
    old = connection.execute(there, {"ids": sorted(roots - new.keys())}) if roots - new.keys() else ()
    works = new | {row.root_igdb_id: row.id for row in old}
    of_root = {root: by_root.get(root) or family_of(root, kin) for root in sorted(roots) if root in described}
    # What was just made says all of this already, but to which work it is related.
    known = [root for root, family in of_root.items() if root not in new or family.relation is not None]
    if not known:
        return works
    names = [described[root].name for root in known]
    connection.execute(
        _RENAME,
        {
            "ids": [works[root] for root in known],
            "names": names,
            "keys": [name_key(name) for name in names],
            "series": [described[root].series for root in known],
            "parents": [works.get(of_root[root].related_igdb_id or 0) for root in known],
            "relations": [of_root[root].relation for root in known],
        },
    )
    return works


def _own_works(connection: Connection, game_ids: Collection[int]) -> dict[int, int]:
    """Return a new work for each of the games."""
    own = {}
    for row in connection.execute(select(Game.id, Game.name).where(Game.id == func.any(_IDS)), {"ids": list(game_ids)}):
        values = {"name": row.name, "name_key": name_key(row.name), "how": "hand"}
        own[row.id] = connection.execute(insert(Work).values(values).returning(Work.id)).scalar_one()
    return own
