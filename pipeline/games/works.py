"""Which entries of IGDB are one work: ports, remasters, editions and DLC belong to the game that they are of. Pure.

https://api-docs.igdb.com/#game-type has the numbers. A remake is a game of its own, and so is an expansion that needs
no other; a bundle is several.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

Relation = Literal["remake", "expansion"]
DLC, EXPANSION, STANDALONE, EPISODE, SEASON, REMAKE, REMASTER, EXPANDED, PORT, PACK, UPDATE = (
    *(1, 2, 4, 6, 7, 8, 9, 10, 11, 13, 14),
)
# What belongs to its parent: parts of it, and the same game once more.
PARTS = frozenset({DLC, EXPANSION, EPISODE, SEASON, PACK, UPDATE})
SAME = frozenset({REMASTER, EXPANDED, PORT})
RELATIONS: Mapping[int, Relation] = {STANDALONE: "expansion", REMAKE: "remake"}


class Kin(msgspec.Struct, frozen=True, kw_only=True):
    """What of an entry says to which family it belongs."""

    igdb_id: int
    game_type: int | None = None
    parent_igdb_id: int | None = None
    version_parent_igdb_id: int | None = None


class Family(msgspec.Struct, frozen=True):
    """The entry that a work hangs on, and what it is to another work's, where it is anything."""

    root_igdb_id: int
    relation: Relation | None = None
    related_igdb_id: int | None = None


def above(kin: Kin) -> int | None:
    """Return the entry that an entry belongs to, as an edition, a port or a part of it; None where it stands alone."""
    if kin.version_parent_igdb_id is not None:
        return kin.version_parent_igdb_id
    return kin.parent_igdb_id if kin.game_type in PARTS | SAME else None


def family_of(igdb_id: int, entries: Mapping[int, Kin]) -> Family:
    """Return the family of an entry; `entries` are those that are known, its ancestors among them.

    Where an ancestor is not known, the family hangs on that ancestor all the same.
    """
    root = _root_of(igdb_id, entries)
    kin = entries.get(root)
    relation = RELATIONS.get(kin.game_type) if kin is not None and kin.game_type is not None else None
    if kin is None or relation is None or kin.parent_igdb_id is None:
        return Family(root)
    related = _root_of(kin.parent_igdb_id, entries)
    return Family(root) if related == root else Family(root, relation, related)


def _root_of(igdb_id: int, entries: Mapping[int, Kin]) -> int:
    """Return the entry at the top of a chain; where a chain bites its tail, the lowest number of those in it."""
    chain = [igdb_id]
    while (kin := entries.get(chain[-1])) is not None and (parent := above(kin)) is not None:
        if parent in chain:
            return min(chain[chain.index(parent) :])
        chain.append(parent)
    return chain[-1]
