"""Nothing that comes from outside reaches a terminal as anything but letters: every command, with a hostile corpus."""

import gzip
import io
import os
import pty
import subprocess
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, literal, select, text

from models import Channel, DropBenefit, DropBenefitEdge, Follow, QuarantinedPayload
from models.printable import on_a_line
from pipeline.cli.commands import COMMANDS, load_command
from pipeline.games.store.games import store_games
from pipeline.runtime.output import LineConsole
from tests.pipeline.cli.operator import COMMAND, Operator
from tests.pipeline.cli.test_targets import go_live
from tests.pipeline.games.documents import doc

pytestmark = pytest.mark.long

# The title of the window, colours, a cleared screen, a link, C1 controls, a moved cursor, changes of direction, what
# ends a line without being seen, marks of Rich's markup.
HOSTILE = (
    " \x1b]0;pwn\x07\x1b[31m\x1b[2J\x1b]8;;http://evil.example\x1b\\\x9b31m\x9d0;x\x9c\x85\x08\x08\x7f\r\nforged\x0b\x0c\t"
    "\u202e\u2066\u2069\u200f\u2028\u2029\u00ad\ufeff [red]x[/] [/nothing] \U000e0041 pwned"
)
# What services, and files, give names to.
COLUMNS = {
    "organizations": ("name",),
    "games": ("name",),
    "channels": ("login", "display_name"),
    "drop_campaigns": ("name", "description"),
    "time_based_drops": ("name",),
    "drop_benefits": ("name",),
    "reward_campaigns": ("name", "brand"),
    "sources": ("last_error",),
    "quarantined_payloads": ("detail", "origin"),
    "events": ("title",),
    "deliveries": ("last_error",),
    "feeds": ("title",),
    "game_metadata": ("name", "summary"),
    "game_titles": ("title",),
    "stream_sessions": ("title",),
    "game_lists": ("origin", "description"),
    "game_list_entries": ("written", "explanation", "notes"),
    "subscriptions": ("name",),
}
# They run until they are stopped, or ask services; what they print of names goes through the same console.
ELSEWHERE = {"up", "once", "demo", "igdb sync", "sources login"}
COPIED = {"export", "rules export", "templates preview", "games lists export"}
# Each with its arguments where it needs some: names that are nearly right, so that others are suggested.
ARGUMENTS: dict[str, list[list[str]]] = {
    "help": [["drops"], ["drobs"]],
    "events": [[], ["--subject", "Gloomtidd"], ["--subject", "\x1b[31m"], ["--kind", "\x1b[31m"]],
    "why": [["1"], ["\x1b[31m"]],
    "why-not": [["--target", "phone", "--event", "1"], ["--target", "\x1b[31m", "--event", "1"]],
    "inbox": [["phone"], ["\x1b[31m"]],
    "sources": [[], ["--now", "\x1b[31m"]],
    "sources logout": [["\x1b[31m"]],
    "quarantine": [[], ["--payload", "9"]],
    "channels": [[], ["--all"]],
    "channels list": [[], ["--all"]],
    "channels add": [["\x1b[31m"]],
    "channels remove": [["shroud"], ["\x1b[31m"], ["--game", "Gloomtidd"]],
    "channels import": [["\x1b[31m"], ["list.txt"]],
    "channels stats": [["shrout"], ["\x1b[31m"]],
    "games show": [["Gloomtidd"], ["Gloomtide pwned"]],
    "games search": [["Gloom"], ["\x1b[31m"]],
    "games link": [["Gloomtide", "9"], ["\x1b[31m", "9"]],
    "games follow": [["Gloomtidd"], ["9"]],
    "games unfollow": [["Gloomtidd"]],
    "games lists import": [["list.txt"], ["\x1b[31m"]],
    "games lists show": [["mine"], ["minee"]],
    "games lists settle": [["mine", "1", "9"], ["minee", "1", "9"]],
    "games lists create": [["mine"], ["\x1b[31m"]],
    "games lists describe": [["mine"], ["minee"], ["mine", "\x1b[31m"]],
    "games lists add": [["mine", "9"], ["mine", "\x1b[31m"], ["mine", "\x1b[31m", "--own"]],
    "games lists move": [["mine", "1", "2"], ["mine", "Gloomtidd pwn", "1"], ["mine", "\x1b[31m", "1"]],
    "games lists note": [["mine", "1", "\x1b[31m"], ["mine", "\x1b[31m", "x"]],
    "games lists log": [["mine"], ["minee"], ["mine", "--person", "\x1b[31m"]],
    "games lists export": [["mine"], ["mine", "--format", "csv"], ["mine", "--format", "json"]],
    "games lists remove": [["minee"], ["mine", "\x1b[31m"], ["mine", "1"]],
    "games work": [["Gloomtidd"], ["Gloomtide pwned"], ["Gloomtide", "--with", "\x1b[31m"]],
    "targets add": [["\x1b[31m", "json://127.0.0.1:9/x"], ["x", "\x1b[31m://x"]],
    "targets set": [["phon"], ["phone", "--timezone", "\x1b[31m"]],
    "targets mute": [["phone", "3h", "--game", "Gloomtidd"], ["phone", "\x1b[31m"]],
    "targets unmute": [["phone", "--game", "Gloomtidd"]],
    "targets pause": [["\x1b[31m"]],
    "targets resume": [["\x1b[31m"]],
    "targets test": [["phone"], ["\x1b[31m"]],
    "targets remove": [["\x1b[31m"]],
    "subscriptions add": [["--to", "phone", "--game", "Gloomtidd"], ["--to", "phone", "--channel", "shrout"]],
    "subscriptions remove": [["every thing"], ["\x1b[31m"]],
    "subscriptions try": [["phone"], ["every thing"]],
    "campaigns show": [["1"], ["campaign:2"], ["Campaigm"]],
    "rewards show": [["1"], ["\x1b[31m"]],
    "organizations show": [["Tidewarden"], ["Tidewardem"]],
    "games sync": [["Gloomtide"], ["Gloomtidd"]],
    "drops claimed": [["Hat"], ["Gloomtidd"], ["benefit:1"]],
    "drops ignored": [["Campaigm"], ["game:1"]],
    "drops wanted": [["game:1"], ["Campaigm"]],
    "apply": [["bad.toml"], ["rules.toml"], ["\x1b[31m"]],
    "templates show": [["campain.added"], ["campaign.added"]],
    "templates preview": [["several", "--to", "phone"], ["campaign.added", "--to", "phon"]],
    "import": [["bad.json"], ["\x1b[31m"]],
    "export": [["--output", "\x1b[31m/x"]],
    "deliveries": [[], ["--state", "\x1b[31m"]],
}


def leaves(name: str, command: object) -> Iterator[str]:
    yield name
    for below, each in getattr(command, "commands", {}).items():
        yield from leaves(f"{name} {below}", each)


def all_commands() -> list[str]:
    return [leaf for name in COMMANDS for leaf in leaves(name, load_command(name))]


@pytest.fixture
def haunted(operator: Operator, now: datetime) -> Operator:
    """An operator whose services give everything a hostile name."""
    operator.run("targets", "add", "phone", "json://127.0.0.1:9/x")
    operator.run("subscriptions", "add", "--to", "phone", "--name", "everything")
    with operator.engine.begin() as connection:
        store_games(connection, [doc(9, "Gloomtide"), doc(10, "Gloomtide II")], datetime(2026, 10, 1, tzinfo=UTC))
    assert operator.run("import", str(operator.snapshots(now))).code == 0
    go_live(operator, "shroud", now)
    with operator.engine.begin() as connection:
        followed = select(literal("channel"), Channel.id, literal(now)).where(Channel.login == "shroud")
        connection.execute(insert(Follow).from_select(["kind", "channel_id", "created_at"], followed))
    operator.run("games", "lists", "create", "mine")
    for title in ("Gloomtide", "Gloomtidd"):
        assert operator.run("games", "lists", "add", "mine", title, "--own").code == 0
    (operator.folder / "list.txt").write_text(f"shroud\n{HOSTILE.splitlines()[0]}\n")
    (operator.folder / "bad.json").write_text('[{"gameId": "1", "rewards": "' + "\\u001b[31m" + '"}]')
    (operator.folder / "rules.toml").write_text('[[subscription]]\nname = "x"\nto = "phone"\ngames = ["Gloomtidd"]\n')
    (operator.folder / "bad.toml").write_text('[[subscription]]\n"\\u001b[31m" = 1\nname = "\\u001b[31m"\n')
    poison(operator)
    return operator


def poison(operator: Operator) -> None:
    with operator.engine.begin() as connection:
        drop_id = connection.execute(text("SELECT min(id) FROM time_based_drops")).scalar_one()
        for service in ("twitch", "kick"):
            row = {"service": service, "name": "Hat", "external_id": "hat"}
            benefit_id = connection.execute(insert(DropBenefit).values(row).returning(DropBenefit.id)).scalar_one()
            connection.execute(insert(DropBenefitEdge).values(drop_id=drop_id, benefit_id=benefit_id))
        for table, columns in COLUMNS.items():
            for column in columns:
                statement = f"UPDATE {table} SET {column} = coalesce({column}, '') || :hostile"  # noqa: S608 - ours
                connection.execute(text(statement), {"hostile": HOSTILE})


def raw(shown: str) -> set[str]:
    """What of an output is more than letters, signs, spaces and the ends of our own lines."""
    signs = {f"{c!a} {unicodedata.name(c, '?')}" for c in shown if not c.isprintable() and c != "\n"}
    return signs | {line for line in shown.splitlines() if line.startswith("forged")}


def test_no_command_prints_a_name_that_a_terminal_obeys(haunted: Operator) -> None:
    raws: dict[str, set[str]] = {}
    seen: set[str] = set()
    names = [name for name in all_commands() if name not in ELSEWHERE]
    assert not set(ARGUMENTS) - set(names)
    for name in names:
        for arguments in ARGUMENTS.get(name, [[]]):
            for more in ([], ["--json"]):
                result = haunted.run(*name.split(), *arguments, *more)
                shown = result.out + result.errors
                # On a pipe they copy what they were given, byte for byte; a terminal has its own test.
                if name not in COPIED and (unprintable := raw(shown)):
                    raws[f"{name} {arguments} {more}"] = unprintable
                seen |= {name} if "pwn" in shown else set()
    assert raws == {}
    assert seen > {"events", "inbox", "deliveries", "drops claimed", "games show", "channels list", "why", "feeds"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["export"],
        ["rules", "export"],
        ["games", "lists", "export", "mine"],
        ["quarantine", "--payload", "1"],
        ["templates", "preview", "several", "--to", "phone"],
    ],
    ids=" ".join,
)
def test_what_is_copied_byte_for_byte_is_letters_on_a_terminal(haunted: Operator, arguments: list[str]) -> None:
    with haunted.engine.begin() as connection:
        source_id = connection.execute(text("SELECT min(id) FROM sources")).scalar_one()
        row = {"id": 1, "source_id": source_id, "digest": b"x", "reason": "r", "detail": "", "origin": ""}
        row |= {"payload_gzip": gzip.compress(HOSTILE.encode()), "first_seen_at": datetime.now(UTC)}
        row |= {"last_seen_at": datetime.now(UTC)}
        connection.execute(insert(QuarantinedPayload).values(row))
    ours, theirs = pty.openpty()
    with subprocess.Popen([*COMMAND, *arguments], stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b"")).decode().replace("\r\n", "\n")
    os.close(ours)
    assert process.returncode == 0
    assert "pwned" in shown or "templates" in arguments
    assert {each for each in raw(shown) if not each.startswith("forged")} == set()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # Nobody writes to it any more.
        return b""


@given(st.text())
def test_a_console_prints_letters_and_ends_of_lines_alone(written: str) -> None:
    stream = io.StringIO()
    LineConsole(file=stream, force_terminal=True, color_system=None, width=80).print(written + HOSTILE, markup=False)
    assert all(c.isprintable() or c == "\n" for c in stream.getvalue())
    assert on_a_line(written + HOSTILE).isprintable()
