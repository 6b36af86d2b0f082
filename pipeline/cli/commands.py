"""The commands by name, with the sentences that `lootwire --help` lists; only the called command's module is imported.

A help or a mistyped word thus imports no client of a database or a service.
"""

import functools
from importlib import import_module
from typing import Any, NamedTuple

import typer
import typer.core
import typer.main


class Listed(NamedTuple):
    """A command as the list shows it: the modules of `pipeline.cli` that add it, and how its help begins."""

    modules: tuple[str, ...]
    help: str


# In the order of the list. A test compares each sentence with the command's own.
COMMANDS = {
    "up": Listed(
        ("running",), "Run everything until Ctrl-C: database, workers, clock and a small web server for the feeds."
    ),
    "once": Listed(
        ("running",), "Do one full cycle, then exit: import the inbox, fetch what is due, send, publish. For cron."
    ),
    "demo": Listed(
        ("running",),
        "Show everything at work in a minute, offline: invented services, real workers, "
        "real feeds, mail and a webhook.",
    ),
    "publish": Listed(("running",), "Write the feeds that events touched and the page, now."),
    "status": Listed(("status",), "Say how the pipeline stands, in a few figures."),
    "doctor": Listed(
        ("running",), "Show each setting with its origin, and check what can be checked: servers, folders, targets."
    ),
    "events": Listed(("looking",), "Show what happened, newest first in the table, oldest first as JSON."),
    "deliveries": Listed(("looking",), "Show what was sent to whom, what waits, and what was given up."),
    "why": Listed(("looking",), "Say why a delivery was sent: the event, and the subscriptions that asked for it."),
    "feeds": Listed(("looking",), "Show the published feeds with their addresses."),
    "quarantine": Listed(("looking",), "Show payloads that were set aside, each with its reason."),
    "import": Listed(
        ("importing",),
        "Import payload files, folders, archives (.tar.xz, .tar.gz, .tar.zst, .zip) and git histories, oldest first.",
    ),
    "export": Listed(
        ("exporting",),
        "Write every organization, game, campaign, reward, badge, stream and event that is known, as of this moment.",
    ),
    "sources": Listed(
        ("signing_in",), "Show every source: how it is, when it was last asked, and when it is asked next."
    ),
    "games": Listed(("games", "following"), "What is known of games."),
    "igdb": Listed(("igdb",), "What IGDB knows of games."),
    "channels": Listed(("channels",), "Twitch channels that are followed."),
    "targets": Listed(("telling",), "Places to send messages to."),
    "subscriptions": Listed(("telling",), "What each target is told of."),
}


class Commands(typer.core.TyperGroup):
    """Lists stand-ins for the commands, and loads the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that the arguments begin with, and its arguments."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        return name, stand_in and load_command(stand_in.name), rest


def make_group(**options: Any) -> typer.Typer:
    """Return an empty group of commands with the options of this command line."""
    return typer.Typer(
        name="lootwire", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, **options
    )


def add_commands(app: typer.Typer) -> None:
    """Add all commands to the command line."""
    app.info.cls = Commands
    for name, listed in COMMANDS.items():
        app.command(name, help=listed.help)(_stand_in)


@functools.cache
def load_command(name: str) -> Any:
    """Return a command with its options and, for a group, its commands."""
    app = make_group()
    for module in COMMANDS[name].modules:
        import_module(f"pipeline.cli.{module}").add_to(app)
    return typer.main.get_group(app).commands[name]


def _stand_in() -> None:
    """Never called: the command itself is loaded first."""
