"""Renders events as one message: title, text, HTML and Markdown, each escaped for what it is. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from shlex import quote
from typing import Any

import nh3
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from notifiers.blocks import slack_payload
from notifiers.embeds import discord_payload
from notifiers.escape import clean, cut, escape_markdown
from notifiers.reader import PLAIN, Reader
from notifiers.sizes import Ceiling, size
from notifiers.view import (
    EntryView,
    EventText,
    Extent,
    headline,
    rest_of,
    shared_out,
    view_entry,
    view_event,
    view_groups,
)
from notifiers.webhook import hook_fields

TEMPLATES = Path(__file__).with_name("templates")
_TAGS = {"p", "b", "i", "strong", "ul", "li", "a", "br", "img"}
_MAIL_TAGS = _TAGS | {"table", "tbody", "tr", "td", "span", "h1", "h2", "hr"}
_MAIL_ATTRIBUTES = {
    **{tag: {"class"} for tag in ("p", "ul", "td", "span")},
    "a": {"href"},
    "img": {"src", "alt", "width"},
    "table": {"class", "role"},
}
_MOST_IN_A_MAIL = 60
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "width"}}

# From everything down to nearly nothing; the first that fits is sent.
_EXTENTS = (Extent(12, True), *(Extent(items, False) for items in (12, 8, 5, 3, 2, 1, 0)))
_LISTED = (20, 14, 9, 5, 3, 2, 1)
# By title alone, for an SMS.
_NAMED = (5, 3, 2, 1)

# Of a message that its target took before without an answer.
AGAIN_TITLE = " (perhaps again)"
RULE_LENGTH, MOST_RULES = 80, 3
AGAIN_NOTE = "Perhaps again: this was sent before, and the service never said whether it arrived."


class Format(StrEnum):
    """The three renderings of a message, named as Apprise names them."""

    TEXT = "text"
    HTML = "html"
    MARKDOWN = "markdown"


class Shape(StrEnum):
    """What a service takes beside a title and a text."""

    PLAIN = "nothing"
    EVENTS = "the events themselves"
    DISCORD = "embeds"
    SLACK = "blocks"
    CHAT = "HTML with few tags"


_RICH = {Shape.DISCORD: discord_payload, Shape.SLACK: slack_payload}
SUFFIXES = {Format.TEXT: "txt", Format.HTML: "html", Format.MARKDOWN: "md"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many characters a message may have; `body` is for text and Markdown.

    `pictures` says that HTML may show one, by its address: a mail program asks its reader before it loads any.
    `ceilings` are those of a service that counts something else than characters; each has its number. `shape` is what
    a service takes beside a text, and `is_rich` says that it gets all of it: details, embeds, blocks.
    """

    title: int = 200
    body: int = 3500
    html: int = 12000
    pictures: bool = False
    ceilings: tuple[Ceiling, ...] = ()
    shape: Shape = Shape.PLAIN
    is_rich: bool = True

    def reduced(self) -> "Limits":
        """Return limits of about a quarter, for a service that finds a message too long that should have fitted."""
        return replace(
            self,
            title=min(self.title, 80),
            body=max(self.body // 4, 20),
            html=max(self.html // 4, 20),
            ceilings=tuple(replace(ceiling, most=(ceiling.most or 0) // 4) for ceiling in self.ceilings),
            is_rich=False,
        )


@dataclass(frozen=True)
class Foot:
    """What stands below a mail: the subscriptions that asked for it, by their names, and its target's name."""

    rules: tuple[str, ...]
    target: str
    # mailto: or https, where there is such an address.
    unsubscribe: str = ""
    # What stands in the place of subscriptions where there are none.
    otherwise: str = "a subscription that is gone"
    # Whether the target is the owner's, who may have words of their own for a target of that name.
    is_owners: bool = True

    @property
    def because(self) -> str:
        """The subscriptions in words."""
        named = ", ".join(f"“{clean(rule, RULE_LENGTH)}”" for rule in self.rules[:MOST_RULES])
        return f"{named} and others" if len(self.rules) > MOST_RULES else named or self.otherwise

    @property
    def silencing(self) -> str:
        """The command that keeps the target silent for a while."""
        return clean(f"lootwire targets mute {quote(self.target)} 3h", 2 * RULE_LENGTH)


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message in three renderings; the title is plain text and in none of them. One that nobody asked for is empty.

    `payload` is what a service gets that takes more than a title and a text (`Limits.shape`), `headers` are for mails.
    """

    title: str
    text: str
    html: str
    markdown: str
    payload: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, form: Format) -> str:
        """Return the message in one format, without its title."""
        return {Format.TEXT: self.text, Format.HTML: self.html, Format.MARKDOWN: self.markdown}[form]

    def body_with_title(self, form: Format) -> str:
        """Return the message in one format under its title, escaped for it."""
        return _heading(self.title, form) + self.body(form)


def render_message(
    events: Sequence[EventText],
    limits: Limits | None = None,
    *,
    again: bool = False,
    reader: Reader = PLAIN,
    foot: Foot | None = None,
    forms: Collection[Format] = tuple(Format),
) -> Message:
    """Return one message about all the events in these forms: in full for one, as a list for several.

    Each rendering shows as much as its limit allows. `again` says in all of them that this may have arrived before;
    `reader` is who will read it, `foot` stands below a mail.
    Raises ValueError if there are no events.
    """
    if not events:
        raise ValueError("A message needs at least one event.")
    limits = limits or Limits()
    suffix = AGAIN_TITLE if again else ""
    title = _fitting_title(headline(events, max(limits.title - len(suffix), 1), reader), limits, suffix)
    bodies = {form: _BODIES[form](events, _Room(title, form, limits, again, reader, foot)) for form in forms}
    return Message(
        title=title,
        text=bodies.get(Format.TEXT, ""),
        html=bodies.get(Format.HTML, ""),
        markdown=bodies.get(Format.MARKDOWN, ""),
        # RFC 2369, 3.2.
        headers={"List-Unsubscribe": f"<{foot.unsubscribe}>"} if foot and foot.unsubscribe else {},
        payload=_payload(events, title, limits, reader, foot, AGAIN_NOTE if again else None),
    )


def _payload(
    events: Sequence[EventText], title: str, limits: Limits, reader: Reader, foot: Foot | None, again: str | None
) -> Mapping[str, Any] | None:
    if limits.shape is Shape.EVENTS:
        return hook_fields(events, foot.target if foot else "", with_detail=limits.is_rich)
    # Refused for whatever reason, a message is plain text the next time.
    if limits.shape in _RICH and limits.is_rich:
        because = f"Because of {foot.because}" if foot else None
        return _RICH[limits.shape](events, title, reader, because=because, again=again)
    return None


def plain_message(title: str, text: str) -> Message:
    """Return a message of our own words, about no event."""
    html = f"<p>{escape(text)}</p>"
    return Message(title=title, text=text, html=html, markdown=escape_markdown(text))


def _heading(title: str, form: Format) -> str:
    """Return the lines above a message's body where the title is a part of it."""
    return {
        Format.TEXT: f"{title}\n",
        Format.HTML: f"<p><b>{escape(title)}</b></p>\n",
        Format.MARKDOWN: f"**{escape_markdown(title)}**\n\n",
    }[form]


@dataclass(frozen=True)
class _Room:
    """The room for a body in one format below its title; `again` says that a line of it is for that.

    `reader` is who will read it.
    """

    title: str
    form: Format
    limits: Limits
    again: bool
    reader: Reader
    foot: Foot | None

    def takes(self, body: str) -> bool:
        """Whether a body fits, in characters and in whatever else the service counts."""
        characters = self.limits.html if self.form is Format.HTML else self.limits.body
        return len(body) <= characters and all(self._is_below(ceiling, body) for ceiling in self.limits.ceilings)

    def _is_below(self, ceiling: Ceiling, body: str) -> bool:
        # The heading also stands for a title that is sent by itself: it is the longer one.
        measured = {"all": _heading(self.title, self.form) + body, "body": body, "title": ""}[ceiling.part]
        return size(measured, ceiling.unit) <= (ceiling.most or 0)


def _fitting_title(title: str, limits: Limits, suffix: str) -> str:
    """Return a title, and the suffix in full, that leave at least half of each ceiling to the body."""
    return _cut_to(title, lambda shortened: all(_takes_title(c, shortened + suffix) for c in limits.ceilings)) + suffix


def _takes_title(ceiling: Ceiling, title: str) -> bool:
    most = ceiling.most or 0
    if ceiling.part == "title":
        return size(title, ceiling.unit) <= most
    return ceiling.part == "body" or all(size(_heading(title, form), ceiling.unit) <= most // 2 for form in Format)


def _cut_to(text: str, fits: Callable[[str], bool]) -> str:
    """Return as much of a text as fits, and at least its first character."""
    for length in range(len(text), 1, -1):
        shortened = cut(text, length)
        if fits(shortened):
            return shortened
    return text[:1]


def _text_body(events: Sequence[EventText], room: _Room) -> str:
    """Return the fullest text or Markdown that fits, or else its first lines and its link."""
    shown: Callable[[str], str] = escape_markdown if room.form is Format.MARKDOWN else str
    text = _fullest(events, room)
    if not room.takes(text):
        text = _whole_lines(text, _link(events), room)
    # A service refuses a message without a body, so the title has to serve where no line fits.
    return text or shown(_cut_to(room.title, lambda title: room.takes(shown(title))))


def _html_body(events: Sequence[EventText], room: _Room) -> str:
    html = _fullest(events, room)
    if html and room.takes(html):
        return html
    if (bare := _links_alone(events)) and room.takes(bare):
        return bare
    return _paragraph(_cut_to(room.title, lambda title: room.takes(_paragraph(title))))


_BODIES = {Format.TEXT: _text_body, Format.HTML: _html_body, Format.MARKDOWN: _text_body}


def _link(events: Sequence[EventText]) -> str | None:
    """Return where a message about one event leads."""
    links = view_event(events[0], _EXTENTS[-1]).links if len(events) == 1 else ()
    return links[0].value if links else None


def _links_alone(events: Sequence[EventText]) -> str:
    if len(events) > 1:
        return ""
    bare = replace(view_event(events[0], _EXTENTS[-1]), facts=(), sections=())
    return _render("one", "html", event=bare, pictures=False, again=None)


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _fullest(events: Sequence[EventText], room: _Room) -> str:
    """Return the fullest rendering that fits, or else the shortest there is."""
    rendered = ""
    again = AGAIN_NOTE if room.again else None
    for rendered in _ever_shorter(events, room, again):
        if room.takes(rendered):
            break
    return rendered


def _ever_shorter(events: Sequence[EventText], room: _Room, again: str | None) -> Iterator[str]:
    suffix = SUFFIXES[room.form]
    if room.limits.pictures and room.form is Format.HTML:
        yield from _mails(events, room, again)
    elif room.limits.shape is Shape.CHAT and room.form is Format.HTML:
        yield from _chats(events, room, again)
    elif len(events) == 1:
        for extent in _EXTENTS:
            event = view_event(events[0], extent, room.reader)
            yield _render("one", suffix, event=event, pictures=False, again=again)
    else:
        for listed in _LISTED:
            entries = [view_entry(event, room.reader) for event in shared_out(events, listed)]
            yield _render("many", suffix, entries=entries, again=again, **_left_out(events, listed))
        for listed in _NAMED:
            entries = [view_entry(event, room.reader) for event in shared_out(events, listed)]
            named = [EntryView(title=entry.title, note="", url=None) for entry in entries]
            yield _render("many", suffix, entries=named, more=len(events) - listed, rest="", again=again)


def _ever_fewer(events: Sequence[EventText]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ever fewer lines for a list of games, each number with what is said of the others."""
    for listed in (_MOST_IN_A_MAIL, *_LISTED):
        yield listed, _left_out(events, listed)
    yield _LISTED[-1], _left_out(events, _LISTED[-1]) | {"rest": ""}


def _left_out(events: Sequence[EventText], listed: int) -> dict[str, Any]:
    """Return what a list of so many says of the others."""
    return {"more": len(events) - listed, "rest": rest_of(events, listed)}


def _mails(events: Sequence[EventText], room: _Room, again: str | None) -> Iterator[str]:
    """Yield ever shorter mails, for programs that show tables, styles and pictures."""
    if len(events) == 1:
        for extent in _EXTENTS:
            event = view_event(events[0], extent, room.reader).with_rewards_apart()
            yield _mail("mail_one", event=event, again=again, foot=room.foot)
    else:
        for listed, left_out in _ever_fewer(events):
            groups = view_groups(events, room.reader, listed)
            yield _mail("mail_many", title=room.title, groups=groups, again=again, foot=room.foot, **left_out)


def _chats(events: Sequence[EventText], room: _Room, again: str | None) -> Iterator[str]:
    """Yield ever shorter HTML for chats that know few tags."""
    if len(events) == 1:
        for extent in _EXTENTS:
            event = view_event(events[0], extent, room.reader)
            event = event.with_rewards_apart()
            yield _render("chat_one", "html", event=event, again=again, foot=room.foot)
    else:
        for listed, left_out in _ever_fewer(events):
            groups = view_groups(events, room.reader, listed)
            yield _render("chat_many", "html", groups=groups, again=again, foot=room.foot, **left_out)


def _mail(name: str, **values: Any) -> str:
    body = _environment("html").get_template(f"{name}.html.j2").render(**values).strip()
    # Autoescape made it safe; nh3 is the second lock. The shell around it holds nothing from outside.
    return mail_around(clean_html(body, is_mail=True))


def house_template(form: Format, limits: Limits, *, several: bool) -> Path:
    """Return the file of the template that a message in a format is made of."""
    name = "many" if several else "one"
    if form is Format.HTML:
        name = f"mail_{name}" if limits.pictures else f"chat_{name}" if limits.shape is Shape.CHAT else name
    return TEMPLATES / f"{name}.{SUFFIXES[form]}.j2"


def mail_around(html: str) -> str:
    """Return a mail with this HTML in it, in the house's style for light and dark."""
    return _shell().replace("<!-- body -->", html)


def clean_html(html: str, *, is_mail: bool) -> str:
    """Return HTML with nothing in it but the tags of a message, or those of a mail, and links to the web."""
    tags, attributes = (_MAIL_TAGS, _MAIL_ATTRIBUTES) if is_mail else (_TAGS, _ATTRIBUTES)
    schemes = {"http", "https", "mailto"} if is_mail else {"http", "https"}
    return nh3.clean(html, tags=tags, attributes=attributes, url_schemes=schemes, link_rel=None)


@cache
def _shell() -> str:
    return (TEMPLATES / "mail_shell.html").read_text(encoding="utf-8")


def _render(name: str, suffix: str, **values: Any) -> str:
    rendered = _environment(suffix).get_template(f"{name}.{suffix}.j2").render(**values).strip()
    if suffix != "html":
        return rendered
    # Autoescape made it safe; nh3 is the second lock, should a template ever forget.
    return clean_html(rendered, is_mail=False)


@cache
def load_templates() -> None:
    """Compile all templates, which else happens as they are needed: for a process that forks."""
    for suffix in SUFFIXES.values():
        names = ("one", "many", *(("mail_one", "mail_many", "chat_one", "chat_many") if suffix == "html" else ()))
        for name in names:
            _environment(suffix).get_template(f"{name}.{suffix}.j2")


@cache
def _environment(suffix: str) -> ImmutableSandboxedEnvironment:
    """Return the environment of one format; what a template prints is escaped for that format unasked."""
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
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


def lines_within(text: str, form: Format, limits: Limits) -> str:
    """Return as many lines of a text or Markdown as limits take, or else as much of its first line."""
    room = _Room("", form, limits, False, PLAIN, None)
    return _whole_lines(text, None, room) or _cut_to(text, room.takes)


def _whole_lines(text: str, link: str | None, room: _Room) -> str:
    """Return the lines that fit and that of the link, because half a link or half an emphasis is worse than none."""
    if room.takes(text):
        return text
    lines = text.splitlines()
    last = next((line for line in lines if link and link in line), None)
    for count in range(len(lines) - 1, -1, -1):
        kept = "\n".join(lines[:count]).rstrip()
        shortened = [kept, "…", last if last not in lines[:count] else None]
        if (kept or last) and room.takes(fitting := "\n".join(filter(None, shortened))):
            return fitting
    return _whole_lines(text, None, room) if last else ""
