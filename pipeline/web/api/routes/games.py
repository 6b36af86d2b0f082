"""`/games`: what is known of games here and at IGDB, and which of them you follow."""

from typing import Annotated

import msgspec

from pipeline.drops.store.history import KnownGame
from pipeline.games.following.follows import Followed
from pipeline.operations import game_links, games
from pipeline.operations.game_links import LinkAnswer
from pipeline.operations.games import FollowAnswer, GameAnswer, MatchAnswer
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, make_page, page_of, read_cursor
from pipeline.web.api.routes.words import Number, Word
from pipeline.web.api.routing import Routes

routes = Routes("games")
Game = Annotated[
    Word,
    msgspec.Meta(
        description="A game's `public_id`, a name or a slug, or `igdb:1942`; of several of one name it is the first."
    ),
]


class GameQuery(PageQuery, frozen=True, kw_only=True):
    """Which games; what is not given is any."""

    service: Annotated[Word, msgspec.Meta(description="Those that this service names.")] | None = None


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for."""

    q: Annotated[Word, msgspec.Meta(description="A title, or how it begins; a year in parentheses helps.")]
    limit: Annotated[int, msgspec.Meta(ge=1, le=40)] = 15


class LinkBody(msgspec.Struct, frozen=True, kw_only=True):
    """Which entry of IGDB a game is; null says that it is no game that IGDB has."""

    igdb_id: Number | None


@routes.add("GET", "/games", scope="read")
def list_games(call: Reading, query: GameQuery) -> Page[KnownGame]:
    """List the games that are known here, in the order in which they became known.

    Games that only somebody's library brought are listed for those who have them.
    """
    after = read_cursor(query, Number)
    lines = games.list_games(
        call.connection,
        call.person_id,
        service=query.service,
        after=after[0] if after else 0,
        limit=query.limit + 1,
    )
    return make_page(lines, query, lambda line: line.id)


@routes.add("GET", "/games/search", scope="read")
def search_games(call: Working, query: SearchQuery) -> list[MatchAnswer]:
    """Find entries of IGDB, best first: in the catalogue here, and where that is no mirror by asking IGDB."""
    return games.search_games(call.runtime, call.person_id, query.q, query.limit)


@routes.add("GET", "/games/followed", scope="follow")
def list_followed(call: Reading, query: PageQuery) -> Page[Followed]:
    """List the games that you follow by their names, with the releases that lie ahead."""
    lines = games.followed(call.connection, call.person_id, call.now)
    return page_of(lines, query, lambda line: (line.name.lower(), line.game_id))


@routes.add("GET", "/games/{game}", scope="read")
def show_game(call: Reading, game: Game) -> GameAnswer:
    """Show a game: its page of IGDB with its release dates, its campaigns and rewards, its channels and feeds."""
    return games.show_game(call.connection, call.person_id, call.now, game)


@routes.add("PUT", "/games/{game}/follow", scope="follow")
def follow_game(call: Working, game: Game) -> FollowAnswer:
    """Follow a game: what changes in its release dates is told from now on.

    IGDB is asked where the catalogue here does not have it.
    """
    return games.follow(call.runtime, call.person_id, game)


@routes.add("DELETE", "/games/{game}/follow", scope="follow")
def unfollow_game(call: Changing, game: Game) -> None:
    """Follow a game no longer; what was recorded of it stays."""
    games.unfollow(call.connection, call.person_id, call.now, game)


@routes.add("POST", "/games/{game}/sync", scope="follow")
def sync_game(call: Working, game: Game) -> GameAnswer:
    """Ask IGDB for a game anew, at once; what changed is news as ever."""
    return games.sync(call.runtime, call.person_id, game)


@routes.add("GET", "/games/{game}/link", scope="read")
def show_link(call: Reading, game: Game) -> LinkAnswer:
    """Show which entry of IGDB a game is, how that is known, and which it could be."""
    return game_links.show_link(call.connection, call.person_id, game)


@routes.add("PUT", "/games/{game}/link", scope="admin", role="owner")
def pin_link(call: Working, game: Game, body: LinkBody) -> LinkAnswer:
    """Pin which entry of IGDB a game is, for everybody here, whatever services say."""
    return game_links.pin_link(call.runtime, game, body.igdb_id)


@routes.add("DELETE", "/games/{game}/link", scope="admin", role="owner")
def unpin_link(call: Changing, game: Game) -> None:
    """Forget what was pinned of a game: services decide again."""
    game_links.unpin_link(call.connection, call.now, game)
