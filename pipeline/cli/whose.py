"""Whose targets, subscriptions and messages a command is about."""

from typing import Annotated

import typer

from pipeline.cli.meaning import refuse_person

__all__ = ["PersonName", "refuse_person"]
PersonName = Annotated[
    str | None, typer.Option("--person", metavar="NAME", help="Whose it is; the owner's, if none is given.")
]
