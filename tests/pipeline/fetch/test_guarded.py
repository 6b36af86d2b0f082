"""Addresses from outside: where they must not lead, and what must not come back."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from ipaddress import ip_address
from itertools import count

import httpx
import pytest

from models.internet import Address, is_global
from pipeline.fetch.addresses import PUBLIC, Rules, Unreachable, checked
from pipeline.fetch.guarded import fetch
from tests.pipeline.fetch.local_service import Answer, LocalService

ANYWHERE = Rules(allowed=lambda _: True, ports=None)


def refused(url: str, rules: Rules = PUBLIC, **options: object) -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        fetch(url, rules, **options)  # type: ignore[arg-type]
    return caught.value


def answering(*addresses: str) -> Callable[[str, int], list[str]]:
    return lambda _host, _port: list(addresses)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "151.101.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"],
)
def test_a_machine_of_the_public_internet_may_be_asked(address: str) -> None:
    assert is_global(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
        *("169.254.169.254", "224.0.0.251", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        # An IPv4 address within: mapped, compatible, NAT64, a network's own NAT64, 6to4, Teredo.
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
        *("64:ff9b:1::a00:1", "2002:7f00:1::1", "2002:a00:1::1", "2002:c0a8:101::1", "2001:0:808:808::f5ff:fffe"),
    ],
)
def test_a_machine_around_us_may_not_be_asked_however_its_address_is_written(address: str) -> None:
    assert not is_global(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/x.png", "http://localhost/x.png", "http://[::1]/x.png", "http://[::ffff:127.0.0.1]/x.png"),
        *("http://2130706433/x.png", "http://0x7f000001/x.png", "http://0177.0.0.1/x.png", "http://127.1/x.png"),
        *("http://0/x.png", "https://169.254.169.254/latest/meta-data/"),
        *("http://8.8.8.8:6379/", "ftp://8.8.8.8/x.png", "file:///etc/passwd", "http://user@8.8.8.8/", "http://", "x"),
    ],
)
def test_such_an_address_is_refused_before_anything_is_sent(url: str) -> None:
    assert refused(url).permanent


def test_a_name_of_which_one_address_is_inside_is_refused_as_a_whole() -> None:
    assert refused("http://pictures.example/x.png", resolve=answering("8.8.8.8", "10.0.0.1")).permanent


def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert not refused("http://pictures.example/x.png", resolve=unknown).permanent


def test_a_name_is_resolved_once_and_the_judged_address_is_asked(service: LocalService) -> None:
    service.answers("/x.png", b"picture")
    port = service.url.rpartition(":")[2]
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    judged: list[str] = []

    def note(address: Address) -> bool:
        judged.append(str(address))
        return True

    rules = Rules(allowed=note, ports=None)
    body = fetch(f"http://rebinding.example:{port}/x.png", rules, resolve=lambda *_: next(answers))

    assert (body, judged) == (b"picture", ["127.0.0.1"])
    assert next(answers) == ["127.0.0.2"]
    assert service.requests[0].headers["Host"] == f"rebinding.example:{port}"


def test_the_next_address_of_a_name_is_asked_where_one_does_not_answer(service: LocalService) -> None:
    service.answers("/x.png", b"picture")
    port = service.url.rpartition(":")[2]
    # The server listens on 127.0.0.1 only.
    resolve = answering("127.0.0.9", "127.0.0.1")
    assert fetch(f"http://two.example:{port}/x.png", ANYWHERE, resolve=resolve) == b"picture"


def test_a_redirect_is_judged_like_the_first_address(service: LocalService) -> None:
    """The name leads to us and is allowed the first time; the address that it redirects to is not."""
    service.answers("/x.png", Answer(status=302, headers={"Location": "http://127.0.0.1:1/secret"}))
    port = service.url.rpartition(":")[2]
    turns = count()
    rules = Rules(allowed=lambda _: next(turns) == 0, ports=None)

    error = refused(f"http://outside.example:{port}/x.png", rules, resolve=answering("127.0.0.1"))

    assert error.permanent
    assert "127.0.0.1 is no address of the public internet" in str(error)
    assert service.paths() == ["/x.png"]


def test_redirects_are_followed_for_a_while(service: LocalService) -> None:
    service.answers("/a", Answer(status=301, headers={"Location": "/b"}))
    service.answers("/b", Answer(status=307, headers={"Location": f"{service.url}/c"}))
    service.answers("/c", b"picture")
    service.answers("/round", Answer(status=302, headers={"Location": "/round"}))

    assert fetch(f"{service.url}/a", ANYWHERE) == b"picture"
    assert refused(f"{service.url}/round", ANYWHERE).permanent
    assert service.paths().count("/round") == 4


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1/", "//[::1", "//", "//xn--/", "//a:b/"])
def test_a_redirect_to_something_else_is_refused(service: LocalService, location: str) -> None:
    service.answers("/x.png", Answer(status=302, headers={"Location": location}))
    assert refused(f"{service.url}/x.png", ANYWHERE).permanent


def test_a_redirect_may_lead_from_http_to_https_and_not_back() -> None:
    plain, secure = httpx.URL("http://pictures.example/a"), httpx.URL("https://pictures.example/a")
    assert str(checked("//other.example/b", PUBLIC, led_by=secure)) == "https://other.example/b"
    assert str(checked("https://other.example/b", PUBLIC, led_by=plain)) == "https://other.example/b"
    with pytest.raises(Unreachable, match="from https to http"):
        checked("http://pictures.example/b", PUBLIC, led_by=secure)


def test_a_server_of_the_judged_address_is_asked_by_its_name_within_tls() -> None:
    """The server picks its certificate by that name, which the first message carries."""
    hello: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                hello.append(connection.recv(65536))

        thread = threading.Thread(target=answer)
        thread.start()
        port = server.getsockname()[1]
        error = refused(f"https://pictures.example:{port}/x.png", ANYWHERE, resolve=answering("127.0.0.1"))
        thread.join()
    assert not error.permanent
    assert b"pictures.example" in hello[0]


def test_more_than_was_allowed_is_not_read(service: LocalService) -> None:
    service.answers("/large", b"x" * 1001)
    service.answers("/endless", Answer(endless=True))
    assert len(fetch(f"{service.url}/large", ANYWHERE, max_bytes=1001)) == 1001
    assert refused(f"{service.url}/large", ANYWHERE, max_bytes=1000).permanent
    assert refused(f"{service.url}/endless", ANYWHERE).permanent


def test_an_answer_that_drips_is_cut_off_at_the_deadline(service: LocalService) -> None:
    service.answers("/slow", Answer(b"x" * 1000, drip=0.05))
    error = refused(f"{service.url}/slow", ANYWHERE, within=timedelta(seconds=0.4))
    assert not error.permanent
    assert str(error) == "127.0.0.1: no whole answer in time"


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server whose headers never end: each byte comes well within any timeout of one read."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not done.wait(0.02):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        done.set()
        thread.join()


def test_headers_that_drip_are_cut_off_at_the_deadline(dripping: str) -> None:
    assert not refused(dripping, ANYWHERE, within=timedelta(seconds=0.3)).permanent


@pytest.mark.parametrize(("status", "permanent"), [(404, True), (403, True), (429, False), (500, False), (204, True)])
def test_time_cures_what_is_the_servers_fault(service: LocalService, status: int, permanent: bool) -> None:
    service.answers("/x.png", Answer(status=status))
    assert refused(f"{service.url}/x.png", ANYWHERE).permanent is permanent


def test_an_answer_that_is_cut_off_is_none(service: LocalService) -> None:
    service.answers("/x.png", Answer(b"picture", cut_off=True))
    assert not refused(f"{service.url}/x.png", ANYWHERE).permanent
