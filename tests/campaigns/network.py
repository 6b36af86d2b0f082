"""Hosts in network namespaces of their own, with a router between them and the servers that can fall silent.

Where this process may make namespaces (root on Linux, with `ip`), packets are dropped by the router and nobody hears of
it, as in a broken data centre. Elsewhere all is one host, and what stands between the programs and the servers is a
process that is stopped: connections are accepted by the kernel, and nothing comes of them.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url

from pipeline.embedded import Servers
from tests.paths import CHECKOUT
from tests.processes import free_port

POSTGRES, VALKEY = 5432, 6379


@dataclass(frozen=True)
class Host:
    """Where an installation runs: `within` is the command that runs another there."""

    within: Sequence[str]
    servers: Servers
    """As they are reached from there."""


class Network:
    """Hosts, the servers that they share, and what lies between."""

    def __init__(self, hosts: Sequence[Host], *, namespaces: str | None, forwarder: "subprocess.Popen[str]") -> None:
        """Take what `network` has made."""
        self.hosts = hosts
        self._router = namespaces
        self._forwarder = forwarder

    @property
    def kind(self) -> str:
        """How the hosts are told apart, in words."""
        return "network namespaces" if self._router else "one network, a process between the programs and the servers"

    @contextmanager
    def silent(self) -> Iterator[None]:
        """For the length of a `with` block nothing comes through to the servers or back, and nothing is refused."""
        self._forward(is_on=False)
        try:
            yield
        finally:
            self._forward(is_on=True)

    def hush(self, seconds: float) -> None:
        """Be silent for so many seconds."""
        with self.silent():
            time.sleep(seconds)

    def _forward(self, *, is_on: bool) -> None:
        if self._router is None:
            self._forwarder.send_signal(signal.SIGCONT if is_on else signal.SIGSTOP)
            return
        setting = f"echo {int(is_on)} > /proc/sys/net/ipv4/ip_forward"
        _run("ip", "netns", "exec", self._router, "sh", "-c", setting)


def can_separate() -> bool:
    """Whether this process may make network namespaces."""
    if os.geteuid() or shutil.which("ip") is None:
        return False
    name = f"lwtry{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if not made:
        return False
    works = subprocess.run(["ip", "netns", "exec", name, "true"], capture_output=True, check=False).returncode == 0
    _run("ip", "netns", "delete", name)
    return works


@contextmanager
def network(servers: Servers, urls: Sequence[str], *, hosts: int = 1) -> Iterator[Network]:
    """Hosts that reach servers by TCP, and whatever listens at these addresses of this machine's loopback."""
    with ExitStack() as stack:
        if can_separate():
            yield _separate(stack, servers, {urlsplit(url).port or 0 for url in urls}, hosts)
        else:
            yield _together(stack, servers, hosts)


def _together(stack: ExitStack, servers: Servers, hosts: int) -> Network:
    postgres, valkey = free_port(), free_port()
    forwarder = stack.enter_context(
        _forwarder([], f"127.0.0.1:{postgres}", _socket(servers), f"127.0.0.1:{valkey}", _valkey(servers))
    )
    reached = _by_tcp(servers, "127.0.0.1", postgres, valkey)
    return Network([Host([], reached)] * hosts, namespaces=None, forwarder=forwarder)


def _separate(stack: ExitStack, servers: Servers, ports: set[int], hosts: int) -> Network:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lwn-")))
    tag = f"lw{os.getpid() % 100_000}"
    router, far = f"{tag}r", f"{tag}s"
    names = [f"{tag}h{number}" for number in range(hosts)]
    for name in (router, far, *names):
        _run("ip", "netns", "add", name)
        stack.callback(_run, "ip", "netns", "delete", name)
        _run("ip", "-n", name, "link", "set", "lo", "up")
    for number, name in enumerate((far, *names)):
        _join(router, name, number)
    forwarder = stack.enter_context(
        _forwarder(_within(far), f"10.77.0.2:{POSTGRES}", _socket(servers), f"10.77.0.2:{VALKEY}", _valkey(servers))
    )
    # A Unix socket is seen in every namespace, and so brings the world of the campaign into each.
    bridges = {port: str(folder / str(port)) for port in ports}
    stack.enter_context(
        _forwarder([], *(place for port, path in bridges.items() for place in (path, f"127.0.0.1:{port}")))
    )
    for name in names:
        pairs = (place for port, path in bridges.items() for place in (f"127.0.0.1:{port}", path))
        stack.enter_context(_forwarder(_within(name), *pairs))
    reached = _by_tcp(servers, "10.77.0.2", POSTGRES, VALKEY)
    built = Network([Host(_within(name), reached) for name in names], namespaces=router, forwarder=forwarder)
    built._forward(is_on=True)
    return built


def _join(router: str, name: str, number: int) -> None:
    """Join a namespace to the router by a cable of their own, and have it send everything there."""
    ours, theirs = f"{name}-r", f"{name}-e"
    _run("ip", "link", "add", ours, "netns", router, "type", "veth", "peer", "name", theirs, "netns", name)
    for namespace, cable, last in ((router, ours, 1), (name, theirs, 2)):
        _run("ip", "-n", namespace, "address", "add", f"10.77.{number}.{last}/24", "dev", cable)
        _run("ip", "-n", namespace, "link", "set", cable, "up")
    _run("ip", "-n", name, "route", "add", "default", "via", f"10.77.{number}.1")


def _within(name: str) -> list[str]:
    return ["ip", "netns", "exec", name]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def _forwarder(within: Sequence[str], *places: str) -> "Iterator[subprocess.Popen[str]]":
    command = [*within, sys.executable, "-m", "tests.campaigns.forward", *places]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "listening\n", f"nothing listens: {places}"
            yield process
        finally:
            process.kill()


def _socket(servers: Servers) -> str:
    return f"{make_url(servers.database_url).query['host']}/.s.PGSQL.5432"


def _valkey(servers: Servers) -> str:
    return servers.redis_url.removeprefix("unix://").partition("?")[0]


def _by_tcp(servers: Servers, host: str, postgres: int, valkey: int) -> Servers:
    url = make_url(servers.database_url).set(host=host, port=postgres, query={}, drivername="postgresql")
    return Servers(url.render_as_string(hide_password=False), f"redis://{host}:{valkey}/0")
