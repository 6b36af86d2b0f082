"""Commands on feeds: `feeds`, alone a list of them; `show`, `build`, and the links of personal ones."""

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, RowMapping, select

from feeds.catalog import create_first, load_feeds
from feeds.formats import PAGE_ENDING, formats_of
from feeds.links import Opens, ensure_link, find_link, find_list, list_links, rotate_link
from feeds.publish import take_in_all
from feeds.scopes import SCOPES
from feeds.take_in import TURN
from models import Feed
from models.errors import UsageError
from models.locks import AT_ONCE, hold
from models.names import name_key, nearest
from models.printable import NAME_LENGTH, on_a_line
from notifiers.targets import target_id_of
from pipeline.catalogue.people import person_named
from pipeline.cli.checking import check_folders
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.meaning import PersonName
from pipeline.cli.opening import SET_ASIDE, open_command
from pipeline.runtime.output import JsonFlag, console, errors, print_json, print_rows, show
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import load_settings

SHOWN_ITEMS = 10
_TITLES: Mapping[Opens, str] = {
    "followed": "What I follow",
    "target": "",
    "health": "Health",
    "news": "News of my games",
    "library": "My library",
    "journal": "My journal",
    "roms": "My ROMs",
    "list": "",
    "show": "",
    "playlist": "",
    "sounds": "My sounds",
}
# What `lootwire feeds --json` calls the formats; a feed that lacks one has null.
_KEYS = tuple(dict.fromkeys(each.key for scope in SCOPES for each in formats_of(scope)))


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
    _take_in(runtime)
    with runtime.engine.connect() as connection:
        listed = select(*Feed.__table__.c).where(Feed.link_id.is_(None)).order_by(Feed.id)
        rows = [_line(row, runtime.settings.public_url) for row in connection.execute(listed).mappings()]
    empty = "No feeds yet: they appear with the first events, `lootwire once` fetches some."
    print_rows(rows, as_json=as_json, columns=("title", "rss", "items", "written_at"), empty=empty)


@feeds.command("show")
def show_feed(
    name: Annotated[str, typer.Argument(help="The feed's title or path, such as games/rust-1a2b3c4d.")],
    as_json: JsonFlag = False,
) -> None:
    """Show a feed: its addresses, and its newest items."""
    runtime = open_command()
    _take_in(runtime)
    with runtime.engine.connect() as connection:
        row = _find(connection, name)
        (feed,) = load_feeds(connection, [row["id"]], items=SHOWN_ITEMS)
    shown = {
        **_line(row, runtime.settings.public_url),
        "page": f"{runtime.settings.public_url}/{row['path']}{PAGE_ENDING}",
        "total": row["total"],
        "older_pages": row["archived"],
        "newest": [
            {"at": item.occurred_at, "kind": item.kind, "title": item.title} for item in feed.items[:SHOWN_ITEMS]
        ],
    }
    if as_json:
        print_json(shown)
        return
    for field, value in shown.items():
        if field != "newest" and value is not None:
            console.print(f"{field.replace('_', ' '):>12}  {show(value)}", markup=False, soft_wrap=True)
    for item in feed.items[:SHOWN_ITEMS]:
        console.print(f"{show(item.occurred_at):>12}  {show(item.title)}", markup=False, soft_wrap=True)


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
            help="followed: what you follow; news: of your games; library, journal, roms, sounds; list NAME: one of yours."
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
    opens: Opens = "target" if target is not None else "health" if health else what.value
    runtime = open_command()
    now = utc_now()
    with hold(runtime.engine, TURN), runtime.engine.begin() as connection:
        owner = person_named(connection, person)
        subject_id, title = None, _TITLES[opens]
        if target is not None:
            subject_id, title = target_id_of(connection, target), target
        elif name is not None:
            subject_id, title = find_list(connection, name, owner)
        folder = ensure_link(connection, runtime.vault, opens, now, subject_id=subject_id, title=title, person_id=owner)
    _print_addresses(opens, folder, runtime, as_json=as_json)


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
    with hold(runtime.engine, TURN), runtime.engine.begin() as connection:
        link_id = find_link(connection, link)
        folder = rotate_link(connection, runtime.vault, link_id, utc_now())
        opens = next(line.opens for line in list_links(connection) if line.id == link_id)
    _print_addresses(opens, folder, runtime, as_json=as_json)


def _take_in(runtime: Runtime) -> None:
    """Put new events on their feeds, unless a publish is about to: so that the list has every feed."""
    with hold(runtime.engine, TURN, AT_ONCE) as our_turn:
        if our_turn and take_in_all(runtime.engine, page_size=runtime.settings.feed_items):
            with runtime.engine.begin() as connection:
                create_first(connection)


def _line(row: RowMapping, base: str) -> dict[str, Any]:
    endings = {each.key: each.ending for each in formats_of(row["scope"])}
    return {
        "title": row["title"],
        "scope": row["scope"],
        "path": row["path"],
        **{key: f"{base}/{row['path']}{endings[key]}" if key in endings else None for key in _KEYS},
        "items": row["items"],
        "written_at": row["written_at"],
        "waiting": row["version"] != row["written_version"],
    }


def _find(connection: Connection, name: str) -> RowMapping:
    """Return the row of a public feed by its path or title."""
    columns = (*Feed.__table__.c,)
    public = select(*columns).where(Feed.link_id.is_(None))
    row = connection.execute(public.where(Feed.path == name)).mappings().one_or_none()
    if row is not None:
        return row
    titles = connection.execute(select(Feed.id, Feed.title, Feed.path).where(Feed.link_id.is_(None))).all()
    same = [each for each in titles if name_key(each.title) == name_key(name)]
    if len(same) == 1:
        return connection.execute(public.where(Feed.id == same[0].id)).mappings().one()
    shown = on_a_line(name, NAME_LENGTH)
    if same:
        paths = ", ".join(sorted(each.path for each in same))
        raise UsageError(f"Several feeds are called {shown}: name one by its path, {paths}")
    near = nearest(name, [each.title for each in titles])
    hint = f"; did you mean {' or '.join(near)}?" if near else "; `lootwire feeds` lists them"
    raise UsageError(f"No feed is called {shown}{hint}")


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


def _print_addresses(opens: str, folder: str, runtime: Runtime, *, as_json: bool) -> None:
    base = f"{runtime.settings.public_url}/{folder}/{opens}"
    addresses: Mapping[str, str] = {
        "page": f"{base}{PAGE_ENDING}",
        **{each.key: f"{base}{each.ending}" for each in formats_of(opens)},  # type: ignore[arg-type]
    }
    if as_json:
        print_json(addresses)
        return
    for name, address in addresses.items():
        console.print(f"{name:>10}  {address}", markup=False, soft_wrap=True)
    console.print("They are there after the next publish. Whoever knows one of them can read the feed.", markup=False)
