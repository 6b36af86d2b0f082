"""Discord, Telegram and Slack on loopback: they take what the real ones take, and answer 400 to everything else."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from html.parser import HTMLParser
from typing import Any

import pytest

from notifiers.apprise_urls import load
from pipeline.demo.local import QuietHandler, serving

DISCORD_URL = "discord://1234567890/abcdefghijklmnop"
TELEGRAM_URL = "tgram://123456789:abcdefg_hijklmnop-abcdefgh/12315544/"
SLACK_URL = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"


@dataclass(frozen=True)
class Answer:
    """What a service answers, whatever it is asked."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Chat:
    """A service: what it took, why it refused the rest, and what it answers next instead of looking at all."""

    name: str
    check: Callable[[Any], Iterator[str]]
    good: Answer
    taken: list[Any] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    next_answers: deque[Answer] = field(default_factory=deque)

    def take(self, body: bytes) -> Answer:
        if self.next_answers:
            return self.next_answers.popleft()
        document = json.loads(body)
        if problems := list(self.check(document)):
            self.refused += problems
            return Answer(400, {"message": problems[0], "description": problems[0], "ok": False})
        self.taken.append(document)
        return self.good


@contextmanager
def discord(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    """Serve Discord's web hooks, to which Apprise then sends."""
    with _serving("discord", check_discord, Answer(204), monkeypatch, "notify_url", "{url}/api/webhooks") as chat:
        yield chat


@contextmanager
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    """Serve Telegram's bots."""
    with _serving(
        "telegram", check_telegram, Answer(200, {"ok": True}), monkeypatch, "notify_url", "{url}/bot"
    ) as chat:
        yield chat


@contextmanager
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    """Serve Slack's web hooks, which answer good ones with a word."""
    with _serving("slack", check_slack, Answer(200, {"": "ok"}), monkeypatch, "webhook_url", "{url}") as chat:
        yield chat


@contextmanager
def _serving(
    name: str,
    check: Callable[[Any], Iterator[str]],
    good: Answer,
    monkeypatch: pytest.MonkeyPatch,
    attribute: str,
    address: str,
) -> Iterator[Chat]:
    chat = Chat(name, check, good)
    load()
    from apprise.plugins import discord as of_discord
    from apprise.plugins import slack as of_slack
    from apprise.plugins import telegram as of_telegram

    plugins = {
        "discord": of_discord.NotifyDiscord,
        "telegram": of_telegram.NotifyTelegram,
        "slack": of_slack.NotifySlack,
    }
    with serving(partial(_Handler, chat)) as url:
        # Their addresses cannot be given in a target.
        monkeypatch.setattr(plugins[name], attribute, address.format(url=url))
        yield chat


class _Handler(QuietHandler):
    def __init__(self, chat: Chat, *connection: Any) -> None:
        self.chat = chat
        super().__init__(*connection)

    def do_POST(self) -> None:  # noqa: N802  the name that http.server calls
        answer = self.chat.take(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        word = b"ok" if self.chat.name == "slack" and answer.status == 200 else json.dumps(answer.body).encode()
        body = b"" if answer.status == 204 else word
        self.answer(answer.status, {"Content-Type": "application/json", **answer.headers}, body)


def utf16(text: str) -> int:
    """How long a text is for JavaScript."""
    return len(text.encode("utf-16-le")) // 2


# https://discord.com/developers/docs/resources/message#embed-object-embed-limits
EMBED_FIELDS = {"title", "description", "url", "timestamp", "color", "footer", "image", "thumbnail", "author", "fields"}


def check_discord(body: dict[str, Any]) -> Iterator[str]:
    embeds = body.get("embeds", [])
    if not body.get("content") and not embeds:
        yield "Cannot send an empty message"
    if utf16(body.get("content", "")) > 2000:
        yield "content: Must be 2000 or fewer in length."
    if len(embeds) > 10:
        yield "embeds: Must be 10 or fewer in length."
    if not set(body["allowed_mentions"]["parse"]) <= {"everyone", "users", "roles"}:
        yield "allowed_mentions.parse: Value must be one of them."
    for embed in embeds:
        yield from _embed_problems(embed)
    if sum(utf16(text) for embed in embeds for text, _ in _embed_texts(embed)) > 6000:
        yield "embeds: Embed size exceeds maximum size of 6000"


def _embed_texts(embed: dict[str, Any]) -> Iterator[tuple[str, int]]:
    yield embed.get("title", ""), 256
    yield embed.get("description", ""), 4096
    yield embed.get("footer", {}).get("text", ""), 2048
    yield embed.get("author", {}).get("name", ""), 256
    for each in embed.get("fields", []):
        yield each["name"], 256
        yield each["value"], 1024


def _embed_problems(embed: dict[str, Any]) -> Iterator[str]:
    if unknown := set(embed) - EMBED_FIELDS:
        yield f"embeds: {unknown}"
    for text, most in _embed_texts(embed):
        if utf16(text) > most:
            yield f"embeds: Must be {most} or fewer in length: {text[:40]}"
    if len(embed.get("fields", [])) > 25:
        yield "embeds.fields: Must be 25 or fewer in length."
    if any(not each[part].strip() for each in embed.get("fields", []) for part in ("name", "value")):
        yield "embeds.fields: This field is required"
    addresses = [embed.get("url"), embed.get("image", {}).get("url"), embed.get("thumbnail", {}).get("url")]
    if any(url is not None and not re.fullmatch(r"https?://[^\s/]+\S*", url) for url in addresses):
        yield "embeds.url: Not a well formed URL."
    if not 0 <= embed.get("color", 0) <= 0xFFFFFF:
        yield "embeds.color: int value should be less than or equal to 16777215."
    if "timestamp" in embed:
        datetime.fromisoformat(embed["timestamp"])


# https://core.telegram.org/bots/api#html-style
TELEGRAM_TAGS = {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre", "blockquote"}


class TelegramHtml(HTMLParser):
    """Reads HTML as Telegram does: its own tags alone, each closed, and four entities by name."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.links: list[str] = []
        self.problems: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        if self.open:
            self.problems.append(f"can't parse entities: can't find end tag of {self.open}")

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.links += [value or "" for name, value in attributes if name == "href"]
        if tag not in TELEGRAM_TAGS:
            self.problems.append(f'can\'t parse entities: unsupported start tag "{tag}"')

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"can't parse entities: unexpected end tag {tag}")

    def handle_data(self, data: str) -> None:
        if "<" in data:
            self.problems.append("can't parse entities: unsupported start tag")
        self.text += data

    def handle_entityref(self, name: str) -> None:
        if name not in {"lt", "gt", "amp", "quot"}:
            self.problems.append(f"can't parse entities: &{name};")
        self.text += {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}.get(name, "")

    def handle_charref(self, name: str) -> None:
        self.text += chr(int(name[1:], 16) if name[:1] in "xX" else int(name))


def check_telegram(body: dict[str, Any]) -> Iterator[str]:
    html = TelegramHtml(body["text"])
    assert body["parse_mode"] == "HTML"
    yield from (f"Bad Request: {problem}" for problem in html.problems)
    if not html.text.strip():
        yield "Bad Request: message text is empty"
    if utf16(html.text) > 4096:
        yield "Bad Request: message is too long"


# https://docs.slack.dev/reference/block-kit/blocks
RICH = {"rich_text_section", "rich_text_list"}


def check_slack(body: dict[str, Any]) -> Iterator[str]:
    for attachment in body["attachments"]:
        blocks = attachment.get("blocks", [])
        if len(blocks) > 50:
            yield "invalid_blocks: more than 50"
        for block in blocks:
            yield from _block_problems(block)


def _block_problems(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "header":
            if not 0 < len(block["text"]["text"]) <= 150 or block["text"]["type"] != "plain_text":
                yield "invalid_blocks: header"
        case "context":
            if not 0 < len(block["elements"]) <= 10 or any(not each["text"] for each in block["elements"]):
                yield "invalid_blocks: context"
        case "rich_text":
            for part in block["elements"]:
                yield from _rich_problems(part)
        case other:
            yield f"invalid_blocks: {other}"


def _rich_problems(part: dict[str, Any]) -> Iterator[str]:
    if part["type"] not in RICH or not part["elements"]:
        yield f"invalid_blocks: {part}"
    for element in part["elements"]:
        if element["type"] in RICH:
            yield from _rich_problems(element)
        elif element["type"] not in {"text", "link"} or not element["text"] or _is_no_link(element):
            yield f"invalid_blocks: {element}"


def _is_no_link(element: dict[str, Any]) -> bool:
    return element["type"] == "link" and not re.match("https?://", element["url"])
