"""Renders events as one message: title, text, HTML and Markdown, each escaped for what it is. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import nh3
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from notifiers.escape import cut, escape_markdown
from notifiers.view import EntryView, EventText, Extent, headline, view_entry, view_event

_TEMPLATES = Path(__file__).with_name("templates")
_TAGS = {"p", "b", "strong", "ul", "li", "a", "br", "img"}
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "width"}}

# From everything down to nearly nothing; the first that fits is sent.
_EXTENTS = (Extent(12, True), Extent(12, False), Extent(5, False), Extent(2, False), Extent(0, False))
_LISTED = (20, 14, 9, 5, 3, 2, 1)
# By title alone, for an SMS.
_NAMED = (5, 3, 2, 1)


class Format(StrEnum):
    """The three renderings of a message, named as Apprise names them."""

    TEXT = "text"
    HTML = "html"
    MARKDOWN = "markdown"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many characters a message may have; `body` is for text and Markdown.

    `pictures` says that HTML may show one, by its address: a mail program asks its reader before it loads any.
    """

    title: int = 200
    body: int = 3500
    html: int = 12000
    pictures: bool = False


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message in three renderings; the title is plain text and in none of them."""

    title: str
    text: str
    html: str
    markdown: str

    def body(self, form: Format) -> str:
        """Return the message in one format, without its title."""
        return {Format.TEXT: self.text, Format.HTML: self.html, Format.MARKDOWN: self.markdown}[form]

    def body_with_title(self, form: Format) -> str:
        """Return the message in one format under its title, escaped for it."""
        heading = {
            Format.TEXT: f"{self.title}\n",
            Format.HTML: f"<p><b>{escape(self.title)}</b></p>\n",
            Format.MARKDOWN: f"**{escape_markdown(self.title)}**\n\n",
        }[form]
        return heading + self.body(form)


def render_message(events: Sequence[EventText], limits: Limits | None = None) -> Message:
    """Return one message about all the events: in full for one, as a list for several.

    Each rendering shows as much as its limit allows. Raises ValueError if there are no events.
    """
    if not events:
        raise ValueError("A message needs at least one event.")
    limits = limits or Limits()
    title = headline(events, limits.title)
    text = _fitting(events, "txt", limits.body)
    markdown = _fitting(events, "md", limits.body)
    html = _fitting(events, "html", limits.html, pictures=limits.pictures)
    return Message(
        title=title,
        # A service refuses a message without a body, so the title has to serve where no line fits.
        text=_whole_lines(text, limits.body) or cut(title, limits.body),
        markdown=_whole_lines(markdown, limits.body) or cut(escape_markdown(title), limits.body),
        html=html if 0 < len(html) <= limits.html else _escaped(title, limits.html),
    )


def plain_message(title: str, text: str) -> Message:
    """Return a message of our own words."""
    return Message(title=title, text=text, html=f"<p>{escape(text)}</p>", markdown=escape_markdown(text))


def _fitting(events: Sequence[EventText], suffix: str, limit: int, *, pictures: bool = False) -> str:
    """Return the fullest rendering within the limit, or else the shortest there is."""
    rendered = ""
    for rendered in _ever_shorter(events, suffix, pictures=pictures):
        if len(rendered) <= limit:
            break
    return rendered


def _ever_shorter(events: Sequence[EventText], suffix: str, *, pictures: bool) -> Iterator[str]:
    if len(events) == 1:
        for extent in _EXTENTS:
            yield _render("one", suffix, event=view_event(events[0], extent), pictures=pictures)
    else:
        entries = [view_entry(event) for event in events]
        for listed in _LISTED:
            yield _render("many", suffix, entries=entries[:listed], more=len(entries) - listed)
        for listed in _NAMED:
            named = [EntryView(title=entry.title, note="", url=None) for entry in entries[:listed]]
            yield _render("many", suffix, entries=named, more=len(entries) - listed)


def _render(name: str, suffix: str, **values: Any) -> str:
    rendered = _environment(suffix).get_template(f"{name}.{suffix}.j2").render(**values).strip()
    if suffix != "html":
        return rendered
    # Autoescape made it safe; nh3 is the second lock, should a template ever forget.
    return nh3.clean(rendered, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https"}, link_rel=None)


@cache
def _environment(suffix: str) -> ImmutableSandboxedEnvironment:
    """Return the environment of one format; what a template prints is escaped for that format unasked."""
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=suffix == "html",
        finalize=_markdown_value if suffix == "md" else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["url"] = _Url
    return environment


class _Url(str):
    """A URL from `message_address`, which has no character left that Markdown would read."""

    __slots__ = ()


def _markdown_value(value: object) -> object:
    return value if isinstance(value, _Url) else escape_markdown(str(value))


def _whole_lines(text: str, limit: int) -> str:
    """Return the lines that fit, because half a link or half an emphasis is worse than none."""
    if len(text) <= limit:
        return text
    kept: list[str] = []
    room = limit - 2
    for line in text.splitlines():
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    shortened = "\n".join(kept).rstrip()
    return f"{shortened}\n…" if shortened else ""


def _escaped(title: str, limit: int) -> str:
    # Escaping makes a character six long at most.
    return f"<p>{escape(cut(title, max((limit - 7) // 6, 1)))}</p>"
