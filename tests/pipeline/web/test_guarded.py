"""A client that is slow, breaks off or sends nonsense takes nothing from the others, and leaves no traceback."""

import contextlib
import http.client
import logging
import os
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from pipeline.fetch.bodies import read_limited
from pipeline.web.application import READING_THREADS, Application
from pipeline.web.guarded import (
    MOST_CONNECTIONS,
    MOST_WAITING,
    most_connections,
    most_waiting,
)
from pipeline.web.static import Published
from tests.pipeline.web.serving import answering
from tests.waiting import wait_for

pytestmark = pytest.mark.long

BIG = 8 * 2**20
HEADERS_WITHIN, READ_WITHIN = 2.0, 2.0
BEGINNING = b"GET / HTTP/1.1\r\nHost: x\r\n"
FOR_BIG = b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /hook HTTP/1.1\r\nHost: x\r\n"


async def hook(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await read_limited(request, longest=100, within=1))))


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    public = tmp_path / "public"
    public.mkdir()
    (public / "index.html").write_bytes(b"the page")
    (public / "big.bin").write_bytes(bytes(BIG))

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Application]:
        parts = [Route("/hook", hook, methods=["POST"]), Mount("/", Published(public))]
        yield Application(parts, headers_within=HEADERS_WITHIN, read_within=READ_WITHIN)

    with answering(opened) as address:
        served = urlsplit(address).port
        assert served is not None
        yield served


@pytest.fixture
def connected(port: int) -> Iterator[Callable[[bytes], socket.socket]]:
    """Give a function that connects and sends; all connections are closed at the end."""
    with contextlib.ExitStack() as stack:

        def connect(raw: bytes) -> socket.socket:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            connection.sendall(raw)
            return connection

        yield connect


def page(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", "/")
        return connection.getresponse().read()


Connect = Callable[[bytes], socket.socket]


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has ended a connection; what it answered is read away."""
    try:
        connection.setblocking(False)
        while connection.recv(2**16):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


def test_many_openings_that_never_end_are_ended_and_keep_nobody_waiting(port: int, connected: Connect) -> None:
    beginnings = (b"", b"G", BEGINNING, BEGINNING + b"X: y\r\n")
    connections = [connected(beginnings[number % 4]) for number in range(500)]
    assert page(port) == b"the page"
    wait_for(lambda: all(is_closed(connection) for connection in connections))


def test_a_request_that_drips_is_ended_though_each_byte_is_in_time(connected: Connect) -> None:
    # The last two: after a request that was answered, and within a body that nobody reads.
    beginnings = (BEGINNING, BEGINNING + b"\r\n" + BEGINNING, BEGINNING + b"Content-Length: 1000000\r\n\r\n")
    dripping = [connected(beginning) for beginning in beginnings]
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.05):
            for connection in dripping:
                with contextlib.suppress(OSError):
                    connection.send(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        wait_for(lambda: all(is_closed(connection) for connection in dripping))
    finally:
        ended.set()
        thread.join()


def test_one_that_does_not_read_its_answer_is_cut_off_and_its_file_closed(port: int, connected: Connect) -> None:
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - as it is, without an object for each
    slow = [connected(FOR_BIG) for _ in range(20)]
    assert page(port) == b"the page"
    # Both ends of each connection are here: the server's goes, and the files with it.
    wait_for(lambda: len(os.listdir("/dev/fd")) <= before + len(slow) + 3)  # noqa: PTH208 - likewise


def test_one_that_reads_slowly_but_steadily_gets_all(connected: Connect) -> None:
    with connected(FOR_BIG.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as reading:
        size = 0
        while part := reading.recv(4096):
            size += len(part)
    assert size > BIG


def test_many_readers_share_few_threads(connected: Connect) -> None:
    before = threading.active_count()
    slow = [connected(FOR_BIG) for _ in range(60)]
    for connection in slow:
        assert connection.recv(1)
    assert threading.active_count() <= before + READING_THREADS


def test_where_many_ask_at_once_all_are_answered_and_nobody_is_cut_off(connected: Connect) -> None:
    if most_waiting() < MOST_WAITING:
        pytest.skip("this machine allows no process so many open files")
    # Each stays open after its answer, as browsers and monitors keep theirs.
    asking = [connected(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(1500)]
    for connection in asking:
        answer = b""
        while not answer.endswith(b"the page"):
            part = connection.recv(2**16)
            assert part, answer
            answer += part


def test_where_too_many_are_connected_the_oldest_that_asks_nothing_makes_room(port: int, connected: Connect) -> None:
    if most_connections() < MOST_CONNECTIONS:
        pytest.skip("this user may not open so many files")
    first = connected(BEGINNING)
    for _ in range(MOST_CONNECTIONS):
        connected(b"")
    wait_for(lambda: is_closed(first))
    assert page(port) == b"the page"


BROKEN = (
    b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /a%00b/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET ?x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /index.html HTTP/1.1\r\nHost: x\r\nRange: bytes=9-1,a\r\n\r\n",
    b"GET /index.html HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: Sun, 99 Foo 99999 99:99:99 GMT\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: [\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    b"\x16\x03\x01\x00\x00",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /big.bin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    FOR_BIG + b"nonsense\0\r\n\r\n",
    FOR_BIG,
    POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n",
    POST + b"Content-Length: 10\r\n\r\nabc",
)


def test_broken_requests_and_aborted_connections_print_no_traceback(
    port: int, connected: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for raw in BROKEN:
            for take in (0, 1, 100_000):
                abort(connected(raw), after=take)
        half_closed = [connected(raw) for raw in BROKEN]
        for connection in half_closed:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        wait_for(lambda: all(is_closed(connection) for connection in half_closed))
        assert page(port) == b"the page"
    errors = [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors] == []


def abort(connection: socket.socket, *, after: int) -> None:
    """End a connection with a reset, after some of its answer was read."""
    if after:
        with contextlib.suppress(ConnectionError):
            connection.recv(after)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
