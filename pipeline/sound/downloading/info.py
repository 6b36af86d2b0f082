"""Reads what yt-dlp says of an address: a document of one sound (`info.json`), or a list of them. Pure.

Its fields: https://github.com/yt-dlp/yt-dlp/blob/master/yt_dlp/extractor/common.py, the docstring of `InfoExtractor`.
Everything in them is text from outside, of any shape: what has not the right type is taken for missing.
"""

import hashlib
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from models.printable import on_a_line, printable
from pipeline.sound.chapters import chapters_of_info
from pipeline.sound.downloading.wire import Entry, Listing
from pipeline.sound.records import MediaInfo, Subtitles

TITLE_LENGTH = 500
DESCRIPTION_LENGTH = 20_000
ID_LENGTH = 300
URL_LENGTH = 2000
# What services offer as subtitles though it is none: the chat.
_CHAT = frozenset({"rechat", "live_chat", "danmaku", "comments"})
_SUBTITLE_FORMATS = ("vtt", "srt")
_FAMILIES = ("twitch", "youtube", "soundcloud", "bandcamp", "vimeo", "mixcloud")
_WITHOUT_IDS = frozenset({"generic", "html5mediaembed", "html5"})
_TWITCH_VIDEO = re.compile(r"v(\d+)")
_MUTED_PLAYLIST = re.compile(r"-muted-[^/]*\.m3u8")
_LIVE_STATUSES = frozenset({"is_live", "is_upcoming", "post_live", "was_live", "not_live"})

# Behind it yt-dlp hides notes to itself in the addresses that a list names.
_SMUGGLED = "#__youtubedl_smuggle"

# Before the number of a sound on a page that holds more of them, at the end of the page's address.
ITEM = "#lootwire-"

Document = Mapping[str, Any]


def read_info(document: Document) -> MediaInfo:
    """Return what a document of one sound or video says, whatever else is in it; muted parts are not in it."""
    seconds = _number(document.get("duration"))
    service, external_id = identity(document)
    return MediaInfo(
        service=service,
        external_id=external_id,
        title=_line(document, "track", "title", "fulltitle") or external_id,
        webpage_url=_address(document.get("webpage_url")),
        artist=_line(document, "artist", "creator", "album_artist", "channel", "uploader"),
        channel=_line(document, "channel", "uploader", "uploader_id"),
        channel_id=_identifier(document.get("channel_id")) or _identifier(document.get("uploader_id")),
        description=_text(document.get("description")),
        seconds=seconds,
        language=_language(document.get("language")),
        published_at=_published_at(document),
        thumbnail_url=_thumbnail(document),
        chapters=chapters_of_info(_sequence(document.get("chapters")), seconds),
        is_muted=any(_MUTED_PLAYLIST.search(url) for url in _format_urls(document)),
        subtitles=tuple(_subtitles(document.get("subtitles"))),
        live_status=_live_status(document),
        starts_at=_moment(document.get("release_timestamp")) if _live_status(document) == "is_upcoming" else None,
    )


def read_listing(document: Document, most: int) -> Listing:
    """Return what a list says, with its first `most` entries that have an address."""
    service, external_id = identity(document)
    entries = (_entry(each, document) for each in _sequence(document.get("entries")) or ())
    return Listing(
        title=_line(document, "title", "channel", "uploader", "id") or service,
        service=service,
        external_id=external_id,
        url=_address(document.get("webpage_url")) or _address(document.get("original_url")),
        author=_line(document, "channel", "uploader"),
        description=_text(document.get("description")),
        thumbnail_url=_thumbnail(document),
        entries=tuple(entry for entry in entries if entry is not None)[:most],
    )


def identity(document: Document) -> tuple[str, str]:
    """Return the service and its id, which tell a sound from all others.

    A Twitch video's id is Helix's, without yt-dlp's `v`, a clip's the word in its address, as Helix has it too.
    """
    service = _service(document)
    name = _identifier(document.get("id")) or ""
    if service == "twitch" and (video := _TWITCH_VIDEO.fullmatch(name)) is not None:
        return service, video[1]
    if service == "twitch" and document.get("extractor") == "twitch:clips":
        return service, _identifier(document.get("display_id")) or name
    if service in _WITHOUT_IDS or not name:
        # Their ids are the last part of the address's path, which many addresses share.
        page = _address(document.get("webpage_url")) or _address(document.get("url")) or ""
        return "generic", _generic_id(page, document.get("playlist_index")) or name or "unknown"
    return service, name


def _service(document: Document) -> str:
    # A list names the key alone, and that as `ie_key`; families of extractors are one service.
    key = _identifier(document.get("extractor_key")) or _identifier(document.get("ie_key"))
    name = (key or (_identifier(document.get("extractor")) or "generic").partition(":")[0]).lower()
    return next((family for family in _FAMILIES if name.startswith(family)), name)


def _generic_id(page: str, item: object) -> str:
    """Return an address without its scheme, user and password; a query may hold a secret, so that its hash stands."""
    parts = urlsplit(page)
    query = f"?{hashlib.sha256(parts.query.encode()).hexdigest()[:16]}" if parts.query else ""
    number = f"#{item}" if isinstance(item, int) else ""
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"[:ID_LENGTH] + query + number if parts.netloc else ""


def _entry(raw: object, listing: Document) -> Entry | None:
    if not isinstance(raw, Mapping):
        return None
    url = _address(raw.get("webpage_url")) or _address(raw.get("url"))
    page, number = _address(listing.get("webpage_url")), raw.get("playlist_index")
    if url is None or (url == page and not isinstance(number, int)):
        return None
    if url == page:
        url = f"{page}{ITEM}{number}"
    service, external_id = identity({"webpage_url": url, **raw})
    return Entry(
        service=service,
        external_id=external_id,
        url=url,
        title=_line(raw, "title"),
        seconds=_number(raw.get("duration")),
        published_at=_published_at(raw),
        live_status=_live_status(raw),
    )


def _published_at(document: Document) -> datetime | None:
    """Return when it was published: to the second where a time is named, else at midnight in UTC of its day."""
    for name in ("timestamp", "release_timestamp"):
        if (moment := _moment(document.get(name))) is not None:
            return moment
    for name in ("upload_date", "release_date"):
        day = document.get(name)
        if isinstance(day, str) and re.fullmatch(r"\d{8}", day, re.ASCII):
            try:
                return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
            except ValueError:
                continue
    return None


def _moment(value: object) -> datetime | None:
    seconds = _number(value)
    # What lies beyond 2100 is no time of a publication.
    return None if seconds is None or not 0 < seconds < 4_102_444_800 else datetime.fromtimestamp(seconds, UTC)


def _live_status(document: Document) -> str | None:
    status = document.get("live_status")
    if isinstance(status, str) and status in _LIVE_STATUSES:
        return status
    if document.get("is_live") is True:
        return "is_live"
    return "was_live" if document.get("was_live") is True else None


def _subtitles(raw: object) -> Iterator[Subtitles]:
    """Give each language once, as `vtt` rather than as `srt`."""
    for language, files in raw.items() if isinstance(raw, Mapping) else ():
        tag = _language(language)
        formats = {each.get("ext") for each in _sequence(files) or () if isinstance(each, Mapping)}
        known = next((form for form in _SUBTITLE_FORMATS if form in formats), None)
        if tag is not None and known is not None and language not in _CHAT:
            yield Subtitles(language=tag, format=known)


def _thumbnail(document: Document) -> str | None:
    if (address := _address(document.get("thumbnail"))) is not None:
        return address
    sized = [each for each in _sequence(document.get("thumbnails")) or () if isinstance(each, Mapping)]
    # yt-dlp has them in order, the best one last.
    return next((address for each in reversed(sized) if (address := _address(each.get("url"))) is not None), None)


def _format_urls(document: Document) -> Iterator[str]:
    for each in (document, *(_sequence(document.get("formats")) or ())):
        if isinstance(each, Mapping) and isinstance(url := each.get("url"), str):
            yield url


def _line(document: Document, *names: str) -> str | None:
    """Return the first of these fields that is a text, as one line."""
    for name in names:
        if isinstance(text := document.get(name), str) and (line := on_a_line(html.unescape(text)).strip()):
            return on_a_line(" ".join(line.split()), TITLE_LENGTH)
    return None


def _text(value: object) -> str | None:
    text = printable(html.unescape(value).replace("\r\n", "\n")).strip() if isinstance(value, str) else ""
    return text[:DESCRIPTION_LENGTH] or None


def _identifier(value: object) -> str | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return (on_a_line(text, ID_LENGTH).strip() or None) if isinstance(text, str) else None


def _address(value: object) -> str | None:
    """Return an address of the web without yt-dlp's notes to itself; None for what is none, or holds white space."""
    value = value.partition(_SMUGGLED)[0] if isinstance(value, str) else value
    if not isinstance(value, str) or len(value) > URL_LENGTH or not value.isprintable() or " " in value:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in {"http", "https"} and parts.hostname else None


def _language(value: object) -> str | None:
    """Return a language as BCP 47 has it."""
    tag = value.replace("_", "-") if isinstance(value, str) else ""
    return tag if re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", tag) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        return None
    return float(value)


def _sequence(value: object) -> Sequence[Any] | None:
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else None
