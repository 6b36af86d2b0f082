"""Commands on playlists: made, filled in a person's order, published as podcasts."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer
from sqlalchemy import Connection

from feeds.podcasts.marking import mark_playlists
from models.errors import UsageError
from models.words.units import counted_plainly
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.meaning import refuse_person
from pipeline.cli.opening import GREATEST, open_command
from pipeline.cli.podcast_addresses import podcast_addresses, print_addresses
from pipeline.cli.sounds import PersonName, ProfileName, SoundNames, print_sounds, profile_of, sound_row
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now
from pipeline.sound.listing.sounds import SoundFilter, load_sounds, sounds_named
from pipeline.sound.store import renditions
from pipeline.sound.store.playlists import (
    PlaylistRow,
    change_playlist,
    create_playlist,
    list_playlists,
    load_order,
    playlist_named,
    put_sounds,
    remove_playlist,
    take_off,
)

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
        rows = [_row(each) for each in list_playlists(connection, person_named(connection, person))]
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
        made = create_playlist(
            connection,
            name,
            person_id=person_named(connection, person),
            now=now,
            description=description,
            profile=profile_of(runtime, profile),
            is_public=bool(public),
        )
    addresses = podcast_addresses(runtime, "playlist", made.id, now)
    if as_json:
        print_json(_row(made) | addresses)
        return
    console.print(f"{show(made.name)}: {counted_plainly(made.sounds, 'sound')}", markup=False, soft_wrap=True)
    print_addresses(addresses, is_public=made.is_public)


@playlists.command("show")
def show_playlist(name: PlaylistName, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show a playlist: its sounds in their order, and where its podcast is."""
    runtime, now = open_command(), utc_now()
    with runtime.engine.connect() as connection:
        owner = person_named(connection, person)
        chosen = playlist_named(connection, owner, name)
        lines = load_sounds(connection, owner, SoundFilter(playlist=chosen.id))
    addresses = podcast_addresses(runtime, "playlist", chosen.id, now)
    if as_json:
        print_json(_row(chosen) | addresses | {"order": [sound_row(line) for line in lines]})
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
    values: dict[str, object] = {
        "name": new_name,
        "description": description,
        "profile": None if profile is None else profile_of(runtime, profile),
        "is_public": public,
    }
    with runtime.engine.begin() as connection:
        chosen = playlist_named(connection, person_named(connection, person), name)
        wanted = {column: value or None if column == "description" else value for column, value in values.items()}
        changes = {column: value for column, value in wanted.items() if values[column] is not None}
        changed = change_playlist(connection, chosen.id, **changes)
        if profile is not None:
            renditions.want(connection, load_order(connection, chosen.id), changed.profile, now)
        mark_playlists(connection, [chosen.id])
    if as_json:
        print_json(_row(changed))
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
        chosen = playlist_named(connection, owner, name)
        added = sounds_named(connection, owner, sounds)
        put_sounds(connection, chosen.id, added, now, at=at)
        renditions.want(connection, added, chosen.profile, now)
        order = _order(connection, owner, chosen)
    _say(chosen, order, as_json=as_json)


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
        chosen = playlist_named(connection, owner, name)
        (sound_id,) = sounds_named(connection, owner, [sound])
        if sound_id not in load_order(connection, chosen.id):
            raise UsageError(f"sound {sound_id} is not on {show(chosen.name)}: lootwire playlists add puts it there")
        put_sounds(connection, chosen.id, [sound_id], now, at=place)
        order = _order(connection, owner, chosen)
    _say(chosen, order, as_json=as_json)


@playlists.command("take-off")
def take_sounds_off(
    name: PlaylistName, sounds: SoundNames, person: PersonName = None, as_json: JsonFlag = False
) -> None:
    """Take sounds off a playlist; they stay among your sounds."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        chosen = playlist_named(connection, owner, name)
        # Before they go: afterwards no playlist would name them.
        mark_playlists(connection, [chosen.id])
        take_off(connection, chosen.id, sounds_named(connection, owner, sounds))
        order = _order(connection, owner, chosen)
    _say(chosen, order, as_json=as_json)


@playlists.command("remove")
def remove(name: PlaylistName, person: PersonName = None) -> None:
    """Remove a playlist and its podcast; its sounds stay."""
    with open_command().engine.begin() as connection:
        chosen = playlist_named(connection, person_named(connection, person), name)
        remove_playlist(connection, chosen.id, utc_now())
    console.print(f"{show(chosen.name)} is removed; its sounds stay.", markup=False, soft_wrap=True)


def _order(connection: Connection, owner: int, playlist: PlaylistRow) -> list[dict[str, object]]:
    mark_playlists(connection, [playlist.id])
    lines = load_sounds(connection, owner, SoundFilter(playlist=playlist.id))
    return [{"place": place, "sound": line.id, "title": line.title} for place, line in enumerate(lines, 1)]


def _say(playlist: PlaylistRow, order: Sequence[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        print_json({"playlist": playlist.name, "order": order})
        return
    print_rows(order, as_json=False, columns=("place", "sound", "title"), empty=f"Nothing is on {show(playlist.name)}.")


def _row(playlist: PlaylistRow) -> dict[str, object]:
    values = msgspec.structs.asdict(playlist)
    del values["person_id"]
    return {"playlist": values.pop("id"), **values, "public": values["is_public"]}
