"""What changes of a list come to."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pipeline.games.following.changes import EntryChange, applied, moved_between, net_changes, undone


class Shelf:
    """A list in memory that is changed as lists are, and logs it."""

    def __init__(self, length: int) -> None:
        self.order = list(range(1, length + 1))
        self.names = {entry: f"Game {entry}" for entry in self.order}
        self.log: list[list[EntryChange]] = []

    def move(self, place_before: int, place: int) -> None:
        entry = self.order.pop(place_before - 1)
        self.order.insert(place - 1, entry)
        self._note(entry, place=place, place_before=place_before)

    def add(self, place: int, name: str | None = None) -> None:
        entry = max(self.names, default=0) + 1
        self.names[entry] = name or f"Game {entry}"
        self.order.insert(place - 1, entry)
        self._note(entry, place=place)

    def remove(self, place: int) -> None:
        self._note(self.order.pop(place - 1), place_before=place)

    def note(self, place: int, text: str) -> None:
        self._note(self.order[place - 1], note=text)

    def _note(
        self, entry: int, *, place: int | None = None, place_before: int | None = None, note: str | None = None
    ) -> None:
        name = self.names[entry]
        self.log.append([EntryChange(entry=entry, name=name, place=place, place_before=place_before, note=note)])

    def net(self) -> tuple[list[tuple[str, int]], list[tuple[str, int]], list[tuple[str, int, int]]]:
        net = net_changes(self.order, self.log)
        return (
            [(change.name or "", change.place or 0) for change in net.added],
            [(change.name or "", change.place_before or 0) for change in net.removed],
            [(change.name or "", change.place_before or 0, change.place or 0) for change in net.moved],
        )


def test_what_only_made_room_has_not_moved() -> None:
    shelf = Shelf(9)
    shelf.move(7, 2)

    assert shelf.net() == ([], [], [("Game 7", 7, 2)])


def test_what_was_moved_there_and_back_is_nothing_also_where_others_came_between() -> None:
    shelf = Shelf(9)
    shelf.move(7, 2)
    shelf.add(1)
    shelf.move(3, 8)

    assert shelf.net() == ([("Game 10", 1)], [], [])


def test_what_was_added_and_removed_again_is_nothing() -> None:
    shelf = Shelf(3)
    shelf.add(2)
    shelf.move(2, 4)
    shelf.remove(4)

    assert shelf.net() == ([], [], [])


def test_what_was_removed_and_added_again_has_moved_at_most() -> None:
    shelf = Shelf(3)
    shelf.remove(1)
    shelf.add(3, "Game 1")

    assert shelf.net() == ([], [], [("Game 1", 1, 3)])
    shelf.move(3, 1)
    assert shelf.net() == ([], [], [])


def test_a_note_moves_nothing_and_stays_with_what_was_added() -> None:
    shelf = Shelf(3)
    shelf.add(4)
    shelf.note(4, "at last")
    shelf.note(1, "the best")

    [added] = net_changes(shelf.order, shelf.log).added
    assert (added.note, shelf.net()[1:]) == ("at last", ([], []))


def test_several_moves_of_one_game_are_one() -> None:
    shelf = Shelf(5)
    shelf.move(5, 4)
    shelf.move(4, 1)
    shelf.remove(3)

    assert shelf.net() == ([], [("Game 2", 2)], [("Game 5", 5, 1)])


def test_as_few_as_can_be_have_moved() -> None:
    assert moved_between([1, 2, 3, 4], [4, 1, 2, 3], {1, 2, 3, 4}) == {4}
    assert moved_between([1, 2, 3, 4], [2, 3, 1, 4], {1, 4}) == {1}


Step = tuple[int, int, int]
steps = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 8), st.integers(1, 8)), max_size=12)


def take(shelf: Shelf, todo: Sequence[Step]) -> None:
    for what, place, other in todo:
        length = len(shelf.order)
        if what == 0:
            shelf.add(min(place, length + 1))
        elif length and what == 1:
            shelf.remove(min(place, length))
        elif length:
            shelf.move(min(place, length), min(other, length))


@given(st.integers(0, 6), steps)
def test_the_log_leads_from_one_order_to_the_other_and_back(length: int, todo: list[Step]) -> None:
    shelf = Shelf(length)
    before = list(shelf.order)
    take(shelf, todo)

    order = before
    for changes in shelf.log:
        order = applied(order, changes)
    assert order == shelf.order
    for changes in reversed(shelf.log):
        order = undone(order, changes)
    assert order == before


@given(st.integers(0, 6), steps)
def test_what_is_left_of_changes_leads_to_the_same_order(length: int, todo: list[Step]) -> None:
    shelf = Shelf(length)
    before = list(shelf.order)
    take(shelf, todo)

    net = net_changes(shelf.order, shelf.log)

    assert applied(before, [*net.added, *net.removed, *net.moved]) == shelf.order
    assert len(net.added) + len(net.removed) + len(net.moved) <= len(todo)
