"""Commands on keys of the API: `keys`."""

import sys
from typing import Annotated

import msgspec
import typer

from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import open_command
from pipeline.operations import keys as operations
from pipeline.operations.keys import NewKeyAnswer
from pipeline.people.records import SCOPES
from pipeline.runtime.output import JsonFlag, console, errors, parse_until, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

keys = make_noun(COMMANDS["keys"].help)
Key = Annotated[str, typer.Argument(metavar="KEY", help="The key's id, as the list shows it.")]
PersonName = Annotated[str | None, typer.Option("--person", metavar="NAME", help="Whose; the owner's, if not given.")]
Whose = Annotated[str | None, typer.Option("--person", metavar="NAME", help="Whose; everybody's, if not given.")]
SCOPE_HELP = f"What it may do: {', '.join(SCOPES)}; may be given several times. All that its person may, if not given."


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(keys, name="keys")


@keys.callback(invoke_without_command=True)
def list_keys(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the keys of the HTTP API; with a command, make one, or take one back."""
    if context.invoked_subcommand is None:
        show_keys(as_json=as_json)


@keys.command("list")
def show_keys(person: Whose = None, as_json: JsonFlag = False) -> None:
    """Show the keys of everybody or of a person: what each may do, until when, and when it was used last."""
    with open_command().engine.connect() as connection:
        owner = None if person is None else person_named(connection, person)
        rows = [msgspec.structs.asdict(each) for each in operations.list_keys(connection, owner)]
    columns = ("key", "name", "person", "scopes", "last_used_at", "expires_at", "revoked_at")
    print_rows(rows, as_json=as_json, columns=columns, empty="No keys yet: lootwire keys add --name LAPTOP")


@keys.command("add")
def add_key(
    name: Annotated[str, typer.Option(help="Where it is used, such as laptop.")],
    person: PersonName = None,
    scope: Annotated[list[str] | None, typer.Option(help=SCOPE_HELP)] = None,
    expires: Annotated[str | None, typer.Option(help="When it ends: 90d, 2027-01-31; never, if not given.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a key and print it, this once: the database keeps its digest alone."""
    now = utc_now()
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        expires_at = None if expires is None else parse_until(expires, now)
        scopes = operations.scopes_named(scope or ())
        key = operations.add_key(connection, owner, now, name, scopes, expires_at=expires_at)
    _print(key, as_json=as_json)


@keys.command("rotate")
def rotate_key(key: Key, as_json: JsonFlag = False) -> None:
    """Print a key that takes another's place; the other one opens what it did for an hour more."""
    with open_command().engine.begin() as connection:
        made = operations.rotate_key(connection, None, utc_now(), key)
    _print(made, as_json=as_json)


@keys.command("revoke")
def revoke_key(key: Key, as_json: JsonFlag = False) -> None:
    """Take a key back: from the next request on it opens nothing."""
    with open_command().engine.begin() as connection:
        line = operations.revoke_key(connection, None, utc_now(), key)
    if as_json:
        print_json(line)
    else:
        console.print(f"{line.key} ({line.name}, {line.person}) opens nothing any more", markup=False)


@keys.command("history")
def show_changes(
    person: Whose = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Show which key changed what, the newest first."""
    with open_command().engine.connect() as connection:
        owner = None if person is None else person_named(connection, person)
        changes = operations.list_key_changes(connection, owner, limit=limit)
        rows = [msgspec.structs.asdict(each) for each in changes]
    columns = ("at", "person", "key", "method", "path", "status")
    print_rows(rows, as_json=as_json, columns=columns, empty="No key has changed anything yet.")


def _print(key: NewKeyAnswer, *, as_json: bool) -> None:
    if as_json:
        print_json(key)
        return
    ends = f" until {show(key.expires_at)} UTC" if key.expires_at else ""
    # Beside the key, which alone goes to standard output: `KEY=$(lootwire keys add …)`.
    errors.print(f"A key of {key.person} for {', '.join(key.scopes)}{ends}; it is shown this once:", markup=False)
    sys.stdout.write(f"{key.secret}\n")
