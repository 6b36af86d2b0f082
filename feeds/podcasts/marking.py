"""Mark the podcasts that have something else to show: the next publish, within seconds, writes them.

Who changes rows of sounds, renditions, shows, episodes or playlists calls these in the same transaction. That a show or
a playlist was made, renamed, made public or private, or removed needs no mark (`feeds.podcasts.standing`).
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, or_, select

from feeds.catalog import mark_feeds
from feeds.feed_rows import as_ids
from feeds.scopes import PODCASTS
from models import Episode, Feed, Link, PlaylistSound, Sound


def mark_sounds(connection: Connection, sound_ids: Iterable[int]) -> None:
    """Mark each podcast that has one of these sounds, or could have it now: its show's, playlists', its person's."""
    ids = as_ids(sound_ids)
    owners = (
        select(Link.id).join(Sound, Sound.person_id == Link.person_id).where(Link.opens == "sounds", Sound.id == ids)
    )
    _mark(
        connection,
        or_(
            Feed.show_id.in_(select(Episode.show_id).where(Episode.sound_id == ids)),
            Feed.playlist_id.in_(select(PlaylistSound.playlist_id).where(PlaylistSound.sound_id == ids)),
            (Feed.scope == "sounds") & Feed.link_id.in_(owners),
        ),
    )


def mark_shows(connection: Connection, show_ids: Iterable[int]) -> None:
    """Mark the podcasts of these shows: an episode came or was let go, or the show says something else of itself."""
    _mark(connection, Feed.show_id == as_ids(show_ids))


def mark_playlists(connection: Connection, playlist_ids: Iterable[int]) -> None:
    """Mark the podcasts of these playlists: a sound came, went or moved, or the playlist says something else."""
    _mark(connection, Feed.playlist_id == as_ids(playlist_ids))


def _mark(connection: Connection, of: ColumnElement[bool]) -> None:
    marked = select(Feed.id).where(Feed.scope.in_(sorted(PODCASTS)), of)
    if ids := list(connection.scalars(marked)):
        mark_feeds(connection, ids)
