"""Commands that run the pipeline: `up`, `once`, `demo`, `publish`; and `doctor`, which checks what they need."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from pydantic import SecretStr
from rich.progress import Progress, SpinnerColumn, TextColumn
from sqlalchemy import func, select

from feeds.write import make_folders
from models import Event, QuarantinedPayload, Source
from models.errors import LootwireError
from notifiers.targets import list_targets
from pipeline.cli.opening import SET_ASIDE, at_the_end, open_command
from pipeline.embedded import disk_problem, healthy
from pipeline.importer import inbox
from pipeline.programs import programs as programs_programs
from pipeline.programs.beginning import publish_now, publish_where_empty
from pipeline.programs.web.health import describe
from pipeline.runtime.heartbeat import jumped_back_by, last_beat
from pipeline.runtime.output import JsonFlag, console, errors, print_rows, show
from pipeline.runtime.problems import explain
from pipeline.runtime.runtime import Runtime, open_runtime, utc_now
from pipeline.runtime.servers import make_private
from pipeline.runtime.settings import LoadedSettings, Settings, load_settings, reached_at, variable_name
from pipeline.runtime.supervisor import check_alone

Given = TypeVar("Given")
Got = TypeVar("Got")


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (up, once, demo, publish, doctor):
        app.command()(command)


def up() -> NoReturn:
    """Run everything until Ctrl-C: database, workers, clock and a small web server for the feeds."""
    settings = load_settings().settings
    # Both before anything is started or migrated. The folder first: a second `up` there is why a port is mostly taken.
    check_alone(settings.data_dir)
    _check_folders(settings)
    programs_programs.check_port(settings.http_port, host=settings.http_host)
    if settings.receiver_port:
        programs_programs.check_port(settings.receiver_port, "LOOTWIRE_RECEIVER_PORT", host=settings.http_host)
    if warning := _exposure(settings):
        errors.print(f"lootwire: {warning}", markup=False, soft_wrap=True)
    runtime = open_command()
    programs_programs.check_broker(runtime.redis_url)
    programs_programs.take_up_settings(runtime)
    programs = programs_programs.programs(runtime)
    waits_for = publish_where_empty(runtime)
    programs_programs.wake(runtime)
    at_the_end.close()
    address = f"http://{reached_at(settings.http_host)}:{settings.http_port}/"
    greeting = f"Lootwire runs. Pages and feeds: {address}  (Ctrl-C ends it)"
    if waits_for:
        greeting = "\n".join(
            (greeting, "Nothing has been seen yet; `lootwire status` says how it goes on.", *waits_for)
        )
    programs_programs.become_supervisor(runtime, programs, greeting)


def once() -> int:
    """Do one full cycle, then exit: import the inbox, fetch what is due, send, publish. For cron."""
    _check_folders(load_settings().settings)
    runtime = open_command()
    programs_programs.check_broker(runtime.redis_url)
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
    return SET_ASIDE if aside else 0


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, until Ctrl-C.")] = False,
) -> int:
    """Show everything at work in a minute, offline: invented services, real workers, real feeds, mail and a webhook."""
    from pipeline.demo.show import run_demo

    return run_demo(keep=keep)


def _check_folders(settings: Settings) -> None:
    """Raise `LootwireError` where we could not write: workers would start, and fail again and again."""
    make_private(settings)
    try:
        _try_folder(settings.published)
    except LootwireError as error:
        raise LootwireError(f"the published folder {settings.published}: {error}") from error


def _exposure(settings: Settings) -> str | None:
    """Return in words who reaches our ports where that is more than this machine."""
    if not settings.is_open_to_others:
        return None
    receiver = (
        f", /health and the receiver of webhooks on port {settings.receiver_port}" if settings.receiver_port else ""
    )
    return (
        f"LOOTWIRE_HTTP_HOST is {settings.http_host}: every machine that reaches this one can read the published "
        f"folder on port {settings.http_port}{receiver}; there is no password and no encryption"
    )


def publish() -> int:
    """Write the feeds that events touched and the page, now."""
    runtime = open_command()
    settings = runtime.settings
    summary = publish_now(runtime)
    message = f"{summary.written} files written, {summary.unchanged} unchanged, in {settings.published}"
    console.print(message, markup=False, soft_wrap=True)
    for failure in summary.failures:
        errors.print(f"{failure.path}: {failure.reason}", markup=False)
    return SET_ASIDE if summary.failures else 0


def doctor(as_json: JsonFlag = False) -> int:
    """Show each setting with its origin, and check what can be checked: servers, folders, targets."""
    loaded = load_settings()
    rows = [_setting(loaded, field) for field in Settings.model_fields]
    # The value last: some are longer than any terminal is wide.
    print_rows(rows, as_json=as_json, columns=("setting", "origin", "value"), empty="", needed=3)
    if as_json:
        return 0
    for name in loaded.unknown:
        console.print(f"! {name} is set, but it is not a setting of this version", markup=False)
    console.print(f"\nembedded servers: {_embedded(loaded.settings)}")
    wrong = 0
    for name, problem in _checks(loaded.settings):
        console.print(f"{name}: {problem or 'well'}", markup=False, soft_wrap=True)
        wrong += problem is not None
    return 1 if wrong else 0


def _setting(loaded: LoadedSettings, field: str) -> dict[str, str]:
    value = getattr(loaded.settings, field)
    shown = "********" if isinstance(value, SecretStr) else show(value)
    if field == "publish_dir":
        shown = str(loaded.settings.published)
    return {"setting": variable_name(field), "value": shown, "origin": loaded.origins[field]}


def _embedded(settings: Settings) -> str:
    if settings.database_url is not None and settings.redis_url is not None:
        return "not used"
    return "running" if healthy(settings.data_dir) else "not running"


def _checks(settings: Settings) -> Iterator[tuple[str, str | None]]:
    """Try the servers and the folders; yields the name of each, and what is wrong with it or None."""
    address_problem = _attempt(programs_programs.check_host, settings.http_host)[1]
    if address_problem is None and (warning := _exposure(settings)):
        console.print(f"! {warning}", markup=False, soft_wrap=True)
    yield f"address {settings.http_host}", address_problem
    yield "disk", disk_problem(settings.data_dir)
    runtime, problem = _attempt(open_runtime, settings)
    yield "database", problem
    if runtime is not None:
        at_the_end.callback(runtime.engine.dispose)
        yield "broker", _attempt(programs_programs.check_broker, runtime.redis_url)[1]
        now = utc_now()
        console.print(f"eventsub: {describe(runtime.engine, settings, now)}", markup=False, soft_wrap=True)
        yield "clock", jumped_back_by(last_beat(runtime.engine), now)
        _hint_at_targets(runtime)
    yield f"published folder {settings.published}", _attempt(_try_folder, settings.published)[1]


def _attempt(call: Callable[[Given], Got], argument: Given) -> tuple[Got | None, str | None]:
    """Return a call's result, or a sentence for a person on why it failed."""
    try:
        return call(argument), None
    except Exception as error:
        if (problem := explain(error)) is None:
            raise
        return None, problem


def _hint_at_targets(runtime: Runtime) -> None:
    with runtime.engine.connect() as connection:
        if not list_targets(connection):
            message = "no targets yet: `lootwire targets add NAME URL` tells Lootwire where to send messages"
            console.print(message, markup=False, soft_wrap=True)


def _try_folder(folder: Path) -> None:
    try:
        make_folders(folder)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as draft:
            # On a full disk an empty file can still be made.
            draft.write(bytes(64 * 1024))
    except OSError as error:
        raise LootwireError(f"it cannot be written: {error.strerror}; see LOOTWIRE_PUBLISH_DIR") from error
