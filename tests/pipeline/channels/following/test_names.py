"""What people call channels by, and the lists of them that they have."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import LootwireError
from pipeline.channels.following.lists import LARGEST_LIST, MOST_NAMES, read_list
from pipeline.channels.following.names import Name, parse_name


@pytest.mark.parametrize(
    "written",
    [
        "lanternwake",
        "LanternWake",
        "  @lanternwake ",
        "twitch.tv/lanternwake",
        "www.twitch.tv/LanternWake/",
        "https://www.twitch.tv/lanternwake",
        "https://www.twitch.tv/lanternwake/videos?filter=archives&sort=time",
        "http://m.twitch.tv/lanternwake#about",
        "https://go.twitch.tv/lanternwake/clips",
        "https://www.twitch.tv/popout/lanternwake/chat?popout=",
        "https://www.twitch.tv/moderator/lanternwake",
        "https://dashboard.twitch.tv/u/lanternwake/stream-manager",
        "https://player.twitch.tv/?muted=true&channel=lanternwake&parent=example.com",
        "HTTPS://WWW.TWITCH.TV/LANTERNWAKE",
    ],
)
def test_a_login_is_found_in_all_its_usual_forms(written: str) -> None:
    assert parse_name(written) == Name(written.strip(), login="lanternwake")


def test_digits_may_be_an_id_or_a_login_and_in_an_address_they_are_a_login() -> None:
    assert parse_name("37402112") == Name("37402112", login="37402112", external_id="37402112")
    assert parse_name("twitch.tv/37402112") == Name("twitch.tv/37402112", login="37402112")
    assert parse_name("@123") == Name("@123", login="123")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "two words",
        "a-b",
        "x" * 26,
        "등대지기",
        "https://www.twitch.tv/",
        "https://www.twitch.tv/videos/2012345678",
        "https://www.twitch.tv/directory/category/rust",
        "https://clips.twitch.tv/SomeClipName",
        "https://player.twitch.tv/?video=123",
        "https://kick.com/lanternwake",
        "https://nottwitch.tv.example/lanternwake",
        "twitch.tv/../settings",
    ],
)
def test_what_can_be_no_channel_says_why(written: str) -> None:
    name = parse_name(written)
    assert name.login is name.external_id is None
    assert name.problem


@given(st.text(max_size=80) | st.text(max_size=40).map(lambda path: f"https://www.twitch.tv/{path}"))
def test_whatever_is_written_is_a_login_an_id_or_a_problem(written: str) -> None:
    name = parse_name(written)
    assert (name.problem is None) == bool(name.login or name.external_id)


@pytest.mark.parametrize(
    ("text", "taken_as"),
    [
        ("# my list\nada_\n\n  https://twitch.tv/grace\r\n77\nada_\n", "text"),
        ("\ufeffada_\ngrace\n77", "text"),
        ("login\nada_\ngrace\n77\n", "CSV (login)"),
        ("ada_,first\ngrace,second\n77,third\n", "CSV (first column)"),
        ("followed at;Broadcaster Login\n2026;ada_\n2025;grace\n2024;77\n", "CSV (broadcaster_login)"),
        ('name\turl\n"Ada"\ttwitch.tv/ada_\nG\ttwitch.tv/grace\n7\ttwitch.tv/77', "CSV (url)"),
        (json.dumps(["ada_", "https://twitch.tv/grace", 77]), "JSON"),
        (json.dumps([{"login": "ada_"}, {"user_name": "grace"}, {"url": "https://twitch.tv/77"}]), "JSON"),
        (json.dumps({"login": "me", "id": "1", "follows": ["ada_", "grace", "77"]}), "JSON"),
        (json.dumps({"_total": 3, "follows": [{"channel": {"name": name}} for name in ("ada_", "grace", 77)]}), "JSON"),
    ],
)
def test_lists_are_read_in_the_forms_that_people_have(text: str, taken_as: str) -> None:
    listed = read_list(text.encode())
    assert [name.login for name in listed.names] == ["ada_", "grace", "77"]
    assert listed.taken_as == taken_as


def test_an_id_counts_more_than_a_login_for_it_stays_when_a_channel_is_renamed() -> None:
    helix = {"total": 2, "data": [{"broadcaster_id": "11", "broadcaster_login": "ada_", "followed_at": "2026"}]}
    kraken = {"follows": [{"created_at": "2015", "channel": {"_id": 12, "name": "grace", "tags": ["a", "b"]}}]}
    for document, expected in ((helix, "11"), (kraken, "12")):
        assert [name.external_id for name in read_list(json.dumps(document).encode()).names] == [expected]
    assert read_list(b"id,login\n13,ada_\n").names == (Name("13", external_id="13"),)
    assert read_list(b'[{"id": "no-number", "login": "ada_"}]').names == (Name("ada_", login="ada_"),)


def test_digits_under_a_login_are_a_login() -> None:
    assert read_list(b"login\n123\n").names == (Name("123", login="123"),)
    assert read_list(b'[{"login": "123"}]').names == (Name("123", login="123"),)


def test_lines_that_are_no_channel_stay_in_the_list_to_be_told() -> None:
    names = read_list(b"ada_\nno channel\n").names
    assert [name.problem is None for name in names] == [True, False]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"", "names no channels"),
        (b"# nothing\n\n", "names no channels"),
        (b"[]", "names no channels"),
        (b"[{]", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"[" * 50 + b'"ada_"' + b"]" * 50, "nested too deeply"),
        (b"\n".join(b"name%d" % number for number in range(MOST_NAMES + 1)), "at most"),
        (b"a" * (LARGEST_LIST + 1), "at most"),
    ],
)
def test_what_is_no_list_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(LootwireError, match=reason):
        read_list(data)
