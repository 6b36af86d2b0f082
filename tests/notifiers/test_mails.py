"""What a mail has beside its words: where to watch, one button, and where it is unsubscribed from."""

import re
from email import message_from_bytes, policy
from typing import Any

import msgspec
import pytest

from models.details import CampaignDetail
from notifiers.errors import TargetError
from notifiers.render import Foot, Limits, render_message
from notifiers.settings import change_settings
from notifiers.timing.settings import TargetSettings
from notifiers.view import EventText
from pipeline.demo.sinks import MailSink
from tests.notifiers.world import NOON, Notifying, full_event, mail_url

MAIL = Limits(pictures=True, html=60_000)
LINK = re.compile(r'<a href="([^"]*)">([^<]*)</a>')


def html_of(kind: str = "campaign.added", service: str = "twitch", **changes: Any) -> str:
    detail = msgspec.structs.replace(full_event().detail, **changes)
    event = EventText(kind=kind, title="News", occurred_at=NOON, service=service, detail=detail)
    return render_message([event], MAIL, foot=Foot(("loot",), "mail")).html


def watched(html: str) -> list[tuple[str, str]]:
    return LINK.findall(html.partition("<h2>Where to watch</h2>")[2].partition("</p>")[0])


def test_a_mail_links_the_channels_that_count() -> None:
    html = html_of()
    assert watched(html) == [("https://www.twitch.tv/ann", "ann"), ("https://www.twitch.tv/bob_b", "bob_b")]
    assert "and 28 more" in html
    # Once is enough.
    assert "<h2>Channels</h2>" not in html
    assert watched(html_of(service="kick"))[0] == ("https://kick.com/ann", "ann")


def test_a_mail_links_the_category_where_every_channel_counts() -> None:
    html = html_of(channels=(), channels_total=0, game="Tom's Game & more")
    (link,) = watched(html)
    assert link[0] == "https://www.twitch.tv/directory/game/Tom%27s%20Game%20%26%20more"
    assert link[1].endswith("on Twitch: every channel counts")


def test_channels_without_an_address_are_named_as_before() -> None:
    for html in (html_of(service="chzzk"), html_of(channels=("ann", "../x"))):
        assert watched(html) == []
        assert "<h2>Channels</h2>" in html


@pytest.mark.parametrize("kind", ["campaign.ended", "campaign.withdrawn", "reward.added", "badge.added"])
def test_what_is_over_or_not_watched_has_nowhere_to_watch(kind: str) -> None:
    assert watched(html_of(kind)) == []


def test_a_mail_has_one_button() -> None:
    html = html_of()
    assert html.count('class="button"') == 1
    assert LINK.search(html.partition('class="button"')[2])[2] == "Details"  # type: ignore[index]


def headers_of(mails: MailSink) -> list[str | None]:
    return [message_from_bytes(mail.raw, policy=policy.default)["List-Unsubscribe"] for mail in mails.messages]


def test_a_mail_says_where_it_is_unsubscribed_from_where_there_is_an_address(world: Notifying, mails: MailSink) -> None:
    world.target("mail", mail_url(mails))
    world.event("First")
    assert world.deliver().sent == 1
    with world.engine.begin() as connection:
        change_settings(connection, "mail", {"unsubscribe": "mailto:stop@example.org"}, world.now)
    world.event("Second")
    assert world.deliver().sent == 1
    assert headers_of(mails) == [None, "<mailto:stop@example.org>"]
    assert ">Unsubscribe</a>" not in mails.messages[0].html
    assert '<a href="mailto:stop@example.org">Unsubscribe</a>' in mails.messages[1].html


def test_a_header_of_the_address_itself_goes_first(world: Notifying, mails: MailSink) -> None:
    world.target("mail", mail_url(mails) + "&+List-Unsubscribe=%3Chttps://example.org/stop%3E")
    with world.engine.begin() as connection:
        change_settings(connection, "mail", {"unsubscribe": "mailto:stop@example.org"}, world.now)
    world.event("First")
    assert world.deliver().sent == 1
    assert headers_of(mails) == ["<https://example.org/stop>"]


@pytest.mark.parametrize(
    "address",
    ["stop@example.org", "http://example.org", "javascript:x", "mailto:a@b\nBcc: c@d", "https://x@y/", "mailto:a@b>"],
)
def test_what_is_no_address_for_it_is_refused(address: str) -> None:
    with pytest.raises(TargetError, match="is no address to unsubscribe at"):
        TargetSettings(unsubscribe=address)


def digest(sizes: dict[str, int], kind: str = "campaign.added") -> list[EventText]:
    """Events of games, as many of each as it says."""
    return [
        EventText(kind=kind, title=f"{game} {number}", occurred_at=NOON, detail=CampaignDetail(game=game))
        for game, size in sizes.items()
        for number in range(size)
    ]


def test_a_digest_shows_every_game_and_says_what_shows_the_rest() -> None:
    html = render_message(digest({"Rust": 124, "Palia": 11, "Hades": 1}), MAIL, foot=Foot(("loot",), "mail")).html
    headings = re.findall("<h2>([^<]*)</h2>", html)
    assert headings == ["Rust (48 of 124)", "Palia", "Hades"]
    assert html.count("<li>") == 60
    assert "and 76 more; lootwire events lists them all" in html


def test_a_digest_of_more_games_than_it_has_lines_names_the_others() -> None:
    html = render_message(digest({f"Game {number}": 2 for number in range(64)}), MAIL, foot=Foot(("a",), "mail")).html
    assert html.count("<li>") == 60
    assert "and 68 more, also of Game 60, Game 61, Game 62, Game 63; lootwire events lists them all" in html


def test_what_is_soon_over_is_cut_last() -> None:
    events = [*digest({"Rust": 100, "Palia": 100}), *digest({"Hades": 50}, kind="campaign.ending_soon")]
    html = render_message(events, MAIL, foot=Foot(("a",), "mail")).html
    assert re.findall("<h2>([^<]*)</h2>", html) == ["Soon over", "Rust (5 of 100)", "Palia (5 of 100)"]


def test_a_text_that_lists_few_of_many_shares_its_lines_too() -> None:
    text = render_message(digest({"Rust": 40, "Palia": 2})).text
    assert [line for line in text.splitlines() if "Palia" in line] == ["- Palia 0", "- Palia 1"]
