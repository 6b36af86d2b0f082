"""The operator's own templates: in the place of the house's words, sandboxed, and never the loss of a message."""

import os
import time
from pathlib import Path

import pytest

from models.events import EventKind
from notifiers.apprise_urls import open_url
from notifiers.composing import Draft, compose
from notifiers.overrides import find, find_all
from notifiers.previews import check_templates
from notifiers.reader import Reader
from notifiers.render import Foot, Format, Limits, house_template, render_message
from notifiers.samples import sample_event
from pipeline.demo.sinks import MailSink, WebhookSink
from tests.notifiers import chats
from tests.notifiers.chats import DISCORD_URL, TELEGRAM_URL
from tests.notifiers.test_harmless import EVENTS, FOOT, html_is_harmless, is_harmless
from tests.notifiers.world import NOON, Notifying, event_text, full_event, hook_url, mail_url

PLAIN_URL = "ntfy://localhost/topic?format=text"
MARKDOWN_URL = "ntfy://localhost/topic?format=markdown"
MAIL_URL = "mailto://localhost/?from=a@example.org&to=b@example.org"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "templates"
    made.mkdir()
    return made


def composed(folder: Path, source: str, url: str = PLAIN_URL, name: str = "any.txt.j2") -> tuple[str, str | None]:
    """The body of a message by a template, and what was wrong with it."""
    (folder / name).write_text(source)
    opened = open_url(url)
    draft = Draft([full_event()], False, Reader(), Foot(("loot",), "phone"), folder)
    message, problem = compose(opened, draft)
    return message.body(opened.form), problem


def house_words() -> str:
    return render_message([full_event()], open_url(PLAIN_URL).limits, foot=Foot(("loot",), "phone")).text


def test_a_template_says_what_it_likes_of_an_event(folder: Path) -> None:
    source = (
        "{{ event.kind }}: {{ event.detail.name }} by {{ event.detail.organization }}{{ event.detail.no_such }}\n"
        "{% for reward in event.rewards %}{{ loop.index }}. {{ reward.name }} ({{ reward.note }})\n{% endfor %}"
        "until {{ moment(event.detail.end_at) }}, {{ event.url }}, for {{ target }}: {{ foot.because }}"
    )
    body, problem = composed(folder, source)
    assert problem is None
    assert body == (
        "campaign.added: Rust 40 by Facepunch\n"
        "1. Cool hat (Hat, 60 min)\n2. Cap (240 min = 4 h)\n3. Coat (2 subscriptions)\n"
        "until 2026-11-27 12:00 UTC, https://www.twitch.tv/drops/campaigns?dropID=a&x=1, for phone: “loot”"
    )


def test_a_template_may_stand_around_the_words_of_the_house(folder: Path) -> None:
    assert composed(folder, "Hello!\n{{ house }}") == (f"Hello!\n{house_words()}", None)


def test_a_title_is_a_template_too(folder: Path) -> None:
    (folder / "campaign.any.title.j2").write_text("{{ event.detail.game }}: {{ house }}")
    draft = Draft([full_event()], False, Reader(), Foot(("loot",), "phone"), folder)
    message, problem = compose(open_url(PLAIN_URL), draft)
    assert (message.title, message.text, problem) == ("Rust: New drops: Rust 40", house_words(), None)


def test_the_nearest_template_is_used(folder: Path) -> None:
    (folder / "phone").mkdir()
    names = [
        "phone/campaign.added.txt.j2",
        "phone/campaign.any.txt.j2",
        "phone/any.txt.j2",
        "campaign.added.txt.j2",
        "campaign.any.txt.j2",
        "any.txt.j2",
    ]
    for name in names:
        (folder / name).write_text("x")
    for name in names:
        file = find(folder, "phone", "campaign.added", "txt")
        assert file is not None
        assert str(file.path.relative_to(folder)) == name
        file.path.unlink()
    assert find(folder, "phone", "campaign.added", "txt") is None


@pytest.mark.parametrize("url", [PLAIN_URL, MARKDOWN_URL, MAIL_URL, TELEGRAM_URL, "json://localhost/?format=html"])
@pytest.mark.parametrize("several", [False, True])
def test_a_copy_of_a_template_of_the_house_says_what_the_house_says(folder: Path, url: str, several: bool) -> None:
    opened = open_url(url)
    source = house_template(opened.form, opened.limits, several=several).read_text()
    suffix = {Format.TEXT: "txt", Format.MARKDOWN: "md", Format.HTML: "html"}[opened.form]
    (folder / f"{'several' if several else 'any'}.{suffix}.j2").write_text(source)
    events = [full_event(), event_text("Other", game="Palia")] if several else [full_event()]
    draft = Draft(events, False, Reader(), Foot(("loot",), "phone"), folder)
    message, problem = compose(opened, draft)
    house = render_message(events, opened.limits, foot=draft.foot)
    assert problem is None
    assert message.body(opened.form).split() == house.body(opened.form).split()


FAULTS = {
    "{{ event.name": "line 1: unexpected end of template",
    "a\n{{ evnt.title }}": "line 2: 'evnt' is undefined",
    "{{ event.titel }}": "line 1: 'dict object' has no attribute 'titel'",
    "{{ 1 / 0 }}": "line 1: division by zero",
    "{{ ''.__class__.__mro__ }}": "unsafe",
    "{{ event.__init__.__globals__ }}": "unsafe",
    "{% include '/etc/passwd' %}": "passwd",
    "{% include '../../pyproject.toml' %}": "pyproject",
    "{{ 'x' * 10000 }}": "more than 1000 parts",
    "{{ 10 ** 100000 }}": "is not allowed here",
    "{{ '%99999999d' % 1 }}": "is not allowed here",
    "{{ 'x'.center(100000000) }}": "unsafe",
    "{{ 'x'|center(100000000) }}": "No filter named 'center'",
    "{% for i in range(100000) %}{% endfor %}": "counts to more than 1000",
    "{% for a in range(900) %}{% for b in range(900) %}{% for c in range(900) %}{% endfor %}{% endfor %}{% endfor %}": (
        "takes longer than"
    ),
    "{% for a in range(900) %}{% for b in range(900) %}x{% endfor %}{% endfor %}": "writes more than",
    "{% set s = 'x' * 900 %}" + "{% set s = s ~ s %}\n" * 40 + "{{ s }}": "makes a text of more than",
    "{{ range(900)|join('x' * 900) }}": "writes more than 20000 characters",
    "{# nothing #}": "it writes nothing",
    "x" * 16_001: "longer than 16000 bytes",
}


@pytest.mark.parametrize("source", FAULTS, ids=range(len(FAULTS)))
def test_a_template_that_fails_costs_no_message_and_is_named_with_its_line(folder: Path, source: str) -> None:
    begun = time.monotonic()
    body, problem = composed(folder, source)
    assert body == house_words()
    assert problem is not None
    assert problem.startswith("template any.txt.j2")
    assert FAULTS[source] in problem
    # It is broken off after a second; the rest is for a machine that has much else to do.
    assert time.monotonic() - begun < 30


def test_what_a_template_prints_is_escaped_for_its_format(folder: Path) -> None:
    for url, name in ((PLAIN_URL, "any.txt.j2"), (MARKDOWN_URL, "any.md.j2"), (MAIL_URL, "any.html.j2")):
        (folder / name).write_text(
            "{{ event.title }} {{ event.detail.name }} {{ event.subjects.game }} {{ event.rules|join(', ') }} "
            "{{ event.key }} {{ event.detail }}"
        )
        opened = open_url(url)
        for event in EVENTS[::5]:
            message, problem = compose(opened, Draft([event], False, Reader(), FOOT, folder))
            assert problem is None
            body = message.body(opened.form)
            if opened.form is Format.HTML:
                assert html_is_harmless(body, {"html", "head", "meta", "style", "body", "div"})
            else:
                assert is_harmless(body)


def test_html_of_a_template_keeps_only_the_tags_of_a_mail(folder: Path) -> None:
    source = (
        "<script>alert(1)</script><h1 onclick='x'>{{ event.title }}</h1><a href='javascript:x'>y</a><iframe></iframe>"
    )
    body, problem = composed(folder, source, MAIL_URL, "any.html.j2")
    assert problem is None
    inner = body.partition('<div class="card">')[2]
    assert "<h1>New drops: Rust 40</h1><a>y</a>" in inner
    assert "script" not in inner
    assert "iframe" not in inner


def test_a_text_that_is_too_long_is_cut_at_a_line(folder: Path) -> None:
    body, problem = composed(
        folder, "{% for i in range(400) %}line {{ i }}\n{% endfor %}", "ntfy://localhost/t?format=text"
    )
    assert problem is None
    assert len(body) <= open_url(PLAIN_URL).limits.body
    body, problem = composed(folder, "{% for i in range(900) %}line {{ i }}\n{% endfor %}")
    assert body.splitlines()[-1] == "…"
    assert body.splitlines()[-2].startswith("line ")


def test_a_message_goes_in_the_operators_words_or_in_the_houses_and_says_why(
    world: Notifying, hooks: WebhookSink, folder: Path, logged: list[str]
) -> None:
    world.target("hook", hook_url(hooks))
    template = folder / "campaign.added.txt.j2"
    template.write_text("Look: {{ event.detail.game }}")
    world.event("First", detail=full_event().detail)
    assert world.deliver(templates=folder).sent == 1
    template.write_text("Look: {{ event.gmae }}")
    world.event("Second", detail=full_event().detail)
    assert world.deliver(templates=folder).sent == 1
    first, second = (hook.json for hook in hooks.messages)
    assert first["message"] == "Look: Rust"
    # The events themselves go on coming.
    assert first["event"]["title"] == "First"
    assert second["message"].startswith("Game: Rust")
    wrong = "template campaign.added.txt.j2, line 1: 'dict object' has no attribute 'gmae'"
    assert [delivery.last_error for delivery in world.deliveries()] == [None, wrong]
    assert any(wrong in line for line in logged)


def test_a_template_takes_the_place_of_embeds(folder: Path, monkeypatch: pytest.MonkeyPatch, world: Notifying) -> None:
    (folder / "any.md.j2").write_text("**{{ event.title }}**")
    with chats.discord(monkeypatch) as chat:
        world.target("chat", DISCORD_URL)
        world.event("New * drops")
        assert world.deliver(templates=folder).sent == 1
    (body,) = chat.taken
    assert "embeds" not in body
    assert "**New \\* drops**" in body["content"]


def test_a_mail_of_a_template_has_the_style_of_the_house(world: Notifying, mails: MailSink, folder: Path) -> None:
    (folder / "any.html.j2").write_text("<h1>{{ event.title }}</h1>{{ house }}")
    world.target("mail", mail_url(mails))
    world.event("New < drops")
    assert world.deliver(templates=folder).sent == 1
    (mail,) = mails.messages
    assert "<h1>New &lt; drops</h1>" in mail.html
    assert mail.html.count("</html>") == 1


def test_every_template_is_tried_on_every_kind_that_it_is_for(folder: Path) -> None:
    (folder / "phone").mkdir()
    (folder / "away").mkdir()
    good = "{{ event.title }} {{ house }} {{ moment(event.detail.end_at) }}"
    (folder / "any.txt.j2").write_text(good)
    (folder / "any.html.j2").write_text(good)
    (folder / "phone" / "stream.any.md.j2").write_text("{{ event.detail.recap.seconds }}")
    (folder / "several.txt.j2").write_text("{% for each in events %}{{ each.title }}\n{% endfor %}")
    (folder / "away" / "any.title.j2").write_text("x")
    problems = {checked.file: checked.problem for checked in check_templates(folder, ["phone"], NOON)}
    assert problems.pop("phone/stream.any.md.j2", "") is not None
    assert problems == {
        "any.html.j2": None,
        "any.txt.j2": None,
        "several.txt.j2": None,
        "away/any.title.j2": "there is no target away",
    }
    (folder / "campain.added.txt.j2").write_text("x")
    files, strays = find_all(folder)
    assert len(files) == 5
    assert [stray.partition(":")[0] for stray in strays] == ["campain.added.txt.j2 is not called as templates are"]


@pytest.mark.parametrize("kind", EventKind)
def test_a_sample_of_each_kind_makes_a_message(kind: EventKind) -> None:
    message = render_message([sample_event(kind, NOON)], Limits())
    assert message.title
    assert message.text


def test_a_pipe_that_is_called_like_a_template_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "reward.any.txt.j2")
    (checked,) = check_templates(folder, ["phone"], NOON)
    assert checked.problem is not None
    assert "it is no file" in checked.problem
