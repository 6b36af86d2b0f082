"""Netscape cookie files: cut down to a host's own, and refused without saying what is in them."""

import pytest

from models.errors import UsageError
from pipeline.sound.downloading.cookies import MOST_BYTES, cookies_for

HEAD = "# Netscape HTTP Cookie File\n"


def cookie(domain: str, name: str = "session", expires: str = "0") -> str:
    return f"{domain}\tTRUE\t/\tTRUE\t{expires}\t{name}\tSECRET"


def kept(content: str, host: str) -> list[str]:
    lines = cookies_for(content.encode(), host).decode().splitlines()
    assert lines[0] == HEAD.strip()
    return [line for line in lines[1:] if line]


def test_a_hosts_own_cookies_stay_and_those_of_the_domains_around_it() -> None:
    own = [cookie(".example.com"), cookie("www.example.com"), f"#HttpOnly_{cookie('.accounts.example.com')}"]
    others = [cookie(".example.org"), cookie("notexample.com"), cookie("com.evil")]

    assert kept("\n".join([HEAD, "# a remark", *own, *others]), "www.example.com:443") == own


def test_a_mark_of_utf_8_and_windows_line_ends_are_no_harm() -> None:
    assert kept(f"\ufeff{HEAD}\r\n{cookie('a.example')}\r\n", "a.example") == [cookie("a.example")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a.example\tTRUE\t/\tSECRET", "line 2 .* has 4 fields instead of 7"),
        (cookie("a.example", expires="1.8e308"), "line 2 .* time of expiry"),
    ],
)
def test_a_line_that_is_no_cookie_is_named_by_its_number_and_not_by_what_it_holds(line: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        cookies_for(f"{HEAD}{line}\n".encode(), "a.example")

    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (HEAD.encode(), "no cookie in this file is for a.example"),
        (cookie("b.example").encode(), "no cookie in this file is for a.example"),
        (b"x" * (MOST_BYTES + 1), "at most"),
    ],
)
def test_what_holds_no_cookie_for_the_host_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        cookies_for(content, "a.example")
