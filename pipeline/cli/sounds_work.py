"""Commands that work on sounds: `sounds scan`, `folders`, `forget`, `render`, `cookies`, `update-extractors`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection, select

from feeds.podcasts.marking import mark_sounds
from models import Rendition
from models.errors import UsageError
from models.words.units import counted, counted_plainly
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import make_noun
from pipeline.cli.opening import SET_ASIDE, open_command, read_named
from pipeline.cli.sounds import PersonName, ProfileName, checked_kind, sounds
from pipeline.operations import sound_folders as operations
from pipeline.operations.sounds import want_renditions
from pipeline.programs.sounds import surroundings
from pipeline.runtime.output import JsonFlag, console, errors, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now
from pipeline.sound.downloading.cookies import MOST_BYTES, cookies_for
from pipeline.sound.downloading.updating import update
from pipeline.sound.listing.sounds import sounds_named
from pipeline.sound.rendering.due import render_due
from pipeline.sound.scanning.scan import Remark, ScanReport, What
from pipeline.sound.store.folders import FOLDER_KINDS
from pipeline.sound.store.hosts import host_of, list_hosts, remove_cookies, set_cookies

REMARKS_SHOWN = 20
_EMPTY = "There are no folders of sounds yet: lootwire sounds scan FOLDER"
_WORDS: Sequence[tuple[What, str]] = (
    ("added", "added"),
    ("moved", "moved"),
    ("changed", "changed"),
    ("missing", "missing"),
    ("returned", "back"),
    ("duplicate", "duplicate"),
    ("unreadable", "unreadable"),
)
cookies = make_noun("Show for which hosts there are cookies; with a command, set or remove some.")


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the commands belong to those on sounds
    """Add the commands of this module."""
    sounds.command("scan")(scan)
    sounds.command("folders")(show_folders)
    sounds.command("forget")(forget)
    sounds.command("render")(render)
    sounds.command("update-extractors")(update_extractors)
    sounds.add_typer(cookies, name="cookies")


def scan(
    folders: Annotated[
        list[str] | None, typer.Argument(metavar="[FOLDER...]", help="Folders, or their numbers; all without any.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help=f"What a new folder holds: {', '.join(FOLDER_KINDS)}; effects by default.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Have its sounds made evenly loud, as this.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read every file again, also those that look the same.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> int:
    """Look at folders of your own sounds, recursively; a folder that is new is added.

    Sounds are known by their bytes: one that was moved stays the same sound, and of copies there is one. Only what is
    new or changed is read, and nothing is written. What vanished is missing, and not forgotten. Exits with 3 where
    files could not be read.
    """
    runtime, now = open_command(), utc_now()
    checked = None if kind is None else checked_kind(kind, FOLDER_KINDS)
    with runtime.engine.begin() as connection:
        owner = person_named(connection, person)
        chosen = operations.choose_folders(
            runtime, connection, owner, folders or (), now, kind=checked, profile=profile
        )
    if not chosen:
        raise UsageError(_EMPTY)
    code = 0
    for folder in chosen:
        with _counting(f"reading {show(folder.shown)}", "files") as on_read:
            report = operations.scan(runtime, folder, now, full=full, on_read=on_read)
        print_json(_report_row(report)) if as_json else _tell(report)
        if report.problems or report.count("unreadable"):
            code = SET_ASIDE
    return code


def show_folders(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the folders of your own sounds."""
    with open_command().engine.connect() as connection:
        listed = operations.list_folders(connection, person_named(connection, person))
    columns = ("folder", "path", "kind", "profile", "sounds", "scanned_at")
    if as_json:
        for folder in listed:
            print_json(folder)
        return
    rows = [{"folder": folder.id, **msgspec.structs.asdict(folder)} for folder in listed]
    print_rows(rows, as_json=False, columns=columns, empty=_EMPTY)


def forget(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder, or its number.")],
    person: PersonName = None,
) -> None:
    """Look at a folder of sounds no more: its sounds are missing until it is scanned again. No file is touched."""
    now = utc_now()
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        chosen = operations.find_folder(connection, owner, folder)
        operations.forget_folder(connection, chosen, now)
    console.print(f"{show(chosen.shown)} is looked at no more.", markup=False, soft_wrap=True)


def render(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SOUND...]", help="Sounds by number or title; all without any.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only sounds of this kind.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also those that are rendered already.")] = False,
    profile: ProfileName = None,
    one_pass: Annotated[
        bool, typer.Option("--one-pass", help="Without measuring first: faster, and less exact.")
    ] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> int:
    """Make sounds evenly loud now: those that have no rendition yet, or with --force all of them.

    Without --profile effects are rendered as `effects`, and all others as `podcast`. Exits with 3 where one failed.
    """
    runtime, now = open_command(), utc_now()
    around = surroundings(runtime)
    with runtime.engine.begin() as connection:
        owner = person_named(connection, person)
        wanted = want_renditions(
            runtime,
            connection,
            owner,
            now,
            sound_ids=sounds_named(connection, owner, names) if names else None,
            kind=None if kind is None else checked_kind(kind),
            profile=profile,
            force=force,
        )
    rows = []
    with _rendering(len(wanted.waiting)) as on_done:
        for rendition_id in wanted.waiting:
            outcome = render_due(
                runtime.engine,
                rendition_id,
                ffmpeg=around.ffmpeg(),
                profiles=around.profiles,
                data_dir=around.data_dir,
                clock=around.clock,
                is_one_pass=one_pass,
                on_ready=lambda connection, sound_id: mark_sounds(connection, [sound_id]),
            )
            with runtime.engine.connect() as connection:
                rows.append(_rendered(connection, rendition_id, outcome))
            on_done()
    columns = ("sound", "profile", "outcome", "mode", "before", "after", "note")
    empty = "Every sound is rendered; --force renders again." if wanted.chosen else "No sound is as you say."
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)
    return SET_ASIDE if any(row["outcome"] in {"failed", "put off"} for row in rows) else 0


def _rendered(connection: Connection, rendition_id: int, outcome: str) -> dict[str, Any]:
    row = connection.execute(select(Rendition.__table__).where(Rendition.id == rendition_id)).one()
    return {
        "sound": row.sound_id,
        "profile": row.profile,
        "outcome": "another process has it" if outcome == "nothing" else outcome,
        "mode": row.mode,
        "before": row.integrated_before,
        "after": row.integrated_after,
        "note": row.error or row.note,
    }


def update_extractors(
    wheel: Annotated[
        Path | None, typer.Option("--wheel", metavar="FILE", help="A wheel of yt-dlp, where there is no network.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Fetch the newest yt-dlp, which knows the services that sounds come from; old ones stop working.

    It is kept in the data directory, and used from the next fetch on.
    """
    extractors = update(open_command().settings.data_dir, wheel)
    if as_json:
        print_json({"version": extractors.version, "folder": extractors.folder})
    else:
        console.print(f"Sounds are fetched by yt-dlp {show(extractors.version)}.", markup=False)


@cookies.callback(invoke_without_command=True)
def list_cookies(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show for which hosts there are cookies, and which hosts rest; with a command, set or remove some."""
    if context.invoked_subcommand is not None:
        return
    with open_command().engine.connect() as connection:
        rows = [msgspec.structs.asdict(host) for host in list_hosts(connection)]
    columns = ("host", "cookies_set_at", "cookies_stale_at", "until", "reason")
    empty = "There are no cookies, and nothing was fetched yet: lootwire sounds cookies set HOST FILE"
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)


Host = Annotated[str, typer.Argument(metavar="HOST", help="Such as youtube.com, or an address there.")]


@cookies.command("set")
def set_for_host(
    host: Host,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A cookies.txt (Netscape's format), or - for standard input.")
    ],
) -> None:
    """Keep cookies for a host, encrypted: used only where a try without them was asked to sign in.

    Of the file only those for this host are kept. Delete the file afterwards: it is as good as your password.
    """
    runtime = open_command()
    name = _host(host)
    kept = cookies_for(read_named(file, MOST_BYTES + 1), name).decode()
    with runtime.engine.begin() as connection:
        set_cookies(connection, runtime.vault, name, kept, utc_now())
    console.print(f"Cookies for {show(name)} are kept, encrypted. Delete the file.", markup=False)


@cookies.command("remove")
def remove_for_host(host: Host) -> None:
    """Forget the cookies for a host."""
    name = _host(host)
    with open_command().engine.begin() as connection:
        if not remove_cookies(connection, name):
            raise UsageError(f"there are no cookies for {name}; `lootwire sounds cookies` shows which there are")
    console.print(f"The cookies for {show(name)} are forgotten.", markup=False)


def _host(text: str) -> str:
    return host_of(text if "://" in text else f"https://{text}")


def _report_row(report: ScanReport) -> dict[str, Any]:
    counts: dict[str, Any] = {what: report.count(what) for what, _ in _WORDS}
    row = {name: getattr(report, name) for name in ("folder_id", "path", "listed", "read", "unchanged")}
    files = [msgspec.to_builtins(remark) for remark in report.remarks]
    return {**row, **counts, "problems": list(report.problems), "files": files}


def _counted(number: int, what: What, word: str) -> str:
    """Return how many files became what: only a duplicate has a plural."""
    return counted(number, word) if what == "duplicate" else f"{number:,} {word}"


def _tell(report: ScanReport) -> None:
    counts = ", ".join(_counted(report.count(what), what, word) for what, word in _WORDS if report.count(what))
    read = f"{counted_plainly(report.listed, 'file')}, {report.read:,} read"
    console.print(f"{show(report.path)}: {read}: {counts or 'nothing new'}.", markup=False, soft_wrap=True)
    changes = [remark for remark in report.remarks if remark.what != "added"]
    for remark in changes[:REMARKS_SHOWN]:
        out = errors if remark.what == "unreadable" else console
        out.print(f"  {_sentence(remark)}", markup=False, soft_wrap=True)
    if len(changes) > REMARKS_SHOWN:
        console.print(f"  … and {len(changes) - REMARKS_SHOWN:,} more: --json lists them", markup=False)
    for problem in report.problems:
        errors.print(f"lootwire: {show(problem)}", markup=False, soft_wrap=True)


def _sentence(remark: Remark) -> str:
    file, other = show(remark.file), show(remark.other)
    match remark.what:
        case "moved":
            return f"moved: {other} → {file}"
        case "duplicate":
            return f"duplicate: {file} is the same as {other}"
        case "unreadable":
            return f"unreadable: {file}: {other}"
        case "returned":
            return f"back: {file}"
        case _:
            return f"{remark.what}: {file}"


@contextmanager
def _counting(doing: str, noun: str) -> Iterator[Callable[[int], None]]:
    """Give what hears how many are done, and shows it on a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,} {task.fields[noun]}"))
    with Progress(*columns, TimeElapsedColumn(), console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(doing, total=None, noun=noun)
        yield lambda count: bar.update(task, completed=count)


@contextmanager
def _rendering(total: int) -> Iterator[Callable[[], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("making sounds evenly loud", total=total)
        yield lambda: bar.advance(task)
