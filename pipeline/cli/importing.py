"""The command `import`: payloads that were kept, oldest first."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from models.words.units import counted_plainly
from pipeline.cli.opening import SET_ASIDE, open_command
from pipeline.importer.history import History
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from pipeline.importer.walking import STANDARD_INPUT, spool
from pipeline.programs.sources import drop_sources
from pipeline.runtime.output import JsonFlag, console, errors, print_json, show
from pipeline.runtime.runtime import utc_now

SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("import")(import_payloads)


def import_payloads(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH", help="Files, folders, archives; - for standard input.")
    ] = None,
    as_json: JsonFlag = False,
    times: Annotated[
        str | None, typer.Option("--time", metavar="PATTERN", help="How names tell times: %Y-%m-%dT%H%M%SZ (UTC).")
    ] = None,
    notify: Annotated[bool, typer.Option("--notify", help="Send messages for events older than a day too.")] = False,
    git: Annotated[
        Path | None, typer.Option("--git", metavar="REPO", help="A git repository, bare or not, whose history counts.")
    ] = None,
    path: Annotated[
        str | None, typer.Option("--path", metavar="FILE", help="The file in it: drops.json. Oldest commit first.")
    ] = None,
) -> int:
    """Import payload files, folders, archives (.tar.xz, .tar.gz, .tar.zst, .zip) and git histories, oldest first.

    May be interrupted and run again; what was taken in before is recognised. History that is older than what is stored
    only adds what nothing newer listed: for all its events import it oldest first, before anything newer.
    """
    if (git is None) is not (path is None):
        raise typer.BadParameter("--git REPO and --path FILE belong together")
    if not paths and git is None:
        raise typer.BadParameter("give a PATH, - for standard input, or --git REPO --path FILE")
    parse_time = time_parser(times)
    history = History(git, path) if git is not None and path is not None else None
    runtime = open_command()
    began = time.monotonic()
    summary = Summary()
    with _spooled(paths or []) as standard_input, _progress() if errors.is_terminal else nullcontext() as progress:
        task = progress.add_task("importing", total=None, events=0) if progress else None
        steps = import_paths(
            runtime.engine,
            drop_sources(runtime),
            paths or [],
            parse_time=parse_time,
            now=utc_now,
            notify=notify,
            history=history,
            standard_input=standard_input,
        )
        for summary in steps:
            if progress and task is not None:
                progress.update(task, advance=1, events=summary.events.total())
    summary.seconds = round(time.monotonic() - began, 3)
    if as_json:
        print_json(summary.promised())
    else:
        _print(summary)
    return SET_ASIDE if summary.quarantined else 0


@contextmanager
def _spooled(paths: list[Path]) -> Iterator[Path | None]:
    """Give a file with a copy of standard input where `-` is a path: an archive is read twice. Else give None."""
    if STANDARD_INPUT not in paths:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="lootwire-import-") as folder:
        yield spool(sys.stdin.buffer, Path(folder) / "stdin")


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
        f"{counted_plainly(summary.files, 'file')}, {counted_plainly(summary.snapshots, 'snapshot')}, "
        f"{counted_plainly(summary.records, 'record')} ({summary.unchanged} unchanged), "
        f"{counted_plainly(summary.events.total(), 'event')}, {summary.seconds:.1f} s",
        soft_wrap=True,
    )
    for name, count in sorted(summary.taken_for.items()):
        console.print(f"{count:>8}  {name}", markup=False, soft_wrap=True)
    for kind, count in sorted(summary.events.items()):
        console.print(f"{count:>8}  {kind}")
    for aside in summary.quarantined[:SHOWN]:
        console.print(f"set aside: {show(aside.path)}: {show(aside.reason)}", markup=False, soft_wrap=True)
    if len(summary.quarantined) > SHOWN:
        console.print(f"… and {len(summary.quarantined) - SHOWN} more; --json tells all of them")
    if summary.late:
        snapshots = "1 snapshot is" if summary.late == 1 else f"{summary.late} snapshots are"
        console.print(
            f"{snapshots} no newer than what was stored: such history only adds what nothing newer listed, and changes "
            "and ends nothing; import oldest first for its events.",
            soft_wrap=True,
        )
    if summary.events:
        console.print("Feeds are written by `lootwire up`, `lootwire once` or `lootwire publish`.")
