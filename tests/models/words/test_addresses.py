"""Web addresses from outside, as pages and messages show them."""

import pytest

from models.words.addresses import message_address, page_address


@pytest.mark.parametrize(
    ("url", "on_pages", "in_messages"),
    [
        ("https://example.org/a?b=1&c=d#e", "https://example.org/a?b=1&c=d#e", "https://example.org/a?b=1&c=d#e"),
        (
            "https://medium.com/@ann(b)*[c]",
            "https://medium.com/@ann(b)*[c]",
            "https://medium.com/%40ann%28b%29%2A%5Bc%5D",
        ),
        ("HTTP://EXAMPLE.org", "HTTP://EXAMPLE.org", "http://EXAMPLE.org"),
        ("https://example.org/é", "https://example.org/%C3%A9", "https://example.org/é"),
        ("https://é.example/", None, "https://é.example/"),
        ('https://example.org/"x"', "https://example.org/%22x%22", None),
        ("https://example.org/" + "x" * 1000, "https://example.org/" + "x" * 1000, None),
    ],
)
def test_pages_and_messages_write_an_address_each_in_its_own_way(
    url: str, on_pages: str | None, in_messages: str | None
) -> None:
    assert (page_address(url), message_address(url)) == (on_pages, in_messages)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.org/",
        "//example.org/",
        "https://",
        "https:///path",
        "https://[bad/",
        "https://example.org/ b",
        "https://twitch.tv@evil.example/",
        "",
    ],
)
def test_what_is_no_web_address_or_leads_elsewhere_than_it_looks_is_none(url: str) -> None:
    assert page_address(url) is None
    assert message_address(url) is None
