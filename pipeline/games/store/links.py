"""Which of our games is which entry of IGDB: rows of game_external_ids with service `igdb`, how that is known, pins.

A link's external id is IGDB's. Two games that turn out to be one entry (Twitch and Kick may call it by quite different
names) share it and stay two games: campaigns, follows and subscriptions name them, and a link may be wrong. The second
one's link is written `1020/5be1c4e7`, IGDB's id and our game's public id, which every database that imports it has too.
`none/5be1c4e7` is a person's word that IGDB does not have our game. A pinned link stays, whatever services say later.
"""

from collections.abc import Collection, Iterable
from typing import Literal

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from models import Game, GameExternalId, GameMetadata
from models.moments import Moment

SERVICE = "igdb"
How = Literal["igdb_id", "external_game", "name", "hand"]
NONE = "none"
_GAMES = bindparam("games", type_=ARRAY(BigInteger))

# An entry's editions and expansions are the game's too, unless a game of ours is linked with them.
_ATTACH = text("""
    WITH links AS (
        SELECT CAST(external_id AS bigint) AS igdb_id, game_id FROM game_external_ids
        WHERE service = 'igdb' AND external_id ~ '^[0-9]{1,18}$' AND (CAST(:games AS bigint[]) IS NULL
            OR game_id = ANY(CAST(:games AS bigint[])))
    ), family AS (
        SELECT igdb_id, game_id, 0 AS distance FROM links
        UNION ALL SELECT m.igdb_id, links.game_id, 1 FROM links JOIN game_metadata m
            ON m.version_parent_igdb_id = links.igdb_id
        UNION ALL SELECT m.igdb_id, links.game_id, 2 FROM links JOIN game_metadata m ON m.parent_igdb_id = links.igdb_id
    ), nearest AS (
        SELECT DISTINCT ON (igdb_id) igdb_id, game_id FROM family
        WHERE distance = 0 OR NOT EXISTS (SELECT FROM game_external_ids own
            WHERE own.service = 'igdb' AND own.external_id = CAST(family.igdb_id AS text))
        ORDER BY igdb_id, distance, game_id
    )
    UPDATE game_metadata SET game_id = nearest.game_id FROM nearest
    WHERE game_metadata.igdb_id = nearest.igdb_id AND game_metadata.game_id IS DISTINCT FROM nearest.game_id
""")


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A game's entry in IGDB and how it is known; `igdb_id` is None where a person said that there is none."""

    game_id: int
    igdb_id: int | None
    how: How
    confidence: float | None = None
    pinned_at: Moment | None = None


def load_links(connection: Connection, game_ids: Collection[int]) -> dict[int, Link]:
    """Return the links of games, by row id."""
    rows = connection.execute(
        select(
            GameExternalId.game_id,
            GameExternalId.external_id,
            GameExternalId.how,
            GameExternalId.confidence,
            GameExternalId.pinned_at,
        ).where(GameExternalId.service == SERVICE, GameExternalId.game_id == func.any(_GAMES)),
        {"games": list(game_ids)},
    )
    return {
        row.game_id: Link(
            game_id=row.game_id,
            igdb_id=read_id(row.external_id),
            how=row.how,
            confidence=row.confidence,
            pinned_at=row.pinned_at,
        )
        for row in rows
    }


def games_of(connection: Connection, igdb_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the games that are linked with entries, by IGDB's id: mostly one, the first linked one first."""
    plain = [str(igdb_id) for igdb_id in igdb_ids]
    entry = text("split_part(external_id, '/', 1) = ANY(:entries)").bindparams(entries=plain)
    rows = connection.execute(
        select(GameExternalId.external_id, GameExternalId.game_id).where(GameExternalId.service == SERVICE, entry)
    )
    games: dict[int, list[int]] = {}
    for external_id, game_id in sorted(rows, key=lambda row: ("/" in row[0], row[1])):
        games.setdefault(int(external_id.partition("/")[0]), []).append(game_id)
    return games


def link(connection: Connection, links: Iterable[Link]) -> list[Link]:
    """Store links, in place of those that the games had; returns those stored. Only a pin replaces a pinned link."""
    listed = {new.game_id: new for new in links}
    known = load_links(connection, list(listed))
    changed = [new for key, new in sorted(listed.items()) if _may_replace(known.get(key), new)]
    for new in changed:
        unlink(connection, new.game_id)
        _write(connection, new)
    attach(connection, [new.game_id for new in changed])
    return changed


def unlink(connection: Connection, game_id: int) -> None:
    """Remove a game's link; the game that shared the entry with it the longest takes the entry over."""
    gone = connection.scalars(
        delete(GameExternalId)
        .where(GameExternalId.service == SERVICE, GameExternalId.game_id == game_id)
        .returning(GameExternalId.external_id)
    ).all()
    connection.execute(update(GameMetadata).where(GameMetadata.game_id == game_id).values(game_id=None))
    for external_id in gone:
        if "/" not in external_id:
            _hand_on(connection, external_id)


def attach(connection: Connection, game_ids: Collection[int] | None = None) -> int:
    """Note in the catalogue which game each entry belongs to, editions and expansions too; of all games unless given.

    Returns how many entries changed hands. Entries that were stored after their game was linked need this.
    """
    return connection.execute(_ATTACH, {"games": None if game_ids is None else list(game_ids)}).rowcount


def read_id(external_id: str) -> int | None:
    """Return IGDB's id that a link names; None for "no game"."""
    entry = external_id.partition("/")[0]
    return int(entry) if entry.isascii() and entry.isdigit() else None


def _may_replace(known: Link | None, new: Link) -> bool:
    if known is None or new.pinned_at is not None:
        return True
    if known.pinned_at is not None:
        return False
    return (known.igdb_id, known.how) != (new.igdb_id, new.how)


def _write(connection: Connection, new: Link) -> None:
    values = {"game_id": new.game_id, "how": new.how, "confidence": new.confidence, "pinned_at": new.pinned_at}
    ours = connection.scalars(select(Game.public_id).where(Game.id == new.game_id)).one()
    shared = f"{NONE if new.igdb_id is None else new.igdb_id}/{ours}"
    names = [shared] if new.igdb_id is None else [str(new.igdb_id), shared]
    for external_id in names:
        row = insert(GameExternalId).values(service=SERVICE, external_id=external_id, **values)
        free = row.on_conflict_do_nothing().returning(GameExternalId.game_id)
        if connection.scalar(free) is not None:
            return


def _hand_on(connection: Connection, external_id: str) -> None:
    """Give an entry to the game that has shared it the longest."""
    shared = connection.scalars(
        select(GameExternalId.external_id)
        .where(GameExternalId.service == SERVICE, GameExternalId.external_id.startswith(f"{external_id}/"))
        .order_by(GameExternalId.game_id)
        .limit(1)
    ).one_or_none()
    if shared is not None:
        mine = (GameExternalId.service == SERVICE) & (GameExternalId.external_id == shared)
        heir = connection.scalar(
            update(GameExternalId).where(mine).values(external_id=external_id).returning(GameExternalId.game_id)
        )
        attach(connection, [heir] if heir is not None else [])
