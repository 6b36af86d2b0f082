"""One program serves both ports, and a failure on one does not stop the other."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from models.errors import LootwireError
from pipeline.embedded import Servers
from pipeline.programs.ports import HOST, listen
from pipeline.runtime.settings import Settings
from pipeline.web.__main__ import serve
from tests.plain_http import NO_CERTIFICATES
from tests.waiting import wait_for


def free_ports() -> tuple[int, int]:
    with socket.socket() as web, socket.socket() as receiver:
        for probe in (web, receiver):
            probe.bind((HOST, 0))
        return web.getsockname()[1], receiver.getsockname()[1]


@pytest.fixture
def settings(engine: Engine, servers: Servers, tmp_path: Path) -> Settings:
    web, receiver = free_ports()
    settings = Settings(
        data_dir=tmp_path / "data",
        http_port=web,
        receiver_port=receiver,
        database_url=SecretStr(engine.url.render_as_string(hide_password=False)),
        redis_url=SecretStr(servers.redis_url),
    )
    settings.published.mkdir(parents=True)
    (settings.published / "index.html").write_text("the page")
    return settings


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[None]:
    """Run the program in a thread, and yield once it serves the page."""
    ends = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        await serve(settings, ends)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        wait_for(lambda: answer(settings.http_port, "/") == (200, "the page"))
        yield
    finally:
        loops[0].call_soon_threadsafe(ends.set)
        thread.join()


def answer(port: int, path: str, method: str = "GET") -> tuple[int, str] | None:
    try:
        response = httpx.request(
            method, f"http://{HOST}:{port}{path}", trust_env=False, timeout=60, verify=NO_CERTIFICATES
        )
    except httpx.TransportError:
        return None
    return response.status_code, response.text


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def test_each_port_answers_what_is_its_own(settings: Settings) -> None:
    with running(settings):
        health = answer(settings.receiver_port, "/health")
        assert health is not None
        assert health[0] == 503
        assert '"database":"ok"' in health[1]
        assert answer(settings.receiver_port, "/") == (404, "Not Found")
        assert answer(settings.http_port, "/health") == (404, "Not Found")
        assert answer(settings.receiver_port, "/eventsub", "POST") == (404, "Not Found")
        assert answer(settings.receiver_port, "/igdb/games/update", "POST") == (404, "Not Found")
    assert not is_open(settings.http_port)
    assert not is_open(settings.receiver_port)


def test_port_0_of_the_receiver_leaves_it_off(settings: Settings) -> None:
    with running(settings.model_copy(update={"receiver_port": 0})):
        assert not is_open(settings.receiver_port)


def test_pages_are_served_while_the_receivers_port_is_taken_and_it_is_tried_again(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with listen(settings.receiver_port, "none") as taken, running(settings):
        wait_for(lambda: "LOOTWIRE_RECEIVER_PORT to another one; trying again" in caplog.text)
        assert answer(settings.http_port, "/") == (200, "the page")
        taken.close()
        wait_for(lambda: answer(settings.receiver_port, "/health") is not None)


def test_a_port_of_pages_that_is_taken_ends_the_program_with_the_setting_that_chooses_another(
    settings: Settings,
) -> None:
    with listen(settings.http_port, "none"), pytest.raises(LootwireError, match=r"cannot be used .*LOOTWIRE_HTTP_PORT"):
        asyncio.run(serve(settings, asyncio.Event()))


def test_pages_are_served_at_the_address_that_is_set(settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"http_host": "192.0.2.1"})
    with pytest.raises(LootwireError, match=r"LOOTWIRE_HTTP_HOST: 192\.0\.2\.1 is no address of this machine"):
        asyncio.run(serve(elsewhere, asyncio.Event()))


def test_pages_are_served_and_health_says_so_while_the_database_is_away(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": SecretStr("postgresql+psycopg://nobody@127.0.0.1:1/none")})
    with running(away):
        health = answer(settings.receiver_port, "/health")
        assert health is not None
        assert health[0] == 503
        assert "the database does not answer" in health[1]
        assert answer(settings.http_port, "/") == (200, "the page")


def test_webhooks_wait_for_a_database_that_is_away_and_pages_do_not(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    update = {
        "database_url": SecretStr("postgresql+psycopg://nobody@127.0.0.1:1/none"),
        "twitch_client_id": "an-id",
        "twitch_client_secret": SecretStr("a-secret"),
        "eventsub_callback_url": "https://us.example/eventsub",
    }
    with running(settings.model_copy(update=update)):
        wait_for(lambda: "webhooks and /health are not served: the database does not answer" in caplog.text)
        assert answer(settings.http_port, "/") == (200, "the page")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_ends_in_good_order_when_it_is_asked_to(settings: Settings, number: signal.Signals) -> None:
    assert settings.database_url is not None
    assert settings.redis_url is not None
    environment = {
        "PATH": os.environ["PATH"],
        "LOOTWIRE_DATA_DIR": str(settings.data_dir),
        "LOOTWIRE_HTTP_PORT": str(settings.http_port),
        "LOOTWIRE_RECEIVER_PORT": str(settings.receiver_port),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
    }
    command = [sys.executable, "-m", "pipeline.web"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: answer(settings.http_port, "/") == (200, "the page"), 60)
            process.send_signal(number)
            assert process.wait(60) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_the_program_is_small_until_somebody_calls() -> None:
    heavy = {
        "sqlalchemy",
        "psycopg",
        "redis",
        "celery",
        "httpx",
        "websockets",
        "cryptography",
        "pipeline.runtime.runtime",
    }
    code = f"import sys, pipeline.web.__main__; sys.exit(str({heavy} & set(sys.modules)))"
    completed = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert completed.stderr.strip() == "set()"
