"""The keys that titles are looked up by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.names import name_key
from pipeline.services.igdb.titles import KEY_LENGTH, WORD_LENGTH, title_key, title_words


@given(st.text(max_size=40) | st.text("aZ9 -'™é", max_size=40))
def test_a_titles_key_is_its_name_key_however_it_is_made(title: str) -> None:
    assert title_key(title) == name_key(title)[:KEY_LENGTH]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Dante's Awakening", ("dantes", "awakening")),
        ("Pokémon Legends: Z-A", ("pokemon", "legends", "z", "a")),
        ("L’Éveil de Dante", ("leveil", "de", "dante")),
        ("the THE the", ("the",)),
        ("포털 2", ("포털", "2")),
        ("スタッブス・ザ・ゾンビ", ("スタッブス", "ザ", "ゾンビ")),
        ("!?", ()),
    ],
)
def test_a_titles_words_are_plain_and_distinct(title: str, words: tuple[str, ...]) -> None:
    assert title_words(title) == words


def test_a_title_without_end_still_fits_its_indexes() -> None:
    assert len(title_key("x" * 5000).encode()) < 2704
    assert len(title_key("灯" * 5000).encode()) < 2704
    assert [len(word) for word in title_words("x" * 5000)] == [WORD_LENGTH]
