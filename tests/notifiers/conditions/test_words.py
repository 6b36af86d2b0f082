"""Whole words are found in every script, with the marks on their letters, and parts of words are not."""

import unicodedata
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.conditions.words import folded, has_word

# Some of each end, or begin, with a sign that is a mark; some are the beginning of others.
SPACED = {
    "Latin": ["loot", "lootbox", "café", "x\u030cx", "re\u0301sume\u0301", "ab\u0323", "straße"],
    "Devanagari": ["राम", "रामायण", "पानी", "पानीपत", "हिन्दी", "क्षि", "किताबें"],
    "Bengali": ["বাংলা", "পানি", "পানিপথ"],
    "Tamil": ["தமிழ்", "தமிழ்நாடு", "நீ"],
    "Arabic": ["سَلَام", "سلام", "كِتَابٌ", "مُحَمَّد"],
    "Persian": ["می\u200cخواهم", "می", "خواهم"],
    "Hebrew": ["שָׁלוֹם", "שלום", "סֵפֶר"],
    "Korean": ["겨울", "겨울왕국", "드롭스"],
    "Cyrillic": ["зима", "зимой", "ё\u0301лка", "й"],
    "Greek": ["λόγος", "λόγοςα", "ΐ"],
}
UNSPACED = {
    "Thai": ["น้ำ", "ที่นี่", "เกม", "ของขวัญ", "ฟรี"],
    "Lao": ["ນ້ຳ", "ເກມ"],
    "Burmese": ["ရေ", "ဂိမ်း"],
    "Khmer": ["ទឹក", "ហ្គេម"],
    "Japanese": ["スト", "冬のドロップ", "ガチャ"],
    "Chinese": ["冬季", "掉宝", "𠮷野家"],
}
# Fullwidth letters and other ways to write the same.
WRITTEN = st.sampled_from(
    [str, str.upper, str.title, partial(unicodedata.normalize, "NFC"), partial(unicodedata.normalize, "NFD")]
)
BETWEEN = st.sampled_from([" ", ", ", "\u00a0", "\n", " – ", "/", "“", "‘", "। ", "؟ ", "!"])


def any_two(scripts: dict[str, list[str]]) -> st.SearchStrategy[tuple[str, str]]:
    of_one = [st.tuples(st.sampled_from(words), st.sampled_from(words)) for words in scripts.values()]
    mixed = st.sampled_from([word for words in scripts.values() for word in words])
    return st.one_of(*of_one, st.tuples(mixed, mixed))


@given(words=any_two(SPACED | UNSPACED), between=BETWEEN, written=WRITTEN)
def test_a_word_is_found_between_others_however_it_is_written(
    words: tuple[str, str], between: str, written: Callable[[str], str]
) -> None:
    word, other = words
    for text in (word, f"{other}{between}{word}", f"{word}{between}{other}", f"{other}{between}{word}{between}{other}"):
        assert has_word([written(text)], word)
        assert has_word([text], written(word))


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("모바일에서만", False),
        ("모바일에서 받기", True),
        ("모바일용 보상", True),
        ("모바일로", False),
        ("모바일게임", False),
    ],
)
def test_a_korean_word_is_found_before_a_particle_and_not_in_a_longer_word(text: str, is_there: bool) -> None:
    assert has_word([text], "모바일") is is_there


@given(words=any_two(SPACED), written=WRITTEN)
def test_a_word_is_not_found_inside_a_longer_one(words: tuple[str, str], written: Callable[[str], str]) -> None:
    word, other = words
    for text in (word + other, other + word, f"{other}{word}{other}"):
        assert not has_word([written(text)], word)
    assert has_word([f"{word}{other} {word}"], word)


@given(words=any_two(UNSPACED))
def test_where_no_spaces_are_written_a_word_is_found_anywhere(words: tuple[str, str]) -> None:
    word, other = words
    assert has_word([other + word + other], word)


@given(
    word=st.sampled_from([word for words in (SPACED | UNSPACED).values() for word in words]),
    mark=st.sampled_from("\u0489\u0651\u05bc\u0903\u093f\u0e31\u0e48\u0fb7\u20dd"),
)
def test_a_mark_belongs_to_the_word_before_it(word: str, mark: str) -> None:
    assert not has_word([f"{word}{mark} x"], word)
    assert has_word([f"{word}{mark} x"], word + mark)


@given(st.text())
def test_any_text_at_all_has_itself(text: str) -> None:
    assert has_word([text], text) or not folded(text).split()


@pytest.mark.parametrize(
    ("text", "word", "is_there"),
    [
        ("रामायण की कहानी", "राम", False),
        ("जय श्री राम!", "राम", True),
        ("पानीपत का युद्ध", "पानी", False),
        ("Don’t Starve", "don't", True),
        ("Don't Starve", "don’t", True),
        ("Tom Clancy’s", "Clancy", True),
        ("Пʼять днів", "п'ять", True),
        ("ג׳ונגל", "ג'ונגל", True),
        ("I ❤️ loot", "❤", True),
        ("I ❤ loot", "❤️", True),
        ("C++ and C", "c++", True),
        ("ＬＯＯＴ", "loot", True),
        ("aa a a", "a a", True),
        ("ที่นี่", "ที", False),
        ("İSTANBUL Finali", "istanbul", True),
        ("ISTANBUL FINALI", "ıstanbul finalı", True),
        ("istanbul", "I\u0307stanbul", True),
        ("Counter\u2011Strike", "counter-strike", True),
    ],
)
def test_words_as_people_write_them(text: str, word: str, is_there: bool) -> None:
    assert has_word([text], word) is is_there
