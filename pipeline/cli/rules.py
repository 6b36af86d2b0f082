"""Commands on rules in files: `apply` and `rules`."""

import shlex
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from models.errors import UsageError
from notifiers.rules.shapes import json_schema
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import SET_ASIDE, open_command
from pipeline.programs.sources import register
from pipeline.rules.applying import (
    FileChanges,
    apply_files,
    compare_files,
    deleted_files,
    missing_files,
    refused_targets,
    rehearse_files,
)
from pipeline.rules.export import export_rules
from pipeline.rules.files import look_at_rules_file, rules_files
from pipeline.rules.names import names_to_wait_for
from pipeline.runtime.output import JsonFlag, console, errors, print_copy, print_json, show
from pipeline.runtime.runtime import utc_now
from pipeline.runtime.settings import Settings

rules = make_noun(COMMANDS["rules"].help)
_SIGNS = {"add": ("+", "green"), "change": ("~", "yellow"), "take over": ("~", "yellow"), "remove": ("-", "red")}


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("apply")(apply)
    app.add_typer(rules, name="rules")


FileArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="A file, or a folder of them; else lootwire.toml and rules/*.toml."),
]


def apply(
    file: FileArgument = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    as_json: JsonFlag = False,
) -> int:
    """Make targets, subscriptions and follows agree with the rules in a file; shows what that changes.

    Names are keys. What is gone from the file, or came from a file that is gone, is removed; what was made by hand
    stays, unless a block of the file has its name.
    """
    if file is not None and not file.exists():
        raise UsageError(f"cannot read {file}: no such file{_way_to_remove(file)}")
    files = [look_at_rules_file(path) for path in rules_files(file)]
    runtime = open_command()
    with runtime.engine.begin() as connection:
        files += deleted_files(connection, runtime.vault, file)
        if not files:
            raise UsageError("there are no rules here: write lootwire.toml or rules/*.toml, or name a file")
        # Answers that follows ask for are stored under their sources.
        register(connection, runtime, utc_now())
        by_file = compare_files(connection, runtime.vault, files)
        warnings = [
            *refused_targets(connection, runtime.vault, by_file),
            *names_to_wait_for(connection, by_file),
        ]
    for each in by_file:
        _show(each, as_json=as_json)
    for warning in warnings:
        errors.print(f"lootwire: {show(warning)}", markup=False, soft_wrap=True)
    problems = (rehearse_files if dry_run else apply_files)(runtime, by_file, utc_now())
    with runtime.engine.connect() as connection:
        # What another file has taken over by now came from there.
        missing = missing_files(connection, runtime.vault, file)
    for path in missing:
        errors.print(f"lootwire: {show(path)} is gone{_way_to_remove(path)}", markup=False, soft_wrap=True)
    for problem in problems:
        errors.print(f"lootwire: {show(problem)}", markup=False, soft_wrap=True)
    if not as_json:
        _sum_up(by_file, failed=len(problems), dry_run=dry_run)
    return SET_ASIDE if problems else 0


@rules.command("export")
def export() -> None:
    """Print targets, subscriptions and follows as a file of rules; addresses stand as variables, never in clear."""
    runtime = open_command()
    with runtime.engine.connect() as connection:
        print_copy(export_rules(connection, runtime.vault))


@rules.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of rules files, for editors that complete and check them."""
    print_json(json_schema(Settings.model_json_schema()["properties"]))


def _way_to_remove(path: Path) -> str:
    """Say how that goes which came from a file that is gone."""
    if not path.parent.is_dir():
        return "; what came from it stays until you remove it"
    return f"; what came from it goes with `lootwire apply {shlex.quote(str(path.parent))}`, which shows it"


def _show(each: FileChanges, *, as_json: bool) -> None:
    for change in each.changes:
        if as_json:
            print_json({"file": str(each.file.path), **msgspec.to_builtins(change)})
            continue
        sign, colour = _SIGNS[change.action]
        origin = f"came from {show(change.came_from)}" if change.came_from else "was made by hand"
        taken = f" ({origin})" if change.action == "take over" else ""
        console.print(Text(f"{sign} {change.what} {show(change.name)}{taken}", style=colour), soft_wrap=True)
        for detail in change.details:
            console.print(Text(f"    {show(detail)}", style="dim"), soft_wrap=True)


def _sum_up(by_file: list[FileChanges], *, failed: int, dry_run: bool) -> None:
    count = sum(len(each.changes) for each in by_file)
    if not count:
        console.print("all is as the rules say")
    else:
        changes = "1 change" if count == 1 else f"{count} changes"
        outcome = f", {count - failed} made" if failed else " made"
        console.print(f"{changes}{', none made' if dry_run else outcome}")
