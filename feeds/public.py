"""Say what of the tables is public: one place for all pages and calendars that read more than the items of feeds.

`feeds.scopes.is_public` says it of an event. A game that a library alone brought here has a row in `games`, entries of
IGDB and release dates like any other: the public sees it once a public event names it, and so gives it a feed.
"""

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, any_, exists, literal, or_, select

from feeds.scopes import is_public
from models import Event, Feed, Game, PersonWork
from models.events import EventKind

# Of events that are about a game; those of sources and of the installation are on no page.
IS_PUBLIC_EVENT: ColumnElement[bool] = Event.is_private.is_(False) & Event.person_id.is_(None)
_OF_INSTALLATION = [kind.value for kind in EventKind if kind.family in {"source", "operator"}]
# Badges that were there before are no news, and no secret either.
_PUBLIC_KINDS = [kind.value for kind in EventKind if is_public(kind, silent=False)]


def is_seen_by(person_id: ColumnElement[int], *, is_operator: bool) -> ColumnElement[bool]:
    """Return the condition that a person may see an event: it is public, theirs, or news of a game that they have.

    An operator sees those of sources and of the installation too, and nothing more of others.
    """
    is_nobodys = Event.person_id.is_(None)
    kinds = literal([*_PUBLIC_KINDS, *_OF_INSTALLATION] if is_operator else _PUBLIC_KINDS, ARRAY(Text))
    has_it = exists(
        select(1).where(
            Game.id == Event.game_id,
            PersonWork.work_id == Game.work_id,
            PersonWork.person_id == person_id,
            PersonWork.words != [],
        )
    ).correlate(Event)
    is_open = is_nobodys & (Event.kind == any_(kinds)) & or_(Event.is_private.is_(False), has_it)
    return or_(Event.person_id == person_id, is_open)


def is_named_game(game_id: Any) -> ColumnElement[bool]:
    """Return the condition that a public event names a game: then, and only then, it has a feed of its own."""
    # All columns of the unique index before the one that counts, so that it is used.
    own = (Feed.scope == "game", Feed.service.is_(None), Feed.game_id == game_id)
    return exists(select(1).where(*own).correlate_except(Feed))
