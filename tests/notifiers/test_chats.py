"""What chats are sent: by the rules of Discord, Telegram and Slack, whatever happened and however much of it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.details import BenefitLine, CampaignDetail, DropLine, FieldChange
from models.events import EventKind
from notifiers.apprise_urls import open_url
from notifiers.embeds import discord_payload, length
from notifiers.reader import Reader
from notifiers.render import Foot, render_message
from notifiers.send import send
from notifiers.view import EventText
from tests.examples import examples
from tests.notifiers import chats
from tests.notifiers.chats import DISCORD_URL, SLACK_URL, TELEGRAM_URL, Answer, TelegramHtml
from tests.notifiers.test_render import LIVE
from tests.notifiers.world import NOON, Notifying, event_text, full_event

READER = Reader(ZoneInfo("Europe/Berlin"), "en", NOON)
FOOT = Foot(("loot for what I play",), "chat")
ENDS = int((NOON + timedelta(days=7)).timestamp())


def send_to(url: str, *events: EventText) -> None:
    send(url, render_message(events, open_url(url).limits, reader=READER, foot=FOOT), may_be_private=True)


def with_pictures() -> EventText:
    detail = full_event().detail
    assert isinstance(detail, CampaignDetail)
    return EventText(
        kind="campaign.added",
        title="New drops: Rust 40",
        occurred_at=NOON,
        service="twitch",
        detail=msgspec.structs.replace(detail, box_art_url=LIVE["box_art_url"]),
    )


def several() -> list[EventText]:
    games = ("Rust", "Palia", "Rust", None)
    news = [
        event_text(f"News {number} of {game}", game=game, url=f"https://example.org/{number}", end_at=NOON)
        for number, game in enumerate(games)
    ]
    return [*news, event_text("Ends soon", kind="campaign.ending_soon", game="Palia")]


def test_discord_shows_an_event_as_an_embed(monkeypatch: pytest.MonkeyPatch) -> None:
    with chats.discord(monkeypatch) as chat:
        send_to(DISCORD_URL, with_pictures())
    (body,) = chat.taken
    (embed,) = body["embeds"]
    assert embed["title"] == "New drops: Rust 40"
    assert embed["url"] == "https://www.twitch.tv/drops/campaigns?dropID=a&x=1"
    assert embed["author"] == {"name": "New campaign · Twitch"}
    assert embed["footer"] == {"text": "Because of “loot for what I play”"}
    assert embed["thumbnail"] == {"url": LIVE["box_art_url"]}
    assert embed["description"] == "Watch and get loot."
    fields = {field["name"]: field["value"] for field in embed["fields"]}
    assert fields["Game"] == "Rust"
    # By the clock of each who reads it.
    assert fields["Ends"] == f"<t:{ENDS}:f> (<t:{ENDS}:R>)"
    assert fields["Rewards"].splitlines() == [
        "**Cool hat** (Hat, 60 min)",
        "**Cap** (240 min = 4 h)",
        "**Coat** (2 subscriptions)",
    ]
    assert fields["Where to watch"].splitlines() == [
        "[ann](https://www.twitch.tv/ann)",
        "[bob_b](https://www.twitch.tv/bob_b)",
        "and 28 more",
    ]
    assert fields["Links"] == "[Link your account](https://id.example.org/link)"
    assert "content" not in body
    assert body["allowed_mentions"] == {"parse": [], "users": [], "roles": []}


def test_discord_shows_several_events_by_urgency_and_game(monkeypatch: pytest.MonkeyPatch) -> None:
    with chats.discord(monkeypatch) as chat:
        send_to(DISCORD_URL, *several())
    (body,) = chat.taken
    assert body["content"] == "**4 new campaigns, 1 campaign ending soon**"
    assert [embed["title"] for embed in body["embeds"]] == ["Soon over", "Rust", "Palia", "More"]
    assert body["embeds"][0]["color"] != body["embeds"][1]["color"]
    assert (
        body["embeds"][1]["description"].splitlines()[0].startswith("• [News 0 of Rust](https://example.org/0) – ends")
    )


def test_what_is_about_no_game_has_no_heading_where_nothing_stands_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [several()[3]] * 2
    with chats.discord(monkeypatch) as chat:
        send_to(DISCORD_URL, *events)
    ((embed,),) = (body["embeds"] for body in chat.taken)
    assert "title" not in embed


def test_an_address_keeps_its_options_and_pings_whom_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with chats.discord(monkeypatch) as chat:
        send_to(
            f"{DISCORD_URL.replace('://', '://Bot@')}?ping=<@%26456>,@here&avatar_url=https://example.org/a.png",
            full_event(),
        )
        send_to(f"{DISCORD_URL}?format=text", full_event())
    rich, plain = chat.taken
    assert (rich["username"], rich["avatar_url"]) == ("Bot", "https://example.org/a.png")
    assert rich["allowed_mentions"] == {"parse": ["everyone"], "users": [], "roles": ["456"]}
    assert "<@&456>" in rich["content"]
    assert rich["embeds"]
    assert "embeds" not in plain


def test_telegram_shows_an_event_with_links(monkeypatch: pytest.MonkeyPatch) -> None:
    with chats.telegram(monkeypatch) as chat:
        send_to(TELEGRAM_URL, full_event())
    (body,) = chat.taken
    html = TelegramHtml(body["text"])
    watch = ["https://www.twitch.tv/ann", "https://www.twitch.tv/bob_b"]
    assert html.links == [*watch, "https://www.twitch.tv/drops/campaigns?dropID=a&x=1", "https://id.example.org/link"]
    lines = [line for line in html.text.splitlines() if line.strip("\u200b ")]
    assert lines[:2] == ["New drops: Rust 40", "New campaign · Twitch"]
    assert "• Cool hat (Hat, 60 min)" in lines
    assert lines[-2:] == ["Details · Link your account", "Because of “loot for what I play”"]


def test_telegram_shows_several_events_by_urgency_and_game(monkeypatch: pytest.MonkeyPatch) -> None:
    with chats.telegram(monkeypatch) as chat:
        send_to(TELEGRAM_URL, *several())
    text = TelegramHtml(chat.taken[0]["text"]).text.replace("\r", "") + "\n"
    order = [text.index(word) for word in ("Soon over", "Ends soon", "Rust\n", "News 0", "News 2", "Palia\n", "More\n")]
    assert order == sorted(order)


def test_slack_shows_an_event_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    with chats.slack(monkeypatch) as chat:
        send_to(SLACK_URL, full_event())
        send_to(SLACK_URL, *several())
    single, many = (body["attachments"][0] for body in chat.taken)
    assert single["blocks"][0]["text"]["text"] == "New drops: Rust 40"
    assert {"type": "text", "text": "Rust", "style": {"bold": True}} in single["blocks"][1]["elements"][1]["elements"]
    assert single["blocks"][-1]["elements"][0]["text"] == "Because of “loot for what I play”"
    assert many["fallback"] == "4 new campaigns, 1 campaign ending soon"
    assert not chat.refused


def longest_events(count: int) -> list[EventText]:
    """Events of many games, with more of everything than fits."""
    drop = DropLine(name="*" * 300, required_minutes=60, benefits=(BenefitLine(name="&" * 300),) * 2)
    kinds = (EventKind.CAMPAIGN_ADDED, EventKind.CAMPAIGN_ENDING_SOON)
    return [
        event_text(
            f"{number} {'*' * 300}",
            kind=kinds[number % 2],
            game=f"{number % 23} {'🎮' * 300}",
            description="d" * 900,
            drops=(drop,) * 14,
            channels=("<" * 300,) * 20,
            changes=(FieldChange(field="f" * 300, old="o" * 300, new="n" * 300),) * 14,
            url="https://example.org/" + "u" * 900,
            account_link_url="https://example.org/" + "v" * 900,
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 9, 60])
def test_the_longest_messages_are_taken_at_once(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    for service, url in (("discord", DISCORD_URL), ("telegram", TELEGRAM_URL), ("slack", SLACK_URL)):
        with getattr(chats, service)(monkeypatch) as chat:
            send_to(url, *longest_events(count))
        assert (len(chat.taken), chat.refused) == (1, [])


TEXTS = st.text(max_size=400)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=TEXTS, name=TEXTS, items=st.lists(TEXTS, max_size=30), count=st.sampled_from([1, 3, 30]))
def test_no_text_makes_an_embed_that_discord_refuses(title: str, name: str, items: list[str], count: int) -> None:
    drops = tuple(DropLine(name=each, required_minutes=60, benefits=(BenefitLine(name=each),)) for each in items)
    changes = tuple(FieldChange(field="name", old=each, new=each) for each in items)
    events = [
        event_text(
            title, game=f"{name}{n}", name=name, description=name, drops=drops, changes=changes, channels=tuple(items)
        )
        for n in range(count)
    ]
    payload = discord_payload(events, "Title", READER, because="rule", again="again")
    payload |= {"allowed_mentions": {"parse": []}}
    assert list(chats.check_discord(payload)) == []
    assert 0 < length(payload["embeds"]) <= 6000


@pytest.mark.parametrize(
    ("service", "url"), [("discord", DISCORD_URL), ("telegram", TELEGRAM_URL), ("slack", SLACK_URL)]
)
def test_a_chat_that_wants_a_rest_gets_it_and_one_that_fails_is_asked_again(
    world: Notifying, monkeypatch: pytest.MonkeyPatch, service: str, url: str
) -> None:
    with getattr(chats, service)(monkeypatch) as chat:
        world.target("chat", url)
        world.event("New drops", game="Rust")
        chat.next_answers.append(
            Answer(429, {"retry_after": 90, "parameters": {"retry_after": 90}}, {"Retry-After": "90"})
        )
        assert world.deliver().failed == 1
        world.later(seconds=80)
        assert world.deliver().messages == 0
        world.later(seconds=11)
        chat.next_answers.append(Answer(502, {}))
        assert world.deliver().failed == 1
        world.later(hours=1)
        assert world.deliver().sent == 1
        assert (len(chat.taken), chat.refused) == (1, [])
    (delivery,) = world.deliveries()
    assert (delivery.state, delivery.attempts) == ("sent", 3)


def test_when_all_of_discord_is_limited_its_other_channels_rest_too(
    world: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chats.discord(monkeypatch) as chat, chats.slack(monkeypatch) as slack:
        world.target("first", DISCORD_URL)
        world.event("New drops", game="Rust")
        chat.next_answers.append(Answer(429, {"retry_after": 90, "global": True}, {"Retry-After": "90"}))
        world.target("other", DISCORD_URL)
        assert world.deliver().failed == 1
        world.target("slack", SLACK_URL)
        world.event("More drops", game="Rust")
        world.later(seconds=60)
        assert world.deliver().sent == 1
        assert (len(chat.taken), len(slack.taken)) == (0, 1)
        world.later(minutes=3)
        world.deliver()
        world.later(minutes=3)
        world.deliver()
    assert {delivery.state for delivery in world.deliveries()} == {"sent"}


def test_an_embed_that_is_refused_comes_as_text_the_next_moment(
    world: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chats.discord(monkeypatch) as chat:
        world.target("chat", DISCORD_URL)
        world.event("New drops", game="Rust")
        # Such as a picture whose address Discord does not like.
        chat.next_answers.append(Answer(400, {"message": "embeds: Not a well formed URL."}))
        assert world.deliver().sent == 1
    (body,) = chat.taken
    assert "embeds" not in body
    assert "New drops" in body["content"]
    assert body["allowed_mentions"]["parse"] == []
