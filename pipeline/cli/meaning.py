"""How commands say which game of a library, and whose library, a person means."""

from typing import Annotated

import typer

from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.catalogue.people import person_named
from pipeline.runtime.runtime import Runtime

Title = Annotated[
    str, typer.Argument(metavar="TITLE", help="A title of the library, igdb:1942, or a work's number as JSON has it.")
]
AnyTitle = Annotated[str, typer.Argument(metavar="TITLE", help="A title, or IGDB's number as igdb:1942.")]
PersonName = Annotated[
    str | None, typer.Option("--person", metavar="NAME", help="Whose library it is; the owner's, if none is given.")
]
Own = Annotated[bool, typer.Option("--own", help="Take the title for a game that IGDB lacks.")]


def person_of(runtime: Runtime, name: str | None) -> int:
    """Return the person of a name, the owner without one; raises `UsageError` where there is nobody of that name."""
    if name is None:
        return OWNER_ID
    with runtime.engine.connect() as connection:
        return person_named(connection, name)


def refuse_person(context: typer.Context, name: str | None) -> None:
    """Refuse a person that stands before a command, which would not hear of it."""
    if name is not None and context.invoked_subcommand is not None:
        command = f"{context.command_path} {context.invoked_subcommand}"
        raise UsageError(f"--person belongs after the command: {command} --person {name!r}")
