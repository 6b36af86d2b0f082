"""The Jinja2 environment of the feeds' own templates: autoescaping, and filters that make foreign values safe."""

import zlib
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from feeds.sanitise import foreign_html, one_line, safe_url
from models.names import slug
from models.words.addresses import page_channel_address
from models.words.campaigns import requirement
from models.words.units import MONTHS, counted, moment, service_heading

if TYPE_CHECKING:
    from jinja2 import Environment, Template


FOLDER = Path(__file__).parent
TEMPLATES = FOLDER / "templates"
ASSETS = FOLDER / "assets"
HUES = 8


@lru_cache
def template(name: str) -> "Template":
    """Return a template of this package by its file name, compiled once per process."""
    return _environment().get_template(name)


@lru_cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    with_filters(environment)
    return environment


def with_filters(environment: "Environment") -> None:
    """Give an environment the filters that make foreign values safe to show, and say times and numbers."""
    environment.filters |= {
        "line": cached_line,
        "safe_url": safe_url,
        "foreign_html": foreign_html,
        "channel_url": _channel_url,
        "moment": moment,
        "counted": counted,
        "requirement": _requirement,
        "initials": initials,
        "hue": hue,
        "service": service_label,
        "slug": slug,
    }
    environment.globals |= {
        "time": time_html,
        "day": day_html,
        "left": left_html,
        "badge": badge_html,
        "art": art_html,
        "thumb": thumb_html,
        "link": link_html,
    }


# Names come again on page after page.
cached_line = lru_cache(maxsize=16384)(one_line)

# What stands in lists, row by row: functions cost a tenth of what macros do, and most rows are the same on many pages.


@lru_cache(maxsize=16384)
def time_html(at: datetime, year: int | None = None) -> Markup:
    """Return a moment as pages show it, with UTC named; its script shows it in the reader's own zone."""
    return Markup('<time datetime="{}">{}</time>').format(_machine_time(at), moment(at, year))


@lru_cache(maxsize=16384)
def day_html(at: datetime) -> Markup:
    """Return the day of a moment as pages show it where its hour is of no interest."""
    text = f"{at.day} {MONTHS[at.month - 1]} {at.year}"
    return Markup('<time datetime="{}" class="day">{}</time>').format(_machine_time(at), text)


@lru_cache(maxsize=16384)
def left_html(at: datetime, words: str) -> Markup:
    """Return where the script says how long is left, after such words."""
    return Markup('<b class="left" data-at="{}" data-words="{}"></b>').format(_machine_time(at), words)


def _machine_time(at: datetime) -> str:
    return f"{at.year:04}-{at.month:02}-{at.day:02}T{at.hour:02}:{at.minute:02}Z"


@lru_cache(maxsize=256)
def badge_html(service: str) -> Markup:
    """Return the badge of a service."""
    return Markup('<span class="badge {}">{}</span>').format(slug(service), service_label(service))


@lru_cache(maxsize=4096)
def art_html(url: str | None, name: str) -> Markup:
    """Return a game's picture, over the initials that stand in for it."""
    name = one_line(name, 120)
    shown = safe_url(url)
    picture = Markup('<img src="{}" alt="" width="60" height="80" loading="lazy">').format(shown) if shown else ""
    inner = Markup('<span aria-hidden="true">{}</span>{}').format(initials(name), picture)
    return Markup('<span class="art hue{}">{}</span>').format(hue(name), inner)


@lru_cache(maxsize=16384)
def thumb_html(url: str | None) -> Markup:
    """Return an item's picture, or the room for it."""
    shown = safe_url(url)
    picture = Markup('<img src="{}" alt="" width="32" height="32" loading="lazy">').format(shown) if shown else ""
    return Markup('<span class="thumb">{}</span>').format(picture)


def link_html(root: str, path: str | None, name: str, limit: int = 120) -> Markup:
    """Return a name as a link to its page, or alone where it has none."""
    line = escape(one_line(name, limit))
    return Markup(f'<a href="{root}{escape(path)}.html">{line}</a>') if path else line  # noqa: S704 - escaped


def initials(name: str) -> str:
    """Return one or two letters that stand in for a picture that is missing."""
    words = [word for word in "".join(c if c.isalnum() else " " for c in name).split() if word]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def hue(name: str) -> int:
    """Return the colour number of a name, the same on every page."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % HUES


def service_label(service: str) -> str:
    """Return a service's name as a badge shows it."""
    return one_line(service_heading(service), 40)


def _channel_url(name: str, service: str | None) -> str | None:
    return page_channel_address(service, name)


def _requirement(of: Any) -> str:
    return requirement(of.required_minutes, of.required_subs, of.required_turbo_subs)
