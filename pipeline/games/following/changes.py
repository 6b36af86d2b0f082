"""What changes of a list come to: its order before and after them, and what of them is worth telling. Pure."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence

import msgspec

from models.names import name_key


class EntryChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to a line of a list. Without a place it is gone, without one before it is new; places count from 1.

    `entry` is the line's row, `name` what it was called then. A `description` is the list's own.
    """

    entry: int | None = None
    name: str | None = None
    igdb_id: int | None = None
    place: int | None = None
    place_before: int | None = None
    note: str | None = None
    description: str | None = None


class Net(msgspec.Struct, frozen=True, kw_only=True):
    """What several changes come to, each in the order of the places that it names."""

    added: tuple[EntryChange, ...] = ()
    removed: tuple[EntryChange, ...] = ()
    moved: tuple[EntryChange, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is left of them."""
        return bool(self.added or self.removed or self.moved)


def applied(order: Sequence[int], changes: Iterable[EntryChange]) -> list[int]:
    """Return the lines of a list after changes of one moment: what has left its place goes, then each takes its own."""
    listed = list(changes)
    return _put(order, [(c.entry, c.place_before) for c in listed], [(c.entry, c.place) for c in listed])


def undone(order: Sequence[int], changes: Iterable[EntryChange]) -> list[int]:
    """Return the lines of a list as they were before changes of one moment."""
    listed = list(changes)
    return _put(order, [(c.entry, c.place) for c in listed], [(c.entry, c.place_before) for c in listed])


def net_changes(order: Sequence[int], activities: Sequence[Sequence[EntryChange]]) -> Net:
    """Return what activities, the oldest first, come to; `order` is the list as it is after them.

    What was added and removed again is nothing, and so is what was moved there and back. What only made room for others
    has not moved. A game that was removed and added again has moved at most.
    """
    before = list(order)
    for changes in reversed(activities):
        before = undone(before, changes)
    latest = _latest(c for changes in activities for c in changes)
    back = _came_back(latest, before, order)
    before = [back.get(entry, entry) for entry in before]
    movable = {c.entry for changes in activities for c in changes if c.place and c.place_before and c.entry is not None}
    moved = moved_between(before, order, movable.union(back.values()))
    places_before = {entry: place for place, entry in enumerate(before, 1)}
    places = {entry: place for place, entry in enumerate(order, 1)}
    return Net(
        added=tuple(_at(latest[e], places[e], None) for e in order if e not in places_before and e in latest),
        removed=tuple(_at(latest[e], None, places_before[e]) for e in before if e not in places and e in latest),
        moved=tuple(_at(latest[e], places[e], places_before[e]) for e in order if e in moved and e in latest),
    )


def moved_between(before: Sequence[int], after: Sequence[int], movable: Collection[int]) -> set[int]:
    """Return as few of the movable lines as can have been moved to turn the one order into the other."""
    common = set(before).intersection(after)
    places = {entry: place for place, entry in enumerate(before)}
    gaps_before, gaps = _gaps(before, common, movable), _gaps(after, common, movable)
    candidates = [entry for entry in after if entry in gaps]
    # Only what stands between the same two lines as before may have stayed; of these, those that are in order still.
    same_gap = [entry for entry in candidates if gaps[entry] == gaps_before[entry]]
    stayed = _longest_rising([places[entry] for entry in same_gap])
    return set(candidates) - {same_gap[index] for index in stayed}


def _gaps(order: Iterable[int], common: Collection[int], movable: Collection[int]) -> dict[int, int]:
    """Return how many lines that cannot have moved stand before each of the movable ones."""
    gaps: dict[int, int] = {}
    fixed = 0
    for entry in order:
        if entry in movable and entry in common:
            gaps[entry] = fixed
        else:
            fixed += entry in common
    return gaps


def _longest_rising(values: Sequence[int]) -> list[int]:
    """Return the indexes of a longest rising part of the values, which are all different."""
    ends: list[int] = []
    last: list[int] = []
    previous: list[int | None] = []
    for index, value in enumerate(values):
        length = bisect_left(ends, value)
        previous.append(last[length - 1] if length else None)
        # Longer than all before, or a better end of one of that length.
        ends[length : length + 1], last[length : length + 1] = [value], [index]
    at = last[-1] if last else None
    rising = []
    while at is not None:
        rising.append(at)
        at = previous[at]
    return rising


def _came_back(latest: dict[int, EntryChange], before: Sequence[int], after: Sequence[int]) -> dict[int, int]:
    """Return the new lines of games that were removed and added again, by their old ones."""
    new = {_game(latest[e]): e for e in reversed(after) if e in latest and e not in set(before)}
    gone = [e for e in before if e in latest and e not in set(after)]
    return {e: new.pop(_game(latest[e])) for e in gone if _game(latest[e]) in new}


def _latest(changes: Iterable[EntryChange]) -> dict[int, EntryChange]:
    """Return the last change of each line, with the last note that any of them has."""
    latest: dict[int, EntryChange] = {}
    for change in changes:
        if change.entry is not None:
            before = latest.get(change.entry)
            note = change.note if change.note is not None or before is None else before.note
            latest[change.entry] = msgspec.structs.replace(change, note=note)
    return latest


def _game(change: EntryChange) -> str:
    return f"igdb:{change.igdb_id}" if change.igdb_id is not None else name_key(change.name or "")


def _at(change: EntryChange, place: int | None, place_before: int | None) -> EntryChange:
    return EntryChange(
        entry=change.entry,
        name=change.name,
        igdb_id=change.igdb_id,
        place=place,
        place_before=place_before,
        note=change.note,
    )


def _put(
    order: Sequence[int], out: Iterable[tuple[int | None, int | None]], into: Iterable[tuple[int | None, int | None]]
) -> list[int]:
    taken = {entry for entry, place in out if place is not None}
    kept = [entry for entry in order if entry not in taken]
    for place, entry in sorted((place, entry) for entry, place in into if place is not None and entry is not None):
        kept.insert(place - 1, entry)
    return kept
