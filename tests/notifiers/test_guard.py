"""Nothing is sent to a private address unless its target allows it, whatever a name resolves to and what carries it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from notifiers import guard
from notifiers.apprise_urls import is_private, load
from notifiers.check import try_target
from notifiers.errors import DeliveryError
from notifiers.hearing import PATIENCE, Hearing, Patience, listening
from notifiers.render import plain_message
from notifiers.send import send
from notifiers.settings import change_settings
from pipeline.demo.sinks import MailSink, WebhookSink
from tests.notifiers.world import NOON, Notifying, hook_url, mail_url

MESSAGE = plain_message("a", "b")
QUICK = Patience(connect=2.0, other=5.0)
REFUSED = "its address leads to a private network"


@contextmanager
def server(kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[socket.socket]:
    """A socket of this machine to which anything could connect; it must stay without a visitor."""
    with socket.socket(socket.AF_INET, kind) as listening_socket:
        listening_socket.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            listening_socket.listen()
        listening_socket.setblocking(False)
        yield listening_socket


def assert_unvisited(listening_socket: socket.socket) -> None:
    with pytest.raises(BlockingIOError):
        listening_socket.recv(1) if listening_socket.type == socket.SOCK_DGRAM else listening_socket.accept()


def test_a_web_hook_of_this_machine_is_refused_and_the_error_names_the_way_out(hooks: WebhookSink) -> None:
    with pytest.raises(DeliveryError, match=REFUSED) as caught:
        send(hook_url(hooks), MESSAGE)
    assert "targets set NAME --private" in caught.value.reason
    with pytest.raises(DeliveryError, match="targets set 'my hook' --private"):
        send(hook_url(hooks), MESSAGE, target="my hook")
    # Once it is allowed, what waits is sent.
    assert not caught.value.permanent
    assert hooks.messages == []
    send(hook_url(hooks), MESSAGE, may_be_private=True)
    assert len(hooks.messages) == 1


def test_a_mail_server_of_this_machine_is_refused(mails: MailSink) -> None:
    with pytest.raises(DeliveryError, match=REFUSED):
        send(mail_url(mails), MESSAGE)
    assert mails.messages == []


@pytest.mark.parametrize("address", ["irc://127.0.0.1:{}/me", "aprs://AB1CDE:12345@AB1CDE?locale=EURO"])
def test_services_with_a_protocol_of_their_own_are_refused_too(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with server() as there:
        port = there.getsockname()[1]
        _resolve(monkeypatch, port, "127.0.0.1")
        with pytest.raises(DeliveryError, match=REFUSED):
            send(address.format(port), MESSAGE, QUICK)
        assert_unvisited(there)


# Apprise leaves its socket to the garbage collector where it cannot send.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_datagram_is_refused_too() -> None:
    with server(socket.SOCK_DGRAM) as there, pytest.raises(DeliveryError, match=REFUSED):
        send(f"rsyslog://127.0.0.1:{there.getsockname()[1]}/daemon", MESSAGE, QUICK)
    with server(socket.SOCK_DGRAM) as there:
        send(f"rsyslog://127.0.0.1:{there.getsockname()[1]}/daemon", MESSAGE, QUICK, may_be_private=True)
        assert b"b" in there.recv(1000)


def _resolve(monkeypatch: pytest.MonkeyPatch, port: int, *answers: str) -> list[str]:
    """Have the machine's resolver give these answers, the last of them again and again; returns the names asked for."""
    asked: list[str] = []
    left = list(answers)

    def resolved(host: Any, *_: Any, **__: Any) -> Any:
        asked.append(str(host))
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return asked


def test_a_name_that_resolves_to_another_address_a_moment_later_gains_nothing(
    hooks: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(hooks.url.rpartition(":")[2])
    asked = _resolve(monkeypatch, port, "127.0.0.1")
    with pytest.raises(DeliveryError, match=REFUSED):
        send(f"json://rebinding.example:{port}/hook", MESSAGE)
    assert "rebinding.example" in asked
    assert hooks.messages == []


def test_of_a_name_that_is_connected_to_itself_the_address_is_used_that_was_judged(
    hooks: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library may leave the resolving to `connect`: between our look and its own the answer may change."""
    load()
    port = int(hooks.url.rpartition(":")[2])
    asked = _resolve(monkeypatch, port, "127.0.0.1")
    with listening(PATIENCE) as hearing, socket.socket() as connection, pytest.raises(OSError, match="private"):
        connection.connect(("localhost", port))
    assert asked == ["localhost"]
    assert hearing.is_private


def test_a_thread_that_a_call_starts_is_held_to_the_same(hooks: WebhookSink) -> None:
    load()
    port = int(hooks.url.rpartition(":")[2])
    seen: list[str] = []

    def connect() -> None:
        with socket.socket() as connection:
            try:
                connection.connect(("127.0.0.1", port))
                seen.append("connected")
            except PermissionError:
                seen.append("refused")

    def within(*, may_be_private: bool) -> None:
        with listening(PATIENCE, may_be_private=may_be_private):
            thread = threading.Thread(target=connect)
            thread.start()
            thread.join()

    within(may_be_private=False)
    within(may_be_private=True)
    # Not of a message at all.
    connect()
    assert seen == ["refused", "connected", "connected"]


def test_the_operators_own_proxy_may_be_private_and_what_is_behind_it_may_not(
    hooks: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", hooks.url)
    monkeypatch.setenv("http_proxy", hooks.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    # The sink takes what it is asked to pass on: an address in figures of the documentation's own network.
    send("json://93.184.215.14/hook", MESSAGE)
    assert len(hooks.messages) == 1
    with pytest.raises(DeliveryError, match=REFUSED):
        send("json://10.0.0.1/hook", MESSAGE)
    assert len(hooks.messages) == 1


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_special_addresses_are_not_public(host: str) -> None:
    assert not guard.is_public(host)
    assert guard.is_private_by_name(host)


@pytest.mark.parametrize("host", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_the_internet_are_public(host: str) -> None:
    assert guard.is_public(host)


@pytest.mark.parametrize(
    ("url", "is_so"),
    [
        ("json://localhost/x", True),
        ("ntfy://nas.local/topic", True),
        ("jsons://192.168.1.5/x", True),
        ("mailto://127.0.0.1/?from=a@example.org&to=b@example.org", True),
        ("mailto://a:b@example.org?smtp=127.1&to=b@example.org", True),
        ("json://2130706433/x", True),
        ("json://0x7f000001/x", True),
        ("rsyslog://10.1/daemon", True),
        ("gotify://nas/abcdefghijklmno", True),
        ("json://nas.lan/x", True),
        ("json://134744072/x", False),
        ("ntfy://topic", False),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", False),
        ("ntfys://ntfy.sh/topic", False),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV", False),
        ("json://hook.example.org/x", False),
    ],
)
def test_an_address_that_is_private_as_it_is_written_is_known_without_asking_anybody(url: str, is_so: bool) -> None:
    assert is_private(url) is is_so


def test_a_name_behind_a_proxy_that_nobody_here_can_resolve_is_left_to_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    guard.refuse_private("hook.example.org", 443, Hearing())


def test_what_waits_for_a_refused_target_is_sent_once_its_network_is_allowed(
    world: Notifying, hooks: WebhookSink
) -> None:
    world.target("hook", hook_url(hooks))
    _allow(world, private=False)
    world.event("Rust 40")
    assert world.deliver().failed == 1
    (row,) = world.deliveries()
    assert REFUSED in row.last_error
    assert "targets set hook --private" in row.last_error
    assert hooks.messages == []
    with pytest.raises(DeliveryError, match="targets set hook --private"):
        try_target(world.engine, world.vault, "hook")
    _allow(world, private=True)
    try_target(world.engine, world.vault, "hook")
    world.later(minutes=1)
    assert world.deliver().sent == 1
    assert hooks.messages[-1].json["title"] == "Rust 40"


def _allow(world: Notifying, *, private: bool) -> None:
    with world.engine.begin() as connection:
        change_settings(connection, "hook", {"private": private}, NOON)
