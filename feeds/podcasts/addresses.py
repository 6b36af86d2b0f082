"""Where the page of a sound is that everybody may open; those of private podcasts are secrets, and stand nowhere."""

from urllib.parse import quote

from sqlalchemy import Connection, and_, exists, func, or_, select

from feeds.formats.document import PAGE_ENDING
from models import Episode, Feed, Playlist, PlaylistSound, Rendition, Show, Sound


def public_page(connection: Connection, base_url: str, sound_id: int) -> str | None:
    """Return the address of a sound's page in a public podcast, of a show rather than of a playlist; None without one.

    `base_url` is where the published folder is served. The page is there after the next publish.
    """
    in_show = exists().where(
        Episode.show_id == Feed.show_id, Episode.sound_id == Sound.id, Episode.kept_out_at.is_(None)
    )
    in_playlist = exists().where(PlaylistSound.playlist_id == Feed.playlist_id, PlaylistSound.sound_id == Sound.id)
    is_rendered = exists().where(
        Rendition.sound_id == Sound.id,
        Rendition.profile == func.coalesce(Show.profile, Playlist.profile),
        Rendition.path.is_not(None),
    )
    is_public = or_(Show.is_public & Show.removed_at.is_(None), Playlist.is_public & Playlist.removed_at.is_(None))
    row = connection.execute(
        select(Feed.path, Sound.public_id)
        .join_from(Feed, Sound, and_(Sound.id == sound_id, Sound.removed_at.is_(None)))
        .outerjoin(Show, Show.id == Feed.show_id)
        .outerjoin(Playlist, Playlist.id == Feed.playlist_id)
        .where(Feed.link_id.is_(None), is_public, is_rendered, or_(in_show, in_playlist))
        .order_by(Feed.show_id.is_(None), Feed.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else f"{base_url.rstrip('/')}/{quote(row.path)}/{row.public_id}{PAGE_ENDING}"
