import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.details import BenefitLine, CategoryTime, DropLine, FieldChange, StreamRecap
from models.events import EventKind
from notifiers.reader import Reader
from notifiers.render import Format, Limits, Message, plain_message, render_message
from notifiers.view import EventText
from tests.examples import examples
from tests.notifiers.world import HOSTILE, NOON, event_text, full_event


class Tags(HTMLParser):
    """The tags, links and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_campaign_is_told_with_its_drops_minutes_end_channels_and_links() -> None:
    message = render_message([full_event()])
    assert message.title == "New drops: Rust 40"
    assert message.text.splitlines() == [
        "Game: Rust",
        "By: Facepunch",
        "On: Twitch",
        "Starts: 2026-11-20 12:00 UTC",
        "Ends: 2026-11-27 12:00 UTC",
        "",
        "Drops:",
        "- Hat (60 min): Cool hat",
        "- Cap (240 min = 4 h)",
        "- Coat (2 subscriptions)",
        "",
        "Channels:",
        "- ann",
        "- bob_b",
        "- and 28 more",
        "",
        "Watch and get loot.",
        "",
        "Details: https://www.twitch.tv/drops/campaigns?dropID=a&x=1",
        "Link your account: https://id.example.org/link",
    ]
    assert "[Details](https://www.twitch.tv/drops/campaigns?dropID=a&x=1)" in message.markdown
    assert "- bob_b" in message.markdown
    # The text part of a mail is made of the HTML, without its attributes.
    assert "Details: https://www.twitch.tv/drops/campaigns?dropID=a&x=1" in Tags(message.html).text
    assert "<li>Hat (60 min): Cool hat</li>" in message.html


def test_the_three_renderings_say_the_same() -> None:
    message = render_message([full_event()])
    words = set(re.findall(r"\w{3,}", message.text))
    for other in (Tags(message.html).text, message.markdown.replace("\\", "")):
        assert words <= set(re.findall(r"\w{3,}", other))


def test_a_campaign_that_names_no_channel_counts_on_every_one() -> None:
    assert "every channel of the game counts" in render_message([event_text()]).text
    assert "channel" not in render_message([event_text(kind="campaign.ended")]).text
    assert "channel" not in render_message([event_text(kind="source.failing")]).text


def test_changes_are_told_with_old_and_new_values() -> None:
    changes = (
        FieldChange(field="end_at", old="2026-11-20T12:00:00Z", new="2026-11-27T12:00:00+00:00"),
        FieldChange(field="name", old="Rust", new=None),
        FieldChange(field="required_minutes", old=60, new=["a", "b"]),
        FieldChange(field="odd", old="Tuesday", new=""),
    )
    text = render_message([event_text(kind="campaign.changed", changes=changes)]).text
    assert "- End: 2026-11-20 12:00 UTC → 2026-11-27 12:00 UTC" in text
    assert "- Name: Rust → none" in text
    assert "- Required minutes: 60 → a, b" in text
    assert "- Odd: Tuesday → none" in text


def test_a_change_names_the_drop_that_it_is_about() -> None:
    changes = (
        FieldChange(field="required_minutes", old=60, new=120, about="Hat"),
        FieldChange(field="drop", old="Coat", new=None, about="Coat"),
    )
    text = render_message([event_text(kind="campaign.changed", changes=changes)]).text
    assert "- Hat: Required minutes: 60 → 120" in text
    assert "- Drop: Coat → removed" in text


def channels_of(**detail: Any) -> list[str]:
    return render_message([event_text(kind="campaign.channels_changed", **detail)]).text.splitlines()[1:]


def test_channels_that_went_are_not_listed_again() -> None:
    lines = [
        "",
        "New channels:",
        "- dee",
        "",
        "Channels no longer named:",
        "- ann",
        "",
        "All channels:",
        "- bob",
        "- dee",
    ]
    detail = {"channels_added": ("dee",), "channels_removed": ("ann",)}
    assert channels_of(**detail, channels=("bob", "dee"), channels_total=2) == lines
    # An event of an older version.
    assert channels_of(**detail, channels=("ann", "bob", "dee"), channels_total=3) == lines


@pytest.mark.parametrize("channels", [(), ("ann", "bob")])
def test_a_list_of_channels_that_became_empty_says_that_all_count(channels: tuple[str, ...]) -> None:
    assert channels_of(channels_removed=("ann", "bob"), channels=channels, channels_total=len(channels)) == [
        "",
        "Channels no longer named:",
        "- ann",
        "- bob",
        "",
        "Channels:",
        "- every channel of the game counts now",
    ]


def test_a_reward_campaign_lists_rewards() -> None:
    rewards = (DropLine(benefits=(BenefitLine(name="Skin"), BenefitLine(name="Hat"), BenefitLine())),)
    text = render_message([event_text(kind="reward.added", drops=rewards)]).text
    assert text.splitlines()[1:] == ["", "Rewards:", "- Skin", "- Hat", "- A reward"]


def test_all_drops_are_not_headed_as_the_new_ones() -> None:
    hat, cap = (DropLine(name=name) for name in ("Hat", "Cap"))
    lines = render_message([event_text(kind="campaign.drop_added", drops=(hat, cap), drops_added=(cap,))]).text
    assert lines.splitlines()[2:] == ["New drops:", "- Cap", "", "All drops:", "- Hat", "- Cap"]


def test_what_is_over_or_withdrawn_does_not_end_once_more() -> None:
    def facts(kind: str) -> list[str]:
        return render_message([event_text(kind=kind, end_at=NOON)]).text.splitlines()

    assert "Ended: 2026-11-20 12:00 UTC" in facts("campaign.ended")
    assert "Ended: 2026-11-20 12:00 UTC" in facts("reward.ended")
    assert "Was to end: 2026-11-20 12:00 UTC" in facts("campaign.withdrawn")
    assert "Ends: 2026-11-20 12:00 UTC" in facts("campaign.started")


def test_a_source_that_fails_is_told_with_its_reason_and_the_next_attempt() -> None:
    event = event_text(
        "kick fails", kind="source.failing", reason="HTTP 403", since=NOON, next_attempt_at=NOON + timedelta(hours=1)
    )
    assert render_message([event]).text.splitlines()[1:] == [
        "Reason: HTTP 403",
        "Since: 2026-11-20 12:00 UTC",
        "Next attempt: 2026-11-20 13:00 UTC",
    ]


LIVE: dict[str, Any] = {
    "name": "Ranked to Radiant",
    "channel": "shroud",
    "channel_login": "shroud",
    "game": "VALORANT",
    "url": "https://www.twitch.tv/shroud",
    "image_url": "https://static-cdn.jtvnw.net/previews-ttv/live_user_shroud-640x360.jpg",
    "box_art_url": "https://static-cdn.jtvnw.net/ttv-boxart/516575-144x192.jpg",
}
ON_AIR: dict[str, Any] = {
    **LIVE,
    "viewers": 12345,
    "language": "en",
    "tags": ("English", "@everyone"),
    "start_at": NOON,
    "campaigns": ("Champions", "<@123> Week"),
}
RECAP = StreamRecap(
    started_at=NOON,
    ended_at=NOON + timedelta(hours=5),
    seconds=17_940,
    peak_viewers=23456,
    average_viewers=18300,
    categories=(CategoryTime(name="VALORANT", seconds=10_800), CategoryTime(name=None, seconds=7_140)),
)


def test_a_stream_that_starts_is_told_with_what_can_be_earned_on_it() -> None:
    message = render_message([event_text("shroud is live", kind="stream.online", **ON_AIR)])
    assert message.text.replace("\u200b", "").splitlines() == [
        "Category: VALORANT",
        "Viewers: 12,345",
        "Drops enabled for: Champions, <@123> Week",
        "Live since: 2026-11-20 12:00 UTC",
        "Language: en",
        "Tags: English, @everyone",
        "",
        "Watch: https://www.twitch.tv/shroud",
    ]
    for rendering in (message.text, message.markdown, message.html):
        assert "@everyone" not in rendering
        assert "<@123>" not in rendering


def test_a_stream_that_is_over_is_told_with_its_recap() -> None:
    message = render_message([event_text("shroud went offline", kind="stream.offline", **LIVE, recap=RECAP)])
    assert message.text.splitlines() == [
        "Title: Ranked to Radiant",
        "On air: 4 h 59 min, from 2026-11-20 12:00 UTC",
        "Viewers: 18,300 on average, 23,456 at the peak",
        "",
        "Categories:",
        "- VALORANT: 3 h",
        "- no category: 1 h 59 min",
        "",
        "Channel: https://www.twitch.tv/shroud",
    ]


def test_a_recap_without_viewers_and_with_one_category_has_no_empty_lines_of_it() -> None:
    recap = msgspec.structs.replace(RECAP, peak_viewers=None, average_viewers=None, categories=RECAP.categories[:1])
    message = render_message([event_text("shroud went offline", kind="stream.offline", **LIVE, recap=recap)])
    assert message.text.splitlines()[1:3] == ["Category: VALORANT", "On air: 4 h 59 min, from 2026-11-20 12:00 UTC"]
    assert "Viewers" not in message.text


def test_a_new_title_and_a_new_category_are_told_with_what_was_before() -> None:
    before = FieldChange(field="title", old="Warm-up *all* day", new="Ranked to Radiant")
    message = render_message([event_text("t", kind="stream.title_changed", **ON_AIR, changes=(before,))])
    assert message.text.splitlines()[:2] == ["Before: Warm-up *all* day", "Category: VALORANT"]
    moved = FieldChange(field="category", old="Just Chatting", new="VALORANT")
    message = render_message([event_text("t", kind="stream.category_changed", **ON_AIR, changes=(moved,))])
    assert message.text.splitlines()[:2] == ["Title: Ranked to Radiant", "Viewers: 12,345"]


def test_a_video_is_told_with_its_length() -> None:
    message = render_message([event_text("New video", kind="video.published", **LIVE, seconds=18_730)])
    assert message.text.splitlines() == [
        "Category: VALORANT",
        "Length: 5 h 12 min",
        "",
        "Watch: https://www.twitch.tv/shroud",
    ]


def test_what_can_be_earned_now_is_told_with_its_channel_and_not_with_all_the_others() -> None:
    event = msgspec.structs.replace(full_event().detail, channel="shroud", required_minutes=60, url=LIVE["url"])
    message = render_message([EventText(kind="campaign.watchable", title="Watch", occurred_at=NOON, detail=event)])
    assert message.text.splitlines()[0] == "Channel: shroud"
    assert "Asks for: 60 min" in message.text
    assert "Ends: 2026-11-27 12:00 UTC" in message.text
    assert "bob_b" not in message.text
    assert "Watch: https://www.twitch.tv/shroud" in message.text


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind.family in {"stream", "video", "badge"}])
def test_nothing_but_a_headline_makes_a_message_too(kind: EventKind) -> None:
    message = render_message([event_text("shroud did something", kind=kind)])
    assert message.title == "shroud did something"
    assert message.text
    assert Tags(message.html).text.strip()
    assert "None" not in message.text + message.html + message.markdown


def test_a_mail_shows_a_picture_and_no_other_message_does() -> None:
    event = event_text("shroud is live", kind="stream.online", **ON_AIR)
    shown = Tags(render_message([event], Limits(pictures=True)).html)
    assert ("src", LIVE["image_url"]) in shown.attributes
    assert "img" not in Tags(render_message([event]).html).tags
    box = Tags(render_message([event_text(**LIVE)], Limits(pictures=True)).html)
    assert ("src", LIVE["box_art_url"]) in box.attributes
    hostile = event_text(kind="badge.added", image_url='javascript:alert(1)//"><script>')
    assert "img" not in Tags(render_message([hostile], Limits(pictures=True)).html).tags


def test_a_list_says_on_which_streams_drops_are_enabled() -> None:
    events = [event_text("shroud is live", kind="stream.online", **ON_AIR), event_text("b", kind="stream.online")]
    message = render_message(events)
    assert message.title == "2 streams live"
    assert message.text.splitlines() == ["- shroud is live – drops enabled https://www.twitch.tv/shroud", "- b"]


def test_several_events_are_one_list_with_a_title_that_counts_them() -> None:
    events = [full_event(), event_text("B", url="https://b.example/"), event_text("C", kind="campaign.ended")]
    message = render_message(events)
    assert message.title == "2 new campaigns, 1 campaign ended"
    assert message.text.splitlines() == [
        "- New drops: Rust 40 – ends 2026-11-27 12:00 UTC https://www.twitch.tv/drops/campaigns?dropID=a&x=1",
        "- B https://b.example/",
        "- C",
    ]
    assert message.markdown.splitlines()[1] == "- **B** [Details](https://b.example/)"
    assert Tags(message.html).tags == {"ul", "li", "b", "a", "br"}


def test_what_stands_behind_a_line_of_a_list_has_no_brackets_within_brackets() -> None:
    event = full_event()
    reader = Reader(ZoneInfo("Europe/Berlin"), now=NOON)
    message = render_message([event, event_text("B")], reader=reader)
    for rendering in (message.text, message.markdown, message.html):
        assert re.search(r" – ends Fri 27 Nov, 13:00 CET \(in \d+ \w+\)", rendering)
        assert "))" not in rendering


def test_a_long_list_is_cut_after_twenty_and_says_how_many_more() -> None:
    message = render_message([event_text(f"Event {n}") for n in range(50)])
    for rendering in (message.text, message.markdown, message.html):
        assert "Event 19" in rendering
        assert "Event 20" not in rendering
        assert "and 30 more" in rendering


def test_every_kind_has_words_for_the_title_of_a_list() -> None:
    for kind in EventKind:
        assert "." not in render_message([event_text(kind=kind)] * 2).title
    assert render_message([event_text(kind="campaign.new_kind")] * 2).title == "2 campaign.new_kind"


def hostile_messages() -> list[Message]:
    hostile = event_text(
        HOSTILE,
        name=HOSTILE,
        game=HOSTILE,
        organization=HOSTILE,
        description=HOSTILE,
        drops=(DropLine(name=HOSTILE, benefits=(BenefitLine(name=HOSTILE),)),),
        channels=(HOSTILE,),
        channels_added=(HOSTILE,),
        changes=(FieldChange(field=HOSTILE, old=HOSTILE, new=[HOSTILE]),),
        url='https://evil.example/"><script>',
        account_link_url="javascript:alert(1)",
    )
    failing = event_text(HOSTILE, kind="source.failing", name=HOSTILE, reason=HOSTILE)
    return [render_message([hostile]), render_message([hostile, hostile]), render_message([failing])]


@pytest.mark.parametrize("message", hostile_messages(), ids=["one", "several", "source"])
def test_hostile_text_is_harmless_in_every_form(message: Message) -> None:
    for rendering in (
        message.title,
        *(message.body(form) for form in Format),
        *(message.body_with_title(form) for form in Format),
    ):
        assert "@everyone" not in rendering
        assert "@here" not in rendering
        assert not re.search(r"<[@!#]", rendering)
        assert "](https://evil" not in rendering
        assert "{{ 7*7 }}" in rendering or "49" not in rendering
        assert "javascript:" not in rendering
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\u2028]", rendering)
        assert "\nBcc" not in rendering
        rendering.encode()


@pytest.mark.parametrize("message", hostile_messages(), ids=["one", "several", "source"])
def test_hostile_text_brings_no_tag_into_html(message: Message) -> None:
    html = Tags(message.body_with_title(Format.HTML))
    assert html.tags <= {"p", "b", "ul", "li", "br"}
    assert html.attributes == []
    assert "<script>alert(1)</script>" in html.text.replace("\u200b", "")


# CommonMark, each with what a reader must see again.
MARKUP = [
    "**bold** __b__ *i* _i_",
    "`code` ~~no~~ ||spoiler||",
    "[click](https://evil.example)",
    "![pic](https://evil.example/x.png)",
    "<b>html</b> <https://evil.example>",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "1) item",
    "> quote",
    "--- ",
    "===",
    "&lt;b&gt; &#64;everyone",
    "trailing \\",
    "\\*not escaped\\*",
    "a | b | c",
    "snake_case_name _a_b_ __init__",
]


@pytest.mark.parametrize("text", MARKUP)
def test_markdown_in_a_title_is_read_as_the_text_that_it_is(text: str) -> None:
    from apprise.conversion import convert_between

    markdown = render_message([event_text(game=text), event_text(text)]).markdown.splitlines()[1]
    html = Tags(convert_between("markdown", "html", markdown))  # type: ignore[no-untyped-call]
    assert html.text.replace("\u200b", "").split() == text.split()
    assert html.tags <= {"ul", "li", "strong", "p"}


LINKS = {
    "https://example.org/a?b=1&c=d#e": "https://example.org/a?b=1&c=d#e",
    "HTTP://EXAMPLE.org": "http://EXAMPLE.org",
    "https://medium.com/@everyone": "https://medium.com/%40everyone",
    "https://example.org/a(b)*[c]": "https://example.org/a%28b%29%2A%5Bc%5D",
    "https://[2001:db8::1]/": "https://[2001:db8::1]/",
    "https://user@example.org/": None,
    "https://twitch.tv@evil.example/": None,
    "javascript:alert(1)": None,
    "data:text/html,x": None,
    "ftp://example.org/": None,
    "//example.org/": None,
    "https://": None,
    "https:///path": None,
    "https://[bad/": None,
    "https://example.org/ b": None,
    'https://example.org/"><script>': None,
    "https://example.org/\x00": None,
    "https://example.org/" + "x" * 1000: None,
    "": None,
}


@pytest.mark.parametrize(("url", "expected"), LINKS.items())
def test_only_web_links_are_shown_and_in_a_form_that_is_safe_everywhere(url: str, expected: str | None) -> None:
    text = render_message([event_text(kind="campaign.ended", url=url)]).text
    assert text.endswith(f"Details: {expected}") if expected else "Details" not in text


def test_a_title_of_4000_characters_is_cut_in_every_place() -> None:
    event = event_text("x" * 4000, game="y" * 4000)
    message = render_message([event])
    assert len(message.title) == 200
    assert message.title.endswith("x…")
    assert max(len(line) for line in message.text.splitlines()) < 200


def long_event() -> EventText:
    drop = DropLine(name="*" * 500, required_minutes=60, benefits=(BenefitLine(name="&" * 500),) * 20)
    many = tuple("<" * 300 for _ in range(200))
    return event_text(
        "t" * 4000,
        description="d" * 9000,
        drops=(drop,) * 100,
        drops_added=(drop,) * 100,
        channels=many,
        channels_added=many,
        channels_removed=many,
        changes=(FieldChange(field="f" * 500, old="o" * 900, new="n" * 900),) * 50,
        url="https://example.org/" + "u" * 900,
        account_link_url="https://example.org/" + "v" * 900,
    )


@pytest.mark.parametrize("limits", [Limits(), Limits(body=1700), Limits(body=300, html=300), Limits(body=70, html=70)])
@pytest.mark.parametrize("count", [1, 2, 20, 60])
def test_no_message_is_longer_than_its_limits_nor_empty(limits: Limits, count: int) -> None:
    message = render_message([long_event()] * count, limits)
    assert 0 < len(message.title) <= limits.title
    assert 0 < len(message.text) <= limits.body
    assert 0 < len(message.markdown) <= limits.body
    assert 0 < len(message.html) <= limits.html


def test_the_lines_of_a_shortened_message_are_whole() -> None:
    event = event_text(channels=tuple(f"channel{n:04}" for n in range(900)), description="d" * 300)
    message = render_message([event], Limits(body=120))
    assert message.text.splitlines()[-1] in {"…", *(f"- and {900 - shown} more" for shown in range(9))}


def test_where_there_is_no_room_for_links_a_list_has_titles_alone() -> None:
    events = [event_text(f"Event {n}", url="https://example.org/" + "u" * 90) for n in range(7)]
    assert render_message(events, Limits(body=65)).text.splitlines() == [
        "- Event 0",
        "- Event 1",
        "- Event 2",
        "- Event 3",
        "- Event 4",
        "- and 2 more",
    ]


@settings(max_examples=examples(150), deadline=None)
@given(title=st.text(max_size=300), name=st.text(max_size=300), count=st.integers(1, 3))
def test_any_text_at_all_makes_a_message(title: str, name: str, count: int) -> None:
    message = render_message([event_text(title, game=name, description=name, url=name)] * count)
    assert message.title
    assert "\n" not in message.title
    assert not re.search(r"@(?=\w)|\]\(\w+://", message.text)
    assert Tags(message.html).tags <= {"p", "b", "ul", "li", "br", "a"}
    for rendering in (message.title, message.text, message.html, message.markdown):
        rendering.encode()


def test_a_message_needs_an_event() -> None:
    with pytest.raises(ValueError, match="at least one"):
        render_message([])


def test_a_message_of_our_own_has_all_forms() -> None:
    message = plain_message("Hello", "a < b * c")
    assert (message.text, message.html, message.markdown) == ("a < b * c", "<p>a &lt; b * c</p>", "a \\< b \\* c")
    assert message.body_with_title(Format.TEXT) == "Hello\na < b * c"
