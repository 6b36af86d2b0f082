from html import escape
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.sanitise import foreign_html, html_line, one_line, safe_url, xml_text
from tests.examples import examples

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_whatever_comes_in_fits_into_xml(text: str) -> None:
    for clean in (xml_text(text), one_line(text)):
        ET.fromstring(f"<a>{escape(clean)}</a>")  # noqa: S314 - what is parsed is what is tried


@pytest.mark.parametrize("odd", ["\x00", "\x0b", "\x1f", "\x9b", "\ufffe", "\uffff", "\ud800"])
def test_characters_that_xml_forbids_or_nobody_needs_are_dropped(odd: str) -> None:
    assert xml_text(f"a{odd}b") == "ab"


def test_tabs_line_ends_and_every_script_stay() -> None:
    text = "a\tb\nc Ünïcödé 은하포차 🎮"
    assert xml_text(text) == text


def test_a_line_is_cut_with_an_ellipsis_at_its_limit() -> None:
    assert one_line("x" * 4000) == "x" * 299 + "…"
    assert one_line("x" * 300) == "x" * 300


def test_a_line_has_no_line_breaks_and_nothing_that_turns_its_direction() -> None:
    assert one_line("  two\r\n\tlines \u202egnirts ") == "two lines gnirts"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java\x00script:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//example.com/x",
        "/relative",
        "https://",
        "https://user@example.com/",
        "https://twitch.tv@example.com/",
        "https://[broken",
        "https://example.com/a b",
        "https://example.com/" + "x" * 3000,
        "",
        None,
    ],
)
def test_an_address_that_is_no_plain_web_address_is_dropped(url: str | None) -> None:
    assert safe_url(url) is None


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.com/a?b=1&c=2#d", "https://example.com/a?b=1&c=2#d"),
        ("http://127.0.0.1:8420/x.png", "http://127.0.0.1:8420/x.png"),
        ('https://example.com/"><script>', "https://example.com/%22%3E%3Cscript%3E"),
        ("https://example.com/은하", "https://example.com/%EC%9D%80%ED%95%98"),
        ("https://example.com/%20", "https://example.com/%20"),
    ],
)
def test_a_web_address_is_kept_in_ascii(url: str, kept: str) -> None:
    assert safe_url(url) == kept


def test_a_plain_description_keeps_its_lines_and_its_signs() -> None:
    assert foreign_html("I <3 drops & you\nsecond line") == "I &lt;3 drops &amp; you<br>second line"


def test_a_description_in_html_keeps_only_what_is_harmless() -> None:
    html = '<b onclick="x()">Hi</b><script>evil()</script><img src=x onerror=y><a href="javascript:z">go</a>'
    clean = foreign_html(html)
    assert "<b>Hi</b>" in clean
    for harm in ("script", "onclick", "onerror", "<img", "javascript"):
        assert harm not in clean


@settings(max_examples=examples(200), deadline=None)
@given(text=st.text(st.characters(exclude_categories=()), max_size=40), limit=st.integers(5, 20))
def test_a_line_is_the_same_be_it_fine_as_it_is_or_not(text: str, limit: int) -> None:
    # A character that no line may hold takes the long way.
    assert one_line(text, limit) == one_line(f"\x00{text}", limit)


def test_a_line_for_html_stays_legible_as_text() -> None:
    assert html_line("Rook & Rapier <b> &lt;") == "Rook & Rapier &lt;b> &amp;lt;"
