"""Whatever a service writes into any field of any event, no message of it pings, links to code or turns text around."""

import re
import types
import typing
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from models.details import detail_type
from models.events import EventKind
from models.words import title
from notifiers.apprise_urls import open_url
from notifiers.render import Foot, render_message
from notifiers.send import send
from notifiers.view import EventText
from pipeline.demo.sinks import MailSink, WebhookSink
from tests.notifiers import chats
from tests.notifiers.chats import DISCORD_URL, SLACK_URL, TELEGRAM_URL, TelegramHtml
from tests.notifiers.world import NOON, hook_url, mail_url

pytestmark = pytest.mark.long

HOSTILE = "@everyone <b>x</b> [a](javascript:alert(1)) \u202e <!channel> <@123> https://evil.example"
ADDRESSES = ("javascript:alert(1)", 'https://evil.example/"><b>@everyone')
FOOT = Foot((HOSTILE, "loot"), HOSTILE)
TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")
LINKS = re.compile(r"(?<!\\)\]\(([^)\s]*)")


def filled(kind: Any, name: str, address: str) -> Any:
    """A value of a type, as hostile as the type allows."""
    arguments = typing.get_args(kind)
    if isinstance(kind, types.UnionType):
        return filled(arguments[0], name, address)
    if typing.get_origin(kind) is tuple:
        return (filled(arguments[0], name, address),) * 2
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return filled_struct(kind, address)
    values: dict[Any, Any] = {str: address if name.endswith("url") else HOSTILE, int: 7, bool: True, datetime: NOON}
    return values.get(kind, HOSTILE)


def filled_struct(kind: type[Any], address: str) -> Any:
    hints = typing.get_type_hints(kind)
    return kind(**{name: filled(hints[name], name, address) for name in kind.__struct_fields__})


def hostile_events() -> list[EventText]:
    """An event of each kind and for each address, with every field filled."""
    events = []
    for kind in EventKind:
        for address in ADDRESSES:
            detail = filled_struct(detail_type(kind), address)
            events.append(
                EventText(
                    kind=kind,
                    title=title(kind, HOSTILE, detail),
                    occurred_at=NOON,
                    service=HOSTILE,
                    detail=detail,
                    key=HOSTILE,
                    subjects={"game": HOSTILE},
                    rules=(HOSTILE,),
                )
            )
    return events


EVENTS = hostile_events()
# Each kind alone, with the one address or the other, and all of them together.
MESSAGES = [*([EVENTS[2 * number + number % 2]] for number in range(len(EventKind))), EVENTS]


def send_all(url: str) -> None:
    for events in MESSAGES:
        send(url, render_message(events, open_url(url).limits, foot=FOOT, again=True), may_be_private=True)


def is_harmless(text: str) -> bool:
    assert not re.search(r"@(everyone|here)", text), text
    assert not re.search(r"<[!@#]", text), text
    assert not TURNED.search(text), text
    assert "javascript:" not in text, text
    assert all(re.match("https?://", link) for link in LINKS.findall(text)), text
    return True


def texts(value: Any) -> Iterator[str]:
    """Every text in JSON, names of fields too."""
    match value:
        case str():
            yield value
        case dict():
            for name, each in value.items():
                yield name
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)


class Html(HTMLParser):
    """The tags, the addresses and the text of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attributes if name in {"href", "src"}]
        self.handlers += [name for name, _ in attributes if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def html_is_harmless(html: str, tags: set[str]) -> bool:
    read = Html(html)
    assert read.tags <= tags
    assert read.handlers == []
    assert all(re.match("https?://", address) for address in read.addresses)
    assert "<b>x</b>" in read.text.replace("\u200b", "")
    return is_harmless(html.removeprefix("<!DOCTYPE html>")) and is_harmless(read.text)


def test_every_field_of_every_kind_is_hostile() -> None:
    assert {event.kind for event in EVENTS} == set(EventKind)
    for event in EVENTS:
        built = msgspec.to_builtins(event.detail)
        assert set(event.detail.__struct_fields__) <= set(built), "a field is empty, and so not tried"


def test_discord_pings_nobody_and_links_to_the_web_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with chats.discord(monkeypatch) as chat:
        send_all(DISCORD_URL)
        message = render_message(EVENTS[:1], open_url(f"{DISCORD_URL}?format=text").limits)
        send(f"{DISCORD_URL}?format=text", message, may_be_private=True)
    assert (len(chat.taken), chat.refused) == (len(MESSAGES) + 1, [])
    for body in chat.taken:
        assert body["allowed_mentions"] == {"parse": [], "users": [], "roles": []}
        assert all(map(is_harmless, texts(body)))


def test_telegram_reads_no_markup_but_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    with chats.telegram(monkeypatch) as chat:
        send_all(TELEGRAM_URL)
    assert (len(chat.taken), chat.refused) == (len(MESSAGES), [])
    for body in chat.taken:
        assert html_is_harmless(body["text"], {"b", "i", "a"})
        assert all(link.startswith("http") for link in TelegramHtml(body["text"]).links)


def test_slack_reads_no_markup_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with chats.slack(monkeypatch) as chat:
        send_all(SLACK_URL)
    assert (len(chat.taken), chat.refused) == (len(MESSAGES), [])
    for body in chat.taken:
        assert all(map(is_harmless, texts(body)))
        # What stands in a notification, the one text in which Slack reads markup.
        assert "<" not in body["attachments"][0]["fallback"]


def test_a_web_hook_passes_nothing_on_that_pings(hooks: WebhookSink) -> None:
    send_all(hook_url(hooks))
    assert len(hooks.messages) == len(MESSAGES)
    for hook in hooks.messages:
        assert all(map(is_harmless, texts(hook.json)))
        assert len(hook.json["events"]) in {1, len(EVENTS)}


def test_a_form_passes_nothing_on_that_pings(hooks: WebhookSink) -> None:
    send_all(hook_url(hooks).replace("json://", "form://"))
    for hook in hooks.messages:
        for values in parse_qs(hook.body.decode()).values():
            assert all(map(is_harmless, values))


def test_xml_passes_nothing_on_that_pings(hooks: WebhookSink) -> None:
    send_all(hook_url(hooks).replace("json://", "xml://"))
    for hook in hooks.messages:
        assert is_harmless(hook.body.decode())


MAIL_TAGS = {"html", "head", "meta", "style", "body", "div", "p", "table", "tbody", "tr", "td", "h1", "h2", "hr", "br"}
MAIL_TAGS |= {"span", "ul", "li", "b", "a", "img"}


def test_a_mail_is_harmless_as_html_and_as_text(mails: MailSink) -> None:
    send_all(mail_url(mails))
    assert len(mails.messages) == len(MESSAGES)
    for mail in mails.messages:
        assert html_is_harmless(mail.html, MAIL_TAGS)
        assert is_harmless(mail.text)
        assert is_harmless(mail.subject)
        assert b"\nBcc" not in mail.raw


@pytest.mark.parametrize("path", ["/plain?format=text", "/markdown?format=markdown", "/html?format=html"])
def test_plain_text_markdown_and_html_are_harmless(hooks: WebhookSink, path: str) -> None:
    send_all(hook_url(hooks, path))
    for hook in hooks.messages:
        assert is_harmless(hook.json["message"])
        assert is_harmless(hook.json["title"])
        if "html" in path:
            assert html_is_harmless(hook.json["message"], {"p", "b", "ul", "li", "br", "a"})


def test_a_room_of_matrix_is_sent_no_markup_but_ours(hooks: WebhookSink) -> None:
    send_all(hooks.url.replace("http://", "matrix://bot:token@") + "/?mode=hookshot")
    assert len(hooks.messages) == len(MESSAGES)
    for hook in hooks.messages:
        assert all(map(is_harmless, texts(hook.json)))
        assert html_is_harmless(hook.json["html"], {"b", "i", "a", "br", "h1", "p"})
