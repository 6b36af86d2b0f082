"""The command `help`: the same as `--help`, for those who type it first."""

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("help")(show_help)


def show_help(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="A command, such as: targets add.")
    ] = None,
) -> None:
    """Show what a command does and its options; without a command, list them all."""
    # The whole command line is made when this module has long been imported.
    from pipeline.cli.line import app

    app([*(words or []), "--help"], standalone_mode=False, prog_name="lootwire")
