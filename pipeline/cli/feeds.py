"""Commands on feeds: `feeds`, alone a list of them; `show`, `build`, and the links of personal ones."""

import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import UNSET
from sqlalchemy import select

from feeds.formats import PAGE_ENDING, formats_of
from feeds.links import find_link, list_links
from models import Feed
from models.errors import UsageError
from pipeline.catalogue.people import person_named
from pipeline.cli.checking import check_folders
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.meaning import PersonName
from pipeline.cli.opening import SET_ASIDE, open_command
from pipeline.operations import feeds as operations
from pipeline.operations.feeds import Addresses, Makes
from pipeline.runtime.output import JsonFlag, console, errors, print_json, print_rows, show
from pipeline.runtime.runtime import Runtime
from pipeline.runtime.settings import load_settings


class What(StrEnum):
    """What a personal feed may be about, beside a target and the health."""

    FOLLOWED = "followed"
    NEWS = "news"
    LIBRARY = "library"
    JOURNAL = "journal"
    ROMS = "roms"
    LIST = "list"
    SOUNDS = "sounds"


feeds = make_noun(COMMANDS["feeds"].help)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(feeds, name="feeds")


@feeds.callback(invoke_without_command=True)
def list_feeds(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the published feeds with their addresses; with a command, look at one, build them, or make personal ones."""
    if context.invoked_subcommand is None:
        show_feeds(as_json=as_json)


@feeds.command("list")
def show_feeds(as_json: JsonFlag = False) -> None:
    """Show the published feeds with their addresses."""
    runtime = open_command()
    operations.take_in(runtime)
    with runtime.engine.connect() as connection:
        lines = operations.list_feeds(connection, runtime.settings.public_url)
    rows = [msgspec.structs.asdict(line) for line in lines]
    empty = "No feeds yet: they appear with the first events, `lootwire once` fetches some."
    print_rows(rows, as_json=as_json, columns=("title", "rss", "items", "written_at"), empty=empty)


@feeds.command("show")
def show_feed(
    name: Annotated[str, typer.Argument(help="The feed's title or path, such as games/rust-1a2b3c4d.")],
    as_json: JsonFlag = False,
) -> None:
    """Show a feed: its addresses, and its newest items."""
    runtime = open_command()
    operations.take_in(runtime)
    with runtime.engine.connect() as connection:
        page = operations.show_feed(connection, runtime.settings.public_url, name)
    if as_json:
        print_json(page)
        return
    shown = {key: value for key, value in msgspec.structs.asdict(page).items() if key not in {"id", "newest"}}
    for field, value in shown.items():
        if value is not None:
            console.print(f"{field.replace('_', ' '):>12}  {show(value)}", markup=False, soft_wrap=True)
    for item in page.newest:
        console.print(f"{show(item.at):>12}  {show(item.title)}", markup=False, soft_wrap=True)


@feeds.command("build")
def build_feeds(
    everything: Annotated[
        bool, typer.Option("--all", help="Render everything again, also what has not changed.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: look whether every feed's files are there and whole.")
    ] = False,
) -> int:
    """Write the feeds that events touched and the pages, now."""
    if everything and check:
        raise UsageError("--all writes and --check does not: give one of them")
    settings = load_settings().settings
    if check:
        return _check(open_command())
    check_folders(settings)
    from pipeline.programs.beginning import publish_now

    summary = publish_now(open_command(), everything=everything)
    files = f"{summary.written} files written, {summary.unchanged} unchanged"
    console.print(f"{summary.feeds} feeds; {files}, in {settings.published}", markup=False, soft_wrap=True)
    for failure in summary.failures:
        errors.print(f"{failure.path}: {failure.reason}", markup=False)
    return SET_ASIDE if summary.failures else 0


@feeds.command("links")
def show_links(
    as_json: JsonFlag = False,
    revoked: Annotated[bool, typer.Option("--all", help="Also those that were given up.")] = False,
) -> None:
    """Show which personal feeds there are; their addresses are secrets, which `feeds private` shows."""
    with open_command().engine.connect() as connection:
        rows = list_links(connection, live=not revoked)
    print_rows(
        ({name: getattr(row, name) for name in row.__struct_fields__} for row in rows),
        as_json=as_json,
        columns=("id", "opens", "target", "list", "show", "playlist", "made_at", *(("revoked_at",) if revoked else ())),
        empty="No personal feeds yet: `lootwire feeds private` makes one of what you follow.",
    )


@feeds.command("private")
def show_private(
    what: Annotated[
        What,
        typer.Argument(
            help="followed: what you follow; news: of your games; library, journal, roms, sounds; list NAME: one of."
        ),
    ] = What.FOLLOWED,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Of a list: which one.")] = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="NAME", help="Of everything that is sent to this target.")
    ] = None,
    health: Annotated[bool, typer.Option("--health", help="Of how the sources and this installation do.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the addresses of a personal feed: of what you follow, have, play or rank, of a target, or of the health.

    Whoever has such an address can read the feed; `lootwire feeds rotate` gives it another.
    """
    chosen = [target is not None, health, what is not What.FOLLOWED]
    if sum(chosen) > 1:
        raise UsageError("each of --target, --health and what is named is a feed of its own: ask for one of them")
    if (name is not None) is not (what is What.LIST):
        raise UsageError("`lootwire feeds private list NAME` gives the feed of a list, and no other takes a name")
    if person is not None and (target is not None or health):
        raise UsageError("--target and --health are feeds of this installation: no --person has them")
    opens: Makes = "target" if target is not None else "health" if health else what.value
    runtime = open_command()
    with runtime.engine.connect() as connection:
        owner = person_named(connection, person)
    _print_addresses(operations.make_personal(runtime, owner, opens, name=target or name), as_json=as_json)


@feeds.command("rotate")
def rotate(
    link: Annotated[
        str,
        typer.Argument(
            metavar="ID|NAME", help="As `feeds links` shows it: its number, what it opens, its list, target."
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Give a personal feed new addresses; the next publish deletes the files under the old ones."""
    runtime = open_command()
    with runtime.engine.connect() as connection:
        link_id = find_link(connection, link)
    _print_addresses(operations.rotate_personal(runtime, link_id), as_json=as_json)


def _check(runtime: Runtime) -> int:
    with runtime.engine.connect() as connection:
        written = select(Feed.path, Feed.scope).where(Feed.link_id.is_(None), Feed.written_version > 0)
        rows = connection.execute(written.order_by(Feed.id)).all()
    root = runtime.settings.published
    problems = list(_problems(root, [(row.path, row.scope) for row in rows]))
    for problem in problems:
        errors.print(problem, markup=False, soft_wrap=True)
    console.print(f"{len(rows)} feeds looked at, {len(problems)} files are missing or broken", markup=False)
    if problems:
        errors.print("`lootwire feeds build --all` writes them anew", markup=False)
    return SET_ASIDE if problems else 0


def _problems(root: Path, written: Sequence[tuple[str, Any]]) -> Iterator[str]:
    from lxml import etree

    for path, scope in written:
        for ending in [*(each.ending for each in formats_of(scope)), PAGE_ENDING]:
            try:
                file = root / (path + ending)
                if not file.is_file() and file.exists():
                    # To read a pipe would wait for ever.
                    yield f"{path}{ending}: it is no file"
                    continue
                data = file.read_bytes()
                if ending.endswith(".xml"):
                    etree.fromstring(data)
                elif ending.endswith(".json"):
                    json.loads(data)
                elif not data.rstrip().endswith((b"END:VCALENDAR", b"</html>")):
                    yield f"{path}{ending}: it was cut off"
            except OSError as error:
                yield f"{path}{ending}: {error.strerror}"
            except (ValueError, etree.XMLSyntaxError) as error:
                yield f"{path}{ending}: {error}"


def _print_addresses(addresses: Addresses, *, as_json: bool) -> None:
    fields = msgspec.structs.asdict(addresses)
    shown = {name: value for name, value in fields.items() if name not in {"id", "opens"} and value is not UNSET}
    if as_json:
        print_json(shown)
        return
    for name, address in shown.items():
        console.print(f"{name:>10}  {address}", markup=False, soft_wrap=True)
    console.print("They are there after the next publish. Whoever knows one of them can read the feed.", markup=False)
