"""What directories and validators ask of a podcast's feed, each rule written anew.

Those of Apple's guide (https://help.apple.com/itc/podcasts_connect/#/itcb54353390) and of the W3C's feed validator
(https://github.com/w3c/feedvalidator, src/feedvalidator/{channel,item,itunes}.py), and what the podcast namespace says
of its elements (https://podcasting2.org/docs/podcast-namespace).
"""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from feeds.podcasts.rss import CHAPTERS, ITUNES, PODCAST
from tests.feeds.rules import (
    _RFC822,
    ATOM,
    CONTENT,
    _of_address,
    _of_html,
    _of_links,
    _of_order,
    _of_plain,
    _of_time,
    _once,
    _unique,
)

APPLE, PODCASTING, PODLOVE = (f"{{{namespace}}}" for namespace in (ITUNES, PODCAST, CHAPTERS))
_APPLE_FORMATS = ("mp3", "m4a")
_CHANNEL = {
    *("title", "link", "description", "generator", "image", "language", "lastBuildDate", "ttl", "docs", "item"),
    *(f"{ATOM}link", f"{PODCASTING}guid", f"{PODCASTING}locked", f"{PODCASTING}medium", f"{PODCASTING}block"),
    *(f"{APPLE}{name}" for name in ("title", "author", "image", "explicit", "type", "owner", "category", "block")),
}
_ITEM = {
    *("title", "link", "description", f"{CONTENT}encoded", "guid", "enclosure", "pubDate"),
    *(f"{APPLE}{name}" for name in ("title", "author", "duration", "image", "explicit", "episodeType", "episode")),
    *(f"{PODCASTING}transcript", f"{PODCASTING}chapters", f"{PODLOVE}chapters"),
}
_UUID5 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_START = re.compile(r"\d\d+:[0-5]\d:[0-5]\d\.\d{3}")


def faults_of_podcast(data: bytes, address: str) -> list[str]:
    """Return what is wrong with the feed of a podcast that is served at an address."""
    root = etree.fromstring(data)
    if root.tag != "rss" or root.get("version") != "2.0" or [each.tag for each in root] != ["channel"]:
        return ["not RSS 2.0"]
    [channel] = root
    return [*_of_channel(channel, address), *(fault for item in channel.iterfind("item") for fault in _of_item(item))]


def _of_channel(channel: Any, address: str) -> Iterator[str]:
    yield from _once(channel, "title", "link", "description", "language", "ttl", "lastBuildDate", "generator")
    yield from _once(
        channel,
        f"{APPLE}title",
        f"{APPLE}author",
        f"{APPLE}explicit",
        f"{APPLE}type",
        f"{PODCASTING}guid",
        f"{PODCASTING}locked",
    )
    yield from _of_links(channel, address)
    yield from _of_order(channel)
    yield from _of_address(channel.findtext("link"))
    yield from _of_time(_RFC822, channel.findtext("lastBuildDate"))
    yield from _unique(item.findtext("guid") or "" for item in channel.iterfind("item"))
    for name in ("title", "description"):
        yield from _of_plain(channel.findtext(name))
    yield from _of_image(channel)
    if len((channel.findtext("description") or "").encode()) > 4000:
        yield "the description has more than 4000 bytes"
    if channel.findtext(f"{APPLE}explicit") not in {"true", "false"}:
        yield "explicit is neither true nor false"
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]+)*", channel.findtext("language")):
        yield f"no language: {channel.findtext('language')}"
    if not _UUID5.fullmatch(channel.findtext(f"{PODCASTING}guid")):
        yield "podcast:guid is no UUID of version 5"
    categories = channel.findall(f"{APPLE}category")
    if len(categories) != 1 or not categories[0].get("text"):
        yield "not one category"
    image = channel.find("image")
    if image is None or image.findtext("title") != channel.findtext("title"):
        yield "the image has another title"
    elif image.findtext("link") != channel.findtext("link"):
        yield "the image leads elsewhere"
    if not channel.findtext(f"{APPLE}owner/{APPLE}email"):
        yield "no owner's address"
    if unknown := {each.tag for each in channel} - _CHANNEL:
        yield f"unknown elements {unknown}"


def _of_image(parent: Any) -> Iterator[str]:
    address = (parent.find(f"{APPLE}image").get("href")) if parent.find(f"{APPLE}image") is not None else None
    yield from _of_address(address)
    if address and not address.endswith((".jpg", ".png")):
        yield f"a picture that is none: {address}"


def _of_item(item: Any) -> Iterator[str]:
    yield from _once(item, "title", "link", "guid", "pubDate", "description", f"{CONTENT}encoded", f"{APPLE}title")
    tags = [each.tag for each in item]
    if tags.index("description") > tags.index(f"{CONTENT}encoded"):
        yield "the description stands behind the content"
    if item.find("guid").get("isPermaLink") != "false":
        yield "a tag URI is no permanent link"
    yield from _of_address(item.findtext("guid"))
    yield from _of_address(item.findtext("link"))
    yield from _of_time(_RFC822, item.findtext("pubDate"))
    yield from _of_html(item.findtext(f"{CONTENT}encoded"))
    for name in ("title", "description"):
        yield from _of_plain(item.findtext(name))
    if item.find(f"{APPLE}image") is not None:
        yield from _of_image(item)
    yield from _of_enclosure(item)
    yield from _of_extras(item)
    if unknown := set(tags) - _ITEM:
        yield f"unknown elements {unknown}"


def _of_enclosure(item: Any) -> Iterator[str]:
    enclosures = item.findall("enclosure")
    if len(enclosures) != 1:
        yield f"{len(enclosures)} enclosures"
        return
    [enclosure] = enclosures
    yield from _of_address(enclosure.get("url"))
    if int(enclosure.get("length")) <= 0:
        yield "an enclosure without a length"
    if not re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", enclosure.get("type")):
        yield "an enclosure without a type"
    if not enclosure.get("url").endswith(_APPLE_FORMATS):
        yield f"Apple does not take {enclosure.get('url')}"


def _of_extras(item: Any) -> Iterator[str]:
    duration = item.findtext(f"{APPLE}duration")
    if duration is not None and not (duration.isdecimal() and int(duration) > 0):
        yield f"no duration: {duration}"
    if item.findtext(f"{APPLE}explicit") not in {"true", "false"}:
        yield "explicit is neither true nor false"
    for name in ("transcript", "chapters"):
        for element in item.iterfind(f"{PODCASTING}{name}"):
            yield from _of_address(element.get("url"))
            if not element.get("type"):
                yield f"{name} without a type"
    starts = [each.get("start") for each in item.iterfind(f"{PODLOVE}chapters/{PODLOVE}chapter")]
    if not all(map(_START.fullmatch, starts)) or starts != sorted(set(starts)):
        yield f"chapters begin at {starts}"
    for chapter in item.iterfind(f"{PODLOVE}chapters/{PODLOVE}chapter"):
        if not chapter.get("title"):
            yield "a chapter without a title"
        for name in ("href", "image"):
            if chapter.get(name) is not None:
                yield from _of_address(chapter.get(name))
