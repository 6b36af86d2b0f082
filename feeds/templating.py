"""The Jinja2 environment of the feeds' own templates: autoescaping, and filters that make foreign values safe."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.sanitise import foreign_html, one_line, safe_url
from models.words.addresses import page_channel_address
from models.words.campaigns import requirement
from models.words.units import counted, moment

if TYPE_CHECKING:
    from jinja2 import Template

    from feeds.content import RewardCard, RewardLine
    from models.details import CampaignDetail, DropLine

FOLDER = Path(__file__).parent
TEMPLATES = FOLDER / "templates"
ASSETS = FOLDER / "assets"


@lru_cache
def template(name: str) -> "Template":
    """Return a template of this package by its file name, compiled once per process."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "line": one_line,
        "safe_url": safe_url,
        "foreign_html": foreign_html,
        "channel_url": _channel_url,
        "moment": moment,
        "counted": counted,
        "requirement": _requirement,
    }
    return environment.get_template(name)


def _channel_url(name: str, service: str | None) -> str | None:
    return page_channel_address(service, name)


def _requirement(of: "DropLine | CampaignDetail | RewardCard | RewardLine") -> str:
    return requirement(of.required_minutes, of.required_subs, of.required_turbo_subs)
