"""Commands about the HTTP API: `api`."""

import sys

import typer

from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.runtime.output import print_json

api = make_noun(COMMANDS["api"].help)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(api, name="api")


# What they need is imported for the command itself: a help needs none of it.


@api.command("openapi")
def print_document() -> None:
    """Print the OpenAPI 3.1 document of the API, for programs that make clients and tests of it."""
    from pipeline.web.api.written import document_of

    print_json(document_of())


@api.command("page")
def print_page() -> None:
    """Print the page that shows the API, readable without a script, to be put onto any web server."""
    from pipeline.web.api.address import PREFIX
    from pipeline.web.api.pages import document_page
    from pipeline.web.api.written import document_of

    sys.stdout.write(document_page(document_of(), address=PREFIX))
