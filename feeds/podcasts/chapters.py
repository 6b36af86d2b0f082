"""Write chapters as Podcasting 2.0 has them, a JSON file of version 1.2.0. Pure.

https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/chapters/jsonChapters.md
"""

from typing import Any

import msgspec

from feeds.podcasts.content import Chapter, Episode, Podcast
from feeds.podcasts.notes import chapter_title, title_of
from feeds.sanitise import one_line, safe_url

VERSION = "1.2.0"


def chapters_json(episode: Episode, podcast: Podcast) -> bytes:
    """Return the file of an episode's chapters; they stand by their beginning."""
    document = {
        "version": VERSION,
        "title": title_of(episode),
        "podcastName": one_line(podcast.title, 120),
        "fileName": episode.file,
        "chapters": [_chapter(each) for each in episode.chapters],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _chapter(chapter: Chapter) -> dict[str, Any]:
    written: dict[str, Any] = {"startTime": round(chapter.start, 3), "title": chapter_title(chapter)}
    if image := safe_url(chapter.image_url):
        written["img"] = image
    if url := safe_url(chapter.url):
        written["url"] = url
    return written
