"""Commands on playlists: made, filled in a person's order, published as podcasts."""

from typing import Annotated

import msgspec
import typer

from models.words.units import counted_plainly
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.meaning import refuse_person
from pipeline.cli.opening import GREATEST, open_command
from pipeline.cli.podcast_addresses import print_addresses
from pipeline.cli.sounds import PersonName, ProfileName, SoundNames, print_sounds
from pipeline.operations import playlists as operations
from pipeline.operations.playlists import PlaylistChanges, PlaylistOrder
from pipeline.operations.podcasts import podcast_addresses
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now
from pipeline.sound.listing.sounds import SoundFilter, load_sounds, sounds_named

playlists = make_noun(COMMANDS["playlists"].help)
PlaylistName = Annotated[str, typer.Argument(metavar="PLAYLIST", help="The playlist's name.")]
Place = Annotated[
    int | None, typer.Option("--at", metavar="PLACE", min=1, max=GREATEST, help="At this place; 1 is the first.")
]
Description = Annotated[str | None, typer.Option(metavar="TEXT", help="What it is about; '' for nothing.")]
Public = Annotated[
    bool | None,
    typer.Option("--public/--private", help="Whether everybody may find it; else only who has its address."),
]
_COLUMNS = ("name", "sounds", "profile", "public", "description")


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(playlists, name="playlists")


@playlists.callback(invoke_without_command=True)
def list_by_default(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show your playlists of sounds; with a command, make them and change them."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        list_all(person=person, as_json=as_json)


@playlists.command("list")
def list_all(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show your playlists."""
    with open_command().engine.connect() as connection:
        listed = operations.list_playlists(connection, person_named(connection, person))
    rows = map(msgspec.to_builtins, listed)
    empty = "There are no playlists yet: lootwire playlists create NAME"
    print_rows(rows, as_json=as_json, columns=_COLUMNS, empty=empty)


@playlists.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    description: Description = None,
    profile: ProfileName = None,
    public: Public = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a playlist, which is a podcast too; one of that name that was removed is there again, with its sounds."""
    runtime, now = open_command(), utc_now()
    with runtime.engine.begin() as connection:
        made = operations.create_playlist(
            runtime,
            connection,
            person_named(connection, person),
            now,
            name,
            description=description,
            profile=profile,
            public=bool(public),
        )
    addresses = podcast_addresses(runtime, "playlist", made.id, now)
    if as_json:
        print_json(msgspec.to_builtins(made) | msgspec.to_builtins(addresses))
        return
    console.print(f"{show(made.name)}: {counted_plainly(made.sounds, 'sound')}", markup=False, soft_wrap=True)
    print_addresses(addresses, is_public=made.is_public)


@playlists.command("show")
def show_playlist(name: PlaylistName, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show a playlist: its sounds in their order, and where its podcast is."""
    runtime, now = open_command(), utc_now()
    with runtime.engine.connect() as connection:
        owner = person_named(connection, person)
        chosen = operations.find_playlist(connection, owner, name)
        lines = load_sounds(connection, owner, SoundFilter(playlist=chosen.id))
    addresses = podcast_addresses(runtime, "playlist", chosen.id, now)
    if as_json:
        print_json(msgspec.to_builtins(chosen) | msgspec.to_builtins(addresses) | {"order": lines})
        return
    print_sounds(lines, as_json=False, empty=f"Nothing is on it: lootwire playlists add {chosen.name!r} SOUND")
    print_addresses(addresses, is_public=chosen.is_public)


@playlists.command("change")
def change(
    name: PlaylistName,
    new_name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What it is called now.")] = None,
    description: Description = None,
    profile: ProfileName = None,
    public: Public = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Change what a playlist is called, what it says of itself, how loud it is, and who may find it."""
    runtime, now = open_command(), utc_now()
    changes = PlaylistChanges(name=new_name, description=description, profile=profile, public=public)
    with runtime.engine.begin() as connection:
        chosen = operations.find_playlist(connection, person_named(connection, person), name)
        changed = operations.change_playlist(runtime, connection, chosen.id, now, changes)
    if as_json:
        print_json(changed)
    else:
        console.print(f"{show(changed.name)} is changed.", markup=False, soft_wrap=True)


@playlists.command("add")
def add(
    name: PlaylistName, sounds: SoundNames, at: Place = None, person: PersonName = None, as_json: JsonFlag = False
) -> None:
    """Put sounds on a playlist in this order, at its end or at a place; one that is on it already moves there."""
    now = utc_now()
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        chosen = operations.find_playlist(connection, owner, name)
        added = sounds_named(connection, owner, sounds)
        order = operations.add_sounds(connection, owner, chosen, added, now, at=at)
    _say(order, as_json=as_json)


@playlists.command("move")
def move(
    name: PlaylistName,
    sound: Annotated[str, typer.Argument(metavar="SOUND", help="A sound that is on it.")],
    place: Annotated[int, typer.Argument(metavar="PLACE", min=1, max=GREATEST, help="Its new place; 1 is the first.")],
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Move a sound to a place on its playlist."""
    now = utc_now()
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        chosen = operations.find_playlist(connection, owner, name)
        (sound_id,) = sounds_named(connection, owner, [sound])
        order = operations.move_sound(connection, owner, chosen, sound_id, place, now)
    _say(order, as_json=as_json)


@playlists.command("take-off")
def take_sounds_off(
    name: PlaylistName, sounds: SoundNames, person: PersonName = None, as_json: JsonFlag = False
) -> None:
    """Take sounds off a playlist; they stay among your sounds."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        chosen = operations.find_playlist(connection, owner, name)
        order = operations.take_off(connection, owner, chosen, sounds_named(connection, owner, sounds))
    _say(order, as_json=as_json)


@playlists.command("remove")
def remove(name: PlaylistName, person: PersonName = None) -> None:
    """Remove a playlist and its podcast; its sounds stay."""
    with open_command().engine.begin() as connection:
        chosen = operations.find_playlist(connection, person_named(connection, person), name)
        operations.remove_playlist(connection, chosen.id, utc_now())
    console.print(f"{show(chosen.name)} is removed; its sounds stay.", markup=False, soft_wrap=True)


def _say(order: PlaylistOrder, *, as_json: bool) -> None:
    if as_json:
        print_json(order)
        return
    rows = [msgspec.structs.asdict(line) for line in order.order]
    empty = f"Nothing is on {show(order.playlist)}."
    print_rows(rows, as_json=False, columns=("place", "sound", "title"), empty=empty)
