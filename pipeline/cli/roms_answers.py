"""Commands by which a person says which games ROMs are: `roms review`, `settle`, `unmatch`, `undo`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from models.errors import UsageError
from models.words.units import counted_plainly
from pipeline.catalogue.people import person_named
from pipeline.cli.library import show_waiting
from pipeline.cli.meaning import PersonName
from pipeline.cli.opening import open_command
from pipeline.cli.roms import rom_row, roms
from pipeline.operations import rom_answers as operations
from pipeline.operations.roms import RomAnswer
from pipeline.roms.resolving import FORMAT
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows
from pipeline.runtime.runtime import utc_now

Roms = Annotated[
    list[str], typer.Argument(metavar="ROM...", help="ROMs by number, name, title or file, and last igdb:ID.")
]
SomeRoms = Annotated[list[str], typer.Argument(metavar="ROM...", help="ROMs by number, name, title or file.")]


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the commands belong to those on ROMs
    """Add the commands of this module."""
    roms.command("review")(review)
    roms.command("settle")(settle_roms)
    roms.command("unmatch")(unmatch_roms)
    roms.command("undo")(undo)


def review(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the titles of ROMs that wait for you, and which games each may mean; `library settle` takes them too."""
    show_waiting(person, as_json=as_json, format_=FORMAT)


def settle_roms(
    names: Roms,
    own: Annotated[bool, typer.Option("--own", help="It is a game that IGDB lacks.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="It is no game.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Say which game ROMs are: IGDB's by its number, slug or address, one that IGDB lacks, or none.

    The answer holds for all files of that title, in every folder, now and later.
    """
    if own and skip:
        raise UsageError("--own and --skip are two different answers; give one of them")
    chosen, game = (names, None) if own or skip else (names[:-1], names[-1])
    if not chosen:
        raise UsageError("say which ROMs and which game: lootwire roms settle ROM... igdb:ID")
    runtime = open_command()
    with runtime.engine.connect() as connection:
        # Before IGDB is asked for an entry that nothing would come of.
        owner = person_named(connection, person)
        ids = operations.roms_named(connection, owner, chosen)
    _show(operations.settle_roms(runtime, owner, utc_now(), ids, game, own=own), as_json=as_json)


def unmatch_roms(names: SomeRoms, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Have ROMs be no game that Lootwire knows, for good: no scan matches them again."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        ids = operations.roms_named(connection, owner, names)
        changed = operations.unmatch_roms(connection, owner, utc_now(), ids)
    _show(changed, as_json=as_json)


def undo(names: SomeRoms, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Take back what you said of ROMs; the next scan looks their titles up again."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        ids = operations.roms_named(connection, owner, names)
        again = operations.undo_roms(connection, owner, utc_now(), ids)
    if as_json:
        print_json(again)
    else:
        console.print(
            f"{counted_plainly(len(again.roms), 'ROM')} will be looked up again by the next scan.", markup=False
        )


def _show(changed: Sequence[RomAnswer], *, as_json: bool) -> None:
    rows = [rom_row(rom) for rom in changed]
    print_rows(rows, as_json=as_json, columns=("rom", "written", "platform", "game"), empty="That was said already.")
