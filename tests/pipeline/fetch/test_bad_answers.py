"""Every kind of bad answer, as the HTTP client takes it: in time, and with an error that names the host."""

import gzip
import threading
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from pipeline.errors import SourceError, SourceUnavailable
from pipeline.fetch.addresses import Rules
from pipeline.fetch.http import Client
from tests.bad_answers import Bad, Good, Piece, kinds, whole
from tests.pipeline.fetch.local_service import Answer, LocalService
from tests.raw_server import Asked, RawServer

pytestmark = pytest.mark.long

KINDS = kinds()
SLOW = [name for name, bad in KINDS.items() if bad.slow]
ENCODINGS = {
    "a zstd bomb": "encoded as zstd, which was not asked for",
    "brotli": "encoded as br, which was not asked for",
    "compress": "encoded as compress, which was not asked for",
    "gzip in gzip": r"encoded 2 times \(gzip, gzip\), which was not asked for",
    "zstd in gzip": r"encoded 2 times \(zstd, gzip\), which was not asked for",
    "gzip in two headers": r"encoded 2 times \(gzip, gzip\), which was not asked for",
    "a gzip bomb": "larger than 33554432 bytes",
    "a deflate bomb": "larger than 33554432 bytes",
    "two million tiny items": "larger than 33554432 bytes",
    "millions of numbers in megabytes": "1,400,001 JSON values: more than 500,000",
    "half of a gzip": "its gzip is cut off",
}


def ask(bad: Bad, *, within: float, attempts: int = 1) -> bytes:
    """Ask a server that answers so; returns what the client takes for the answer."""
    with RawServer(lambda _: bad.pieces(Good())) as server:
        deadline = timedelta(seconds=within)
        with Client(deadline=deadline, attempts=attempts) as client:
            return client.get(server.url + "/list").body


@pytest.mark.parametrize("name", SLOW)
def test_a_request_is_over_at_its_deadline_whatever_the_service_sends_meanwhile(name: str) -> None:
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1: the answer took longer than 0\.3 s"):
        ask(KINDS[name], within=0.3)


@pytest.mark.parametrize("name", [name for name in KINDS if name not in SLOW])
def test_any_other_answer_is_read_or_refused_with_an_error_of_ours(name: str) -> None:
    problem = ""
    try:
        assert len(ask(KINDS[name], within=60)) <= 32 * 2**20
    except SourceError as error:
        problem = str(error)
    assert problem.startswith("127.0.0.1") or not problem
    assert len(problem) < 300


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_would_fill_the_memory_is_refused_with_its_name(name: str) -> None:
    with pytest.raises(SourceUnavailable, match=ENCODINGS[name]):
        ask(KINDS[name], within=60)


def test_a_bomb_is_not_asked_for_again_at_once() -> None:
    with RawServer(lambda _: KINDS["a zstd bomb"].pieces(Good())) as server, Client(attempts=3) as client:
        with pytest.raises(SourceUnavailable):
            client.get(server.url)
        assert server.connections == 1


def test_a_service_that_drips_is_not_given_its_time_three_times() -> None:
    with RawServer(lambda _: KINDS["headers drip"].pieces(Good())) as server:
        with Client(attempts=3, deadline=timedelta(seconds=0.2)) as client, pytest.raises(SourceUnavailable):
            client.get(server.url)
        assert server.connections == 1


def test_redirects_have_one_deadline_together() -> None:
    """Each of the first two answers takes most of it."""

    def slowly(asked: Asked) -> Iterator[Piece]:
        yield 0.35
        yield whole(Good(status=302 if asked.path != "/2" else 200), Location="/1" if asked.path == "/" else "/2")

    limited = Client(attempts=1, deadline=timedelta(seconds=0.6))
    late = pytest.raises(SourceUnavailable, match=r"took longer than 0\.6 s")
    with RawServer(slowly) as server, limited as client, late:
        client.get(server.url)


def test_a_connection_that_is_kept_has_the_deadline_of_each_request_anew() -> None:
    def answer(asked: Asked) -> Iterator[Piece]:
        yield 0.0
        yield from KINDS["the body drips"].pieces(Good()) if asked.path == "/slow" else iter([whole(Good())])

    with RawServer(answer) as server, Client(attempts=1, deadline=timedelta(seconds=1)) as client:
        for _ in range(3):
            client.get(server.url)
        with pytest.raises(SourceUnavailable, match="took longer"):
            client.get(server.url + "/slow")
        assert client.get(server.url).status == 200
        assert server.connections == 2


def test_a_name_that_nobody_resolves_in_time_is_told_as_a_service_that_is_slow() -> None:
    over = threading.Event()

    def never(_host: str, _port: int) -> list[str]:
        over.wait(60)
        return []

    late = pytest.raises(SourceUnavailable, match=r"slow\.example: the answer took longer than 0\.2 s")
    with Client(attempts=1, deadline=timedelta(seconds=0.2), resolve=never) as client, late:
        client.get("http://slow.example/list")
    over.set()


def led(service: RawServer, to: str, **options: Any) -> str:
    """Ask a host that leads to another one, both served here; returns the error that is made of it."""
    port = service.url.rpartition(":")[2]
    with (
        Client(attempts=1, resolve=lambda *_: ["127.0.0.1"], **options) as client,
        pytest.raises(SourceError) as caught,
    ):
        client.get(f"http://first.example:{port}/?to={to.format(port=port)}")
    return str(caught.value)


@pytest.fixture
def leading() -> Iterator[RawServer]:
    """Leads to where it is asked to; any other path is a 404."""

    def answer(asked: Asked) -> Iterator[Piece]:
        to = asked.path.partition("to=")[2]
        yield whole(Good(status=302 if to else 404), **({"Location": to} if to else {}))

    with RawServer(answer) as server:
        yield server


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:{port}/x", "http://localhost:{port}/x", "http://[::1]:{port}/", "http://first.example/"]
)
def test_a_redirect_leads_to_no_machine_around_us(leading: RawServer, to: str) -> None:
    host = "first.example" if "first" in to else to.partition("//")[2].rpartition(":")[0].strip("[]")
    error = led(leading, to)
    assert error.startswith("first.example leads to another host")
    assert f"{host} is no address of the public internet" in error
    assert leading.connections == 1


@pytest.mark.parametrize("to", ["file:///etc/passwd", "gopher://x/", "http://u:p@first.example/", "//a:b/", "//xn--/"])
def test_a_redirect_leads_to_nothing_but_an_address_of_the_web(leading: RawServer, to: str) -> None:
    assert led(leading, to).startswith("first.example leads to another address: not an")


def test_the_error_names_the_host_that_answered(leading: RawServer) -> None:
    anywhere = Rules(allowed=lambda _: True, ports=None)
    assert led(leading, "http://second.example:{port}/", rules=anywhere) == "second.example answered 404"


def test_an_address_that_the_operator_set_may_lead_on_within_its_host(service: LocalService) -> None:
    service.answers("/list", Answer(status=302, headers={"Location": f"{service.url}/new"}))
    service.answers("/new", b"[1]")
    with Client(attempts=1) as client:
        assert client.get(service.url + "/list").body == b"[1]"


def test_another_host_sees_no_token() -> None:
    seen: list[Asked] = []

    def answer(asked: Asked) -> Iterator[Piece]:
        seen.append(asked)
        to = f"http://second.example:{asked.headers['host'].rpartition(':')[2]}/"
        is_first = asked.headers["host"].startswith("first")
        yield whole(Good(status=302), Location=to) if is_first else whole(Good())

    anywhere = Rules(allowed=lambda _: True, ports=None)
    with RawServer(answer) as server, Client(resolve=lambda *_: ["127.0.0.1"], rules=anywhere) as client:
        url = server.url.replace("127.0.0.1", "first.example")
        headers = {"Authorization": "Bearer s3cret", "Client-Id": "us", "Referer": "https://example.org/"}
        client.ask("GET", url, headers=headers)

    first, second = (asked.headers for asked in seen)
    assert (first["authorization"], first["client-id"]) == ("Bearer s3cret", "us")
    assert second.keys() == {"host", "user-agent", "accept", "accept-encoding", "referer"}


def test_the_environment_may_name_a_proxy(monkeypatch: pytest.MonkeyPatch, leading: RawServer) -> None:
    """The proxy is asked for the whole address, and does not get to resolve what a redirect names."""
    monkeypatch.setenv("http_proxy", leading.url)
    with Client(attempts=1) as client:
        with pytest.raises(SourceError, match=r"first\.example answered 404"):
            client.get("http://first.example/list")
        with pytest.raises(SourceError, match=r"the proxy would resolve inside\.example"):
            client.get("http://first.example/?to=http://inside.example/")


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("identity", b"[1]"),
        ("gzip", gzip.compress(b"[1]", mtime=0)),
        ("X-GZip", gzip.compress(b"[1]", mtime=0)),
        ("gzip", gzip.compress(b"[1]", mtime=0) + b"and more"),
        ("deflate", zlib.compress(b"[1]")),
        ("deflate", zlib.compress(b"[1]")[2:-4]),
    ],
)
def test_an_encoding_that_was_asked_for_is_unpacked(encoding: str, packed: bytes) -> None:
    with RawServer(lambda _: iter([whole(Good(packed), Content_Encoding=encoding)])) as server, Client() as client:
        assert client.get(server.url).body == b"[1]"
