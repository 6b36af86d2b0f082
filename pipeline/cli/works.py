"""The command `games work`: which of our games are one, as IGDB's families say or a person's hand."""

from typing import Annotated

import msgspec
import typer

from pipeline.cli.games import Name, games
from pipeline.cli.opening import open_command
from pipeline.games.matching.records import GAME_TYPES, MAIN_GAME
from pipeline.games.store.families import FamilyPage, Member
from pipeline.operations import works as operations
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

RELATIONS = {"remake": "a remake", "expansion": "a stand-alone expansion"}


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the command belongs to those on games
    """Add the command of this module."""
    games.command("work")(show_work)


def show_work(
    name: Name,
    other: Annotated[str | None, typer.Option("--with", metavar="OTHER", help="Pin: it is one with this game.")] = None,
    alone: Annotated[bool, typer.Option("--alone", help="Pin: it is one with no other game.")] = False,
    unpin: Annotated[bool, typer.Option("--unpin", help="Forget what was pinned: IGDB decides again.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show the games that are one work with a game: its ports, remasters, editions and DLC; or pin its work.

    A library goes by works: who owns one of these games owns them all. Remakes are works of their own.
    """
    if (other is not None) + alone + unpin > 1:
        raise typer.BadParameter("give one of --with, --alone and --unpin")
    now = utc_now()
    with open_command().engine.begin() as connection:
        if other is not None:
            try:
                page = operations.join(connection, now, name, other)
            except operations.SameGame as error:
                raise typer.BadParameter(str(error)) from None
        elif alone:
            page = operations.part(connection, now, name)
        else:
            page = (operations.unpin if unpin else operations.show_family)(connection, now, name)
    if as_json:
        print_json(page)
    else:
        _print_family(page)


def _print_family(page: FamilyPage) -> None:
    series = f", of the series {show(page.series)}" if page.series else ""
    console.print(f"{show(page.name)}{series}", markup=False, style="bold", soft_wrap=True)
    for relative in page.relatives:
        what = RELATIONS.get(relative.relation, relative.relation)
        line = f"{show(relative.name)} is {what} of it" if relative.is_of_this else f"{what} of {show(relative.name)}"
        console.print(line, markup=False, soft_wrap=True)
    rows = [msgspec.structs.asdict(member) | {"type": _kind(member), "how": _how(member)} for member in page.members]
    print_rows(rows, as_json=False, columns=("name", "igdb_id", "entry", "type", "how"), empty="")


def _kind(member: Member) -> str:
    if member.igdb_id is None:
        return ""
    return "edition" if member.version_parent_igdb_id else GAME_TYPES.get(member.game_type or MAIN_GAME, "entry")


def _how(member: Member) -> str:
    if member.pinned_at is not None:
        return f"pinned {show(member.pinned_at)}"
    return "by IGDB" if member.igdb_id is not None else "by itself"
