"""`lootwire sources login twitch`, what it leaves behind, and the tick that looks after it."""

import contextlib
import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from models import Credential, Source
from pipeline import cli
from pipeline.drops import sources as drops
from pipeline.embedded import Servers
from pipeline.ingest.fetching import fetch_source
from pipeline.programs.sources import source
from pipeline.runtime.logs import configure_logging
from pipeline.runtime.runtime import open_runtime, utc_now
from pipeline.runtime.settings import Settings
from tasks import surroundings, ticks
from tests.pipeline.builders import campaign
from tests.pipeline.drops.sources.installation import die, now
from tests.twitch.dashboard import CLIENT_ID, HASHES, Dashboard


class Terminal:
    """Runs commands, and remembers everything that was ever printed or logged."""

    def __init__(self, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
        self.engine = engine
        self.seen = ""
        self._capsys = capsys

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command that must exit with this code; returns what it printed."""
        self._capsys.readouterr()
        exit_code = cli.run(list(arguments))
        captured = self._capsys.readouterr()
        self.seen += captured.out + captured.err
        assert exit_code == code, captured.err
        return captured.out if code == 0 else captured.err

    def tick(self) -> list[str]:
        """Run the tick that validates sign-ins; returns what it logged, at every level."""
        configure_logging("DEBUG")
        self._capsys.readouterr()
        ticks.validate_sign_ins()
        logged = self._capsys.readouterr().err
        self.seen += logged
        lines = [json.loads(line) for line in logged.splitlines()]
        return [f"{line['level']}: {line['message']}" for line in lines if line["logger"] == "tasks.ticks"]

    def hour_passes(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(Credential).values(validated_at=now() - timedelta(hours=1)))

    def sources(self) -> dict[str, str]:
        """The state of each source by its name."""
        rows = [json.loads(line) for line in self.run("sources", "--json").splitlines()]
        return {row["name"]: row["state"] for row in rows}


@pytest.fixture
def terminal(
    engine: Engine,
    servers: Servers,
    twitch: Dashboard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Terminal]:
    variables = {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "REDIS_URL": servers.redis_url,
        "LOOTWIRE_DATA_DIR": str(tmp_path / "data"),
        "LOOTWIRE_TWITCH_AUTH_URL": twitch.auth_url,
        "LOOTWIRE_GQL_URL": twitch.gql_url,
        "LOOTWIRE_TWITCH_DEVICE_CLIENT_ID": CLIENT_ID,
        "LOOTWIRE_TWITCH_DASHBOARD_HASHES": f"{'0' * 64}, {HASHES['ViewerDropsDashboard']}",
        "LOOTWIRE_TWITCH_DETAILS_HASHES": HASHES["DropCampaignDetails"],
        "LOOTWIRE_TWITCH_INVENTORY_HASHES": HASHES["Inventory"],
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield Terminal(engine, capsys)
    root.handlers[:] = handlers
    root.setLevel(level)
    if surroundings.runtime.cache_info().currsize:
        surroundings.runtime().engine.dispose()
        surroundings.runtime.cache_clear()


OPEN = {source.name for source in drops.sources(Settings(), None, None)}
ACCOUNTS = {"twitch.dashboard", "twitch.dashboard_rewards", "twitch.inventory"}


def test_signing_in_shows_code_and_address_and_names_the_user(terminal: Terminal, twitch: Dashboard) -> None:
    twitch.token_says = ["authorization_pending", "authorization_pending"]

    printed = terminal.run("sources", "login", "twitch")

    assert "WXYZQRST" in printed
    assert "https://www.twitch.tv/activate?device-code=WXYZQRST" in printed
    assert "Signed in to Twitch as lamplighter." in printed
    assert twitch.paths.count("/oauth2/token") == 3


def test_a_permission_is_asked_for_only_where_it_is_wanted(terminal: Terminal, twitch: Dashboard) -> None:
    terminal.run("sources", "login", "twitch")
    terminal.run("sources", "login", "twitch", "--follows")
    assert twitch.scopes == ["", "user:read:follows"]


def test_on_a_terminal_the_code_stands_out_and_a_spinner_waits(terminal: Terminal, twitch: Dashboard) -> None:
    twitch.token_says = ["authorization_pending"]
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "sources", "login", "twitch"]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm"}) as running:
        os.close(theirs)
        output = ""
        with os.fdopen(ours, "rb", buffering=0) as screen, contextlib.suppress(OSError):
            # A terminal whose last program has gone answers with an error, not with an end.
            while chunk := screen.read(4096):
                output += chunk.decode(errors="replace")

    assert running.returncode == 0
    assert "Sign in to Twitch" in output
    assert "https://www.twitch.tv/activate?device-code=WXYZQRST" in output
    assert "\x1b[1;7m  WXYZQRST  " in output
    assert "waiting until Twitch says that the code was entered" in output
    assert "Signed in to Twitch as lamplighter." in output
    assert not any(secret in output for secret in twitch.secrets())


def test_the_dashboards_sources_are_there_only_while_somebody_is_signed_in(
    terminal: Terminal, twitch: Dashboard
) -> None:
    assert terminal.sources().keys() == OPEN

    terminal.run("sources", "login", "twitch")
    assert {name: state for name, state in terminal.sources().items() if name in ACCOUNTS} == dict.fromkeys(
        ACCOUNTS, "new"
    )

    assert "Signed out of Twitch." in terminal.run("sources", "logout", "twitch")
    assert {name: state for name, state in terminal.sources().items() if name in ACCOUNTS} == dict.fromkeys(
        ACCOUNTS, "off"
    )
    assert "Nobody was signed in" in terminal.run("sources", "logout", "twitch")
    with terminal.engine.connect() as connection:
        assert connection.execute(select(Credential)).all() == []

    terminal.run("sources", "login", "twitch")
    assert terminal.sources()["twitch.dashboard"] == "new"


def test_a_source_of_an_account_is_made_due_like_any_other(terminal: Terminal, twitch: Dashboard) -> None:
    terminal.run("sources", "login", "twitch")
    with terminal.engine.begin() as connection:
        connection.execute(update(Source).values(next_due_at=now() + timedelta(hours=1)))

    terminal.run("sources", "--now", "twitch.dashboard")

    with terminal.engine.connect() as connection:
        due_at = connection.scalar(select(Source.next_due_at).where(Source.name == "twitch.dashboard"))
    assert due_at is not None
    assert due_at <= now()


def test_the_sources_of_the_account_are_asked_as_the_settings_say(terminal: Terminal, twitch: Dashboard) -> None:
    twitch.list_campaigns(campaign("a"))
    terminal.run("sources", "login", "twitch")
    runtime = open_runtime()

    fetched = fetch_source(runtime.engine, source(runtime, "twitch.dashboard"), utc_now)
    runtime.engine.dispose()

    assert fetched is not None
    assert (fetched.outcome, fetched.items) == ("ok", 1)
    assert [request[0].sha[0] for request in twitch.requests] == ["0", "d", "e"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [("invalid device code", "Twitch says 'invalid device code'"), ("access_denied", "Twitch says 'access_denied'")],
)
def test_a_sign_in_that_fails_says_why_and_keeps_nothing(
    terminal: Terminal, twitch: Dashboard, answer: str, message: str
) -> None:
    twitch.token_says = [answer]

    printed = terminal.run("sources", "login", "twitch", code=1)

    assert message in printed
    assert "start again: `lootwire sources login twitch`" in printed
    assert not ACCOUNTS & terminal.sources().keys()


def test_a_code_that_runs_out_says_so(terminal: Terminal, twitch: Dashboard) -> None:
    twitch.expires_in = 0

    assert "nobody entered the code in time" in terminal.run("sources", "login", "twitch", code=1)


def test_an_unknown_application_says_which_setting_is_wrong(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOTWIRE_TWITCH_DEVICE_CLIENT_ID", "unknownapplication")

    printed = terminal.run("sources", "login", "twitch", code=1)

    assert "invalid client" in printed
    assert "LOOTWIRE_TWITCH_DEVICE_CLIENT_ID" in printed


def test_a_twitch_that_is_not_there_says_so(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", "http://127.0.0.1:9/oauth2")

    assert "127.0.0.1: no connection" in terminal.run("sources", "login", "twitch", code=1)


@pytest.mark.parametrize("command", ["login", "logout"])
def test_there_is_no_sign_in_for_other_services(terminal: Terminal, command: str) -> None:
    printed = terminal.run("sources", command, "kick", code=2)

    known = "twitch, steam, retroachievements"
    assert printed == f"lootwire: there is no sign-in for 'kick'; there is one for: {known}\n"


def test_hashes_that_are_none_are_refused_with_their_setting(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOTWIRE_TWITCH_DETAILS_HASHES", "not-a-hash")

    assert "LOOTWIRE_TWITCH_DETAILS_HASHES" in terminal.run("sources", code=1)


def test_the_tick_looks_after_the_sign_in_once_an_hour(terminal: Terminal, twitch: Dashboard) -> None:
    assert terminal.tick() == []
    terminal.run("sources", "login", "twitch")
    twitch.paths.clear()
    assert terminal.tick() == []
    assert twitch.paths == []

    terminal.hour_passes()
    assert terminal.tick() == ["info: sign-in validated"]
    assert terminal.tick() == []
    assert twitch.paths == ["/oauth2/validate"]


def test_a_look_that_fails_is_logged_and_tried_at_the_next_tick(terminal: Terminal, twitch: Dashboard) -> None:
    terminal.run("sources", "login", "twitch")
    terminal.hour_passes()
    twitch.validate_status = 404
    assert terminal.tick() == ["warning: sign-in not validated: 127.0.0.1 answered 404"]
    twitch.validate_status = None
    assert terminal.tick() == ["info: sign-in validated"]


def test_no_command_and_no_log_line_tells_a_secret(terminal: Terminal, twitch: Dashboard) -> None:
    terminal.run("sources", "login", "twitch")
    terminal.hour_passes()
    terminal.tick()
    die(twitch)
    terminal.hour_passes()
    terminal.tick()
    terminal.run("sources")
    terminal.run("doctor", "--json")
    terminal.run("sources", "logout", "twitch")

    printed = terminal.seen.replace("activate?device-code=", "")
    assert "sign-in validated" in printed
    for secret in [*twitch.secrets(), "very-secret-access", "spendable-refresh", "device-code-"]:
        assert secret not in printed
