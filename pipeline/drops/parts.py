"""Tell which parts of a drop (its groups of rewards) are which, as sources list them. Pure.

A source lists a drop whole, or in parts; a part alone has the drop's own id; its groups get their ids later, or never.
So a part is known by its id, by its rewards, or by what it asks for, in this order, and keeps the id that is stored.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from pipeline.drops.records import PART, DropRecord, whole_of


def with_known_ids(drops: Sequence[DropRecord], known: Sequence[DropRecord]) -> list[DropRecord]:
    """Return drops under the ids that their parts are known by; one that is listed whole has the parts that are known.

    New parts keep their ids. Where the known drop is whole and the parts are new, these take its place.
    """
    if not any(PART in drop.external_id for drop in (*drops, *known)):
        return list(drops)
    known_of, listed = _by_whole(known), _by_whole(drops)
    return [drop for whole, parts in listed.items() for drop in _known_parts(whole, parts, known_of.get(whole, []))]


def _by_whole(drops: Iterable[DropRecord]) -> dict[str, list[DropRecord]]:
    by_whole: dict[str, list[DropRecord]] = {}
    for drop in drops:
        by_whole.setdefault(whole_of(drop.external_id), []).append(drop)
    return by_whole


def _known_parts(whole: str, drops: list[DropRecord], known: list[DropRecord]) -> list[DropRecord]:
    if _is_whole(whole, drops, known):
        return known
    if _is_whole(whole, known, drops):
        return drops
    return list(_paired(drops, known))


def _is_whole(whole: str, drops: list[DropRecord], parts: list[DropRecord]) -> bool:
    """Whether a drop is listed whole where others know its parts: it has not the rewards of one of them alone."""
    if [drop.external_id for drop in drops] != [whole] or all(PART not in part.external_id for part in parts):
        return False
    (drop,) = drops
    return sum(_rewards(part) == _rewards(drop) != frozenset() and _may_ask(drop, part) for part in parts) != 1


def _may_ask(drop: DropRecord, part: DropRecord) -> bool:
    """Whether a drop asks for what a part does, as far as it says so."""
    return _goals(drop) in {None, _goals(part)}


def _paired(drops: list[DropRecord], known: list[DropRecord]) -> Iterator[DropRecord]:
    """Yield drops, those that are known under their known ids."""
    left = {drop.external_id: drop for drop in known}
    ids: dict[str, str] = {}
    for key in (_part_id, _rewards, lambda drop: drop.external_id, _goals, lambda _: "the only one left"):
        _pair(drops, left, ids, key)
    for drop in drops:
        yield msgspec.structs.replace(drop, external_id=ids.get(drop.external_id, drop.external_id))


def _pair(
    drops: list[DropRecord], left: dict[str, DropRecord], ids: dict[str, str], key: Callable[[DropRecord], object]
) -> None:
    """Note the known ids of drops that share a key with one known drop, and with no other."""
    waiting = [drop for drop in drops if drop.external_id not in ids]
    listed_keys, known_keys = [key(drop) for drop in waiting], [key(drop) for drop in left.values()]
    known_ids = list(left)
    for drop, value in zip(waiting, listed_keys, strict=True):
        if value and listed_keys.count(value) == 1 and known_keys.count(value) == 1:
            known_id = known_ids[known_keys.index(value)]
            ids[drop.external_id] = known_id
            del left[known_id]


def _part_id(drop: DropRecord) -> str | None:
    """Return the id of a part; the drop's own says nothing, for whichever part is alone has it."""
    return drop.external_id if PART in drop.external_id else None


def _rewards(drop: DropRecord) -> frozenset[str]:
    return frozenset(benefit.external_id for benefit in drop.benefits)


def _goals(drop: DropRecord) -> tuple[int, int, int] | None:
    goals = (drop.required_minutes or 0, drop.required_subs or 0, drop.required_turbo_subs or 0)
    return goals if any(goals) else None
