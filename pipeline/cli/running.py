"""Commands that run the pipeline: `up`, `once`, `demo`, `publish`.

What they run is imported when the folders have been looked at: on a full disk a person hears of it at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pipeline.cli.checking import check_folders, exposure
from pipeline.cli.opening import SET_ASIDE, at_the_end, open_command
from pipeline.runtime.output import console, errors, show
from pipeline.runtime.settings import load_settings, reached_at
from pipeline.runtime.supervisor import check_alone

if TYPE_CHECKING:
    from pipeline.runtime.runtime import Runtime


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (up, once, demo, publish):
        app.command()(command)


def up() -> NoReturn:
    """Run everything until Ctrl-C: database, workers, clock and a small web server for the feeds."""
    settings = load_settings().settings
    # Both before anything is started or migrated. The folder first: a second `up` there is why a port is mostly taken.
    check_alone(settings.data_dir)
    check_folders(settings)
    from pipeline.programs import programs as programs_programs
    from pipeline.programs import waiting
    from pipeline.programs.beginning import publish_where_empty
    from pipeline.runtime.servers import check_broker

    programs_programs.check_port(settings.http_port, host=settings.http_host)
    if settings.receiver_port:
        programs_programs.check_port(settings.receiver_port, "LOOTWIRE_RECEIVER_PORT", host=settings.http_host)
    if warning := exposure(settings):
        errors.print(f"lootwire: {warning}", markup=False, soft_wrap=True)
    runtime = open_command()
    check_broker(runtime.redis_url)
    programs_programs.take_up_settings(runtime)
    if settings.apply_rules:
        _apply_rules(runtime)
    programs = programs_programs.programs(runtime)
    waits_for = publish_where_empty(runtime)
    programs_programs.wake(runtime)
    at_the_end.close()
    address = f"http://{reached_at(settings.http_host)}:{settings.http_port}/"
    greeting = f"Lootwire runs. Pages and feeds: {address}  (Ctrl-C ends it)"
    if waits_for:
        with runtime.engine.connect() as connection:
            greeting = "\n".join((greeting, waiting.describe_empty(connection), *waits_for))
    programs_programs.become_supervisor(runtime, programs, greeting)


def _apply_rules(runtime: "Runtime") -> None:
    """Apply the rules in their files; a mistake in one is no reason to tell nobody of anything."""
    from pipeline.programs.rules import RulesFiles
    from pipeline.runtime.runtime import utc_now

    applied = RulesFiles().apply_if_changed(runtime, utc_now())
    for problem in applied.problems if applied else ():
        errors.print(f"lootwire: rules: {problem}", markup=False, soft_wrap=True)


def once() -> int:
    """Do one full cycle, then exit: import the inbox, fetch what is due, send, publish. For cron."""
    check_folders(load_settings().settings)
    from rich.progress import Progress, SpinnerColumn, TextColumn
    from sqlalchemy import func, select

    from models import Event, QuarantinedPayload, Source
    from pipeline.importer import inbox
    from pipeline.programs import programs as programs_programs
    from pipeline.programs.beginning import publish_where_empty
    from pipeline.runtime.servers import check_broker

    runtime = open_command()
    check_broker(runtime.redis_url)
    with (
        programs_programs.running_workers(runtime),
        Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            console=errors,
            transient=True,
            disable=not errors.is_terminal,
        ) as progress,
    ):
        task = progress.add_task("starting workers")
        began = programs_programs.run_cycle(runtime, report=lambda stage: progress.update(task, description=stage))
    publish_where_empty(runtime)
    is_spread = _spread(runtime)
    with runtime.engine.connect() as connection:
        failing = connection.scalar(select(func.count()).where(Source.failing_since.is_not(None))) or 0
        sources = connection.scalar(select(func.count()).select_from(Source)) or 0
        kept = select(func.count()).where(QuarantinedPayload.last_seen_at >= began)
        moved = inbox.moved_since(runtime.settings.data_dir, began)
        aside = failing + moved.quarantined + (connection.scalar(kept) or 0)
        events = connection.scalar(select(func.count()).where(Event.recorded_at >= began)) or 0
    news = "1 event" if events == 1 else f"{events} events"
    message = f"{news}; {sources - failing} of {sources} sources well; feeds in {runtime.settings.published}"
    console.print(message, markup=False, soft_wrap=True)
    if moved.processed or moved.quarantined:
        message = f"inbox: {moved.processed} imported, {moved.quarantined} set aside in {runtime.settings.data_dir}"
        console.print(message, markup=False, soft_wrap=True)
    if failing:
        console.print("`lootwire sources` says what is failing and when it is tried again.")
    if failing == sources:
        return 1
    return SET_ASIDE if aside or not is_spread else 0


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, until Ctrl-C.")] = False,
) -> int:
    """Show everything at work in a minute, offline: invented services, real workers, real feeds, mail and a webhook."""
    from pipeline.demo.show import run_demo

    return run_demo(keep=keep)


def publish(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: try your own templates and stylesheets of pages.")
    ] = False,
) -> int:
    """Write the feeds that events touched and the pages, now."""
    if check:
        return _check_pages(load_settings().settings.pages)
    check_folders(load_settings().settings)
    from pipeline.programs.beginning import publish_now

    runtime = open_command()
    settings = runtime.settings
    summary = publish_now(runtime)
    message = f"{summary.written} files written, {summary.unchanged} unchanged, in {settings.published}"
    console.print(message, markup=False, soft_wrap=True)
    for failure in summary.failures:
        errors.print(f"{failure.path}: {failure.reason}", markup=False)
    for problem in summary.look_problems:
        errors.print(f"the house's own is used in place of {show(problem)}", markup=False, soft_wrap=True)
    is_spread = _spread(runtime)
    return SET_ASIDE if summary.failures or summary.look_problems or not is_spread else 0


def _spread(runtime: "Runtime") -> bool:
    """Bring what is published into the bucket and to the hubs, where there are any; returns whether all went well."""
    if runtime.settings.bucket_url is None and not runtime.settings.websub_hubs:
        return True
    from pipeline.programs.spreading import SPREAD_WITHIN, Heard, copy_to_bucket, host_of, ping_hubs

    copied = copy_to_bucket(runtime.engine, runtime.settings, within=SPREAD_WITHIN)
    if runtime.settings.bucket_url is not None and copied.problem is None:
        left = f", {copied.left} left for the next time" if copied.left else ""
        console.print(f"bucket: {copied.uploaded} files copied, {copied.removed} removed{left}", markup=False)
    pinged = ping_hubs(runtime.engine, runtime.settings, Heard(), within=SPREAD_WITHIN)
    refused = [f"The hub {host_of(hub)} does not take our pings: {reason}" for hub, reason in pinged.problems.items()]
    problems = [*([copied.problem] if copied.problem else ()), *refused]
    for problem in problems:
        errors.print(problem, markup=False, soft_wrap=True)
    return not problems


def _check_pages(folder: Path) -> int:
    from feeds.looks import names_of_own
    from feeds.pages.checking import check_look

    names = names_of_own(folder)
    if not names:
        console.print(f"No templates or stylesheets of pages in {folder}: pages have the house's look.", markup=False)
        return 0
    problems = check_look(folder)
    for problem in problems:
        errors.print(show(problem), markup=False, soft_wrap=True)
    if not problems:
        console.print(f"{', '.join(names)}: every kind of page can be made with them", markup=False, soft_wrap=True)
    return SET_ASIDE if problems else 0
