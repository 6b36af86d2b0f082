"""Commands on folders of ROMs, and on what is in them: `roms add`, `list`, `remove`, `scan`, `show`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection

from models.errors import UsageError
from models.words.units import counted_plainly
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.meaning import PersonName, refuse_person
from pipeline.cli.opening import GREATEST, SET_ASIDE, open_command
from pipeline.library.journal.reading import check_word
from pipeline.operations import roms as operations
from pipeline.operations.roms import RomAnswer, as_answer, folder_named
from pipeline.roms.listing.collected import VERDICTS, CollectedRom, RomFilter, load_contents, load_named
from pipeline.roms.scanning.scan import ScanReport, scan_folder
from pipeline.roms.store.folders import LAYOUTS, Folder, FolderOptions, list_folders
from pipeline.runtime.output import JsonFlag, console, errors, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

roms = make_noun(COMMANDS["roms"].help)
PlatformName = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A platform, as folders, DATs or people call it: snes, PlayStation 2."),
]
FolderName = Annotated[str | None, typer.Option("--folder", metavar="FOLDER", help="A folder, or its number.")]
_EMPTY = "There are no folders of ROMs yet: lootwire roms add FOLDER"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(roms, name="roms")


@roms.callback(invoke_without_command=True)
def list_by_default(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show your folders of ROMs; with a command, add one, scan it, or see what is in it. Files are only ever read."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        list_all(person, as_json=as_json)


@roms.command("list")
def list_all(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show your folders of ROMs: what is in them, when they were looked at, and what is wrong with them."""
    with open_command().engine.connect() as connection:
        owner = person_named(connection, person)
        rows = [msgspec.structs.asdict(folder) for folder in operations.list_folders(connection, owner)]
    columns = ("folder", "path", "platform", "roms", "verified", "missing", "unread", "scanned_at", "problem")
    print_rows(rows, as_json=as_json, columns=columns, empty=_EMPTY, needed=4)


@roms.command("add")
def add(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder; what is in its folders counts too.")],
    platform: PlatformName = None,
    layout: Annotated[
        str, typer.Option(help=f"How it is laid out: {', '.join(LAYOUTS)}; auto looks for itself.")
    ] = "auto",
    extension: Annotated[
        list[str] | None,
        typer.Option("--extension", metavar="EXT", help="Only files with this ending; may be repeated."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="PATTERN", help="Not what is called so: '*.txt', 'media/*'; may be repeated."),
    ] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a folder of ROMs. It is looked at every hour while Lootwire runs; `lootwire roms scan` does it now.

    Without --platform the names of its folders say it, and what its files turn out to be. Adding it again changes its
    platform, layout and patterns.
    """
    with open_command().engine.begin() as connection:
        added = operations.add_folder(
            connection,
            person_named(connection, person),
            utc_now(),
            folder,
            platform=platform,
            layout=check_word(layout, LAYOUTS, "layout"),  # type: ignore[arg-type] # the words are those of the type
            options=FolderOptions(extensions=tuple(extension or ()), ignore=tuple(ignore or ())),
        )
    if as_json:
        print_json(_folder_row(added))
    else:
        console.print(
            f"Added {show(added.shown)} as folder {added.id}. To look at it now: lootwire roms scan {added.id}",
            markup=False,
            soft_wrap=True,
        )


@roms.command("remove")
def remove(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder, or its number.")],
    person: PersonName = None,
) -> None:
    """Look at a folder no more. No file is touched; added again, it is as it was."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        chosen = operations.remove_folder(connection, owner, utc_now(), folder)
    console.print(f"{show(chosen.shown)} is looked at no more.", markup=False, soft_wrap=True)


@roms.command("scan")
def scan(
    folders: Annotated[
        list[str] | None, typer.Argument(metavar="[FOLDER...]", help="Folders, or their numbers; all without any.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read every file again, also those that look the same.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="What is gone is gone, also where it is half of a folder or more.")
    ] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> int:
    """Look at folders now: read what is new or changed, notice what came and went, and tell which games they are.

    A scan that is interrupted goes on where it was. Exits with 3 where files were set aside or a folder is suspect.
    """
    runtime = open_command()
    with runtime.engine.connect() as connection:
        owner = person_named(connection, person)
        known = list_folders(connection, owner)
        chosen = [folder_named(connection, owner, name) for name in folders or ()] or known
    if not chosen:
        raise UsageError(_EMPTY)
    code = 0
    for folder in chosen:
        with _progress(folder) as on_read:
            report = scan_folder(runtime.engine, folder.id, now=utc_now(), full=full, accept=accept, on_read=on_read)
        print_json(_report_row(folder, report)) if as_json else _tell(folder, report)
        if report.problem is not None or report.unread:
            code = SET_ASIDE
    return code


@roms.command("show")
def show_roms(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ROM...]", help="ROMs by number, name, title or file: all of them.")
    ] = None,
    platform: PlatformName = None,
    folder: FolderName = None,
    verdict: Annotated[str | None, typer.Option(help=f"What DATs say: {', '.join(VERDICTS)}.")] = None,
    text: Annotated[str | None, typer.Option("--search", metavar="TEXT", help="Part of a name or title.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Those that are missing.")] = False,
    unmatched: Annotated[bool, typer.Option("--unmatched", help="Those of which no game is known.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most.")] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show ROMs: what each is, what DATs say of it, and which game it is; of named ones all that is known."""
    with open_command().engine.connect() as connection:
        owner = person_named(connection, person)
        if names:
            for rom in load_named(connection, owner, names):
                _print_rom(connection, rom, as_json=as_json)
            return
        wish = RomFilter(
            folder_id=folder_named(connection, owner, folder).id if folder else None,
            platform=platform,
            verdict=check_word(verdict, VERDICTS, "verdict") if verdict else None,  # type: ignore[arg-type]
            text=text,
            missing=missing,
            unmatched=unmatched,
        )
        chosen = operations.list_roms(connection, owner, wish, limit=limit)
    rows = [rom_row(rom) for rom in chosen]
    columns = ("rom", "written", "platform", "verdict", "game", "file")
    print_rows(rows, as_json=as_json, columns=columns, empty="No ROM is as you say.")


def rom_row(rom: RomAnswer) -> dict[str, Any]:
    """Return a ROM as lists and JSON have it."""
    values = msgspec.structs.asdict(rom)
    return {"rom": values.pop("id"), **values}


def _folder_row(folder: Folder) -> dict[str, Any]:
    values = msgspec.to_builtins(msgspec.structs.replace(folder, path=b""))
    return {"folder": values.pop("id"), **values, "path": folder.shown}


def _report_row(folder: Folder, report: ScanReport) -> dict[str, Any]:
    return {"path": folder.shown, **msgspec.to_builtins(report)}


def _tell(folder: Folder, report: ScanReport) -> None:
    counts = [
        (report.added, "added"),
        (report.moved, "moved"),
        (report.missing, "missing"),
        (report.returned, "back"),
        (report.identified, "identified"),
        (report.unread, "set aside"),
    ]
    what = ", ".join(f"{count:,} {word}" for count, word in counts if count) or "nothing new"
    text = f"{show(folder.shown)}: {counted_plainly(report.listed, 'file')}, {report.read:,} read: {what}."
    console.print(text, markup=False, soft_wrap=True)
    if report.problem is not None:
        errors.print(f"lootwire: {show(folder.shown)}: {show(report.problem)}", markup=False, soft_wrap=True)
    if report.unread:
        errors.print(
            f"lootwire: {counted_plainly(report.unread, 'file')} could not be read; why: lootwire roms unread",
            markup=False,
            soft_wrap=True,
        )


@roms.command("unread")
def show_unread(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the files that could not be read, or not whole, each with its reason."""
    with open_command().engine.connect() as connection:
        unread = operations.list_unread(connection, person_named(connection, person))
    rows = [msgspec.structs.asdict(each) for each in unread]
    print_rows(rows, as_json=as_json, columns=("file", "reason", "folder"), empty="Every file could be read.")


def _print_rom(connection: Connection, rom: CollectedRom, *, as_json: bool) -> None:
    contents = load_contents(connection, rom.id)
    if as_json:
        print_json(rom_row(as_answer(rom)) | {"contents": [msgspec.structs.asdict(line) for line in contents]})
        return
    console.print(f"{show(rom.written)} is ROM {rom.id}", markup=False, style="bold")
    for label, value in _facts(rom):
        console.print(f"  {label}: {show(value)}", markup=False, soft_wrap=True)
    rows = [
        {
            "file": f"{line.file} : {line.member}" if line.member else line.file,
            "size": line.size,
            "crc32": line.crc32,
            "sha1": line.sha1,
            "disk_sha1": line.disk_sha1,
            "error": line.error,
        }
        for line in contents
    ]
    columns = ["file", "size", "crc32", "sha1"]
    columns += [name for name in ("disk_sha1", "error") if any(row[name] for row in rows)]
    print_rows(rows, as_json=False, columns=columns, empty="It has no files.")
    console.print("")


def _facts(rom: CollectedRom) -> Iterator[tuple[str, object]]:
    yield "Title", rom.title + (f" ({rom.year})" if rom.year else "")
    facts = [
        ("Platform", rom.platform_name),
        ("Regions", ", ".join(rom.regions)),
        ("Languages", ", ".join(rom.languages)),
        ("Disc", rom.disc),
        ("Revision", rom.revision),
        ("It is", ", ".join(rom.flags)),
        ("Tags", ", ".join(rom.tags)),
        ("Folder", rom.folder),
    ]
    yield from ((label, value) for label, value in facts if value)
    by = f", by {rom.identified_by.upper()}" if rom.identified_by else ""
    weak = ", which is weaker than SHA-1" if rom.identified_by == "crc32" else ""
    of_dat = f" ({rom.dat}: {rom.dat_game})" if rom.dat_game else ""
    yield "DATs say", f"{rom.verdict}{by}{weak}{of_dat}"
    if rom.parent:
        yield "Clone of", rom.parent
    if rom.right_name:
        yield "The DAT calls it", rom.right_name
    if rom.game:
        igdb = f" (igdb:{rom.igdb_id})" if rom.igdb_id else ""
        yield "Game", f"{rom.game}{igdb}, {'as you said' if rom.is_pinned else f'by its {rom.how}'}"
    else:
        yield "Game", "none, as you said" if rom.is_pinned else "not known: lootwire roms settle ROM igdb:ID"
    if rom.lacks:
        yield "Lacks", f"{', '.join(rom.lacks)}: its sheet lists {'it' if len(rom.lacks) == 1 else 'them'}"
    if rom.missing_since:
        yield "Missing since", rom.missing_since


@contextmanager
def _progress(folder: Folder) -> Iterator[Callable[[int], object]]:
    """Show how many files have been read, where somebody looks on."""
    if not errors.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.fields[files]:,} files"))
    with Progress(*columns, TimeElapsedColumn(), console=errors, transient=True) as progress:
        task = progress.add_task(show(folder.shown), files=0)
        yield lambda count: progress.update(task, files=count)
