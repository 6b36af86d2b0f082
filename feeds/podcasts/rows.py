"""Load podcasts: each feed with its show, playlist or person, and the sounds that are ready: three queries each."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection, Select, and_, case, func, select

from feeds.feed_rows import as_ids
from feeds.podcasts.content import (
    MEDIA_TYPES,
    Chapter,
    Episode,
    Podcast,
    Source,
    Transcript,
    digest_of,
)
from feeds.scopes import PODCASTS, SCOPES
from models import Channel, Feed, Link, Playlist, PlaylistSound, Rendition, Show, Sound
from models import Episode as EpisodeRow

# Apps keep about so many; of more, those are left out that were published first.
MOST_EPISODES = 1000
DEFAULT_PROFILE = "podcast"
# BCP 47, as far as a file name may have it.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
# Whose page is the very file that was fetched, with what opens it in its query.
_WITHOUT_PAGES = frozenset({None, "generic"})

_FEEDS = (
    select(
        Feed.id,
        Feed.version,
        Feed.scope,
        Feed.path,
        Feed.link_id,
        Feed.show_id,
        Feed.playlist_id,
        Feed.title.label("feed_title"),
        Link.person_id,
        func.coalesce(Show.public_id, Playlist.public_id).label("public_id"),
        func.coalesce(Show.title, Playlist.name).label("title"),
        func.coalesce(Show.description, Playlist.description).label("description"),
        func.coalesce(Show.author, Channel.display_name, Channel.login).label("author"),
        Show.language,
        Show.category,
        Show.is_explicit,
        Show.artwork,
        func.coalesce(Show.profile, Playlist.profile, DEFAULT_PROFILE).label("profile"),
    )
    .outerjoin(Show, Show.id == Feed.show_id)
    .outerjoin(Playlist, Playlist.id == Feed.playlist_id)
    .outerjoin(Channel, Channel.id == Show.channel_id)
    .outerjoin(Link, Link.id == Feed.link_id)
    .where(Feed.scope.in_(sorted(PODCASTS)), Show.removed_at.is_(None), Playlist.removed_at.is_(None))
    .order_by(Feed.id)
)
_SOUND = (
    Sound.public_id,
    Sound.title,
    Sound.description,
    func.coalesce(Sound.artist, Channel.display_name, Channel.login).label("artist"),
    Sound.service,
    Sound.webpage_url,
    Sound.language,
    Sound.tags,
    Sound.chapters,
    Sound.muted,
    Sound.transcripts,
    Sound.artwork,
    func.coalesce(Sound.published_at, Sound.added_at).label("at"),
    func.coalesce(Rendition.seconds, Sound.seconds).label("seconds"),
    Rendition.path,
    Rendition.size,
    Rendition.digest,
)
# One that is made again keeps its file until the new one is there.
_IS_THERE = and_(
    Rendition.path.is_not(None), Rendition.size.is_not(None), Rendition.digest.is_not(None), Sound.removed_at.is_(None)
)
_NEWEST_FIRST = (func.coalesce(Sound.published_at, Sound.added_at).desc(), Sound.id.desc())


def load_podcasts(
    connection: Connection, feed_ids: Sequence[int], private: Mapping[int, str], *, hubs: Sequence[str] = ()
) -> list[Podcast]:
    """Return those of these feeds that are podcasts, by id; `private` has the folders of links.

    Those of a link without a folder are left out. The version is read before the sounds, so what is settled never
    claims more than what was loaded. Hubs hear of public ones alone.
    """
    rows = connection.execute(_FEEDS.where(Feed.id == as_ids(feed_ids))).all()
    reachable = [row for row in rows if row.link_id is None or row.link_id in private]
    return [_podcast(row, private, _sounds(connection, row), _identity(connection, row), hubs) for row in reachable]


def _sounds(connection: Connection, feed: Any) -> Sequence[Any]:
    statement = (
        select(*_SOUND)
        .join_from(Sound, Rendition, and_(Rendition.sound_id == Sound.id, _IS_THERE))
        .outerjoin(Channel, Channel.id == Sound.channel_id)
        .limit(MOST_EPISODES)
    )
    return connection.execute(_of(statement, feed)).all()


def _of(statement: Select[*tuple[Any, ...]], feed: Any) -> Select[*tuple[Any, ...]]:
    if feed.scope == "sounds":
        # A sound has the profile that podcasts have, or whichever was made first.
        chosen = (
            select(Rendition.id)
            .where(Rendition.sound_id == Sound.id, Rendition.path.is_not(None))
            .order_by(case((Rendition.profile == DEFAULT_PROFILE, 0), else_=1), Rendition.id)
            .limit(1)
            .correlate(Sound)
            .scalar_subquery()
        )
        return statement.where(Rendition.id == chosen, Sound.person_id == feed.person_id).order_by(*_NEWEST_FIRST)
    statement = statement.where(Rendition.profile == feed.profile)
    if feed.scope == "playlist":
        of_list = (PlaylistSound.sound_id == Sound.id) & (PlaylistSound.playlist_id == feed.playlist_id)
        return statement.join(PlaylistSound, of_list).order_by(PlaylistSound.position, Sound.id)
    kept = select(EpisodeRow.sound_id).where(EpisodeRow.show_id == feed.show_id, EpisodeRow.kept_out_at.is_(None))
    return statement.where(Sound.id.in_(kept)).order_by(*_NEWEST_FIRST)


def _identity(connection: Connection, feed: Any) -> str:
    """Return what a podcast's guid is made of, which outlives its addresses."""
    if feed.public_id is not None:
        return f"lootwire/{feed.scope}/{feed.public_id}"
    # That of the first link that ever opened it: the digest tells nothing of a name.
    first = select(Link.digest).where(Link.person_id == feed.person_id, Link.opens == "sounds").order_by(Link.id)
    return f"lootwire/sounds/{connection.scalars(first.limit(1)).one().hex()}"


def _podcast(
    row: Any, private: Mapping[int, str], sounds: Sequence[Any], identity: str, hubs: Sequence[str]
) -> Podcast:
    is_public = row.link_id is None
    return Podcast(
        feed_id=row.id,
        version=row.version,
        scope=row.scope,
        path=row.path if is_public else f"{private[row.link_id]}/{row.scope}",
        title=row.title or row.feed_title,
        identity=identity,
        is_public=is_public,
        description=row.description,
        author=row.author,
        language=row.language,
        category=row.category or "Leisure",
        is_explicit=bool(row.is_explicit),
        is_serial=row.scope == "playlist",
        artwork=_source(row.artwork),
        episodes=tuple(episode for sound in sounds if (episode := _episode(sound)) is not None),
        ttl_minutes=SCOPES[row.scope].ttl_minutes,
        hubs=tuple(hubs) if is_public else (),
    )


def _episode(row: Any) -> Episode | None:
    ending = PurePosixPath(row.path).suffix.removeprefix(".")
    if ending not in MEDIA_TYPES:
        # Nothing of ours makes such a file.
        return None
    return Episode(
        public_id=row.public_id,
        title=row.title,
        published_at=row.at.astimezone(UTC),
        enclosure=Source(path=row.path, digest=row.digest.hex()),
        size=row.size,
        ending=ending,
        seconds=row.seconds,
        description=row.description,
        artist=row.artist,
        webpage_url=_page(row.service, row.webpage_url),
        language=row.language,
        tags=tuple(row.tags),
        chapters=_chapters(row.chapters),
        muted=tuple((float(part["start"]), float(part["seconds"])) for part in row.muted or ()),
        transcripts=_transcripts(row.transcripts),
        artwork=_source(row.artwork),
    )


def _chapters(stored: Sequence[Mapping[str, Any]]) -> tuple[Chapter, ...]:
    """Return chapters by their beginning, of several at one place the last."""
    by_start: dict[float, Chapter] = {}
    for part in stored:
        start = max(0.0, float(part["start"]))
        by_start[start] = Chapter(
            start=start, title=part.get("title") or "", url=part.get("url"), image_url=part.get("image_url")
        )
    return tuple(by_start[start] for start in sorted(by_start))


def _transcripts(stored: Sequence[Mapping[str, Any]]) -> tuple[Transcript, ...]:
    by_language: dict[str, list[Transcript]] = defaultdict(list)
    for part in stored:
        language, format_, source = part.get("language") or "", part.get("format"), _source(part.get("path"))
        if _LANGUAGE.fullmatch(language) and source is not None and (format_ == "vtt" or format_ == "srt"):  # noqa: PLR1714
            by_language[language].append(Transcript(language=language, format=format_, source=source))
    return tuple(each for language in sorted(by_language) for each in by_language[language])


def _source(path: str | None) -> Source | None:
    return None if path is None else Source(path=path, digest=digest_of(path))


def _page(service: str | None, url: str | None) -> str | None:
    if url is None or service not in _WITHOUT_PAGES:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
