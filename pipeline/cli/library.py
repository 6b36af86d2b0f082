"""Commands that bring a library in."""

import typer

from pipeline.cli.commands import COMMANDS, make_noun

library = make_noun(COMMANDS["library"].help)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(library, name="library")
