"""Web addresses from outside, as pages and messages show them."""

import pytest

from models.words.addresses import message_address, message_channel_address, page_address, page_channel_address


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


@pytest.mark.parametrize(
    ("service", "name", "url"),
    [
        ("twitch", "Some_Login", "https://www.twitch.tv/some_login"),
        ("kick", "some-slug", "https://kick.com/some-slug"),
        ("chzzk", "0123456789abcdef0123456789abcdef", "https://chzzk.naver.com/0123456789abcdef0123456789abcdef"),
        ("chzzk", "별곰국", None),
        ("twitch", "../logout", None),
        ("twitch", "별곰국", None),
        ("elsewhere", "login", None),
        (None, "login", None),
    ],
)
def test_a_channel_is_linked_where_its_name_is_one_that_its_service_gives_out(
    service: str | None, name: str, url: str | None
) -> None:
    assert page_channel_address(service, name) == url


@pytest.mark.parametrize(
    ("service", "login", "url"),
    [
        ("twitch", "Some_Login", "https://www.twitch.tv/some_login"),
        ("kick", "some-slug", "https://kick.com/some-slug"),
        ("chzzk", "0123456789abcdef0123456789abcdef", None),
        ("twitch", "../logout", None),
        ("elsewhere", "login", None),
        (None, "login", None),
    ],
)
def test_a_message_links_a_channel_whose_address_is_made_of_its_login(
    service: str | None, login: str, url: str | None
) -> None:
    assert message_channel_address(service, login) == url
