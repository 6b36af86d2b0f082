"""The command `export`: the whole catalogue, to keep or to work with."""

import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from models.errors import UsageError
from pipeline.cli.opening import open_command
from pipeline.export.destination import STANDARD_OUTPUT
from pipeline.export.writing import export
from pipeline.runtime.output import errors
from pipeline.runtime.runtime import utc_now


class Form(StrEnum):
    """The formats of an export."""

    JSONL = "jsonl"
    CSV = "csv"
    SQLITE = "sqlite"


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("export")(export_catalogue)


def export_catalogue(
    form: Annotated[
        Form, typer.Option("--format", help="jsonl can be imported again; csv is a zip of tables; sqlite a database.")
    ] = Form.JSONL,
    output: Annotated[
        Path, typer.Option("--output", metavar="PATH", help="A file, or - for standard output; .zst compresses it.")
    ] = STANDARD_OUTPUT,
    library: Annotated[
        bool, typer.Option("--library", help="With what people own, play, rate and rank; without, nothing of it.")
    ] = False,
) -> int:
    """Write every organization, game, campaign, reward, badge, stream and event that is known, as of this moment.

    `lootwire import` of the JSON Lines into an empty installation gives the same catalogue and the same feeds.
    """
    if output == STANDARD_OUTPUT and form is not Form.JSONL and sys.stdout.isatty():
        raise UsageError(f"{form.value} is nothing for a terminal: give --output PATH")
    runtime = open_command()
    with _progress() if errors.is_terminal else nullcontext() as progress:
        task = progress.add_task("exporting", rows=0) if progress else None
        written = 0

        def count(rows: int) -> None:
            nonlocal written
            written += rows
            if progress and task is not None:
                progress.update(task, rows=written)

        total = export(runtime.engine, form.value, output, utc_now(), library=library, count=count)
    errors.print(f"{total:,} {'objects' if form is Form.JSONL else 'rows'} written", soft_wrap=True)
    return 0


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}: {task.fields[rows]:,}"),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
    )
