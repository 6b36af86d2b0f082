"""Queries in APICalypse: whatever a title holds, it stays a title."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.demo.igdb.language import Condition, Query, Several, Text, parse, parse_multi
from pipeline.services.igdb.apicalypse import LONGEST_TEXT, any_of, at_least, both, equal, multiquery, query, quoted
from tests.igdb import LocalIgdb
from tests.igdb.games import game
from tests.plain_http import NO_CERTIFICATES

NASTY = st.text(st.one_of(st.sampled_from('";\\\n\r\t\0&|(){}[]*,=~!/ \u2028\x1b'), st.characters()), max_size=60)


def plain(title: str) -> str:
    """A title as a query holds it: printable, on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in title).split())


@given(NASTY)
def test_a_title_is_read_back_as_it_was_and_nothing_else_is_read(title: str) -> None:
    text = query(("name",), where=equal("name", title), limit=1)

    assert parse(text) == Query(fields=["name"], where=Condition("name", "=", Text(plain(title))), limit=1)
    assert "\n" not in text


@given(NASTY, NASTY, st.lists(st.one_of(NASTY, st.integers(-(2**63), 2**63)), min_size=1, max_size=5))
def test_no_value_breaks_out_of_a_multiquery(search: str, name: str, values: list[str | int]) -> None:
    games_query = query(("name",), where=both(any_of("uid", values), equal("name", name)))
    parsed = parse_multi(multiquery({name: ("games", games_query), "b": ("games", query(search=search))}))

    names = [(endpoint, title) for endpoint, title, _ in parsed]
    assert names == [("games", plain(name)), ("games", "b")][: len(parsed)]
    [first, *_] = [parsed_query for _, _, parsed_query in parsed]
    uids = tuple(Text(plain(value)) if isinstance(value, str) else value for value in values)
    assert first.where is not None
    assert first.where.parts[0] == Condition("uid", "=", Several("(", uids))  # type: ignore[union-attr]
    assert parsed[-1][2].search == plain(search)


def test_a_very_long_title_is_cut() -> None:
    assert len(quoted("x" * 10_000)) == LONGEST_TEXT + 2


def test_conditions_are_joined_as_they_are_meant() -> None:
    where = both(equal("a.b", None), equal("c", True), at_least("d", 0.5))

    assert query(where=where) == "where a.b = null & c = true & d >= 0.5;"


@pytest.mark.parametrize("value", ["1; limit 500", "1", True, float("nan"), float("inf"), None])
def test_only_numbers_pose_as_numbers(value: object) -> None:
    with pytest.raises(ValueError, match="is no number"):
        at_least("id", value)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["id; limit 1", "a b", "", 'x"', "a..b", "name\n"])
def test_only_names_of_fields_pose_as_fields(name: str) -> None:
    for write in (lambda: query((name,)), lambda: equal(name, 1), lambda: query(sort=name)):
        with pytest.raises(ValueError, match="no name of a field"):
            write()


def test_what_igdb_would_not_take_is_refused_before_it_is_sent() -> None:
    for wrong in (
        lambda: query(search="x", sort="id"),
        lambda: query(limit=501),
        lambda: any_of("id", []),
        lambda: multiquery({}),
        lambda: multiquery({str(nth): ("games", "") for nth in range(11)}),
        lambda: multiquery({"a": ("games { }", "")}),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            wrong()


def test_titles_that_look_like_queries_are_found_at_a_server() -> None:
    titles = ['"; limit 500; fields *;', "What's\\", 'The "Game" (2020); #1 & more', "a | b = *"]
    with (
        LocalIgdb([game(nth + 1, title) for nth, title in enumerate(titles)]) as igdb,
        httpx.Client(verify=NO_CERTIFICATES) as client,
    ):
        igdb.limits.per_second = None
        headers = {"Client-ID": igdb.client_id, "Authorization": "Bearer any"}
        for nth, title in enumerate(titles):
            body = query(("name",), where=equal("name", title)).encode()
            answer = client.post(f"{igdb.url}/games", content=body, headers=headers)
            assert answer.json() == [{"id": nth + 1, "name": title}]
