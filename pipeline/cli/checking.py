"""`lootwire doctor`, which checks what the pipeline needs, and the checks that other commands begin with.

It imports little at first: on a full disk, or a slow one, it is called to say what is wrong, and soon.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec
import typer

from models.errors import LootwireError
from pipeline.cli.opening import at_the_end
from pipeline.embedded import disk_problem, full_disk, healthy
from pipeline.operations.settings import list_settings
from pipeline.programs.ports import listen
from pipeline.runtime.folders import make_private, try_folder
from pipeline.runtime.output import JsonFlag, console, print_rows
from pipeline.runtime.problems import explain
from pipeline.runtime.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.embedded import Servers

Given = TypeVar("Given")
Got = TypeVar("Got")


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(doctor)


def check_folders(settings: Settings) -> None:
    """Raise `LootwireError` where we could not write: workers would start, and fail again and again."""
    # Before the published folder, which mostly is on the same disk: without its servers nothing works.
    if problem := full_disk_of_servers(settings):
        raise LootwireError(problem)
    make_private(settings)
    try:
        try_folder(settings.published)
    except LootwireError as error:
        raise LootwireError(f"the published folder {settings.published}: {error}") from error


def full_disk_of_servers(settings: Settings) -> str | None:
    """Return what is wrong where the disk of embedded servers is full."""
    is_embedded = settings.database_url is None or settings.redis_url is None
    return full_disk(settings.data_dir) if is_embedded else None


def exposure(settings: Settings) -> str | None:
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


def doctor(as_json: JsonFlag = False) -> int:
    """Show each setting with its origin, and check what can be checked: servers, folders, targets."""
    loaded = load_settings()
    rows = [msgspec.structs.asdict(each) for each in list_settings(loaded)]
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


def _embedded(settings: Settings) -> str:
    if settings.database_url is not None and settings.redis_url is not None:
        return "not used"
    return "running" if healthy(settings.data_dir) else "not running"


def _checks(settings: Settings) -> Iterator[tuple[str, str | None]]:
    """Try the servers and the folders; yields the name of each, and what is wrong with it or None."""
    address_problem = _attempt(_check_address, settings.http_host)[1]
    if address_problem is None and (warning := exposure(settings)):
        console.print(f"! {warning}", markup=False, soft_wrap=True)
    yield f"address {settings.http_host}", address_problem
    yield "disk", disk_problem(settings.data_dir)
    yield from _check_servers(settings)
    yield from _check_sound_tools(settings)
    yield f"published folder {settings.published}", _attempt(try_folder, settings.published)[1]


def _check_address(host: str) -> None:
    """Raise `LootwireError` if this machine has no such address to listen on."""
    listen(0, "LOOTWIRE_HTTP_PORT", host=host).close()


def _check_sound_tools(settings: Settings) -> Iterator[tuple[str, str | None]]:
    """Show what fetches and renders sounds; a group that was left out is no mistake."""
    from pipeline.programs.sound_tools import look_at_tools

    for tool in look_at_tools(settings.data_dir, settings.ffmpeg, datetime.now(UTC).date()):
        if tool.hint is not None:
            console.print(f"! {tool.name}: {tool.hint}", markup=False, soft_wrap=True)
        if tool.is_there or tool.problem is not None:
            yield f"{tool.name} ({tool.state})", tool.problem
    yield "profiles of sounds", _attempt(_check_profiles, settings)[1]


def _check_profiles(settings: Settings) -> None:
    """Raise `UsageError` where LOOTWIRE_SOUND_PROFILES cannot be read."""
    from pipeline.sound.loudness.profiles import read_profiles

    read_profiles(settings.sound_profiles, settings.sound_kbps)


def _check_servers(settings: Settings) -> Iterator[tuple[str, str | None]]:
    if (full := full_disk_of_servers(settings)) and not healthy(settings.data_dir):
        yield "database", full
        return
    # Imported late: the clients of both servers.
    from pipeline.runtime.servers import open_servers

    servers, problem = _attempt(open_servers, settings)
    yield "database", problem
    if servers is not None:
        yield from _check_contents(settings, servers)


def _check_contents(settings: Settings, servers: "Servers") -> Iterator[tuple[str, str | None]]:
    from pipeline.database.connecting import connect
    from pipeline.programs.health import describe
    from pipeline.runtime.heartbeat import jumped_back_by, last_beat
    from pipeline.runtime.servers import check_broker

    engine = connect(servers.database_url)
    at_the_end.callback(engine.dispose)
    yield "broker", _attempt(check_broker, servers.redis_url)[1]
    now = datetime.now(UTC)
    console.print(f"eventsub: {describe(engine, settings, now)}", markup=False, soft_wrap=True)
    yield "clock", jumped_back_by(last_beat(engine), now)
    _hint_at_targets(engine)


def _attempt(call: Callable[[Given], Got], argument: Given) -> tuple[Got | None, str | None]:
    """Return a call's result, or a sentence for a person on why it failed."""
    try:
        return call(argument), None
    except Exception as error:
        if (problem := explain(error)) is None:
            raise
        return None, problem


def _hint_at_targets(engine: "Engine") -> None:
    from sqlalchemy import select

    from models import Target

    with engine.connect() as connection:
        if connection.scalar(select(Target.id).limit(1)) is None:
            message = "no targets yet: `lootwire targets add NAME URL` tells Lootwire where to send messages"
            console.print(message, markup=False, soft_wrap=True)
