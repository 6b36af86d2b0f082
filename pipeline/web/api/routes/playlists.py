"""`/playlists`: sounds in an order of your own, published as podcasts."""

from typing import Annotated

import msgspec

from pipeline.operations import playlists, podcasts
from pipeline.operations.playlists import PlaylistAnswer, PlaylistChanges, PlaylistOrder
from pipeline.operations.podcasts import PodcastAddresses
from pipeline.sound.listing.sounds import SoundLine
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, make_page, page_of, read_cursor
from pipeline.web.api.routing import Routes

routes = Routes("playlists")
Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class NewPlaylist(msgspec.Struct, frozen=True, kw_only=True):
    """A playlist to make."""

    name: Name
    description: Annotated[str, msgspec.Meta(max_length=4000)] | None = None
    profile: str | None = None
    public: bool = False


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """Sounds to put on a playlist in this order: at its end, or so that the first has the place `at`, from 1 on."""

    sounds: Annotated[list[Number], msgspec.Meta(min_length=1, max_length=1000)]
    at: Number | None = None


class SoundPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place on a playlist; 1 is the first."""

    place: Number


@routes.add("GET", "/playlists", scope="sounds")
def list_playlists(call: Reading, query: PageQuery) -> Page[PlaylistAnswer]:
    """List your playlists by name."""
    listed = playlists.list_playlists(call.connection, call.person_id)
    return page_of(listed, query, lambda each: (each.name.casefold(), each.id))


@routes.add("POST", "/playlists", scope="sounds", role="member", status=201)
def create_playlist(call: Changing, body: NewPlaylist) -> PlaylistAnswer:
    """Make a playlist, which is a podcast too; one of that name that was removed is there again, with its sounds."""
    return playlists.create_playlist(
        call.runtime,
        call.connection,
        call.person_id,
        call.now,
        body.name,
        description=body.description,
        profile=body.profile,
        public=body.public,
    )


@routes.add("GET", "/playlists/{playlist}", scope="sounds")
def show_playlist(call: Reading, playlist: Name) -> PlaylistAnswer:
    """Show a playlist, by its name or number."""
    return playlists.find_playlist(call.connection, call.person_id, playlist)


@routes.add("PATCH", "/playlists/{playlist}", scope="sounds", role="member")
def change_playlist(call: Changing, playlist: Name, body: PlaylistChanges) -> PlaylistAnswer:
    """Change what a playlist is called, says of itself, how loud it is, and who may find it."""
    chosen = playlists.find_playlist(call.connection, call.person_id, playlist)
    return playlists.change_playlist(call.runtime, call.connection, chosen.id, call.now, body)


@routes.add("DELETE", "/playlists/{playlist}", scope="sounds", role="member")
def remove_playlist(call: Changing, playlist: Name) -> None:
    """Remove a playlist and its podcast; its sounds stay."""
    chosen = playlists.find_playlist(call.connection, call.person_id, playlist)
    playlists.remove_playlist(call.connection, chosen.id, call.now)


@routes.add("GET", "/playlists/{playlist}/sounds", scope="sounds")
def list_order(call: Reading, playlist: Name, query: PageQuery) -> Page[SoundLine]:
    """List what is on a playlist, in its order."""
    chosen = playlists.find_playlist(call.connection, call.person_id, playlist)
    key = read_cursor(query, str, int)
    after = None if key is None else (key[0], key[1])
    placed = playlists.list_order(call.connection, call.person_id, chosen.id, query.limit + 1, after)
    page = make_page(placed, query, lambda each: (each.position, each.line.id))
    return Page(items=[each.line for each in page.items], next=page.next)


@routes.add("POST", "/playlists/{playlist}/sounds", scope="sounds", role="member")
def add_sounds(call: Changing, playlist: Name, body: Placing) -> PlaylistOrder:
    """Put sounds on a playlist; one that is on it already moves there."""
    chosen = playlists.find_playlist(call.connection, call.person_id, playlist)
    return playlists.add_sounds(call.connection, call.person_id, chosen, body.sounds, call.now, at=body.at)


@routes.add("PUT", "/playlists/{playlist}/sounds/{sound}", scope="sounds", role="member")
def move_sound(call: Changing, playlist: Name, sound: Number, body: SoundPlace) -> PlaylistOrder:
    """Move a sound to a place on its playlist."""
    chosen = playlists.find_playlist(call.connection, call.person_id, playlist)
    return playlists.move_sound(call.connection, call.person_id, chosen, sound, body.place, call.now)


@routes.add("DELETE", "/playlists/{playlist}/sounds/{sound}", scope="sounds", role="member")
def take_off(call: Changing, playlist: Name, sound: Number) -> None:
    """Take a sound off a playlist; it stays among your sounds."""
    chosen = playlists.find_playlist(call.connection, call.person_id, playlist)
    playlists.take_off(call.connection, call.person_id, chosen, [sound])


@routes.add("GET", "/playlists/{playlist}/podcast", scope="sounds")
def show_podcast(call: Working, playlist: Name) -> PodcastAddresses:
    """Say where a playlist's podcast is; whoever has the address of a private one can hear it."""
    with call.runtime.engine.connect() as connection:
        chosen = playlists.find_playlist(connection, call.person_id, playlist)
    return podcasts.podcast_addresses(call.runtime, "playlist", chosen.id, call.now)


@routes.add("POST", "/playlists/{playlist}/rotate", scope="sounds", role="member")
def rotate_playlist(call: Working, playlist: Name) -> PlaylistAnswer:
    """Give a private playlist another address, which `/playlists/{playlist}/podcast` says; the old one ends."""
    with call.runtime.engine.connect() as connection:
        chosen = playlists.find_playlist(connection, call.person_id, playlist)
    podcasts.rotate_podcast(call.runtime, "playlist", chosen.id, call.now)
    return chosen
