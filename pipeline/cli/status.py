"""The command `status`. On a full disk, where no server can start, it says so before it imports what asks them."""

import typer

from models.errors import LootwireError
from pipeline.cli.checking import full_disk_of_servers
from pipeline.embedded import healthy
from pipeline.runtime.folders import make_private
from pipeline.runtime.output import JsonFlag
from pipeline.runtime.settings import load_settings


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(status)


def status(as_json: JsonFlag = False) -> int:
    """Say how the pipeline stands, in a few figures."""
    settings = load_settings().settings
    if (problem := full_disk_of_servers(settings)) and not healthy(settings.data_dir):
        raise LootwireError(problem)
    make_private(settings)
    from pipeline.cli.standing import show_standing

    show_standing(as_json=as_json)
    return 0
