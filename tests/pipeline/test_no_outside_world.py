"""The tests' own fence: nothing reaches another machine unseen."""

import socket
import threading

import pytest

from pipeline.errors import SourceUnavailable
from pipeline.fetch.http import Client
from tests.conftest import OutsideWorld
from tests.pipeline.fetch.local_service import LocalService

# Addresses that are reserved for documentation: nobody would answer anyway.
V4, V6 = "192.0.2.1", "2001:db8::1"


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, V4), (socket.AF_INET6, V6)])
def test_a_connection_to_another_machine_is_refused_and_remembered(
    outside_world: OutsideWorld, family: socket.AddressFamily, host: str
) -> None:
    with socket.socket(family) as opened, pytest.raises(OSError, match="must not leave this machine"):
        opened.connect((host, 9))

    assert outside_world.asked_for == [f"{host}:9"]
    outside_world.asked_for.clear()


def test_a_datagram_to_another_machine_is_refused_too(outside_world: OutsideWorld) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened, pytest.raises(OSError, match="must not leave"):
        opened.sendto(b"x", (V4, 9))

    assert outside_world.asked_for == [f"{V4}:9"]
    outside_world.asked_for.clear()


def test_a_try_from_a_library_in_another_thread_is_remembered_even_where_its_error_is_taken_well(
    outside_world: OutsideWorld,
) -> None:
    def ask() -> None:
        with Client(attempts=1) as client, pytest.raises(SourceUnavailable):
            client.get(f"http://{V4}/drops")

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()

    assert outside_world.asked_for == [f"{V4}:80"]
    outside_world.asked_for.clear()


def test_servers_on_this_machine_may_be_asked(service: LocalService, outside_world: OutsideWorld) -> None:
    service.answers("/list", b"[1]")
    with Client() as client:
        assert client.get(service.url.replace("127.0.0.1", "localhost") + "/list").body == b"[1]"

    assert outside_world.asked_for == []
