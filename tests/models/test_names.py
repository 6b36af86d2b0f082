"""Names that people write become keys that compare and file names that are safe."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.names import SLUG_LENGTH, name_key, nearest, public_id, slug


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Tom Clancy's™ XDefiant", "TOM CLANCYS XDEFIANT"),
        ("Pokémon", "pokemon"),
        ("Harbour Lights®", "  harbour-lights "),
        ("Straße", "STRASSE"),
        ("항구의 등불", "항구의등불"),
        ("ﬁre", "Fire"),
        ("Ⅳ", "IV"),
    ],
)
def test_two_spellings_of_one_name_share_a_key(name: str, other: str) -> None:
    assert name_key(name) == name_key(other)


@pytest.mark.parametrize(
    ("name", "other"), [("Rust", "Trust"), ("등불", "등대"), ("Game 1", "Game 2"), ("???", "!!!"), ("C", "C#2")]
)
def test_two_names_have_two_keys(name: str, other: str) -> None:
    assert name_key(name) != name_key(other)


def test_a_name_of_signs_alone_is_its_own_key() -> None:
    assert name_key(" ??? ") == "???"


@given(st.text())
def test_a_key_of_a_key_is_the_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Tom Clancy's™ XDefiant", "tom-clancy-stm-xdefiant"),
        ("  Pokémon: Café!  ", "pokemon-cafe"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "con"),
        ("항구의 등불", ""),
        ("", ""),
        ("a" * 59 + " bcd", "a" * 59),
    ],
)
def test_a_slug_is_words_of_ascii_joined_by_hyphens(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(st.text(max_size=200))
def test_a_slug_holds_nothing_that_a_file_name_should_not(name: str) -> None:
    text = slug(name)

    assert set(text) <= set(string.ascii_lowercase + string.digits + "-")
    assert len(text) <= SLUG_LENGTH
    assert text == text.strip("-")


def test_a_public_id_is_the_same_everywhere_and_another_for_another_identity() -> None:
    assert public_id("twitch", "7001") == public_id("twitch", "7001")
    assert len(public_id("twitch", "7001")) == 8
    assert public_id("twitch", "7001") != public_id("kick", "7001")
    assert public_id("ab", "c") != public_id("a", "bc")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Rsut", ["Rust"]),
        ("RUTS", ["Rust"]),
        ("Counter", ["Counter-Strike 2"]),
        ("gloomtdie", ["Gloomtide"]),
        ("한국 게임즈", ["한국 게임"]),
        ("Zzyzx", []),
        ("", []),
    ],
)
def test_a_mistyped_name_is_near_to_the_one_that_was_meant(written: str, meant: list[str]) -> None:
    assert nearest(written, ["Rust", "Counter-Strike 2", "Gloomtide", "Tidewarden", "한국 게임", "!!!"]) == meant


def test_of_names_that_are_as_near_the_shortest_come_first() -> None:
    assert nearest("stream.offlin", ["stream.offline", "stream.online", "stream.*"]) == ["stream.offline"]
    assert nearest("abcd", ["abce", "abcdefgh", "abc"], 2) == ["abcdefgh", "abc"]
