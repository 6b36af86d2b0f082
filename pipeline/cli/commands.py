"""The commands by name, with the sentences that `lootwire --help` lists; only the called command's module is imported.

A help or a mistyped word thus imports no client of a database or a service.
"""

import functools
import sys
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
import typer.core
import typer.main

from pipeline.cli import interrupt_as_usual

RUN, LOOK, FOLLOW, HEAR, TELL, SHARE, CARRY = (
    "Run",
    "See what came of it",
    "Follow channels and games",
    "Hear streams and sounds",
    "Be told",
    "Share it",
    "Bring in and take out",
)


class Listed(NamedTuple):
    """A command as the list shows it: its group, the modules of `pipeline.cli` that add it, and how its help begins."""

    panel: str
    modules: tuple[str, ...]
    help: str


# In the order of the list. A test compares each sentence with the command's own.
COMMANDS = {
    "up": Listed(
        RUN, ("running",), "Run everything until Ctrl-C: database, workers, clock and a small web server for the feeds."
    ),
    "once": Listed(
        RUN, ("running",), "Do one full cycle, then exit: import the inbox, fetch what is due, send, publish. For cron."
    ),
    "demo": Listed(
        RUN,
        ("running",),
        "Show everything at work in a minute, offline: invented services, real workers, "
        "real feeds, mail and a webhook.",
    ),
    "publish": Listed(RUN, ("running",), "Write the feeds that events touched and the pages, now."),
    "doctor": Listed(
        RUN,
        ("checking",),
        "Show each setting with its origin, and check what can be checked: servers, folders, targets.",
    ),
    "help": Listed(RUN, ("helping",), "Show what a command does and its options; without a command, list them all."),
    "status": Listed(LOOK, ("status",), "Say how the pipeline stands, in a few figures."),
    "events": Listed(
        LOOK,
        ("looking",),
        "Show what happened, newest first in the table, oldest first as JSON, or what happens.",
    ),
    "campaigns": Listed(
        LOOK,
        ("campaigns",),
        "Show the drop campaigns that are known, the newest first; with a command, one with all its drops.",
    ),
    "rewards": Listed(
        LOOK,
        ("campaigns",),
        "Show the reward campaigns that are known, the newest first; with a command, one with what it gives.",
    ),
    "badges": Listed(LOOK, ("campaigns",), "Show the global chat badges that are known, the newest first."),
    "organizations": Listed(
        LOOK, ("campaigns",), "Show the organizations that run campaigns; with a command, one with its games."
    ),
    "feeds": Listed(
        LOOK, ("feeds",), "Show the published feeds with their addresses; with a command, build them or make your own."
    ),
    "deliveries": Listed(LOOK, ("deliveries",), "Show what was sent to whom, what waits, and what was given up."),
    "why": Listed(
        LOOK,
        ("deliveries",),
        "Say why a delivery was sent, or not: the event, who asked for it, what the target answered.",
    ),
    "why-not": Listed(
        LOOK,
        ("reasons",),
        "Say why a target was not told of an event: what each of its subscriptions misses, or until when it is held.",
    ),
    "inbox": Listed(
        LOOK, ("reasons",), "Show what waits for a target, for what and until when, and what was dropped lately."
    ),
    "sources": Listed(
        LOOK, ("signing_in",), "Show every source: how it is, when it was last asked, and when it is asked next."
    ),
    "quarantine": Listed(LOOK, ("looking",), "Show payloads that were set aside, each with its reason."),
    "eventsub": Listed(
        LOOK, ("eventsub",), "Show how Twitch's messages come in; with a command, look at the subscriptions for them."
    ),
    "channels": Listed(
        FOLLOW, ("channels",), "Show the Twitch channels that are followed; with a command, change or sum them up."
    ),
    "games": Listed(
        FOLLOW,
        ("games", "following", "lists", "works"),
        "Show the games that are known; with a command, follow some.",
    ),
    "releases": Listed(
        FOLLOW,
        ("releases",),
        "Show what comes out when, the nearest first; a quarter or a year counts until it is over.",
    ),
    "igdb": Listed(FOLLOW, ("igdb",), "Show how the copy of IGDB's catalogue of games stands, or fetch it."),
    "library": Listed(
        FOLLOW,
        ("library", "library_listing", "library_editing"),
        "Show the games that you own, play and finished; with a command, bring some in.",
    ),
    "journal": Listed(
        FOLLOW, ("journal",), "Show what you played and finished, and when; with a command, write it down."
    ),
    "roms": Listed(
        FOLLOW,
        ("roms", "roms_looking", "roms_answers", "roms_exports"),
        "Show your folders of ROMs; with a command, add one, scan it, or see what is in it. Files are only ever read.",
    ),
    "sounds": Listed(
        HEAR,
        ("sounds", "sounds_work"),
        "Show your sounds; with a command, fetch some, scan a folder of them, make them evenly loud.",
    ),
    "shows": Listed(
        HEAR,
        ("shows",),
        "Show your podcasts that make themselves; with a command, make one of a channel's streams, or change one.",
    ),
    "playlists": Listed(
        HEAR, ("playlists",), "Show your playlists of sounds; with a command, make them and change them."
    ),
    "extractions": Listed(
        HEAR,
        ("extractions",),
        "Show what is fetched for your sounds and shows, how far it is, and what went wrong.",
    ),
    "targets": Listed(TELL, ("targets",), "Show the places that messages are sent to; with a command, change them."),
    "subscriptions": Listed(TELL, ("subscriptions",), "Show what each target is told of; with a command, change it."),
    "drops": Listed(
        TELL,
        ("drops",),
        "Show what is claimed or ignored, of which nothing reminds; with a command, change it.",
    ),
    "apply": Listed(
        TELL,
        ("rules",),
        "Make targets, subscriptions and follows agree with the rules in a file; shows what that changes.",
    ),
    "rules": Listed(TELL, ("rules",), "Write rules as a file, or print the schema of such files."),
    "templates": Listed(TELL, ("templates",), "Show your own words for messages; with a command, try them."),
    "people": Listed(
        SHARE,
        ("people",),
        "Show who shares this installation; with a command, invite somebody, or change what they may.",
    ),
    "keys": Listed(SHARE, ("keys",), "Show the keys of the HTTP API; with a command, make one, or take one back."),
    "plans": Listed(
        SHARE, ("plans",), "Show the plans, which say what a person may use up; with a command, make one or change one."
    ),
    "credits": Listed(
        SHARE,
        ("credits",),
        "Show what a person has left of their plan; with a command, give them credits, or see where they went.",
    ),
    "import": Listed(
        CARRY,
        ("importing",),
        "Import payload files, folders, archives (.tar.xz, .tar.gz, .tar.zst, .zip) and git histories, oldest first.",
    ),
    "export": Listed(
        CARRY,
        ("exporting",),
        "Write every organization, game, campaign, reward, badge, stream and event that is known, as of this moment.",
    ),
    "api": Listed(CARRY, ("api",), "Print what the HTTP API can do, for programs and as a page."),
}


class Group(typer.core.TyperGroup):
    """Commands whose help shows each with its whole first sentence, under the heading of its panel."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that the arguments begin with, and its arguments; a `--json` before it is its own too."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command, ["--json", *rest] if ctx.params.get("as_json") else rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - as Typer calls it
        """Write the commands; Typer's own list cuts what does not fit on a line."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            sentence = (command.help or "").strip().partition("\n\n")[0].replace("\n", " ")
            panels.setdefault(getattr(command, "rich_help_panel", None) or "Commands", []).append((name, sentence))
        width = max(map(len, self.commands))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl([(name.ljust(width), sentence) for name, sentence in rows])


class Listing(typer.core.TyperCommand):
    """A noun that lists its things: `list` after it says the same."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments, without the word `list` where they begin with it."""
        return super().parse_args(ctx, args[1:] if args[:1] == ["list"] else args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the line of usage, with the word that may be left out."""
        return ["[list]", *super().collect_usage_pieces(ctx)]


class Commands(Group):
    """Lists stand-ins for the commands, and loads the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that the arguments begin with, and its arguments."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        command = stand_in and load_command(stand_in.name)
        interrupt_as_usual()
        return name, command, rest


def make_group(*, add_completion: bool = False, **options: Any) -> typer.Typer:
    """Return an empty group of commands with the options of this command line."""
    return typer.Typer(
        name="lootwire",
        add_completion=add_completion,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        # Every command below inherits them.
        context_settings={"help_option_names": ["--help", "-h"]},
        **options,
    )


def make_noun(sentence: str) -> typer.Typer:
    """Return an empty group for a noun: alone it lists, with a command it does something to one of its things."""
    return typer.Typer(cls=Group, help=sentence, no_args_is_help=False)


def add_commands(app: typer.Typer) -> None:
    """Add all commands to the command line."""
    app.info.cls = Commands
    app.callback()(_options)
    for name, listed in COMMANDS.items():
        app.command(name, help=listed.help, rich_help_panel=listed.panel)(_stand_in)


@functools.cache
def load_command(name: str) -> Any:
    """Return a command with its options and, for a group, its commands."""
    app = make_group()
    for module in COMMANDS[name].modules:
        import_module(f"pipeline.cli.{module}").add_to(app)
    return typer.main.get_group(app).commands[name]


def _show_version(wanted: bool) -> None:
    if wanted:
        # Imported late: it loads what reads mail headers.
        from importlib.metadata import version

        sys.stdout.write(f"lootwire {version('lootwire')}\n")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def _stand_in() -> None:
    """Never called: the command itself is loaded first."""
