"""What clients get wrong is a problem that names it, never a failure."""

import gzip
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from pipeline.web.api.problems import InvalidRequest
from pipeline.web.api.wire import DEEPEST, read_json, read_query, read_segments
from tests.pipeline.web.api.conftest import ClientFor, KeyFor, Serve
from tests.pipeline.web.api.things import Things, things

__all__ = ["things"]
DEEP = '{"tags":' * 40 + "1" + "}" * 40


@pytest.fixture
def client(things: Things, serve: Serve, client_for: ClientFor, key_for: KeyFor) -> httpx.Client:
    return client_for(key_for(), serve(things.routes))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("", "/size"),
        ("{", ""),
        ("[]", ""),
        ("null", ""),
        ('"size"', ""),
        ('{"size": "1"}', "/size"),
        ('{"size": 1.5}', "/size"),
        ('{"size": true}', "/size"),
        ('{"size": 9223372036854775808}', "/size"),
        (f'{{"size": 1{"0" * 400}}}', "/size"),
        (f'{{"size": 1{"0" * 5000}}}', ""),
        ('{"size": NaN}', ""),
        ('{"size": 1e999}', "/size"),
        ('{"size": 1, "size": 2}', ""),
        ('{"size": 1, "sise": 2}', "/sise"),
        ('{"size": 1, "note": "a\\u0000b"}', "/note"),
        ('{"size": 1, "note": "\\ud800"}', "/note"),
        ('{"size": 1, "\\ud800": 1}', "/?"),
        ('{"size": 1, "tags": ["a", "\\u0000"]}', "/tags/1"),
        ('{"size": 1, "tags": ["a", 2]}', "/tags/1"),
        (DEEP, "/tags" * DEEPEST),
        ("[" * 100_000, ""),
        ("\ufeff{}", ""),
    ],
)
def test_each_wrong_body_is_named(client: httpx.Client, body: str, pointer: str) -> None:
    headers = {"Content-Type": "application/json", "If-Match": "*"}

    answer = client.patch("/things/chair", content=body.encode(), headers=headers)

    assert answer.status_code == 422, answer.text
    assert pointer in {each["pointer"] for each in answer.json()["errors"]}


@pytest.mark.parametrize("body", [b"\xff\xfe{\x00}\x00", b'{"note": "\xff"}', b"\x00"])
def test_a_body_that_is_no_utf8_is_named(client: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "If-Match": "*"}

    assert client.patch("/things/chair", content=body, headers=headers).status_code == 422


def test_a_body_of_another_kind_or_too_large_is_refused(client: httpx.Client) -> None:
    headers = {"If-Match": "*"}

    assert client.patch("/things/chair", content=b"size=1", headers=headers).status_code == 415
    large = client.patch("/things/chair", content=b" " * 1_100_000, headers=headers)
    assert (large.status_code, large.headers["connection"]) == (413, "close")
    assert client.post("/things/chair/grow", json={"size": 1}).status_code == 422


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/query/limit"),
        ("limit=99999999999999999999999", "/query/limit"),
        ("limit=nan", "/query/limit"),
        ("limit=1&limit=2", "/query/limit"),
        ("limt=1", "/query/limt"),
        ("a%00b=1", "/query/a?b"),
        ("cursor=%00", "/query/cursor"),
        ("cursor=%ff", "/query"),
        ("cursor=!", "/query/cursor"),
        ("cursor=WzFd", "/query/cursor"),
        ("%ED%A0%80=1", "/query"),
        ("&".join("a=1" for _ in range(300)), "/query"),
    ],
)
def test_each_wrong_query_is_named(client: httpx.Client, query: str, pointer: str) -> None:
    answer = client.get(f"/things?{query}")

    assert answer.status_code == 422, answer.text
    assert pointer in {each["pointer"] for each in answer.json()["errors"]}


@pytest.mark.parametrize("name", ["a/b", "ä ö", "100%", "a?b", "a#b", "a\nb", "\r", "%2F", "🙂", "a+b", "x" * 3000])
def test_a_thing_of_any_name_is_reached(client: httpx.Client, things: Things, name: str) -> None:
    things.put(name, 3)

    assert client.get(f"/things/{quote(name, safe='')}").json() == {"name": name, "size": 3}


@pytest.mark.parametrize("path", ["/things/%ff", "/things/%00", "/things/", "/things/a/b", "//things", "/things//"])
def test_a_path_that_names_nothing_is_not_found(client: httpx.Client, path: str) -> None:
    answer = client.get(str(client.base_url) + path.removeprefix("/"))

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["PUT", "POST", "TRACE", "PROPFIND"])
def test_a_method_that_a_path_does_not_have_is_named(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/things/chair")

    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD, OPTIONS, PATCH")


def test_options_needs_no_key(client_for: ClientFor) -> None:
    answer = client_for(None).options("/targets")

    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


def test_a_page_says_where_the_next_is(client: httpx.Client, things: Things) -> None:
    things.put("table", 2)

    first = client.get("/things", params={"limit": 1})
    assert first.links["next"]["url"].startswith("/api/v1/things?limit=1&cursor=")
    second = client.get(str(client.base_url.copy_with(path="/")).rstrip("/") + first.links["next"]["url"])

    assert [each["name"] for each in second.json()["items"]] == ["table"]
    assert "next" not in second.links


def test_a_large_answer_is_packed_for_those_who_take_it(client: httpx.Client, things: Things) -> None:
    for number in range(50):
        things.put(f"thing {number}", number)

    packed = client.get("/things", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/things", headers={"Accept-Encoding": "gzip;q=0"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert packed.headers["etag"] == plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) < len(gzip.compress(plain.content, 1)) * 1.2
    assert "content-encoding" not in client.get("/things/chair", headers={"Accept-Encoding": "gzip"}).headers


@pytest.mark.parametrize("value", [{}, [], {"a": [1, 2.5, None, True, "ä🙂"]}, {"": {"~/": 1}}, -(2**63)])
def test_what_is_json_is_read_as_it_is(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value


def test_names_in_pointers_are_escaped() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_json(b'{"a/b": {"~": "\\u0000"}}')

    assert [each.pointer for each in caught.value.fields] == ["/a~1b/~0"]


def test_paths_and_queries_are_read_part_by_part() -> None:
    assert read_segments(b"/a%2Fb/%C3%A4/") == ["a/b", "ä", ""]
    assert read_query(b"a=1&a=%2B+&b=&=c") == [("a", "1"), ("a", "+ "), ("b", ""), ("", "c")]
