"""`/shows`: podcasts that make themselves of a channel's videos, or of what an address lists."""

from datetime import datetime
from typing import Annotated

import msgspec

from models.moments import Moment
from pipeline.operations import podcasts, shows
from pipeline.operations.podcasts import PodcastAddresses
from pipeline.operations.shows import ShowAnswer, ShowFields
from pipeline.operations.sounds import SoundWish
from pipeline.operations.sounds import list_sounds as load_sounds
from pipeline.sound.listing.sounds import SoundLine, key_of
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, make_page, page_of, read_cursor
from pipeline.web.api.routing import Routes

routes = Routes("shows")
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class NewShow(ShowFields, frozen=True, kw_only=True):
    """A show to make: of a channel of Twitch, or of the address of a playlist or channel.

    Of what was published before `since` nothing is taken, which is now unless it is given.
    """

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    name: Name | None = None
    since: Moment | None = None


class ShowChanges(ShowFields, frozen=True, kw_only=True):
    """What of a show is to be another."""

    name: Name | None = None


@routes.add("GET", "/shows", scope="sounds")
def list_shows(call: Reading, query: PageQuery) -> Page[ShowAnswer]:
    """List your shows by name."""
    return page_of(
        shows.list_shows(call.connection, call.person_id), query, lambda each: (each.name.casefold(), each.id)
    )


@routes.add("POST", "/shows", scope="extract", role="member", status=201)
def add_show(call: Working, body: NewShow) -> ShowAnswer:
    """Make a podcast of a channel's streams, or of what an address lists.

    It is private unless `is_public`: others' work is your responsibility. `/shows/{show}/podcast` is where it is.
    """
    return shows.add_show(call.runtime, call.person_id, call.now, body.source, body, name=body.name, since=body.since)


@routes.add("GET", "/shows/{show}", scope="sounds")
def show_show(call: Reading, show: Name) -> ShowAnswer:
    """Show a show, by its name or number."""
    return shows.find_show(call.connection, call.person_id, show)


@routes.add("PATCH", "/shows/{show}", scope="extract", role="member")
def change_show(call: Changing, show: Name, body: ShowChanges) -> ShowAnswer:
    """Change what a show takes and keeps from now on, what its feed says, and who may find it."""
    chosen = shows.find_show(call.connection, call.person_id, show)
    return shows.change_show(call.runtime, call.connection, call.person_id, call.now, chosen, body, name=body.name)


@routes.add("DELETE", "/shows/{show}", scope="extract", role="member")
def remove_show(call: Changing, show: Name) -> None:
    """Remove a show and its podcast; nothing more is fetched for it, and its sounds stay."""
    shows.remove_show(call.connection, shows.find_show(call.connection, call.person_id, show).id, call.now)


@routes.add("GET", "/shows/{show}/episodes", scope="sounds")
def list_episodes(call: Reading, show: Name, query: PageQuery) -> Page[SoundLine]:
    """List the episodes of a show, the newest first."""
    chosen = shows.find_show(call.connection, call.person_id, show)
    key = read_cursor(query, datetime, int)
    after = None if key is None else (key[0], key[1])
    wish = SoundWish(show=chosen.name)
    return make_page(load_sounds(call.connection, call.person_id, wish, query.limit + 1, after), query, key_of)


@routes.add("GET", "/shows/{show}/podcast", scope="sounds")
def show_podcast(call: Working, show: Name) -> PodcastAddresses:
    """Say where a show's podcast is; whoever has the address of a private one can hear it."""
    with call.runtime.engine.connect() as connection:
        chosen = shows.find_show(connection, call.person_id, show)
    return podcasts.podcast_addresses(call.runtime, "show", chosen.id, call.now)


@routes.add("POST", "/shows/{show}/rotate", scope="extract", role="member")
def rotate_show(call: Working, show: Name) -> ShowAnswer:
    """Give a private show another address, which `/shows/{show}/podcast` says; the old one ends."""
    with call.runtime.engine.connect() as connection:
        chosen = shows.find_show(connection, call.person_id, show)
    podcasts.rotate_podcast(call.runtime, "show", chosen.id, call.now)
    return chosen
