"""Commands on shows: podcasts that make themselves of a channel's videos, or of what an address lists."""

from typing import Annotated

import msgspec
import typer

from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.meaning import refuse_person
from pipeline.cli.opening import open_command
from pipeline.cli.podcast_addresses import print_addresses
from pipeline.cli.show_options import ShowOptions, with_show_options
from pipeline.cli.sounds import PersonName, print_sounds
from pipeline.operations import shows as operations
from pipeline.operations.podcasts import podcast_addresses
from pipeline.operations.shows import ShowAnswer
from pipeline.runtime.output import JsonFlag, console, parse_since, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now
from pipeline.sound.listing.sounds import SoundFilter, load_sounds

shows = make_noun(COMMANDS["shows"].help)
ShowName = Annotated[str, typer.Argument(metavar="SHOW", help="The show's name.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(shows, name="shows")


@shows.callback(invoke_without_command=True)
def list_by_default(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show your podcasts that make themselves; with a command, make one of a channel's streams, or change one."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        list_all(person=person, as_json=as_json)


@shows.command("list")
def list_all(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show your shows: what each takes, how many episodes it has, and how many it waits for."""
    with open_command().engine.connect() as connection:
        listed = operations.list_shows(connection, person_named(connection, person))
    if as_json:
        for each in listed:
            print_json(each)
        return
    rows = [
        {
            **msgspec.structs.asdict(each),
            "of": each.channel or each.url,
            "keeps": _kept(each),
        }
        for each in listed
    ]
    empty = "There are no shows yet: lootwire shows add CHANNEL"
    columns = ("name", "of", "episodes", "waiting", "failed", "newest_at", "kinds", "keeps", "profile", "problem")
    print_rows(rows, as_json=False, columns=columns, empty=empty, needed=3)


@shows.command("add")
@with_show_options
def add(
    source: Annotated[
        str, typer.Argument(metavar="CHANNEL|ADDRESS", help="A Twitch channel, or a playlist's or channel's address.")
    ],
    options: ShowOptions,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What you call it here; the channel's name.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Also what was published since: 30d, 2026-11-01; now by default.")
    ] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a podcast of a channel's streams from now on, or of what a playlist's or channel's address lists.

    An archive is fetched soon after its stream's end, before it expires. The podcast is private unless it is --public:
    others' work is your responsibility.
    """
    runtime, now = open_command(), utc_now()
    begins = parse_since(since, now)
    with runtime.engine.connect() as connection:
        owner = person_named(connection, person)
    added = operations.add_show(
        runtime, owner, now, source, options.read(), name=name, since=begins, cover=options.cover
    )
    addresses = podcast_addresses(runtime, "show", added.id, now)
    if as_json:
        print_json(msgspec.to_builtins(added) | msgspec.to_builtins(addresses))
        return
    console.print(f"{show(added.name)}: episodes come from now on.", markup=False, soft_wrap=True)
    print_addresses(addresses, is_public=added.is_public)


@shows.command("show")
def show_one(name: ShowName, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show a show: its episodes, what it takes, and where its podcast is."""
    runtime, now = open_command(), utc_now()
    with runtime.engine.connect() as connection:
        owner = person_named(connection, person)
        chosen = operations.find_show(connection, owner, name)
        lines = load_sounds(connection, owner, SoundFilter(show=chosen.id))
    addresses = podcast_addresses(runtime, "show", chosen.id, now)
    if as_json:
        print_json(msgspec.to_builtins(chosen) | msgspec.to_builtins(addresses) | {"sounds": lines})
        return
    print_sounds(lines, as_json=False, empty="It has no episode yet.")
    facts = (
        ("Of", chosen.channel or chosen.url),
        ("Takes", _taken(chosen)),
        ("Keeps", _kept(chosen)),
        ("Waits for", chosen.waiting or None),
        ("Failed", f"{chosen.failed}: lootwire extractions list --state failed" if chosen.failed else None),
        ("Problem", chosen.problem),
    )
    for label, value in facts:
        if value is not None:
            console.print(f"  {label}: {show(value)}", markup=False, soft_wrap=True)
    print_addresses(addresses, is_public=chosen.is_public)


@shows.command("change")
@with_show_options
def change(
    name: ShowName,
    options: ShowOptions,
    new_name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What you call it now.")] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Change what a show takes and keeps from now on, what its feed says, and who may find it."""
    runtime, now = open_command(), utc_now()
    artwork = None if options.cover is None else operations.keep_cover(runtime, options.cover)
    with runtime.engine.begin() as connection:
        owner = person_named(connection, person)
        chosen = operations.find_show(connection, owner, name)
        changed = operations.change_show(
            runtime, connection, owner, now, chosen, options.read(), name=new_name, artwork=artwork
        )
    if as_json:
        print_json(changed)
    else:
        console.print(f"{show(changed.name)} is changed.", markup=False, soft_wrap=True)


@shows.command("remove")
def remove(name: ShowName, person: PersonName = None) -> None:
    """Remove a show and its podcast; nothing more is fetched for it. Its sounds stay until you remove them."""
    with open_command().engine.begin() as connection:
        chosen = operations.find_show(connection, person_named(connection, person), name)
        operations.remove_show(connection, chosen.id, utc_now())
    console.print(f"{show(chosen.name)} is removed; its sounds stay.", markup=False, soft_wrap=True)


def _kept(row: ShowAnswer) -> str:
    amounts = (
        (row.keep_count, "{:,} episodes"),
        (row.keep_days, "{:,} days"),
        (row.keep_mb, "{:,} MB"),
    )
    return ", ".join(text.format(amount) for amount, text in amounts if amount is not None) or "everything"


def _taken(row: ShowAnswer) -> str:
    conditions = [
        f"with {row.title_has!r} in the title" if row.title_has else None,
        f"longer than {row.longer_than:,} seconds" if row.longer_than else None,
        f"with {row.game}" if row.game else None,
    ]
    kinds = "what is listed there" if row.url else ", ".join(row.kinds)
    return " ".join(filter(None, [kinds, *conditions]))
