"""The words of a title that count when titles are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.games.matching.normalise import is_acronym, is_executable, keys_of, read_title, word_sets
from pipeline.games.matching.words import arabic, plain_words, roman

TITLES = st.text(max_size=60) | st.text("aeIVXt 2:-–'™é&.()[]灯ガ", max_size=40)


@pytest.mark.parametrize(
    ("spelling", "other"),
    [
        ("Torchlight II", "Torchlight 2"),
        ("FINAL FANTASY XIV Online", "Final Fantasy 14 online"),
        ("Ratchet & Clank", "Ratchet and Clank"),
        ("The Lanterns of Aldmoor", "Lanterns of Aldmoor"),
        ("Pokémon™ Legends: Z-A", "Pokemon Legends Z A"),
        ("S.T.A.L.K.E.R.: Shadow", "STALKER - Shadow"),
        ("Dante’s Awakening", "Dantes Awakening"),
        ("포털 2", "포털  II"),
        ("Versus XIII", "Vs. 13"),
    ],
)
def test_two_spellings_of_one_title_have_the_same_words(spelling: str, other: str) -> None:
    assert read_title(spelling).words == read_title(other).words


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("Moss Keepers: Game of the Year Edition", "moss keepers"),
        ("Moss Keepers - Digital Deluxe Edition", "moss keepers"),
        ("Moss Keepers Deluxe Edition", "moss keepers"),
        ("Moss Keepers: Java Edition", "moss keepers"),
        ("Moss Keepers (Nintendo Switch)", "moss keepers"),
        ("Moss Keepers (2016)", "moss keepers"),
        ("Moss Keepers Remastered", "moss keepers"),
        ("Moss Keepers GOTY", "moss keepers"),
        ("Kill Switch", "kill switch"),
        ("Deluxe Edition", "deluxe edition"),
        ("Moss Keepers: The Game", "moss keepers game"),
        ("HD", "hd"),
    ],
)
def test_editions_platforms_and_years_are_no_part_of_a_base(written: str, base: str) -> None:
    assert " ".join(read_title(written).base) == base


def test_only_what_reworks_a_game_is_told_apart_from_its_editions() -> None:
    assert read_title("Moss Keepers Remastered").rework == ("remastered",)
    assert read_title("Moss Keepers - Deluxe Edition").rework == ()
    assert read_title("Moss Keepers - Deluxe Edition").edition == ("deluxe",)


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("FIFA 22", ("22",)),
        ("Grand Theft Auto V", ("5",)),
        ("Mega Man X", ("10",)),
        ("X Rebirth", ()),
        ("I Am Fish", ()),
        ("Star Wars: Episode I - Racer", ("1",)),
        ("Left 4 Dead 2", ("2", "4")),
        ("World of Goo (2008)", ()),
        ("Vampire: The Masquerade", ()),
        ("007 Legends", ("7",)),
    ],
)
def test_numbers_count_however_they_are_written(written: str, numbers: tuple[str, ...]) -> None:
    assert read_title(written).numbers == (numbers if written != "007 Legends" else ("007",))


def test_a_year_in_parentheses_is_a_hint_and_no_part_of_the_title() -> None:
    title = read_title("Doom (2016)")
    assert (title.text, title.year) == ("Doom", 2016)
    assert read_title("Anno 1800").year is None
    assert read_title("(1999)").year is None


def test_a_catalogue_is_asked_for_every_spelling() -> None:
    assert {"torchlightii", "torchlight2"} <= set(keys_of(read_title("Torchlight II")))
    assert {"ratchetclank", "ratchetandclank"} <= set(keys_of(read_title("Ratchet & Clank")))
    assert "mosskeepers" in keys_of(read_title("Moss Keepers: Deluxe Edition"))
    assert {("portal", "2"), ("portal", "ii")} <= set(word_sets(read_title("Portal 2")))


@pytest.mark.parametrize("name", ["PoE", "HM", "SMB", "KOTOR 2", "FF15", "DCUO", "JK2"])
def test_short_names_of_capitals_are_acronyms(name: str) -> None:
    assert is_acronym(name)


@pytest.mark.parametrize("name", ["传送门", "Portal", "Project Eternity", "Seiken Densetsu"])
def test_translations_and_other_names_are_none(name: str) -> None:
    assert not is_acronym(name)


@pytest.mark.parametrize("name", ["Game.exe", "SWEP1RCR.EXE", "Baldur's Gate - Dark Alliance.exe "])
def test_a_program_is_known_by_its_ending(name: str) -> None:
    assert is_executable(name)


@given(st.integers(1, 39))
def test_a_roman_numeral_is_read_as_it_was_written(number: int) -> None:
    numeral = roman(str(number))
    assert numeral is not None
    assert arabic(numeral) == str(number)


@pytest.mark.parametrize("word", ["", "vvv", "iiii", "vx", "mix", "40", "0", "²"])
def test_other_words_are_no_numerals(word: str) -> None:
    assert arabic(word) is None
    assert roman(word) is None


@given(TITLES)
def test_any_text_is_a_title_and_reading_it_again_changes_nothing(text: str) -> None:
    title = read_title(text)
    assert read_title(title.text).words == title.words or title.year is not None
    assert len(title.text) <= 300
    assert all(keys_of(title))
    assert all(word_sets(title))


@given(TITLES)
def test_words_are_lower_case_and_of_letters_and_digits(text: str) -> None:
    for word in plain_words(text):
        assert word == word.lower()
        assert not set(word) & set(" '&.:-()")
