"""Say what of the tables is public: one place for all pages and calendars that read more than the items of feeds.

`feeds.scopes.is_public` says it of an event. A game that a library alone brought here has a row in `games`, entries of
IGDB and release dates like any other: the public sees it once a public event names it, and so gives it a feed.
"""

from typing import Any

from sqlalchemy import ColumnElement, exists, select

from models import Event, Feed

# Of events that are about a game; those of sources and of the installation are on no page.
IS_PUBLIC_EVENT: ColumnElement[bool] = Event.is_private.is_(False) & Event.person_id.is_(None)


def is_named_game(game_id: Any) -> ColumnElement[bool]:
    """Return the condition that a public event names a game: then, and only then, it has a feed of its own."""
    # All columns of the unique index before the one that counts, so that it is used.
    own = (Feed.scope == "game", Feed.service.is_(None), Feed.game_id == game_id)
    return exists(select(1).where(*own).correlate_except(Feed))
