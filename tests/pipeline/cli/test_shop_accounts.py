"""`sources login` and `logout` for services that a key of one's own opens: Steam and RetroAchievements."""

import fcntl
import io
import os
import pty
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select as select_ready
from typing import Any

import pytest
from sqlalchemy import select

from models import LibraryAccount, Source
from models.vault import Vault
from pipeline.ingest.fetching import fetch_source
from pipeline.programs.sources import source
from pipeline.runtime.runtime import open_runtime, utc_now
from tests.pipeline.cli.operator import COMMAND, Operator, Result
from tests.shops import LocalShops
from tests.shops.retroachievements import KEY as RETRO_KEY
from tests.shops.steam import KEY

STEAM_ID = "76561190000000001"


class OnTerminal:
    """A command on a terminal of its own, whose screen is read and at which somebody types."""

    def __init__(self, screen: int) -> None:
        self.screen = ""
        self.code: int | None = None
        self._descriptor = screen

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + 30
        while text not in self.screen:
            ready, *_ = select_ready([self._descriptor], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"no {text!r} within half a minute: {self.screen}"
            self.screen += os.read(self._descriptor, 4096).decode(errors="replace")

    def answer(self, question: str, typed: str) -> None:
        self.wait_for(question)
        os.write(self._descriptor, typed.encode() + b"\n")


@contextmanager
def on_a_terminal(*arguments: str) -> Iterator[OnTerminal]:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=os.environ | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        # Its session has this terminal, so that nobody's real one is asked.
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - it calls nothing else
    ) as running:
        os.close(theirs)
        terminal = OnTerminal(ours)
        try:
            yield terminal
            terminal.code = running.wait(30)
        finally:
            running.kill()
    os.close(ours)


class SigningIn:
    """An operator with a shop on this machine, who types or gives what commands ask for."""

    def __init__(self, operator: Operator, shops: LocalShops, monkeypatch: pytest.MonkeyPatch) -> None:
        self.operator = operator
        self.shops = shops
        self.seen = ""
        self._monkeypatch = monkeypatch

    def login(self, *arguments: str, given: str = f"{KEY}\nlamp\n") -> Result:
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        result = self.operator.run("sources", "login", *arguments)
        self.seen += result.out + result.errors
        return result

    def accounts(self) -> list[Any]:
        with self.operator.engine.connect() as connection:
            return list(connection.execute(select(*LibraryAccount.__table__.c).order_by(LibraryAccount.id)))

    def enabled(self) -> dict[str, bool]:
        with self.operator.engine.connect() as connection:
            its = Source.name.like("%.library")
            return dict(connection.execute(select(Source.name, Source.enabled).where(its)).all())


@pytest.fixture
def signing_in(operator: Operator, shops: LocalShops, monkeypatch: pytest.MonkeyPatch) -> Iterator[SigningIn]:
    monkeypatch.setenv("LOOTWIRE_STEAM_URL", shops.steam_url)
    monkeypatch.setenv("LOOTWIRE_RETROACHIEVEMENTS_URL", shops.retroachievements_url)
    signing_in = SigningIn(operator, shops, monkeypatch)
    yield signing_in
    assert KEY not in signing_in.seen
    assert RETRO_KEY not in signing_in.seen


def test_a_script_gives_key_and_account_and_the_library_is_fetched_from_then_on(signing_in: SigningIn) -> None:
    signing_in.shops.add_user().own(10, "Glowmoor")

    result = signing_in.login("steam")

    assert result.out == "Signed in to Steam as Lamplighter, with 1 game. Fetched from now on: steam.library.\n"
    (account,) = signing_in.accounts()
    assert (account.service, account.external_id, account.name) == ("steam", STEAM_ID, "Lamplighter")
    vault = Vault.open(signing_in.operator.folder / "data/secret.key")
    assert (vault.decrypt(account.key_encrypted), KEY.encode() in account.key_encrypted) == (KEY, False)
    assert signing_in.enabled() == {"steam.library": True}


def test_the_account_may_be_named_and_the_key_come_from_a_file(signing_in: SigningIn) -> None:
    signing_in.shops.add_user()
    Path("steam.key").write_text(KEY + "\n")
    address = f"https://steamcommunity.com/profiles/{STEAM_ID}"

    assert signing_in.login("steam", "--account", address, "--key-file", "steam.key", given="").code == 0
    assert signing_in.login("steam", "--account", "lamp", "--key-file", "-", given=KEY).code == 0
    assert [row.external_id for row in signing_in.accounts()] == [STEAM_ID]
    missing = signing_in.login("steam", "--account", "lamp", "--key-file", "no.key", given="")
    assert (missing.code, "no.key cannot be read" in missing.errors) == (2, True)


def test_a_player_of_retroachievements_signs_in_likewise(signing_in: SigningIn) -> None:
    signing_in.shops.add_player().earn(1, "Wick Quest", "Lamp Boy", utc_now())
    result = signing_in.login("retroachievements", given=f"{RETRO_KEY}\nwicktrimmer\n")
    assert "Signed in to RetroAchievements as Wicktrimmer, with 1 game." in result.out
    assert [row.external_id for row in signing_in.accounts()] == ["01HZZZZZZZZZZZZZZZZZZZZZZ1"]


@pytest.mark.parametrize(
    ("trouble", "code", "sentence"),
    [
        ("key", 1, "Steam refuses the key (401): https://steamcommunity.com/dev/apikey shows the one that is valid"),
        ("private", 1, "keeps its games private, and nothing of its library was changed"),
        ("unknown", 2, "Steam knows no account 'lamp': give the address of its profile"),
        ("away", 1, "Steam is away, and nothing was stored (Steam asks us to wait (429)): try again in a few minutes"),
        ("changed", 1, "answers in a way that this version does not know, and nothing was stored"),
    ],
)
def test_each_thing_that_goes_wrong_has_its_own_sentence_and_stores_nothing(
    signing_in: SigningIn, trouble: str, code: int, sentence: str
) -> None:
    if trouble != "unknown":
        signing_in.shops.add_user().is_private = trouble == "private"
    if trouble == "key":
        signing_in.shops.keys.clear()
    if trouble in {"away", "changed"}:
        signing_in.shops.fail(429 if trouble == "away" else 200, "[]", Retry_After="60")

    result = signing_in.login("steam")

    assert (result.code, sentence in result.errors) == (code, True)
    assert (signing_in.accounts(), signing_in.enabled()) == ([], {})


@pytest.mark.parametrize(
    ("arguments", "given", "sentence"),
    [
        (("steam",), "1234\nlamp\n", "a key of Steam's Web API is 32 digits and letters"),
        (("steam",), f"{KEY}\n", "which account at Steam? --account names it"),
        (("steam",), f"{KEY}\ntwo words\n", "'two words' is no Steam account"),
        (("steam", "--follows"), "", "--follows is for twitch"),
        (("twitch", "--account", "x"), "", "--account, --key-file and --person are for steam and retroachievements"),
        (("retroachievements",), "ö\n", "a key of RetroAchievements is letters and digits"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    signing_in: SigningIn, arguments: tuple[str, ...], given: str, sentence: str
) -> None:
    result = signing_in.login(*arguments, given=given)
    assert (result.code, sentence in result.errors) == (2, True)
    assert signing_in.shops.requests == []


def test_signing_in_again_takes_the_new_key_and_ends_the_trouble(signing_in: SigningIn) -> None:
    signing_in.shops.add_user().own(10, "Glowmoor")
    signing_in.login("steam")
    new = KEY[::-1]
    signing_in.shops.keys = {new}
    runtime = open_runtime()
    fetched = fetch_source(runtime.engine, source(runtime, "steam.library"), utc_now)
    assert fetched is not None
    assert fetched.outcome == "failed"
    assert signing_in.accounts()[0].problem is not None

    signing_in.login("steam", given=f"{new}\nlamp\n")
    assert [row.problem for row in signing_in.accounts()] == [None]
    fetched = fetch_source(runtime.engine, source(runtime, "steam.library"), utc_now)
    runtime.engine.dispose()
    assert fetched is not None
    assert (fetched.outcome, fetched.items) == ("ok", 1)


def test_signing_out_forgets_the_keys_and_turns_the_source_off(signing_in: SigningIn) -> None:
    run = signing_in.operator.run
    signing_in.shops.add_user()
    signing_in.shops.add_user("76561190000000002", "Second", "second")
    signing_in.login("steam")
    signing_in.login("steam", "--account", "second")

    assert "no account 'third' at Steam is signed in; signed in: Lamplighter, Second" in (
        run("sources", "logout", "steam", "--account", "third").errors
    )
    assert run("sources", "logout", "steam", "--account", "second").out == "Signed Second out of Steam.\n"
    assert signing_in.enabled() == {"steam.library": True}
    assert run("sources", "logout", "steam").out == "Signed Lamplighter out of Steam.\n"
    assert (signing_in.accounts(), signing_in.enabled()) == ([], {"steam.library": False})
    assert run("sources", "logout", "steam").out == "Nobody was signed in to Steam.\n"


def test_status_says_which_sign_ins_are_missing(signing_in: SigningIn) -> None:
    signing_in.shops.add_user()
    signing_in.login("steam")
    [status] = signing_in.operator.run("status", "--json").lines
    needs = [group["needs"] for group in status["sources_off"]]
    assert "a sign-in (lootwire sources login retroachievements)" in needs
    assert "a sign-in (lootwire sources login steam)" not in needs


def test_on_a_terminal_the_key_is_asked_for_and_not_shown(signing_in: SigningIn) -> None:
    signing_in.shops.add_user()
    with on_a_terminal("sources", "login", "steam") as terminal:
        terminal.answer("apikey shows", KEY)
        terminal.answer("Your account at Steam", "lamp")
        terminal.wait_for("Fetched from now on")

    assert terminal.code == 0
    assert "Signed in to Steam as Lamplighter" in terminal.screen
    assert KEY not in terminal.screen
