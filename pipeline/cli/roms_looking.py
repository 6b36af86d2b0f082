"""Commands that look at a whole collection: `roms missing`, `misnamed`, `duplicates`, `best`, `stats`, `dats`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from models.errors import UsageError
from models.words.units import counted_plainly
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import make_noun
from pipeline.cli.meaning import PersonName, refuse_person
from pipeline.cli.opening import GREATEST, SET_ASIDE, open_command
from pipeline.cli.roms import FolderName, PlatformName, rom_row, roms
from pipeline.operations import roms as operations
from pipeline.operations.roms import slug_of
from pipeline.roms.importing import ImportedDat, import_dats
from pipeline.roms.listing.best import LANGUAGES, REGIONS
from pipeline.roms.listing.missing import State, as_csv, as_fix_list
from pipeline.runtime.output import JsonFlag, console, errors, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

dats = make_noun("Show the DATs that tell what files are; with a command, import some.")
_FORMS = ("csv", "fix")


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the commands belong to those on ROMs
    """Add the commands of this module."""
    roms.command("missing")(show_missing)
    roms.command("misnamed")(show_misnamed)
    roms.command("duplicates")(show_duplicates)
    roms.command("best")(show_best)
    roms.command("stats")(show_statistics)
    roms.add_typer(dats, name="dats")


def show_missing(
    dat: Annotated[
        int | None, typer.Option(min=1, max=GREATEST, help="Of this DAT, as `roms dats` numbers it.")
    ] = None,
    platform: PlatformName = None,
    incomplete: Annotated[bool, typer.Option("--incomplete", help="Only games of which some files are there.")] = False,
    form: Annotated[
        str | None,
        typer.Option("--as", metavar="FORM", help="csv: a table; fix: a DAT of what is missing, for ROM managers."),
    ] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what your collection lacks of the games that your DATs list: whole games, or some of their files."""
    if form is not None and form not in _FORMS:
        raise UsageError(f"--as {form!r} is no form; there are {' and '.join(_FORMS)}")
    state: State | None = "incomplete" if incomplete else None
    with open_command().engine.connect() as connection:
        owner = person_named(connection, person)
        lacking = operations.lacking(connection, owner, dat_id=dat, platform=platform, state=state)
        if form is not None:
            parts = as_csv(lacking) if form == "csv" else as_fix_list(lacking, "Missing from the collection")
            for part in parts:
                sys.stdout.write(part)
            return
        rows: list[dict[str, Any]] = []
        for game in lacking:
            if as_json:
                print_json(game)
            else:
                files = ", ".join(file.name for file in game.files[:3])
                more = f" and {len(game.files) - 3} more" if len(game.files) > 3 else ""
                rows.append({"game": game.game, "state": game.state, "files": f"{files}{more}", "dat": game.dat})
    if not as_json:
        print_rows(
            rows, as_json=False, columns=("game", "state", "files", "dat"), empty=_no_dats("Nothing is missing.")
        )


def show_misnamed(folder: FolderName = None, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the ROMs that their DAT calls otherwise. Lootwire renames nothing."""
    with open_command().engine.connect() as connection:
        owner = person_named(connection, person)
        misnamed = [msgspec.structs.asdict(rom) for rom in operations.misnamed(connection, owner, folder)]
    columns = ("rom_id", "path", "right_name", "verdict", "dat")
    print_rows(misnamed, as_json=as_json, columns=columns, empty="Every ROM is called as its DAT calls it.")


def show_duplicates(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show what you have more than once, also inside archives, the largest first. Lootwire deletes nothing."""
    with open_command().engine.connect() as connection:
        duplicates = operations.duplicates(connection, person_named(connection, person))
    if as_json:
        for duplicate in duplicates:
            print_json(duplicate)
        return
    rows = [
        {
            "size": duplicate.size,
            "digest": f"{duplicate.by} {duplicate.digest[:16]}",
            "copies": "\n".join(
                f"{copy.file} : {copy.member}" if copy.member else copy.file for copy in duplicate.copies
            ),
        }
        for duplicate in duplicates
    ]
    print_rows(rows, as_json=False, columns=("copies", "size", "digest"), empty="Nothing is there twice.")
    if duplicates:
        wasted = sum(duplicate.wasted for duplicate in duplicates) / 1_000_000
        console.print(f"{wasted:,.1f} MB, unpacked, are there more than once.", markup=False)


def show_best(
    platform: PlatformName = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", help=f"The regions you would rather have, in order; else {', '.join(REGIONS)}."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", help=f"The languages, as two letters, in order; else {', '.join(LANGUAGES)}."),
    ] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show one release of each game: sound before bad, sold before beta, your language, your region, the newest.

    With --json it is a list that other programs can copy by.
    """
    with open_command().engine.connect() as connection:
        owner = person_named(connection, person)
        chosen = operations.best(connection, owner, platform=platform, regions=region or (), languages=language or ())
    rows = [rom_row(rom) for rom in chosen]
    columns = ("rom", "title", "written", "platform", "verdict", "file")
    print_rows(rows, as_json=as_json, columns=columns, empty="There are no ROMs.")


def show_statistics(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Add the collection up by platform: games and ROMs, what DATs verify, what is matched, missing, and how large."""
    with open_command().engine.connect() as connection:
        statistics = operations.add_up(connection, person_named(connection, person))
    rows = [msgspec.structs.asdict(each) | ({} if as_json else {"size": _size(each.bytes)}) for each in statistics]
    columns = ("name", "games", "roms", "verified", "incomplete", "bad", "matched", "missing", "size")
    print_rows(rows, as_json=as_json, columns=columns, empty="There are no ROMs.", needed=3)


@dats.callback(invoke_without_command=True)
def list_dats_by_default(
    context: typer.Context,
    superseded: Annotated[bool, typer.Option("--all", help="Also versions that a newer one replaced.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the DATs that tell what files are, and how much of each you have; with a command, import some."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        show_dats(superseded=superseded, person=person, as_json=as_json)


@dats.command("list")
def show_dats(
    superseded: Annotated[bool, typer.Option("--all", help="Also versions that a newer one replaced.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the DATs that tell what files are, and how much of each you have."""
    with open_command().engine.connect() as connection:
        listed = operations.dats(connection, person_named(connection, person), superseded=superseded)
    rows = [{"dat": dat.id, **{k: v for k, v in msgspec.structs.asdict(dat).items() if k != "id"}} for dat in listed]
    columns = ("dat", "name", "version", "platform", "have", "total", "incomplete", "bad")
    print_rows(rows, as_json=as_json, columns=columns, empty=_no_dats("There are no DATs."), needed=3)


@dats.command("import")
def import_some(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="DATs of No-Intro, Redump, TOSEC, MAME; also in zips.")
    ],
    platform: PlatformName = None,
    as_json: JsonFlag = False,
) -> int:
    """Import DATs: Logiqx XML, clrmamepro, MAME software lists, SMDB. What you have is told anew; no file is read.

    Of each file all is taken or nothing. A newer version takes the place of the one before, which is kept.
    """
    imported = import_dats(open_command().engine, files, platform=slug_of(platform), now=utc_now())
    if as_json:
        for dat in imported.dats:
            print_json(dat)
    else:
        _tell_imported(imported.dats)
        if imported.identified is not None:
            known = imported.identified
            console.print(
                f"{counted_plainly(known.roms, 'ROM')}: {known.verified:,} verified, {known.incomplete:,} incomplete, "
                f"{known.bad:,} bad dumps, {known.unknown:,} unknown.",
                markup=False,
            )
    return SET_ASIDE if any(dat.outcome == "refused" for dat in imported.dats) else 0


def _tell_imported(dats: Any) -> None:
    for dat in dats:
        if dat.outcome == "refused":
            errors.print(f"lootwire: {show(dat.problem)}", markup=False, soft_wrap=True)
        else:
            console.print(_said(dat), markup=False, soft_wrap=True)


def _said(dat: ImportedDat) -> str:
    about = f"{show(dat.name)}{f' {show(dat.version)}' if dat.version else ''}"
    counts = f"{counted_plainly(dat.games, 'game')}, {counted_plainly(dat.roms, 'file')}"
    match dat.outcome:
        case "newer":
            return f"{about}: {counts}, in place of {show(dat.instead_of) or 'the one before'}."
        case "older":
            return f"{about}: kept, but a newer version is there already."
        case "already there":
            return f"{about}: already there."
        case _:
            of = f" of {dat.platform}" if dat.platform else ", of no platform that its name says: --platform"
            return f"{about}: {counts}{of}."


def _no_dats(text: str) -> str:
    return f"{text} DATs bring what there is to have: lootwire roms dats import FILE"


def _size(count: int) -> str:
    return f"{count / 1_000_000_000:,.1f} GB" if count >= 1_000_000_000 else f"{count / 1_000_000:,.1f} MB"
