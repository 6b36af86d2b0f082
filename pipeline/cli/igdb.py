"""Commands on IGDB: `igdb sync` fetches what is wanted, with `--all` everything; `igdb status` tells how it stands."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy import update

from models import Source
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import SET_ASIDE, open_command
from pipeline.fetch.http import Client
from pipeline.games.mirror.full_pass import Mirroring, Step, patiently
from pipeline.games.releases.news import append_releases
from pipeline.games.status import Status
from pipeline.games.take_in import Taken
from pipeline.ingest.fetching import Fetched, fetch_source
from pipeline.ingest.source import Fetchable
from pipeline.operations import igdb as operations
from pipeline.operations.igdb import A_HOUR
from pipeline.programs.sources import game_sources, register
from pipeline.runtime.output import JsonFlag, console, errors, print_json, show
from pipeline.runtime.runtime import Runtime, utc_now

FAILED = 1
GO_ON_WITHIN = timedelta(seconds=3)
# A worker may just ask IGDB for something else.
PATIENCE = timedelta(minutes=2)
igdb = make_noun(COMMANDS["igdb"].help)
All = Annotated[bool, typer.Option("--all", help="The whole catalogue: about 300,000 games in a few minutes.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(igdb, name="igdb")


@igdb.callback(invoke_without_command=True)
def status_by_default(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show how the copy of IGDB's catalogue of games stands; with a command, fetch it."""
    if context.invoked_subcommand is None:
        status(as_json=as_json)


@igdb.command("sync")
def sync(everything: All = False, as_json: JsonFlag = False) -> int:
    """Ask IGDB for the wanted games that are due and for what changed, or with --all for every game there is.

    May be interrupted and run again: it goes on where it was.
    """
    runtime = open_command()
    with Client() as client:
        # Raises what is missing in the settings before anything is claimed.
        runtime.igdb(client)
    return _sync_all(runtime, as_json=as_json) if everything else _sync_wanted(runtime, as_json=as_json)


@igdb.command("list")
def list_standing(as_json: JsonFlag = False) -> None:
    """Tell the same as `igdb status`."""
    status(as_json=as_json)


@igdb.command("status")
def status(as_json: JsonFlag = False) -> None:
    """Tell how many games are kept, how far the mirror is, when changes were last swept, how much was asked."""
    runtime = open_command()
    with runtime.engine.connect() as connection:
        standing = operations.show_status(runtime, connection, utc_now())
    if as_json:
        print_json(standing)
    else:
        _show_status(standing, standing.asked_last_hour)


def _sync_all(runtime: Runtime, *, as_json: bool) -> int:
    began = time.monotonic()
    total, last = Taken(), None
    mirroring = Mirroring(engine=runtime.engine, open_igdb=runtime.igdb, clock=utc_now, append_news=append_releases)
    with _progress() as progress, closing(patiently(mirroring, _say)) as steps:
        for step in steps:
            total.add(step.taken)
            last = step
            progress(step)
    seconds = round(time.monotonic() - began, 1)
    listed, missing, doubtful = (last.done, last.missing, last.doubtful) if last else (0, 0, 0)
    fields: dict[str, Any] = {"games": listed, "missing": missing, "doubtful": doubtful, "seconds": seconds}
    fields |= {
        name: getattr(total, name) for name in ("added", "changed", "unchanged", "removed", "set_aside", "faults")
    }
    fields["events"] = dict(total.events)
    if as_json:
        print_json(fields)
    else:
        _show_all(fields, last)
    return SET_ASIDE if missing or doubtful or total.set_aside else 0


def _say(problem: str, pause: timedelta) -> None:
    errors.print(f"lootwire: {problem}; going on in {pause.total_seconds():.0f} s", markup=False, soft_wrap=True)
    time.sleep(pause.total_seconds())


def _show_all(fields: dict[str, Any], last: Step | None) -> None:
    resumed = f" (went on at {last.resumed_at:,})" if last is not None and last.resumed_at else ""
    console.print(
        f"{fields['games']:,} games of IGDB{resumed}: {fields['added']:,} new, {fields['changed']:,} changed, "
        f"{fields['unchanged']:,} unchanged, {fields['removed']:,} removed, {fields['seconds']:.1f} s",
        soft_wrap=True,
    )
    for count, what in (
        (fields["set_aside"], "rows could not be read and are kept aside"),
        (fields["missing"], "rows were counted by IGDB, but never shown"),
        (fields["doubtful"], "games vanished at once and are kept: IGDB may be at fault; run it again later"),
    ):
        if count:
            console.print(f"{count:,} {what}", soft_wrap=True)


@contextmanager
def _progress() -> Iterator[Any]:
    """Give a function that shows a step; it prints on a terminal only."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("games"), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(
        TextColumn("IGDB"), *columns, console=errors, transient=True, disable=not errors.is_terminal
    ) as progress:
        task = progress.add_task("IGDB", total=None)
        yield lambda step: progress.update(task, completed=step.done, total=step.total)


def _sync_wanted(runtime: Runtime, *, as_json: bool) -> int:
    """Make IGDB's sources due and fetch them."""
    sources = game_sources(runtime)
    names = [source.name for source in sources]
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
        connection.execute(update(Source).where(Source.name.in_(names)).values(next_due_at=utc_now()))
    fetched = [run for source in sources for run in _rounds(runtime, source)]
    for run in fetched:
        if as_json:
            print_json(msgspec.structs.asdict(run) | {"events": dict(run.events)})
        else:
            news = run.error or f"{run.items} games asked for, {run.changed} changed"
            console.print(f"{run.source}: {show(news)}, {run.seconds:.1f} s", markup=False, soft_wrap=True)
    if not fetched:
        errors.print("nothing was asked: a worker does just that; `lootwire igdb status` tells more")
    return FAILED if any(run.outcome == "failed" for run in fetched) else 0


def _rounds(runtime: Runtime, source: Fetchable) -> Iterator[Fetched]:
    """Fetch a source, and again where it wants to go on at once."""
    while (fetched := fetch_source(runtime.engine, source, utc_now, patience=PATIENCE)) is not None:
        yield fetched
        wait = fetched.next_due_at - utc_now()
        if fetched.outcome == "failed" or wait > GO_ON_WITHIN:
            return
        time.sleep(max(wait.total_seconds(), 0))


def _show_status(standing: Status, requests: int) -> None:
    console.print(f"{standing.games:,} games, {standing.removed:,} that IGDB no longer has")
    asked_at = show(standing.wanted_asked_at) or "never"
    console.print(f"{standing.wanted:,} wanted, {standing.due:,} of them due; asked {asked_at}")
    mirror = {
        "none": "no mirror; `lootwire igdb sync --all` makes one",
        "incomplete": "mirror not complete; `lootwire igdb sync --all` goes on",
        "complete": f"mirror complete since {show(standing.completed_at)}, changes until {show(standing.swept_to)} UTC",
    }[standing.mirror]
    console.print(mirror, soft_wrap=True)
    if standing.pass_total is not None:
        state = "under way" if standing.pass_under_way else "interrupted"
        console.print(f"full sync {state} at {standing.pass_listed:,} of {standing.pass_total:,} games")
    console.print(f"{requests:,} requests in the last hour, of {A_HOUR:,} that IGDB allows")
    if standing.last_error:
        console.print(f"last error: {show(standing.last_error)}", markup=False, soft_wrap=True)
