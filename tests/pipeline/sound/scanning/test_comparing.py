"""What a look at a folder says, from what was there and what is."""

from pipeline.sound.scanning.comparing import Comparison, KnownFile, Place, compare

ONE, TWO, THREE = (10, 1, 1), (20, 2, 2), (30, 3, 3)


def known(id_: int, path: bytes, stat: tuple[int, int, int], *, missing: bool = False, error: str = "") -> KnownFile:
    return KnownFile(id_, path, stat, None if error else id_ * 100, error or None, missing)


def said(compared: Comparison) -> dict[str, object]:
    return {
        "read": [(target.id, target.path) for target in compared.to_read],
        "moved": [(file.id, path) for file, path in compared.moved],
        "returned": [file.id for file in compared.returned],
        "gone": [file.id for file in compared.gone],
        "unchanged": compared.unchanged,
    }


def expected(**what: object) -> dict[str, object]:
    return {"read": [], "moved": [], "returned": [], "gone": [], "unchanged": 0} | what


def test_what_is_the_same_is_not_read() -> None:
    compared = compare([known(1, b"a", ONE), known(2, b"b", TWO)], [Place(b"a", ONE), Place(b"b", TWO)])
    assert said(compared) == expected(unchanged=2)


def test_what_is_new_or_differs_is_read() -> None:
    compared = compare([known(1, b"a", ONE)], [Place(b"a", TWO), Place(b"b", THREE)])
    assert said(compared) == expected(read=[(1, b"a"), (None, b"b")])


def test_what_has_another_path_and_is_else_the_same_was_moved_and_is_not_read() -> None:
    compared = compare([known(1, b"a", ONE)], [Place(b"deep/b", ONE)])
    assert said(compared) == expected(moved=[(1, b"deep/b")])


def test_two_that_changed_places_were_moved() -> None:
    compared = compare([known(1, b"a", ONE), known(2, b"b", TWO)], [Place(b"a", TWO), Place(b"b", ONE)])
    assert said(compared) == expected(moved=[(2, b"a"), (1, b"b")])


def test_a_new_file_in_the_place_of_one_that_was_moved_is_a_new_file() -> None:
    compared = compare([known(1, b"a", ONE)], [Place(b"a", TWO), Place(b"b", ONE)])
    assert said(compared) == expected(read=[(None, b"a")], moved=[(1, b"b")])


def test_one_that_another_was_moved_onto_is_gone() -> None:
    compared = compare([known(1, b"a", ONE), known(2, b"b", TWO)], [Place(b"b", ONE)])
    assert said(compared) == expected(moved=[(1, b"b")], gone=[2])


def test_what_is_back_is_not_read() -> None:
    compared = compare([known(1, b"a", ONE, missing=True)], [Place(b"a", ONE)])
    assert said(compared) == expected(returned=[1])


def test_what_could_not_be_read_is_tried_again() -> None:
    compared = compare([known(1, b"a", ONE, error="denied")], [Place(b"a", ONE)])
    assert said(compared) == expected(read=[(1, b"a")])


def test_of_what_lies_in_a_directory_that_cannot_be_listed_nothing_is_gone() -> None:
    compared = compare([known(1, b"deep/a", ONE), known(2, b"b", TWO)], [], [b"deep/"])
    assert said(compared) == expected(gone=[2])


def test_a_full_scan_reads_everything() -> None:
    assert said(compare([known(1, b"a", ONE)], [Place(b"a", ONE)], full=True)) == expected(read=[(1, b"a")])
