"""Which line of a list a person means."""

import pytest

from models.errors import UsageError
from pipeline.games.following.naming import NamedLine, line_named

LINES = [
    NamedLine(id=1, position=1, written="ico", igdb_id=10, game="Ico"),
    NamedLine(id=2, position=2, written="Rez Infinite", igdb_id=11),
    NamedLine(id=3, position=3, written="1942"),
    NamedLine(id=4, position=4, written="Rez: Infinite", igdb_id=12),
]


@pytest.mark.parametrize(
    ("named", "expected"),
    [("2", 2), (" Ico ", 1), ("ICO", 1), ("igdb: 11", 2), ("Rez Infinite", 2), ("1942", 3)],
)
def test_a_line_is_named_by_its_place_by_igdb_or_by_its_text(named: str, expected: int) -> None:
    assert line_named(LINES, named, "Top").id == expected


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("REZ INFINITE", "is on the list 'Top' 2 times: Rez Infinite at 2, Rez: Infinite at 4; name it by its place"),
        ("Icco", "is not on the list 'Top'; did you mean"),
        ("Shenmue", "`lootwire games lists show 'Top'` has its titles"),
        ("igdb:99", "is not on the list 'Top'"),
        ("9", "is not on the list 'Top'"),
    ],
)
def test_what_is_on_the_list_not_at_all_or_twice_is_said_with_the_way_out(named: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        line_named(LINES, named, "Top")

    assert words in str(refused.value)
