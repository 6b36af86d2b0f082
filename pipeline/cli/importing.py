"""The command `import`: payloads that somebody kept, oldest first."""

import time
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipeline.cli.output import JsonFlag, console, errors, print_json
from pipeline.cli.running import SET_ASIDE, open_command
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from pipeline.runtime import utc_now


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("import")(import_payloads)


def import_payloads(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, folders, archives.")],
    as_json: JsonFlag = False,
    times: Annotated[
        str | None, typer.Option("--time", metavar="PATTERN", help="How names tell times: %Y-%m-%dT%H%M%SZ (UTC).")
    ] = None,
    notify: Annotated[bool, typer.Option("--notify", help="Send messages for events older than a day too.")] = False,
) -> int:
    """Import payload files, folders and archives (.tar.xz, .tar.gz, .tar.zst, .zip), oldest first.

    May be interrupted and run again; what was taken in before is recognised.
    """
    parse_time = time_parser(times)
    runtime = open_command()
    began = time.monotonic()
    summary = Summary()
    with _progress() if errors.is_terminal else nullcontext() as progress:
        task = progress.add_task("importing", total=None, events=0) if progress else None
        steps = import_paths(runtime.engine, runtime.sources, paths, parse_time=parse_time, now=utc_now, notify=notify)
        for summary in steps:
            if progress and task is not None:
                progress.update(task, advance=1, events=summary.events.total())
    summary.seconds = round(time.monotonic() - began, 3)
    if as_json:
        print_json(summary)
    else:
        _print(summary)
    return SET_ASIDE if summary.quarantined else 0


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files, {task.fields[events]} events"),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
    )


def _print(summary: Summary) -> None:
    console.print(
        f"{summary.files} files, {summary.snapshots} snapshots, {summary.records} records "
        f"({summary.unchanged} unchanged), {summary.events.total()} events, {summary.seconds:.1f} s"
    )
    for kind, count in sorted(summary.events.items()):
        console.print(f"{count:>8}  {kind}")
    for aside in summary.quarantined[:20]:
        console.print(f"set aside: {aside.path}: {aside.reason}", markup=False, soft_wrap=True)
    if len(summary.quarantined) > 20:
        console.print(f"… and {len(summary.quarantined) - 20} more; `lootwire quarantine` lists them")
    if summary.events:
        console.print("Feeds are written by `lootwire up`, `lootwire once` or `lootwire publish`.")
