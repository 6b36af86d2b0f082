"""Works: which of our games are one, by IGDB's families or by a person's hand."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert

from models import Game, GameMetadata, Work
from models.names import name_key
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.games.store.links import load_links
from pipeline.games.works import Family, Kin, above, family_of

_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_KIN = select(
    GameMetadata.igdb_id,
    GameMetadata.game_type,
    GameMetadata.parent_igdb_id,
    GameMetadata.version_parent_igdb_id,
    GameMetadata.name,
    GameMetadata.franchises,
    GameMetadata.collections,
).where(GameMetadata.igdb_id == func.any(_IDS))
_ASSIGN = text("""
    UPDATE games SET work_id = given.work_id
    FROM unnest(CAST(:games AS bigint[]), CAST(:works AS bigint[])) AS given (game_id, work_id)
    WHERE games.id = given.game_id AND games.work_pinned_at IS NULL AND games.work_id IS DISTINCT FROM given.work_id
    RETURNING games.id
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
    game keeps its work. Running it again, after IGDB says otherwise, moves games.
    """
    if not game_ids:
        return {}
    linked = {game_id: link.igdb_id for game_id, link in load_links(connection, game_ids).items()}
    entries = {game_id: igdb_id for game_id, igdb_id in linked.items() if igdb_id is not None}
    kin = load_kin(connection, entries.values())
    families = {game_id: family_of(igdb_id, kin) for game_id, igdb_id in entries.items()}
    works = _works_of_families(connection, families.values(), kin)
    given = {game_id: works[family.root_igdb_id] for game_id, family in families.items()}
    if given:
        connection.execute(_ASSIGN, {"games": list(given), "works": list(given.values())})
    known: dict[int, int | None] = dict(
        connection.execute(
            select(Game.id, Game.work_id).where(Game.id == func.any(_IDS)), {"ids": list(game_ids)}
        ).all()
    )
    lacking = [game_id for game_id in game_ids if known.get(game_id, 0) is None]
    own = _own_works(connection, lacking) if lacking else {}
    return {game_id: work_id for game_id, work_id in {**known, **own}.items() if work_id is not None}


def load_kin(connection: Connection, igdb_ids: Iterable[int]) -> dict[int, Kin]:
    """Return what says to which families entries belong: of them, and of all above them that are stored."""
    kin: dict[int, Kin] = {}
    asked = set(igdb_ids)
    while asked:
        rows = connection.execute(_KIN, {"ids": sorted(asked)})
        found = {
            row.igdb_id: Kin(
                igdb_id=row.igdb_id,
                game_type=row.game_type,
                parent_igdb_id=row.parent_igdb_id,
                version_parent_igdb_id=row.version_parent_igdb_id,
            )
            for row in rows
        }
        kin |= found
        parents = {parent for each in found.values() for parent in (above(each), each.parent_igdb_id)}
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
    described = {row.igdb_id: row for row in connection.execute(_KIN, {"ids": sorted(roots)})}
    rows = []
    for root in sorted(roots):
        name = described[root].name if root in described else f"IGDB {root}"
        rows.append({"name": name, "name_key": name_key(name), "root_igdb_id": root, "how": "igdb"})
    statement = insert_rows(Work.__table__, tuple(rows[0])).on_conflict_do_nothing(index_elements=["root_igdb_id"])
    execute_rows(connection, statement, rows)
    made = select(Work.root_igdb_id, Work.id).where(Work.root_igdb_id == func.any(_IDS))
    works = {row.root_igdb_id: row.id for row in connection.execute(made, {"ids": sorted(roots)})}
    known = [root for root in sorted(roots) if root in described]
    of_root = {root: by_root.get(root) or family_of(root, kin) for root in known}
    names = [described[root].name for root in known]
    connection.execute(
        _RENAME,
        {
            "ids": [works[root] for root in known],
            "names": names,
            "keys": [name_key(name) for name in names],
            "series": [_series(described[root].franchises, described[root].collections) for root in known],
            "parents": [works.get(of_root[root].related_igdb_id or 0) for root in known],
            "relations": [of_root[root].relation for root in known],
        },
    )
    return works


def _own_works(connection: Connection, game_ids: Collection[int]) -> dict[int, int]:
    """Give each of the games a work of its own."""
    own = {}
    for row in connection.execute(select(Game.id, Game.name).where(Game.id == func.any(_IDS)), {"ids": list(game_ids)}):
        values = {"name": row.name, "name_key": name_key(row.name), "how": "hand"}
        own[row.id] = connection.execute(insert(Work).values(values).returning(Work.id)).scalar_one()
    connection.execute(_ASSIGN, {"games": list(own), "works": list(own.values())})
    return own


def _series(franchises: Iterable[str], collections: Iterable[str]) -> str | None:
    """Return what people call a game's series: IGDB's collection, or else its franchise."""
    return next((name for names in (collections, franchises) for name in names if name), None)
