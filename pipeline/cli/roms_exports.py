"""Commands that write what front ends read, and read what they know: `roms export`, `roms journal`."""

from pathlib import Path
from typing import Annotated

import typer

from models.errors import UsageError
from pipeline.catalogue.people import person_named
from pipeline.cli.meaning import PersonName
from pipeline.cli.opening import SET_ASIDE, open_command
from pipeline.cli.roms import FolderName, PlatformName, roms
from pipeline.library.journal.reading import check_word
from pipeline.operations import rom_answers as operations
from pipeline.roms.exports.reading_back import ReadBack, read_back
from pipeline.roms.exports.records import ALSO, FORMATS, Exported
from pipeline.runtime.output import JsonFlag, console, errors, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the commands belong to those on ROMs
    """Add the commands of this module."""
    roms.command("export")(export_roms)
    roms.command("journal")(read_journal)


def export_roms(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=f"{', '.join(FORMATS)}.")],
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The front end's file; for m3u and links a folder.")],
    platform: PlatformName = None,
    folder: FolderName = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> int:
    """Bring ROMs into a front end's list, which keeps all that is its own: favourites, play counts, your words.

    An entry that Lootwire did not write, or that was changed since, stays as it is. Again, it changes nothing.
    """
    word = check_word(ALSO.get(form.lower(), form.lower()), FORMATS, "format")
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        exported = operations.run_export(
            connection,
            owner,
            utc_now(),
            word,  # type: ignore[arg-type] # the words are those of the type
            to,
            folder=folder,
            platform=platform,
            dry_run=dry_run,
        )
    print_json(exported) if as_json else _tell(exported, dry_run=dry_run)
    return SET_ASIDE if exported.left_out else 0


def read_journal(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="gamelist.xml, LaunchBox's XML, RetroArch's .lrtl, or folders of these."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Take favourites, ratings and play times of front ends into your library, where you have said nothing yourself."""
    missing = [file for file in files if not file.exists()]
    if missing:
        raise UsageError(f"there is no {missing[0]}")
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        read = read_back(connection, owner, files, utc_now(), dry_run=dry_run)
    print_json(read) if as_json else _tell_read(read, dry_run=dry_run)


def _tell(exported: Exported, *, dry_run: bool) -> None:
    if dry_run:
        for file in exported.files:
            console.print(file.diff or f"{'gone: ' if file.is_removed else 'new: '}{show(file.path)}", markup=False)
    would = "would be " if dry_run else ""
    console.print(
        f"{show(exported.to)}: {exported.added:,} {would}added, {exported.changed:,} {would}changed, "
        f"{exported.same:,} as they were; {exported.kept:,} that are not of these ROMs stay.",
        markup=False,
        soft_wrap=True,
    )
    for left in exported.left_out:
        errors.print(f"lootwire: left out {show(left.shown)}: {show(left.reason)}", markup=False, soft_wrap=True)


def _tell_read(read: ReadBack, *, dry_run: bool) -> None:
    rows = [
        {"title": line.title or line.path, "changes": "; ".join(line.changes) or line.reason or "", "file": line.file}
        for line in read.lines
        if line.changes or line.reason
    ]
    print_rows(rows, as_json=False, columns=("title", "changes", "file"), empty="Your library has all of it already.")
    if read.is_changed and dry_run:
        console.print("Nothing was written: a dry run.", markup=False)
