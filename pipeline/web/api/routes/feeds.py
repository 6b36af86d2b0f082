"""`/feeds`: the public feeds, and your personal ones."""

from datetime import timedelta
from typing import Annotated

import msgspec

from feeds.content import Scope as FeedScope
from feeds.links import LinkLine
from pipeline.operations import feeds
from pipeline.operations.feeds import Addresses, FeedLine, FeedPage, Makes
from pipeline.web.api.calls import Call, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, make_page, page_of, read_cursor
from pipeline.web.api.problems import FieldProblem, InvalidRequest, RequestProblem
from pipeline.web.api.routes.words import Number, Word
from pipeline.web.api.routing import Routes

routes = Routes("feeds")
# A publish takes seconds; a request may take half a minute.
PATIENCE = timedelta(seconds=15)
_NAMED = frozenset({"list", "target"})


class FeedQuery(PageQuery, frozen=True, kw_only=True):
    """Which feeds; what is not given is any."""

    scope: Annotated[FeedScope, msgspec.Meta(description="Those that are about this.")] | None = None


class PersonalBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a personal feed is of; `name` is that of the list or the target, and only these two have one."""

    opens: Makes
    name: Word | None = None


@routes.add("GET", "/feeds", scope="read")
def list_feeds(call: Reading, query: FeedQuery) -> Page[FeedLine]:
    """List the public feeds with their addresses."""
    after = read_cursor(query, Number)
    lines = feeds.list_feeds(
        call.connection,
        call.runtime.settings.public_url,
        scope=query.scope,
        after=after[0] if after else 0,
        limit=query.limit + 1,
    )
    return make_page(lines, query, lambda line: line.id)


@routes.add("GET", "/feeds/personal", scope="read", role="member")
def list_personal(call: Reading, query: PageQuery) -> Page[LinkLine]:
    """List your personal feeds, as far as this key may read what is on them; their addresses are secrets.

    The scope of what you follow is `follow`, of a target `targets`, of your library, journal, lists, ROMs and their
    news `library`, of shows, playlists and sounds `sounds`, of the installation's health `admin`.
    """
    scopes = frozenset() if call.caller is None else call.caller.scopes
    return page_of(feeds.list_personal(call.connection, call.person_id, scopes), query, lambda line: line.id)


@routes.add("POST", "/feeds/personal", scope="read", role="member", status=201)
def make_personal(call: Working, body: PersonalBody) -> Addresses:
    """Make a personal feed, unless there is one, and show its addresses.

    The files are there after the next publish. Whoever has an address can read the feed.
    """
    if (body.name is not None) is not (body.opens in _NAMED):
        detail = f"{body.opens} {'needs a' if body.opens in _NAMED else 'has no'} name"
        raise InvalidRequest([FieldProblem(pointer="/name", detail=detail)])
    _check_scope(call, body.opens)
    return feeds.make_personal(call.runtime, call.person_id, body.opens, name=body.name, patience=PATIENCE)


@routes.add("GET", "/feeds/personal/{link}", scope="read", role="member")
def show_personal(call: Reading, link: Number) -> Addresses:
    """Show the addresses of a personal feed; whoever has one of them can read it."""
    line = feeds.find_personal(call.connection, call.person_id, link)
    _check_scope(call, line.opens)
    return feeds.show_personal(call.connection, call.runtime.vault, call.runtime.settings.public_url, line)


@routes.add("POST", "/feeds/personal/{link}/rotate", scope="read", role="member")
def rotate_personal(call: Working, link: Number) -> Addresses:
    """Give a personal feed new addresses, and another number; the old ones open nothing after the next publish."""
    with call.runtime.engine.connect() as connection:
        line = feeds.find_personal(connection, call.person_id, link)
    _check_scope(call, line.opens)
    return feeds.rotate_personal(call.runtime, line.id, patience=PATIENCE)


@routes.add("GET", "/feeds/{feed}", scope="read")
def show_feed(
    call: Reading, feed: Annotated[Word, msgspec.Meta(description="A feed's `id`, its path or its title.")]
) -> FeedPage:
    """Show a public feed: its addresses, and its newest items."""
    return feeds.show_feed(call.connection, call.runtime.settings.public_url, feed)


def _check_scope(call: Call, opens: str) -> None:
    needed = feeds.scope_of(opens)
    if call.caller is None or needed not in call.caller.scopes:
        raise RequestProblem("not-allowed", f"this key has not the scope {needed}, which a feed of this needs")
