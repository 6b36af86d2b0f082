"""Names that the API answers to, pages of other origins, clients behind proxies."""

import socket
from ipaddress import ip_network
from urllib.parse import urlsplit

import httpx
import pytest

from pipeline.web.api import asgi
from pipeline.web.api.outside import Hosts, client_of
from tests.pipeline.web.api.conftest import ClientFor, KeyFor, Serve

PROXIES = [ip_network("10.0.0.0/8"), ip_network("127.0.0.1")]
ORIGIN = "https://site.example.org"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8420", "127.0.0.1:1", "127.3.2.1", "[::1]:8420"])
@pytest.mark.parametrize("public", ["https://drops.example.org/feeds", "http://127.0.0.1:8420"])
def test_the_names_of_this_machine_are_answered(host: str, public: str) -> None:
    assert Hosts(public, ()).has(host)


def test_the_public_name_and_those_allowed_are_answered() -> None:
    hosts = Hosts("https://drops.example.org:444/feeds", ["drops.lan", "[2001:db8::1]"])

    assert all(map(hosts.has, ["drops.example.org", "DROPS.example.org.:444", "drops.lan:80", "[2001:db8::1]"]))
    assert not any(map(hosts.has, ["", "evil.example.org", "drops.example.org.evil.org", "2130706433", "[::2]"]))


def test_a_page_that_turned_its_name_to_this_machine_is_refused(owner: httpx.Client) -> None:
    answer = owner.get("/targets", headers={"Host": "evil.example.org"})

    assert answer.status_code == 421
    assert answer.json()["type"].endswith("/problems/wrong-host")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "203.0.113.5, 198.51.100.9, 10.1.1.1", "198.51.100.9"),
        ("127.0.0.1", "unknown", "unknown"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1", "10.0.0.1"),
    ],
)
def test_a_client_is_the_last_hop_that_is_no_proxy_of_ours(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded, PROXIES) == client
    assert client_of(peer, forwarded, []) == peer


def test_no_page_may_read_the_api_unless_its_origin_is_named(owner: httpx.Client) -> None:
    answer = owner.get("/targets", headers={"Origin": ORIGIN})
    preflight = owner.options("/targets", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "GET"})

    assert not [name for name in (*answer.headers, *preflight.headers) if name.startswith("access-control")]


def test_a_page_of_a_named_origin_may(serve: Serve, client_for: ClientFor, key_for: KeyFor) -> None:
    client = client_for(key_for(), serve(api_origins=(ORIGIN,)))

    answer = client.get("/targets", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]
    # What is wrong may be read too.
    assert client.get("/nothing", headers={"Origin": ORIGIN}).headers["access-control-allow-origin"] == ORIGIN

    other = client.get("/targets", headers={"Origin": "https://other.example.org"})
    assert "access-control-allow-origin" not in other.headers
    assert "Origin" in other.headers["vary"]


def test_a_browser_is_answered_what_a_page_may_send(serve: Serve, client_for: ClientFor) -> None:
    client = client_for(None, serve(api_origins=(ORIGIN,)))

    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    answer = client.options("/targets/mail/pause", headers=asked)

    assert (answer.status_code, answer.headers["allow"]) == (204, "OPTIONS, POST")
    assert answer.headers["access-control-allow-methods"] == "OPTIONS, POST"
    assert "Authorization" in answer.headers["access-control-allow-headers"]


def test_a_body_that_comes_too_slowly_is_given_up(
    owner: httpx.Client, monkeypatch: pytest.MonkeyPatch, key_for: KeyFor
) -> None:
    monkeypatch.setattr(asgi, "BODY_WITHIN", 0.2)
    parts = urlsplit(str(owner.base_url))
    head = (
        "POST /api/v1/targets/mail/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n"
        f"Authorization: Bearer {key_for()}\r\n\r\n{{"
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as connection:
        connection.sendall(head.encode())
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"/problems/slow" in answer
