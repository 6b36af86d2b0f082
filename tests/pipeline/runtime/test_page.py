"""No address is announced before its page answers."""

import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from pipeline.programs.ports import HOST, listen
from pipeline.runtime.foreground import Plan
from pipeline.runtime.page import Announcement, problem_of
from pipeline.runtime.supervisor import Program
from tests.bad_answers import Good, kinds
from tests.pipeline.cli.operator import environment
from tests.processes import free_port
from tests.raw_server import RawServer
from tests.waiting import wait_for

pytestmark = pytest.mark.long

OURS = b"<!DOCTYPE html>\n<!-- lootwire 0123456789abcdef -->\n"


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with listen(0, "a setting") as opened:
        yield opened


def answer(listening: socket.socket, status: str, body: bytes = b"") -> str | None:
    """Have the page asked for, and answer that."""
    port = listening.getsockname()[1]
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(problem_of, HOST, port)
        connection, _ = listening.accept()
        with connection:
            assert connection.recv(4096).startswith(b"GET / HTTP/1.1\r\n")
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        return asked.result()


def test_the_page_answers_only_where_it_is_ours(listening: socket.socket) -> None:
    assert answer(listening, "200 OK", OURS) is None
    assert answer(listening, "404 Not Found") == "no page has been written yet"
    assert answer(listening, "500 Internal Server Error") == "it answers 500"
    port = listening.getsockname()[1]
    assert answer(listening, "200 OK", b"hello") == f"another program answers on port {port}"


def test_a_port_that_nobody_listens_on_is_named() -> None:
    port = free_port()
    assert problem_of(HOST, port) == f"nothing answers on port {port}: Connection refused"


def test_a_server_that_says_nothing_is_given_up_soon(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    assert problem_of(HOST, port) == f"nothing answers on port {port}: timed out"


def test_a_server_that_drips_is_given_up_as_soon() -> None:
    with RawServer(lambda _: kinds()["headers drip"].pieces(Good())) as server:
        port = int(server.url.rpartition(":")[2])
        assert problem_of(HOST, port) == f"another program answers on port {port}"


def test_an_operator_hears_why_nothing_is_served_yet_and_less_and_less_often(
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = free_port()
    complaints: list[str] = []
    announcement = Announcement(HOST, port, "it runs", complaints.append, complain_after=0)
    announcement.look()
    assert complaints == [f"pages and feeds are not served yet: nothing answers on port {port}: Connection refused"]
    assert capsys.readouterr().out == ""
    patient = Announcement(HOST, port, "it runs", complaints.append)
    patient.look()
    assert len(complaints) == 1


@contextmanager
def _started(
    command: list[str], variables: dict[str, str], errors: IO[str], inherited: int
) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        command,
        env=environment() | variables,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        pass_fds=(inherited,),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the web program opens files by /dev/fd")
def test_up_announces_its_address_when_the_web_program_has_the_port_and_says_why_it_has_not(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_bytes(OURS)
    variables = {
        "LOOTWIRE_DATA_DIR": str(tmp_path / "data"),
        "LOOTWIRE_PUBLISH_DIR": str(tmp_path / "public"),
        "LOOTWIRE_HTTP_PORT": str(port),
        "LOOTWIRE_RECEIVER_PORT": "0",
    }
    plan = Plan(
        programs=[Program("web", [sys.executable, "-m", "pipeline.web"])],
        preload="tasks.preload",
        data_dir=tmp_path / "data",
        database_url="",
        is_embedded=False,
        listens=False,
        greeting="It runs.",
        page_host=HOST,
        page_port=port,
    )
    with tempfile.TemporaryFile() as file, (tmp_path / "errors").open("w+") as errors:
        file.write(plan.encode())
        file.seek(0)
        command = [sys.executable, "-m", "pipeline.runtime.foreground", str(file.fileno())]
        blocked = listen(port, "a test")
        with blocked, _started(command, variables, errors, file.fileno()) as process:
            wait_for(lambda: "web ended with code 1" in (tmp_path / "errors").read_text())
            blocked.close()
            assert process.stdout is not None
            assert process.stdout.readline() == "It runs.\n"
            assert problem_of(HOST, port) is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            assert process.stdout.read() == ""
    reason = (
        rf"lootwire: port {port} on {re.escape(HOST)} cannot be used \(Address already in use\); set LOOTWIRE_HTTP_PORT"
    )
    assert re.search(reason, (tmp_path / "errors").read_text())
