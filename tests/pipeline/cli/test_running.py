"""`up` and `once` as real processes, on the tests' servers."""

import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.demo.services import DemoServices
from pipeline.drops import sources as drop_sources
from pipeline.programs.waiting import OF_ACCOUNT, OF_APPLICATION
from pipeline.runtime.settings import Settings
from tests.pipeline.builders import campaign, drops
from tests.pipeline.cli.operator import Operator
from tests.processes import descendants, free_port, living
from tests.waiting import wait_for

# The sources that a new installation asks: one for which the demo has no service fails.
WITHOUT_ACCOUNT = sorted(source.name for source in drop_sources.sources(Settings(), None, None))

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc"),
]


@pytest.fixture(autouse=True)
def services(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServices]:
    with DemoServices(datetime.now(UTC)) as running:
        for name, address in running.addresses.items():
            monkeypatch.setenv(name, address)
        monkeypatch.setenv("LOOTWIRE_CHZZK_FIRST_NUMBER", "1204")
        yield running


@pytest.fixture(autouse=True)
def port(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> int:
    free = free_port()
    monkeypatch.setenv("LOOTWIRE_HTTP_PORT", str(free))
    monkeypatch.setenv("LOOTWIRE_RECEIVER_PORT", str(free_port()))
    return free


@contextmanager
def up(operator: Operator) -> Iterator["subprocess.Popen[str]"]:
    """Start `lootwire up`, wait until it says that its page answers, and kill it at the end if it still runs."""
    errors = operator.folder / "up.errors"
    with errors.open("w") as log, operator.start("up", stderr=log) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Lootwire runs. Pages and feeds: http://127.0.0.1:")
            yield process
        finally:
            process.kill()


def test_up_runs_once_for_a_data_directory_and_ends_with_ctrl_c(
    operator: Operator, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with up(operator) as process:
        for command in ("up", "once"):
            result = operator.run(command)
            assert result.code == 1
            assert f"already runs in {operator.folder}/data (process {process.pid})" in result.errors
        for name in ("", "all.rss.xml", "all.atom.xml", "feeds.opml"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}") as answer:
                assert answer.status == 200
        monkeypatch.setenv("LOOTWIRE_DATA_DIR", str(operator.folder / "another"))
        result = operator.run("up")
        assert result.code == 1
        assert f"port {port} on 127.0.0.1 cannot be used" in result.errors
        started = set(descendants(process.pid))
        assert len(started) >= 4
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        wait_for(lambda: not living(started))
        assert process.stdout is not None
        # What an installation that has seen nothing waits for, and nothing else.
        assert process.stdout.read().splitlines() == [
            "Nothing has been seen yet; `lootwire status` says how it goes on.",
            f"not read yet: {', '.join(WITHOUT_ACCOUNT)}",
            f"off for want of TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET: {', '.join(OF_APPLICATION)}",
            f"off for want of a sign-in (lootwire sources login twitch): {', '.join(OF_ACCOUNT)}",
            "off for want of a sign-in (lootwire sources login steam): steam.library",
            "off for want of a sign-in (lootwire sources login retroachievements): retroachievements.library",
        ]
    errors = (operator.folder / "up.errors").read_text()
    assert "lootwire: stopping" in errors
    for noise in ("Traceback", "shutdown", "received", "succeeded", "Warning"):
        assert noise not in errors


def test_once_does_a_whole_cycle_and_exits_with_3_while_a_service_is_away(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOTWIRE_KICK_URL", "http://127.0.0.1:1")
    inbox = operator.folder / "data/inbox"
    inbox.mkdir(parents=True)
    (inbox / "2025-03-04T120000Z.json").write_bytes(drops(campaign("of old")))
    (inbox / "a link").symlink_to("/etc/hostname")
    (inbox / "unfinished.part").write_bytes(b"[")
    with operator.start("once") as process:
        out, errors = process.communicate(timeout=90)
    assert process.returncode == 3
    summary, imported, hint = out.splitlines()
    states = {row["name"]: row["state"] for row in operator.run("sources", "--json").lines}
    well = [name for name in WITHOUT_ACCOUNT if states[name] == "ok"]
    assert states["kick.drops"] == "source.failing"
    assert {"twitch.drops", "twitch.rewards", "chzzk.drops"} <= set(well)
    assert f"events; {len(well)} of {len(WITHOUT_ACCOUNT)} sources well; feeds in " in summary
    assert imported == f"inbox: 1 imported, 1 set aside in {operator.folder}/data"
    assert [path.name for path in inbox.iterdir()] == ["unfinished.part"]
    assert hint == "`lootwire sources` says what is failing and when it is tried again."
    # One warning for each trouble, in the form that a log collector reads; successes are not logged.
    assert errors.count("\n") == 1 + len(WITHOUT_ACCOUNT) - len(well)
    assert "inbox imported" in errors
    assert "not fetched: 127.0.0.1: no connection" in errors
    assert (operator.folder / "data/public/services/twitch.rss.xml").exists()


@pytest.mark.parametrize("arguments", [["events", "--json"], ["status"], ["--help"]])
def test_a_reader_who_has_seen_enough_is_no_trouble(operator: Operator, now: datetime, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with operator.start(*arguments, stdout=writing) as process:
        os.close(writing)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors == ""
