"""The Jinja2 environment of the feeds' own templates: autoescaping, and filters that make foreign values safe."""

import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feeds.sanitise import foreign_html, one_line, safe_url
from models.names import slug
from models.words.addresses import page_channel_address
from models.words.campaigns import requirement
from models.words.units import counted, moment, service_heading

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
        "line": one_line,
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
