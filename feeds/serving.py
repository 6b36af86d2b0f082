"""What a web server says of each published file: its type, and how long a copy of it may be used.

Our own web server and the mirror in a bucket say the same (docs/publishing.md). Pure.
"""

import mimetypes

from feeds.write import PICTURES, PRIVATE

# Feeds, by the ending of the name, as `FORMATS` has them: those bring along all that renders them, which the program
# that serves does without.
RSS_TYPE, ATOM_TYPE, JSON_TYPE = "application/rss+xml", "application/atom+xml", "application/feed+json"
# What podcasts lead to (`feeds.podcasts`); it names a part of its digest, so that it never changes under its name.
SOUND_TYPES = {".mp3": "audio/mpeg", ".m4a": "audio/x-m4a", ".opus": "audio/ogg"}
_CHAPTERS = ".chapters.json"
FEED_TYPES = {
    ".rss.xml": f"{RSS_TYPE}; charset=utf-8",
    ".atom.xml": f"{ATOM_TYPE}; charset=utf-8",
    ".json": JSON_TYPE,
    ".ics": "text/calendar; charset=utf-8",
}
# The first that fits counts; other names go by the machine's own list.
TYPES = {
    _CHAPTERS: "application/json+chapters",
    **FEED_TYPES,
    **SOUND_TYPES,
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt; charset=utf-8",
    ".xml": "application/xml",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".xsl": "text/xsl",
    ".opml": "text/x-opml; charset=utf-8",
}
UNKNOWN = "application/octet-stream"
# What scripts of pages read; every other file of this ending is a JSON Feed.
_DATA = frozenset({"search.json", "rewards-index.json"})
# A page and what makes its look: all of one version, or it looks broken, and a reader asks with its ETag.
ASK_AGAIN = "no-cache"
# A copy of a picture keeps its name when the service changes it, and is fetched anew after a day: not "immutable".
_OF_PICTURES = "public, max-age=86400, stale-while-revalidate=604800"
# No cache that several people share keeps it; a reader keeps it and asks with its ETag, which "no-store" would forbid.
_OF_PRIVATE = "private, no-cache"
_OF_ARCHIVES = "public, max-age=86400"
_ARCHIVE = ".archive-"
# In seconds: where anything may happen at any time, and where news come once in a while.
_LIVELY, _CALM = 60, 300
_CALM_FOLDERS = frozenset(
    {"games", "organizations", "campaigns", "rewards", "releases", "categories", "shows", "playlists"}
)


def content_type(path: str) -> str:
    """Return the content type of a file; feeds have one of their own."""
    name = path.rpartition("/")[2]
    if name in _DATA:
        return "application/json"
    for ending, known in TYPES.items():
        if name.endswith(ending):
            return known
    guessed, encoding = mimetypes.guess_type(name)
    return UNKNOWN if guessed is None or encoding is not None else guessed


def cache_control(path: str) -> str:
    """Return the `Cache-Control` of a file by its path below the published folder.

    Feeds may be used again for as long as nothing new is expected, pictures for a day, and pages have to be asked for
    each time, which costs an answer without a body.
    """
    folder, slash, _ = path.partition("/")
    if slash and folder == PRIVATE:
        return _OF_PRIVATE
    if slash and folder == PICTURES:
        return _OF_PICTURES
    if path.endswith(tuple(SOUND_TYPES)):
        return _OF_ARCHIVES
    if not is_feed(path):
        return ASK_AGAIN
    if _ARCHIVE in path:
        return _OF_ARCHIVES
    return f"public, max-age={_CALM if slash and folder in _CALM_FOLDERS else _LIVELY}"


def is_private(path: str) -> bool:
    """Whether only those who know its address may read a file."""
    return path.startswith(f"{PRIVATE}/")


def is_feed(path: str) -> bool:
    """Whether a file is a feed, in any format."""
    is_other = path.rpartition("/")[2] in _DATA or path.endswith(_CHAPTERS)
    return not is_other and path.endswith(tuple(FEED_TYPES))


def has_hub(path: str) -> bool:
    """Whether hubs hear of a file: of public feeds, but of no archive and no calendar."""
    return is_feed(path) and not is_private(path) and _ARCHIVE not in path and not path.endswith(".ics")


def is_xml_feed(path: str) -> bool:
    """Whether a file is a feed in a format of XML, which has a stylesheet for browsers."""
    return path.endswith((".rss.xml", ".atom.xml"))
