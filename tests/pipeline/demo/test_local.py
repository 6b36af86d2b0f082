"""The demo's small servers."""

import socket
import struct
import threading
from urllib.parse import urlsplit

import pytest

from pipeline.demo.local import QuietHandler, serving
from tests.waiting import wait_for

ASKED, GONE = threading.Event(), threading.Event()


class Answers(QuietHandler):
    """Answers once the client is gone, or fails by a mistake of its own."""

    def do_GET(self) -> None:  # noqa: N802 - the base class's own name
        ASKED.set()
        if self.path == "/mistake":
            raise ValueError("a mistake")
        GONE.wait(60)
        self.answer(200, {}, bytes(10_000_000))


def ask(address: str, path: str) -> None:
    """Ask, and go away with a reset before anything is answered."""
    parts = urlsplit(address)
    ASKED.clear()
    GONE.clear()
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        assert ASKED.wait(60)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    GONE.set()
    wait_for(lambda: not any("process_request_thread" in thread.name for thread in threading.enumerate()))


def test_who_goes_away_amid_an_answer_prints_nothing_and_a_mistake_does(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(Answers) as address:
        ask(address, "/large")
        assert capfd.readouterr().err == ""
        ask(address, "/mistake")
    assert "ValueError: a mistake" in capfd.readouterr().err
