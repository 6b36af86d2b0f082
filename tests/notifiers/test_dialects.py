"""What services are really sent: each in a markup that it reads, with no escape that it would show."""

from contextlib import suppress
from html.parser import HTMLParser

import pytest

from models.details import BenefitLine, DropLine
from notifiers.apprise_urls import load, open_url
from notifiers.errors import DeliveryError
from notifiers.render import render_message
from notifiers.send import send
from pipeline.demo.sinks import WebhookSink
from tests.notifiers.world import event_text

NAME = "A*B_c [1] <d> & |e| _it_ `f` ~~g~~"
# https://core.telegram.org/bots/api#html-style
TELEGRAM_TAGS = {"b", "i", "a"}


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.links += [value for name, value in attributes if name == "href"]
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def send_to(url: str) -> None:
    drops = (DropLine(name="Hat", required_minutes=60, benefits=(BenefitLine(name="Cool hat"),)),)
    event = event_text(f"New drops – {NAME}", game=NAME, drops=drops, url="https://example.org/?a=1&b_c=2")
    send(url, render_message([event], open_url(url).limits), may_be_private=True)


@pytest.mark.parametrize("option", ["", "?format=markdown", "?format=markdown&mdv=1", "?format=html"])
def test_telegram_is_sent_html_of_its_own_tags(
    hooks: WebhookSink, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    load()
    from apprise.plugins.telegram import NotifyTelegram

    # Its address cannot be given in a target.
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"{hooks.url}/bot")
    send_to(f"tgram://123456789:abcdefg_hijklmnop-abcdefgh/12315544/{option}")
    (hook,) = hooks.messages
    assert hook.path.endswith("/sendMessage")
    assert hook.json["parse_mode"] == "HTML"
    html = Tags(hook.json["text"])
    assert (html.open, html.seen) == ([], TELEGRAM_TAGS)
    lines = html.text.splitlines()
    assert lines[0] == f"New drops – {NAME}"
    assert f"Game: {NAME}" in lines
    assert "Details" in lines
    assert html.links[-1] == "https://example.org/?a=1&b_c=2"
    assert "\\" not in hook.json["text"]


@pytest.mark.parametrize("option", ["", "?format=markdown"])
def test_services_that_know_no_escapes_are_sent_none(
    hooks: WebhookSink, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    load()
    from apprise.plugins.google_chat import NotifyGoogleChat
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", hooks.url)
    monkeypatch.setattr(NotifyGoogleChat, "notify_url", f"{hooks.url}/{{workspace}}")
    for url in (
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "gchat://workspace/key/token",
        hooks.url.replace("http://", "rocket://hook/token@") + "/#room",
    ):
        # Slack answers with a word of its own, which the sink does not know; what it was sent counts.
        with suppress(DeliveryError):
            send_to(url + option)
    sent = [hook.body.decode() for hook in hooks.messages]
    assert len(sent) == 3
    for body in sent:
        assert "A*B_c [1]" in body
        assert "\\\\" not in body
