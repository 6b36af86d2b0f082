"""What validators ask of feeds: the rules of the W3C's feed validator that matter to readers, and a schema of ours.

The rules are those of https://validator.w3.org/feed/docs/, each written anew; the schema says what
https://www.jsonfeed.org/version/1.1/ says.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import nh3
from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
MEDIA = "{http://search.yahoo.com/mrss/}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
# RFC 3986: what an address may hold, each percent sign before two digits.
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
_RELATIONS = {"self", "alternate", "related", "hub", "current", "prev-archive", "next-archive"}
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_RFC822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_METADATA_ENDS = {f"{ATOM}entry", "item"}

_TEXT = {"type": "string", "minLength": 1}
_URL = {"type": "string", "pattern": "^https?://"}
_AUTHORS = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {"name": _TEXT, "url": _URL, "avatar": _URL},
        "minProperties": 1,
        "additionalProperties": False,
    },
}
# Names that begin with an underscore are extensions, and must be objects.
_EXTENSIONS = {"^_[A-Za-z]": {"type": "object"}}
JSON_FEED: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["version", "title", "items"],
    "additionalProperties": False,
    "patternProperties": _EXTENSIONS,
    "properties": {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": _TEXT,
        "home_page_url": _URL,
        "feed_url": _URL,
        "description": _TEXT,
        "user_comment": _TEXT,
        "next_url": _URL,
        "icon": _URL,
        "favicon": _URL,
        "authors": _AUTHORS,
        "language": {"type": "string", "pattern": "^[a-z]{2,3}(-[A-Za-z0-9]+)*$"},
        "expired": {"type": "boolean"},
        "hubs": {
            "type": "array",
            "items": {"type": "object", "required": ["type", "url"], "properties": {"type": _TEXT, "url": _URL}},
        },
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id"],
                "anyOf": [{"required": ["content_html"]}, {"required": ["content_text"]}],
                "additionalProperties": False,
                "patternProperties": _EXTENSIONS,
                "properties": {
                    "id": _TEXT,
                    "url": _URL,
                    "external_url": _URL,
                    "title": _TEXT,
                    "content_html": _TEXT,
                    "content_text": _TEXT,
                    "summary": _TEXT,
                    "image": _URL,
                    "banner_image": _URL,
                    "date_published": {"type": "string", "format": "date-time", "pattern": f"^{_RFC3339.pattern}$"},
                    "date_modified": {"type": "string", "format": "date-time", "pattern": f"^{_RFC3339.pattern}$"},
                    "authors": _AUTHORS,
                    "tags": {"type": "array", "items": _TEXT},
                    "language": _TEXT,
                },
            },
        },
    },
}
_JSON_VALIDATOR = jsonschema.Draft202012Validator(JSON_FEED)


def faults_of_json(data: bytes, address: str) -> list[str]:
    """Return what is wrong with a JSON Feed that is served at an address."""
    feed = json.loads(data)
    faults = [f"{error.json_path}: {error.message}" for error in _JSON_VALIDATOR.iter_errors(feed)]
    faults += [f"twice: {key}" for key, count in Counter(item["id"] for item in feed["items"]).items() if count > 1]
    faults += [fault for item in feed["items"] for fault in _of_html(item["content_html"])]
    return faults + ([] if feed["feed_url"] == address else [f"feed_url is {feed['feed_url']}"])


def faults_of_rss(data: bytes, address: str) -> list[str]:
    """Return what is wrong with a feed of RSS 2.0 that is served at an address."""
    root = etree.fromstring(data)
    if root.tag != "rss" or root.get("version") != "2.0" or [each.tag for each in root] != ["channel"]:
        return ["not RSS 2.0"]
    [channel] = root
    return [*_of_channel(channel, address), *(fault for item in channel.iterfind("item") for fault in _of_item(item))]


def faults_of_atom(data: bytes, address: str) -> list[str]:
    """Return what is wrong with a feed of Atom 1.0 that is served at an address."""
    root = etree.fromstring(data)
    if root.tag != f"{ATOM}feed":
        return ["not Atom"]
    entries = root.findall(f"{ATOM}entry")
    return [
        *_once(root, *(f"{ATOM}{name}" for name in ("id", "title", "updated", "author"))),
        *_of_links(root, address),
        *_of_order(root),
        *_unique(entry.findtext(f"{ATOM}id") or "" for entry in entries),
        *_of_time(_RFC3339, root.findtext(f"{ATOM}updated")),
        *(fault for entry in entries for fault in _of_entry(entry)),
    ]


def _of_channel(channel: Any, address: str) -> Iterator[str]:
    yield from _once(channel, "title", "link", "description", "language", "ttl", "lastBuildDate", "generator")
    yield from _of_links(channel, address)
    yield from _of_order(channel)
    yield from _of_address(channel.findtext("link"))
    yield from _of_time(_RFC822, channel.findtext("lastBuildDate"))
    yield from _unique(item.findtext("guid") or "" for item in channel.iterfind("item"))
    if not int(channel.findtext("ttl")) > 0:
        yield "ttl is not positive"
    for name in ("title", "description"):
        yield from _of_plain(channel.findtext(name))


def _of_item(item: Any) -> Iterator[str]:
    yield from _once(item, "title", "link", "guid", "pubDate", "description", f"{CONTENT}encoded")
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
    for category in item.iterfind("category"):
        if not (category.text or "").strip():
            yield "a blank category"
    for thumbnail in item.iterfind(f"{MEDIA}thumbnail"):
        yield from _of_address(thumbnail.get("url"))
    if unknown := set(tags) - {
        *("title", "link", "description", f"{CONTENT}encoded", "guid", "category", "pubDate", f"{MEDIA}thumbnail"),
    }:
        yield f"unknown elements {unknown}"


def _of_entry(entry: Any) -> Iterator[str]:
    yield from _once(
        entry, *(f"{ATOM}{name}" for name in ("id", "title", "updated", "published", "content", "summary"))
    )
    yield from _of_address(entry.findtext(f"{ATOM}id"))
    for name in ("updated", "published"):
        yield from _of_time(_RFC3339, entry.findtext(f"{ATOM}{name}"))
    links = entry.findall(f"{ATOM}link")
    yield from _unique(f"{link.get('rel')} {link.get('type')}" for link in links)
    if not any(link.get("rel") == "alternate" for link in links):
        yield "no alternate link"
    for link in links:
        yield from _of_address(link.get("href"))
        if link.get("rel") not in {"alternate", "related"}:
            yield f"relation {link.get('rel')} in an entry"
    for category in entry.iterfind(f"{ATOM}category"):
        yield from _of_address(category.get("scheme"))
        if not category.get("term"):
            yield "a blank term"
    content = entry.find(f"{ATOM}content")
    if content.get("type") != "html":
        yield "the content is not marked as HTML"
    yield from _of_html(content.text)


def _once(parent: Any, *names: str) -> Iterator[str]:
    for name in names:
        elements = parent.findall(name)
        if len(elements) != 1:
            yield f"{len(elements)} of {name} in {parent.tag}"
        elif not len(elements[0]) and not (elements[0].text or "").strip():
            yield f"{name} in {parent.tag} is empty"


def _of_order(parent: Any) -> Iterator[str]:
    """What stands behind the first entry is overlooked by programs that read until there."""
    tags = [each.tag in _METADATA_ENDS for each in parent]
    if tags != sorted(tags):
        yield "something stands behind the first entry"


def _of_links(parent: Any, address: str) -> Iterator[str]:
    links = parent.findall(f"{ATOM}link")
    own = [link.get("href") for link in links if link.get("rel") == "self"]
    if own != [address]:
        yield f"the feed's own address is {own}, not {address}"
    yield from _unique(f"{link.get('rel')} {link.get('type')} {link.get('href')}" for link in links)
    for link in links:
        yield from _of_address(link.get("href"))
        if link.get("rel") not in _RELATIONS:
            yield f"relation {link.get('rel')}"
        if link.text or len(link):
            yield "a link that is not empty"


def _unique(values: Iterator[str]) -> Iterator[str]:
    return (f"twice: {value}" for value, count in Counter(values).items() if count > 1)


def _of_address(address: str | None) -> Iterator[str]:
    if address is None or not _ADDRESS.fullmatch(address):
        yield f"no address: {address!r}"
    elif not address.startswith("tag:") and (urlsplit(address).scheme not in {"http", "https"}):
        yield f"no web address: {address!r}"


def _of_time(pattern: re.Pattern[str], text: str | None) -> Iterator[str]:
    if text is None or not pattern.fullmatch(text):
        yield f"no time: {text!r}"
        return
    at = datetime.fromisoformat(text) if pattern is _RFC3339 else parsedate_to_datetime(text)
    if pattern is _RFC822 and not text.startswith(f"{at:%a}"):
        yield f"no such weekday: {text}"


def _of_plain(text: str | None) -> Iterator[str]:
    if text and re.search(r"<[a-zA-Z/!?]", text):
        yield f"markup in a plain text: {text!r}"


def _of_html(html: str | None) -> Iterator[str]:
    cleaned = nh3.clean(html or "", attributes={"a": {"href"}, "img": {"src", "alt", "width", "height"}})
    if cleaned != html:
        yield f"HTML that is not as it should be: {html!r}"
