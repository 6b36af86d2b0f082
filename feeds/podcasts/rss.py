"""The feed of a podcast as RSS 2.0, by feedgen with an extension of ours. Pure.

feedgen's own extension writes `itunes:explicit` as yes, no or clean, of which Apple takes none any more, and knows
neither the podcast namespace nor Podlove's chapters. What is asked for says Apple's guide
(https://help.apple.com/itc/podcasts_connect/#/itcb54353390) and https://podcasting2.org/docs/podcast-namespace.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from feeds.formats import RSS_ENDING
from feeds.formats.document import PAGE_ENDING, RSS_TYPE
from feeds.formats.markup import ATOM, HEADER
from feeds.podcasts.content import (
    CHAPTERS_TYPE,
    MEDIA_TYPES,
    TRANSCRIPT_TYPES,
    Chapter,
    Episode,
    Podcast,
)
from feeds.podcasts.notes import chapter_title, notes_html, summary_of, title_of
from feeds.sanitise import html_line, one_line, safe_url
from feeds.scopes import SCOPES

ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST = "https://podcastindex.org/namespace/1.0"
CHAPTERS = "http://podlove.org/simple-chapters"
# Whoever asks another platform to take the feed over has to answer at this address, and nobody can: RFC 2606 keeps the
# name from ever being one.
OWNER = "nobody@lootwire.invalid"
# Apple's most for a description, in bytes.
DESCRIPTION_BYTES = 4000
# Those of Apple: https://podcasters.apple.com/support/1691-apple-podcasts-categories. Below some of them are others,
# written `Leisure > Video Games`.
CATEGORIES = (
    "Arts",
    "Business",
    "Comedy",
    "Education",
    "Fiction",
    "Government",
    "Health & Fitness",
    "History",
    "Kids & Family",
    "Leisure",
    "Music",
    "News",
    "Religion & Spirituality",
    "Science",
    "Society & Culture",
    "Sports",
    "TV & Film",
    "Technology",
    "True Crime",
)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


def render_podcast(podcast: Podcast, base_url: str) -> bytes:
    """Return the feed of a podcast; `base_url` is where the published folder is served."""
    from feedgen.feed import FeedGenerator

    root = base_url.rstrip("/")
    page, title = f"{root}/{podcast.path}{PAGE_ENDING}", title_of_podcast(podcast)
    built = FeedGenerator()
    built.id(podcast.guid)
    built.title(html_line(title))
    built.description(html_line(description_of(podcast)))
    built.link(href=f"{root}/{podcast.path}{RSS_ENDING}", rel="self", type=RSS_TYPE)
    built.link(href=page, rel="alternate", type="text/html")
    built.generator("Lootwire")
    built.language(language_of(podcast))
    built.ttl(podcast.ttl_minutes)
    built.image(url=f"{root}/{quote(podcast.folder)}/{podcast.artwork_file}", title=html_line(title), link=page)
    built.lastBuildDate(max((each.published_at for each in podcast.episodes), default=_NEVER))
    channel, item = _extensions()
    built.register_extension("podcast", lambda: channel(podcast, root), atom=False)
    for number, episode in enumerate(podcast.episodes, 1):
        _add(built, item, podcast, episode, root, number)
    header = HEADER.format(up="../" * podcast.path.count("/")).encode()
    return header + bytes(built.rss_str(xml_declaration=False))


def title_of_podcast(podcast: Podcast) -> str:
    """Return the title of a podcast as one line."""
    return one_line(podcast.title, 120) or "A podcast"


def description_of(podcast: Podcast) -> str:
    """Return what a podcast says of itself as one line of plain text, within what Apple takes."""
    text = one_line(podcast.description or "", DESCRIPTION_BYTES)
    text = text or SCOPES[podcast.scope].description.replace("{title}", title_of_podcast(podcast))
    while len(text.encode()) > DESCRIPTION_BYTES - 200:
        text = one_line(text, len(text) * 9 // 10)
    return text


def author_of(podcast: Podcast) -> str:
    """Return who made it, or the installation."""
    return one_line(podcast.author or "", 120) or "Lootwire"


def language_of(podcast: Podcast) -> str:
    """Return the language of a podcast as RSS names it: its own, else the one that most of its episodes have."""
    spoken = [code for each in podcast.episodes if (code := _code(each.language))]
    return _code(podcast.language) or max(spoken, key=spoken.count, default="en")


def is_language(text: str) -> bool:
    """Return whether a feed can have this as its language."""
    return _code(text) is not None


def _code(language: str | None) -> str | None:
    code = (language or "").strip().lower().replace("_", "-")
    return code if _LANGUAGE.fullmatch(code) and code not in {"und", "mul", "zxx", "other"} else None


def _add(built: Any, item: Callable[..., Any], podcast: Podcast, episode: Episode, root: str, number: int) -> None:
    folder = f"{root}/{quote(podcast.folder)}"
    entry = built.add_entry(order="append")
    entry.guid(episode.guid, permalink=False)
    entry.title(html_line(title_of(episode)))
    entry.link(href=f"{folder}/{episode.page}")
    entry.description(html_line(summary_of(episode)), isSummary=True)
    entry.content(notes_html(episode))
    entry.enclosure(f"{folder}/{episode.file}", str(episode.size), MEDIA_TYPES[episode.ending])
    entry.published(episode.published_at)
    entry.register_extension("podcast", lambda: item(podcast, episode, folder, number), atom=False)


@lru_cache
def _extensions() -> tuple[type[Any], type[Any]]:
    from feedgen.ext.base import BaseExtension

    class OfChannel(BaseExtension):  # type: ignore[misc]
        """What Apple, Podcasting 2.0 and hubs ask of a feed."""

        def __init__(self, podcast: Podcast, root: str) -> None:
            self._podcast = podcast
            self._root = root

        def extend_ns(self) -> dict[str, str]:
            return {"itunes": ITUNES, "podcast": PODCAST, "psc": CHAPTERS}

        def extend_rss(self, rss: Any) -> Any:
            _extend_channel(rss[0], self._podcast, self._root)
            return rss

    class OfItem(BaseExtension):  # type: ignore[misc]
        """What they ask of an episode, and its chapters."""

        def __init__(self, podcast: Podcast, episode: Episode, folder: str, number: int) -> None:
            self._of = (podcast, episode, folder, number)

        def extend_rss(self, item: Any) -> Any:
            _extend_item(item, *self._of)
            return item

    return OfChannel, OfItem


def _extend_channel(channel: Any, podcast: Podcast, root: str) -> None:
    for hub in podcast.hubs:
        _put(channel, ATOM, "link", rel="hub", href=hub)
    _put(channel, ITUNES, "title", title_of_podcast(podcast))
    _put(channel, ITUNES, "author", author_of(podcast))
    _put(channel, ITUNES, "image", href=f"{root}/{quote(podcast.folder)}/{podcast.artwork_file}")
    _put(channel, ITUNES, "explicit", str(podcast.is_explicit).lower())
    _put(channel, ITUNES, "type", "serial" if podcast.is_serial else "episodic")
    owner = _put(channel, ITUNES, "owner")
    _put(owner, ITUNES, "name", author_of(podcast))
    _put(owner, ITUNES, "email", OWNER)
    category, _, below = podcast.category.partition(" > ")
    outer = _put(channel, ITUNES, "category", text=one_line(category, 60) or "Leisure")
    if below:
        _put(outer, ITUNES, "category", text=one_line(below, 60))
    _put(channel, PODCAST, "guid", podcast.guid)
    _put(channel, PODCAST, "locked", "yes", owner=OWNER)
    _put(channel, PODCAST, "medium", "podcast")
    if not podcast.is_public:
        _put(channel, ITUNES, "block", "Yes")
        _put(channel, PODCAST, "block", "yes")


def _extend_item(item: Any, podcast: Podcast, episode: Episode, folder: str, number: int) -> None:
    _put(item, ITUNES, "title", title_of(episode))
    if author := one_line(episode.artist or "", 120):
        _put(item, ITUNES, "author", author)
    if episode.seconds is not None and episode.seconds >= 1:
        _put(item, ITUNES, "duration", str(round(episode.seconds)))
    if episode.artwork_file:
        _put(item, ITUNES, "image", href=f"{folder}/{episode.artwork_file}")
    _put(item, ITUNES, "explicit", str(podcast.is_explicit).lower())
    _put(item, ITUNES, "episodeType", "full")
    if podcast.is_serial:
        _put(item, ITUNES, "episode", str(number))
    for language, format_ in episode.transcript_files:
        address = f"{folder}/{quote(episode.transcript_file(language, format_))}"
        kind = TRANSCRIPT_TYPES[format_]
        _put(item, PODCAST, "transcript", url=address, type=kind, language=language, rel="captions")
    if episode.chapters:
        _put(item, PODCAST, "chapters", url=f"{folder}/{episode.chapters_file}", type=CHAPTERS_TYPE)
        parts = _put(item, CHAPTERS, "chapters", version="1.2")
        for chapter in episode.chapters:
            _put(parts, CHAPTERS, "chapter", **_podlove(chapter))


def _put(parent: Any, namespace: str, name: str, value: str | None = None, **attributes: str) -> Any:
    from lxml import etree

    element = etree.SubElement(parent, f"{{{namespace}}}{name}", attributes)
    element.text = value
    return element


def _podlove(chapter: Chapter) -> dict[str, str]:
    """Return the attributes of a chapter: https://podlove.org/simple-chapters."""
    millis = max(0, round(chapter.start * 1000))
    start = f"{millis // 3_600_000:02}:{millis // 60_000 % 60:02}:{millis // 1000 % 60:02}.{millis % 1000:03}"
    links = {"href": safe_url(chapter.url), "image": safe_url(chapter.image_url)}
    return {"start": start, "title": chapter_title(chapter), **{name: url for name, url in links.items() if url}}
