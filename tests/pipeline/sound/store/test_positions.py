"""Places on a playlist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sound.store.positions import FIRST, place_between, places_between


@given(st.lists(st.integers(0, 10_000), max_size=60))
def test_sounds_put_anywhere_one_after_the_other_stand_where_they_were_put(spots: list[int]) -> None:
    places: list[str] = []
    for spot in spots:
        at = spot % (len(places) + 1)
        made = place_between(places[at - 1] if at else None, places[at] if at < len(places) else None)
        places.insert(at, made)
        assert places == sorted(set(places))


def test_a_thousand_put_at_the_same_spot_find_room() -> None:
    low, high = FIRST, place_between(FIRST, None)
    for number in range(1000):
        made = place_between(low, high)
        assert low < made < high
        low, high = (made, high) if number % 2 else (low, made)
    upper = high
    for _ in range(300):
        made = place_between(low, upper)
        assert low < made < upper
        upper = made


def test_places_at_the_end_stay_short() -> None:
    places = places_between(None, None, 10_000)
    assert places == sorted(set(places))
    assert {len(place) for place in places} == {6}


@pytest.mark.parametrize("before", [None, FIRST])
def test_a_thousand_put_together_between_two_have_short_places(before: str | None) -> None:
    after = place_between(FIRST, None)
    places = [before or "", *places_between(before, after, 1000), after]
    assert places == sorted(set(places))
    assert len(places) == 1002
    assert max(map(len, places)) <= 8


@pytest.mark.parametrize(("before", "after"), [("V", "V"), ("W", "V"), ("V", "V0"), ("V", "V00")])
def test_places_out_of_order_are_refused(before: str, after: str) -> None:
    with pytest.raises(ValueError, match="V"):
        place_between(before, after)


@pytest.mark.parametrize(("before", "after"), [("zzzzzz", None), (None, "000000")])
def test_where_counting_ends_there_is_no_room(before: str | None, after: str | None) -> None:
    with pytest.raises(ValueError, match="no room"):
        place_between(before, after)
