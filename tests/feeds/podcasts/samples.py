"""Podcasts as values, for tests that need no database."""

from datetime import UTC, datetime
from typing import Any

from feeds.podcasts.content import Chapter, Episode, Podcast, Source, Transcript

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BASE = "https://loot.example"
SHOW = "shows/captain-brine-1a2b3c4d"


def source(path: str = "sounds/renditions/ab/abcd.mp3", digest: str = "abcdef0123456789") -> Source:
    return Source(path=path, digest=digest)


def episode(number: int = 1, **fields: Any) -> Episode:
    values: dict[str, Any] = {
        "public_id": f"00000000-0000-4000-8000-{number:012}",
        "title": "Wipe day",
        "published_at": NOON,
        "enclosure": source(),
        "size": 1_234_567,
        "ending": "mp3",
        "seconds": 3725.4,
    }
    return Episode(**values | fields)


def full_episode(number: int = 1, **fields: Any) -> Episode:
    """An episode that has everything."""
    values: dict[str, Any] = {
        "description": "A long evening.\nWith friends.",
        "artist": "Captain Brine",
        "webpage_url": "https://www.twitch.tv/videos/42",
        "language": "en",
        "tags": ("rust",),
        "chapters": (
            Chapter(start=0, title="Harbour", url="https://example.com/h", image_url="https://example.com/h.jpg"),
            Chapter(start=3723.5, title="Open sea"),
        ),
        "muted": ((360.0, 360.0),),
        "transcripts": (Transcript(language="en", format="vtt", source=source("a.vtt")),),
        "artwork": source("a.jpg", "0123456789abcdef"),
    }
    return episode(number, **values | fields)


def podcast(*episodes: Episode, **fields: Any) -> Podcast:
    values: dict[str, Any] = {
        "feed_id": 1,
        "version": 1,
        "scope": "show",
        "path": SHOW,
        "title": "Captain Brine, last night",
        "identity": "lootwire/show/1",
        "is_public": True,
        "episodes": episodes,
    }
    return Podcast(**values | fields)


def private(*episodes: Episode, **fields: Any) -> Podcast:
    return podcast(*episodes, path=f"private/{'a' * 32}/show", is_public=False, **fields)


def with_text(text: str) -> Podcast:
    """A podcast in which every text from outside is this one."""
    chapters = (Chapter(start=0, title=text, url=text, image_url=text), Chapter(start=5, title=f"{text}!"))
    heard = full_episode(
        title=text, description=text, artist=text, webpage_url=text, language=text, tags=(text, f"{text}x"),
        chapters=chapters,
    )  # fmt: skip
    return podcast(heard, episode(2), title=text, description=text, author=text, language=text, category=text)
