"""Render the page of a podcast and those of its episodes, each with a player and links to its chapters. Pure."""

from datetime import datetime
from urllib.parse import quote

import msgspec

from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.podcasts.content import MEDIA_TYPES, Episode, Podcast
from feeds.podcasts.notes import chapter_title, clock_time, muted_line, text_of, title_of
from feeds.podcasts.rss import author_of, description_of, title_of_podcast
from feeds.sanitise import one_line, safe_url
from models.words.units import counted, length

# A page of more would be heavy to open; the feed has them all.
EPISODES_SHOWN = 200
_FORMATS = {"srt": "SRT", "vtt": "VTT"}


class _Chapter(msgspec.Struct, frozen=True):
    seconds: int
    at: str
    title: str
    url: str | None


class _Row(msgspec.Struct, frozen=True):
    title: str
    page: str
    at: datetime
    length: str
    chapters: str


def render_podcast_page(podcast: Podcast, *, stamp: str = "", look: Look = HOUSE) -> bytes:
    """Return the page of a podcast: its feed's address, and its episodes."""
    folder = podcast.folder.rpartition("/")[2] + "/" if podcast.is_public else ""
    shown = podcast.episodes[:EPISODES_SHOWN]
    heard = round(sum(each.seconds or 0 for each in podcast.episodes))
    title = title_of_podcast(podcast)
    return look.render(
        "podcast.html.j2",
        stamp=stamp,
        root="../" * podcast.path.count("/"),
        path=podcast.path,
        title=title,
        text=description_of(podcast),
        author=author_of(podcast),
        is_private=not podcast.is_public,
        artwork=f"{quote(folder)}{podcast.artwork_file}",
        rows=[_row(each, folder) for each in shown],
        more=len(podcast.episodes) - len(shown),
        summary=[
            (f"{len(podcast.episodes):,}", "episode" if len(podcast.episodes) == 1 else "episodes"),
            (length(heard), "to hear"),
        ]
        if heard
        else [],
        formats=formats_of(podcast.scope),
        feed_path=podcast.path,
        feed_title=title,
    )


def render_episode_page(podcast: Podcast, episode: Episode, *, stamp: str = "", look: Look = HOUSE) -> bytes:
    """Return the page of an episode."""
    above = podcast.path.rpartition("/")[2]
    return look.render(
        "episode.html.j2",
        stamp=stamp,
        root="../" * (podcast.folder.count("/") + 1),
        path=f"{podcast.folder}/{episode.public_id}",
        title=title_of(episode),
        podcast=title_of_podcast(podcast),
        podcast_page=f"{'../' if podcast.is_public else ''}{quote(above)}.html",
        artist=one_line(episode.artist or "", 120),
        is_private=not podcast.is_public,
        at=episode.published_at,
        length=_length(episode),
        file=episode.file,
        media_type=MEDIA_TYPES[episode.ending],
        size=_size(episode.size),
        artwork=episode.artwork_file,
        chapters=[
            _Chapter(int(each.start), clock_time(each.start), chapter_title(each), safe_url(each.url))
            for each in episode.chapters
        ],
        muted=muted_line(episode),
        notes=text_of(episode),
        transcripts=[
            (f"{language}, {_FORMATS[format_]}", quote(episode.transcript_file(language, format_)))
            for language, format_ in episode.transcript_files
        ],
        source=safe_url(episode.webpage_url),
        tags=[line for tag in episode.tags if (line := one_line(tag, 40))],
        formats=(),
    )


def _row(episode: Episode, folder: str) -> _Row:
    chapters = counted(len(episode.chapters), "chapter") if episode.chapters else ""
    page = f"{quote(folder)}{episode.page}"
    return _Row(title_of(episode), page, episode.published_at, _length(episode), chapters)


def _length(episode: Episode) -> str:
    return "" if episode.seconds is None else clock_time(episode.seconds)


def _size(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
