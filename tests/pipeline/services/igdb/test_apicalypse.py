"""How conditions are written, and what is none."""

import pytest

from pipeline.services.igdb.apicalypse import above, any_of, at_least, at_most, both, equal


def test_conditions_are_written_as_igdb_reads_them() -> None:
    assert above("id", 3).text == "id > 3"
    assert at_least("rating", 7.5).text == "rating >= 7.5"
    assert at_most("updated_at", 10).text == "updated_at <= 10"
    assert equal("cover", None).text == "cover = null"
    assert both(equal("a", value=True), equal("b", value=False)).text == "a = true & b = false"
    assert both(above("id", 3)).text == "id > 3"


def test_nothing_to_join_or_to_choose_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="no conditions"):
        both()
    with pytest.raises(ValueError, match="empty list"):
        any_of("id", [])
