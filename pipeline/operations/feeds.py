"""Feeds: the public ones, and the personal ones of a person, whose addresses are secrets."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection, select

from feeds.catalog import create_first, load_feeds
from feeds.content import Scope as FeedScope
from feeds.formats import PAGE_ENDING, formats_of
from feeds.links import (
    LinkLine,
    Opens,
    ensure_link,
    find_list,
    folder_of_link,
    link_in_place_of,
    link_of,
    list_links,
    rotate_link,
)
from feeds.podcasts.rows import load_podcasts
from feeds.publish import take_in_all
from feeds.scopes import PODCASTS
from feeds.take_in import TURN
from models import Feed
from models.errors import LootwireError, UnknownThing, UsageError
from models.locks import AT_ONCE, hold
from models.moments import Moment
from models.names import name_key, nearest
from models.printable import NAME_LENGTH, on_a_line
from models.vault import Vault
from notifiers.targets import target_id_of
from pipeline.people.records import Scope
from pipeline.runtime.runtime import Runtime, utc_now

SHOWN_ITEMS = 10
# What `make_personal` makes; the links of shows and playlists come with these.
Makes = Literal["followed", "target", "health", "news", "library", "journal", "roms", "list", "sounds"]
_TITLES: Mapping[Makes, str] = {
    "followed": "What I follow",
    "target": "",
    "health": "Health",
    "news": "News of my games",
    "library": "My library",
    "journal": "My journal",
    "roms": "My ROMs",
    "list": "",
    "sounds": "My sounds",
}
# Whoever has its address reads the feed: a key that makes or shows it has to be one that may read what is on it.
_SCOPES: Mapping[Opens, Scope] = {
    "followed": "follow",
    "target": "targets",
    "health": "admin",
    "news": "library",
    "library": "library",
    "journal": "library",
    "roms": "library",
    "list": "library",
    "show": "sounds",
    "playlist": "sounds",
    "sounds": "sounds",
}


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A public feed with its addresses; one without a calendar, or a podcast, lacks some.

    One that is `waiting` is written with the next publish; one that never was has no number of `items` yet.
    """

    id: int
    title: str
    scope: str
    path: str
    rss: str | None
    atom: str | None
    json: str | None
    calendar: str | None
    items: int | None
    written_at: Moment | None
    waiting: bool


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a feed; `kind` is that of its event, or `sound`."""

    at: Moment | None
    kind: str
    title: str


class FeedPage(FeedLine, frozen=True, kw_only=True):
    """A public feed with its newest items. `total` are all that it had, `older_pages` those of its archive."""

    page: str
    total: int
    older_pages: int
    newest: list[FeedItem]


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses of a personal feed, by its page and its formats. Whoever knows one of them can read it."""

    id: int
    opens: str
    page: str
    rss: str | UnsetType = UNSET
    atom: str | UnsetType = UNSET
    json: str | UnsetType = UNSET
    calendar: str | UnsetType = UNSET


class UnknownLink(UnknownThing):
    """A person has no such personal feed."""


def take_in(runtime: Runtime) -> None:
    """Put new events on their feeds, unless a publish is about to: so that a list has every feed."""
    with hold(runtime.engine, TURN, AT_ONCE) as our_turn:
        if our_turn and take_in_all(runtime.engine, page_size=runtime.settings.feed_items):
            with runtime.engine.begin() as connection:
                create_first(connection)


def list_feeds(
    connection: Connection, base: str, *, scope: FeedScope | None = None, after: int = 0, limit: int | None = None
) -> list[FeedLine]:
    """Return the public feeds in the order of their ids, behind the one with the id `after`; `base` is our address."""
    listed = select(*Feed.__table__.c).where(Feed.link_id.is_(None), Feed.id > after).order_by(Feed.id).limit(limit)
    if scope is not None:
        listed = listed.where(Feed.scope == scope)
    return [FeedLine(**_fields(row, base)) for row in connection.execute(listed)]


def show_feed(connection: Connection, base: str, name: str) -> FeedPage:
    """Return a public feed by its path, its title or its number, with its newest items.

    Raises `UnknownThing`, which says what may be meant, or `UsageError` where several are called so.
    """
    row = _find(connection, name)
    return FeedPage(
        **_fields(row, base),
        page=f"{base}/{row.path}{PAGE_ENDING}",
        total=row.total,
        older_pages=row.archived,
        newest=_newest(connection, row),
    )


def list_personal(connection: Connection, person_id: int, scopes: Collection[Scope]) -> list[LinkLine]:
    """Return a person's personal feeds, as far as a key with these scopes may read them; no address is among it."""
    return [line for line in list_links(connection, live=True, person_id=person_id) if scope_of(line.opens) in scopes]


def scope_of(opens: str) -> Scope:
    """Return what a key needs for a personal feed: the scope of what is on it."""
    return _SCOPES[opens]  # type: ignore[index] # as `links` has it


def find_personal(connection: Connection, person_id: int, link_id: int) -> LinkLine:
    """Return a person's personal feed by its number; raises `UnknownLink`."""
    for line in list_links(connection, live=True, person_id=person_id):
        if line.id == link_id:
            return line
    raise UnknownLink(f"there is no personal feed {link_id}; `lootwire feeds links` lists them")


def show_personal(connection: Connection, vault: Vault, base: str, line: LinkLine) -> Addresses:
    """Return the addresses of a personal feed."""
    return _addresses(base, folder_of_link(connection, vault, line.id), line.id, line.opens)


def make_personal(
    runtime: Runtime, person_id: int, opens: Makes, *, name: str | None = None, patience: timedelta | None = None
) -> Addresses:
    """Return the addresses of a person's personal feed, which is made where there is none.

    `name` is that of the list or the target which it opens. It waits for a publish under way, for as long as the
    patience; the files are there after the next one. Raises `UsageError` where the person has none of that name.
    """
    with _turn(runtime, patience), runtime.engine.begin() as connection:
        subject_id, title = None, _TITLES[opens]
        if opens == "target":
            subject_id, title = target_id_of(connection, name or "", person_id=person_id), name or ""
        elif opens == "list":
            subject_id, title = find_list(connection, name or "", person_id)
        now = utc_now()
        folder = ensure_link(
            connection, runtime.vault, opens, now, subject_id=subject_id, title=title, person_id=person_id
        )
        link_id = link_of(connection, opens, subject_id, person_id)
    return _addresses(runtime.settings.public_url, folder, link_id, opens)


def rotate_personal(runtime: Runtime, link_id: int, *, patience: timedelta | None = None) -> Addresses:
    """Give a personal feed new addresses and return them; the next publish deletes the files under the old ones."""
    with _turn(runtime, patience), runtime.engine.begin() as connection:
        folder = rotate_link(connection, runtime.vault, link_id, utc_now())
        new_id = link_in_place_of(connection, link_id)
        opens = next(line.opens for line in list_links(connection) if line.id == new_id)
    return _addresses(runtime.settings.public_url, folder, new_id, opens)


@contextmanager
def _turn(runtime: Runtime, patience: timedelta | None) -> Iterator[None]:
    with hold(runtime.engine, TURN, patience) as our_turn:
        if not our_turn:
            raise LootwireError("feeds are being published just now; ask again in a minute")
        yield


def _addresses(base: str, folder: str, link_id: int, opens: str) -> Addresses:
    address = f"{base}/{folder}/{opens}"
    formats = formats_of(opens)  # type: ignore[arg-type] # what a link opens is a scope of feeds
    return Addresses(
        id=link_id,
        opens=opens,
        page=f"{address}{PAGE_ENDING}",
        **{each.key: f"{address}{each.ending}" for each in formats},
    )


def _fields(row: Any, base: str) -> dict[str, Any]:
    endings = {each.key: each.ending for each in formats_of(row.scope)}
    keys = ("rss", "atom", "json", "calendar")
    return {
        "id": row.id,
        "title": row.title,
        "scope": row.scope,
        "path": row.path,
        **{key: f"{base}/{row.path}{endings[key]}" if key in endings else None for key in keys},
        "items": row.items,
        "written_at": row.written_at,
        "waiting": row.version != row.written_version,
    }


def _newest(connection: Connection, row: Any) -> list[FeedItem]:
    """Return the newest items of a feed; a podcast has sounds, and no events."""
    if row.scope in PODCASTS:
        (podcast,) = load_podcasts(connection, [row.id], {})
        episodes = podcast.episodes[:SHOWN_ITEMS]
        return [FeedItem(at=each.published_at, kind="sound", title=each.title) for each in episodes]
    (feed,) = load_feeds(connection, [row.id], items=SHOWN_ITEMS)
    return [FeedItem(at=each.occurred_at, kind=each.kind, title=each.title) for each in feed.items[:SHOWN_ITEMS]]


def _find(connection: Connection, name: str) -> Any:
    public = select(*Feed.__table__.c).where(Feed.link_id.is_(None))
    if (row := connection.execute(public.where(Feed.path == name)).one_or_none()) is not None:
        return row
    titles = connection.execute(select(Feed.id, Feed.title, Feed.path).where(Feed.link_id.is_(None))).all()
    same = [each for each in titles if name_key(each.title) == name_key(name)]
    same = same or [each for each in titles if str(each.id) == name]
    if len(same) == 1:
        return connection.execute(public.where(Feed.id == same[0].id)).one()
    shown = on_a_line(name, NAME_LENGTH)
    if same:
        paths = ", ".join(sorted(each.path for each in same))
        raise UsageError(f"Several feeds are called {shown}: name one by its path, {paths}")
    near = nearest(name, [each.title for each in titles])
    hint = f"; did you mean {' or '.join(near)}?" if near else "; `lootwire feeds` lists them"
    raise UnknownThing(f"No feed is called {shown}{hint}")
