"""The guard of the child, in a process of its own: it cannot be taken back."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.paths import CHECKOUT
from tests.pipeline.sound.media_server import MediaServer

GUARDED = """
import socket, sys, urllib.request
import requests
from pipeline.sound.downloading.guard import Guard, InwardAddress
allowed, urls = [int(each) for each in sys.argv[1].split(",") if each], sys.argv[2:]
guard = Guard(allowed)
guard.install()
def by_requests(url):
    return requests.get(url, timeout=5).status_code
def by_urllib(url):
    return urllib.request.urlopen(url, timeout=5).status
def by_number(url):
    host, _, port = url.removeprefix("http://").partition("/")[0].rpartition(":")
    with socket.socket(socket.AF_INET6 if "[" in host else socket.AF_INET) as plain:
        plain.connect((host.strip("[]"), int(port)))
    return 200
for url in urls:
    for way in (by_requests, by_urllib, by_number):
        try:
            print(way(url))
        except Exception as error:
            print(type(error).__name__)
print(guard.refusals)
"""
PROGRAMS = """
import os, subprocess, sys
from pipeline.sound.downloading.guard import Guard
Guard((), ["/bin/true"]).install()
subprocess.run(["/bin/true"], check=True)
for act in (lambda: subprocess.run(["/bin/echo", "started"]), lambda: os.system("echo started"), os.fork):
    try:
        act()
    except PermissionError:
        print("refused")
"""


@pytest.fixture
def server() -> Iterator[MediaServer]:
    with MediaServer() as running:
        running.file("/x", b"x")
        yield running


def run(script: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=CHECKOUT, check=True, capture_output=True, text=True
    )
    return done.stdout.split()


def test_every_way_to_write_this_machines_address_is_refused_to_every_library(server: MediaServer) -> None:
    names = ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "0", "0.0.0.0", "[::ffff:127.0.0.1]"]

    said = run(GUARDED, "", *(f"http://{name}:{server.port}/x" for name in names))

    assert "200" not in said
    assert server.requests == []
    assert int(said[-1]) >= len(names)


def test_ipv6_and_the_networks_of_a_house_are_refused() -> None:
    with MediaServer("::1") as server:
        inside = ["10.0.0.1", "192.168.1.1", "169.254.169.254", "172.16.0.1", "100.64.0.1", "[fd00::1]", "[fe80::1]"]

        said = run(GUARDED, "", server.url("/x"), *(f"http://{host}:80/x" for host in inside))

        assert "200" not in said
        assert server.requests == []
        assert int(said[-1]) >= 1 + len(inside)


def test_a_port_that_a_test_names_is_reached_and_no_other(server: MediaServer) -> None:
    with MediaServer() as other:
        other.file("/x", b"x")

        said = run(GUARDED, str(server.port), server.url("/x"), other.url("/x"))

        assert said[:3] == ["200", "200", "200"]
        assert "200" not in said[3:-1]
        assert other.requests == []


def test_no_program_is_started_but_the_one_that_was_named() -> None:
    assert run(PROGRAMS) == ["refused"] * 3
