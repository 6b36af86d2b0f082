import calendar
import re
from collections.abc import Iterable
from datetime import timedelta
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds.content import FeedContent, FeedLink, Item
from feeds.formats import ATOM_ENDING, FORMATS, RSS_ENDING, render_feed, render_opml
from feeds.item import guid, render_entry
from feeds.templating import ASSETS
from models.details import (
    BenefitLine,
    CampaignDetail,
    CategoryTime,
    DropLine,
    FieldChange,
    StreamDetail,
    StreamRecap,
    detail_type,
)
from tests.examples import examples
from tests.feeds.world import BASE_URL, NOON

HOSTILE = "\x00Hi\ufffe \ud800<script>alert(1)</script> @everyone ]]> \u202e" + "x" * 4000
ATOM = "{http://www.w3.org/2005/Atom}"
# What feedparser reads, and what has a stylesheet.
XML_ENDINGS = [each.ending for each in FORMATS if each.media_type.endswith("+xml")]
# What feed.css shows of a feed.
SHOWN_BY_CSS = {
    RSS_ENDING: [
        ("channel", "title"),
        ("channel", "description"),
        *(("item", part) for part in ("title", "pubDate", "description")),
    ],
    ATOM_ENDING: [("feed", "subtitle"), *(("entry", part) for part in ("title", "published", "summary"))],
}
DETAIL = CampaignDetail(
    name="Winter Trawl",
    url="https://example.com/details?a=1&b=2",
    account_link_url="https://example.com/link",
    box_art_url="https://example.com/box.jpg",
    game="Gloomtide",
    organization="Tidewarden",
    description="Watch & earn.",
    start_at=NOON,
    end_at=NOON + timedelta(days=3),
    drops=(
        DropLine(required_minutes=90, benefits=(BenefitLine(name="Lantern", image_url="https://example.com/l.png"),)),
        DropLine(required_subs=2, benefits=(BenefitLine(name="Banner"),)),
    ),
    channels_total=3,
    channels=("captbrine", "bogwitch", "kelpqueen"),
    changes=(FieldChange(field="end_at", old="2026-11-22T12:00:00+00:00", new="2026-11-23T12:00:00+00:00"),),
)


def item(number: int = 0, **given_: Any) -> Item:
    values = {
        "event_key": f"campaign.added/twitch/{number}",
        "kind": "campaign.added",
        "occurred_at": NOON - timedelta(minutes=number),
        "title": "New drops on Twitch – Gloomtide: Winter Trawl",
        "service": "twitch",
        "detail": DETAIL,
    }
    return Item(**(values | given_))  # type: ignore[arg-type]


def feed(*items: Item, path: str = "games/gloomtide-1a2b3c4d") -> FeedContent:
    return FeedContent(feed_id=1, version=1, scope="game", path=path, title="Gloomtide", items=items)


def parse(data: bytes) -> Any:
    parsed = feedparser.parse(data)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed


def test_no_name_in_a_feed_of_rss_is_markup_to_a_program_that_reads_it_as_html() -> None:
    name = "<img src=x onerror=alert(1)>&lt;i&gt;"
    named = msgspec.structs.replace(feed(item(0, title=name, detail=CampaignDetail(name="x", game=name))), title=name)

    tree = etree.fromstring(render_feed(named, BASE_URL)[RSS_ENDING])

    for path in ("channel/title", "channel/description", "channel/item/title", "channel/item/description"):
        text = tree.findtext(path) or ""
        assert "<" not in text
        assert name in unescape(text)


@pytest.mark.parametrize("ending", XML_ENDINGS)
def test_feedparser_reads_title_link_time_guid_and_content_of_each_item(ending: str) -> None:
    parsed = parse(render_feed(feed(item(0), item(1)), BASE_URL)[ending])

    assert parsed.feed.title == "Gloomtide · Lootwire"
    assert [entry.id for entry in parsed.entries] == [
        "tag:lootwire,2026:campaign.added/twitch/0",
        "tag:lootwire,2026:campaign.added/twitch/1",
    ]
    entry = parsed.entries[0]
    assert entry.title == "New drops on Twitch – Gloomtide: Winter Trawl"
    assert entry.link == "https://example.com/details?a=1&b=2"
    assert calendar.timegm(entry.published_parsed) == NOON.timestamp()
    assert (
        entry.summary
        == "Gloomtide · Tidewarden · Twitch · 2 drops, up to 1 h 30 min · until Mon 23 Nov 2026, 12:00 UTC"
    )
    content = entry.content[0].value
    for words in (
        "https://example.com/box.jpg",
        "1 h 30 min",
        "Lantern",
        "https://example.com/l.png",
        "2 subs",
        "Banner",
        "https://www.twitch.tv/bogwitch",
        "https://example.com/link",
        "Sun 22 Nov 2026, 12:00 UTC",
        "Watch &amp; earn.",
    ):
        assert words in content
    assert {tag.term for tag in entry.tags} == {"campaign.added", "twitch", "Gloomtide"}


LIVE = StreamDetail(
    name="Ranked to Radiant",
    url="https://www.twitch.tv/captbrine",
    image_url="https://static-cdn.jtvnw.net/previews-ttv/live_user_captbrine-640x360.jpg",
    box_art_url="https://example.com/box.jpg",
    game="Gloomtide",
    channel="Capt. Brine",
    channel_login="captbrine",
    viewers=12345,
    language="en",
    tags=("English", "<b>x</b>"),
    start_at=NOON,
    campaigns=("Winter Trawl", "Spring Trawl"),
)
RECAP = StreamRecap(
    started_at=NOON,
    ended_at=NOON + timedelta(hours=5),
    seconds=17_940,
    peak_viewers=23456,
    average_viewers=18300,
    categories=(CategoryTime(name="Gloomtide", seconds=10_800), CategoryTime(name=None, seconds=50)),
)


def stream_entry(kind: str, **changed: Any) -> Any:
    return render_entry(item(kind=kind, detail=msgspec.structs.replace(LIVE, **changed)))


def test_a_live_stream_is_shown_with_its_picture_and_what_can_be_earned_on_it() -> None:
    entry = stream_entry("stream.online")

    assert entry.summary == "Capt. Brine · Gloomtide · Twitch · 12,345 viewers · drops enabled"
    assert entry.url == "https://www.twitch.tv/captbrine"
    assert set(entry.categories) >= {("stream.online", "kind"), ("captbrine", "channel")}
    for words in (
        "live_user_captbrine-640x360.jpg",
        "Ranked to Radiant",
        "Live since Fri 20 Nov 2026, 12:00 UTC",
        "Drops enabled for: Winter Trawl, Spring Trawl",
        "Language: en · Tags: English, &lt;b&gt;x&lt;/b&gt;",
        '<a href="https://www.twitch.tv/captbrine"',
    ):
        assert words in entry.content
    assert "box.jpg" not in entry.content


def test_a_stream_that_is_over_is_shown_with_its_recap_and_the_box_of_its_game() -> None:
    entry = stream_entry("stream.offline", recap=RECAP, viewers=None, campaigns=())

    assert entry.summary == (
        "Capt. Brine · Gloomtide · Twitch · 4 h 59 min · 18,300 viewers on average, 23,456 at the peak"
    )
    for words in (
        "box.jpg",
        "On air for 4 h 59 min, from Fri 20 Nov 2026, 12:00 UTC until Fri 20 Nov 2026, 17:00 UTC.",
        "<li>Gloomtide: 3 h</li>",
        "<li>No category: less than a minute</li>",
    ):
        assert words in entry.content
    assert "live_user" not in entry.content


def test_a_recap_that_knows_no_viewers_says_nothing_of_them() -> None:
    recap = msgspec.structs.replace(RECAP, peak_viewers=None, average_viewers=None)

    entry = stream_entry("stream.offline", recap=recap, viewers=None)

    assert "viewers" not in entry.summary + entry.content


def test_a_new_title_is_shown_beside_the_old_one_and_once() -> None:
    changes = (FieldChange(field="title", old="Warm-up", new="Ranked to Radiant"),)

    entry = stream_entry("stream.title_changed", changes=changes)

    assert "<li>Title: <s>Warm-up</s> → Ranked to Radiant</li>" in entry.content
    assert entry.content.count("Ranked to Radiant") == 1


def test_a_video_is_shown_with_its_length() -> None:
    entry = stream_entry(
        "video.published", seconds=18_730, viewers=None, start_at=None, campaigns=(), tags=(), language=None
    )

    assert entry.summary == "Capt. Brine · Gloomtide · Twitch · 5 h 12 min"
    assert "5 h 12 min long" in entry.content


def test_what_can_be_earned_now_is_shown_with_its_channel_alone() -> None:
    detail = msgspec.structs.replace(DETAIL, channel="Capt. Brine", url=LIVE.url, required_minutes=60)

    entry = render_entry(item(kind="campaign.watchable", detail=detail))

    assert entry.summary.startswith("Capt. Brine · Gloomtide")
    assert "Asks for 1 h." in entry.content
    assert "Watch</a>" in entry.content
    assert "bogwitch" not in entry.content
    assert "Counts on" not in entry.content


def test_a_badge_is_shown_with_its_picture_and_description() -> None:
    badge = CampaignDetail(name="GLHF", description="Signed <i>it</i>", image_url="https://example.com/3")

    entry = render_entry(item(kind="badge.added", detail=badge))

    assert entry.summary == "Twitch · Signed <i>it</i>"
    assert '<img src="https://example.com/3" alt="GLHF" width="72">' in entry.content


@pytest.mark.parametrize(
    "kind", ["stream.online", "stream.offline", "stream.title_changed", "stream.category_changed", "video.published"]
)
def test_a_stream_of_which_nothing_else_is_known_still_makes_an_entry(kind: str) -> None:
    entry = render_entry(item(kind=kind, service=None, detail=detail_type(kind)()))

    assert entry.summary
    assert "None" not in entry.content


def test_a_channels_feed_leads_to_the_channels_page() -> None:
    channel = FeedContent(feed_id=1, version=1, scope="channel", path="channels/captbrine-1", title="Capt. Brine")

    parsed = parse(render_feed(channel, BASE_URL)[RSS_ENDING])

    assert ("alternate", f"{BASE_URL}/channels/captbrine-1.html") in {(x.rel, x.href) for x in parsed.feed.links}
    assert parsed.feed.description == "Streams and videos of Capt. Brine, and what can be earned by watching."
    opml = render_opml([FeedLink(scope="channel", path="channels/captbrine-1", title="Capt. Brine")], BASE_URL).decode()
    assert f'xmlUrl="{BASE_URL}/channels/captbrine-1.rss.xml" htmlUrl="{BASE_URL}/channels/captbrine-1.html"' in opml
    assert '<outline text="Channels">' in opml


def test_rss_says_where_it_lives_and_how_often_to_ask() -> None:
    parsed = parse(render_feed(feed(item()), "https://loot.example/x/")[RSS_ENDING])

    assert parsed.version == "rss20"
    assert parsed.feed.ttl == "15"
    assert {(link.rel, link.href) for link in parsed.feed.links} == {
        ("self", "https://loot.example/x/games/gloomtide-1a2b3c4d.rss.xml"),
        ("alternate", "https://loot.example/x/games/gloomtide-1a2b3c4d.html"),
    }


def test_links_of_an_atom_entry_keep_their_relation_and_type() -> None:
    root = ET.fromstring(render_feed(feed(item()), BASE_URL)[ATOM_ENDING])  # noqa: S314 - our own bytes
    links = [dict(link.attrib) for link in root.iter(f"{ATOM}link")]

    assert {
        "rel": "self",
        "type": "application/atom+xml",
        "href": f"{BASE_URL}/games/gloomtide-1a2b3c4d.atom.xml",
    } in links
    assert {"rel": "alternate", "type": "text/html", "href": "https://example.com/details?a=1&b=2"} in links
    assert {
        "rel": "related",
        "type": "text/html",
        "href": "https://example.com/link",
        "title": "Link your account",
    } in links


@pytest.mark.parametrize(("path", "up"), [("all", ""), ("services/twitch", "../"), ("games/x-1", "../")])
def test_each_file_names_its_stylesheet_by_the_right_relative_path(path: str, up: str) -> None:
    rendered = render_feed(feed(item(), path=path), BASE_URL)

    for data in (rendered[ending] for ending in XML_ENDINGS):
        assert f'<?xml-stylesheet type="text/xsl" href="{up}feed.xsl"?>'.encode() in data
        assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')


@pytest.mark.parametrize("ending", XML_ENDINGS)
def test_a_browser_that_has_xslt_shows_the_entries_and_says_what_this_is_and_that_there_are_none(ending: str) -> None:
    shown = etree.XSLT(etree.parse(ASSETS / "feed.xsl"))

    def page(*items: Item) -> etree._ElementTree:
        return shown(etree.fromstring(render_feed(feed(*items, path="services/twitch"), BASE_URL)[ending]))

    empty, full = page(), page(item(1), item(2))
    for document in (empty, full):
        text = " ".join(document.xpath("string(//main)").split())
        assert "Copy its address into a feed reader" in text
        assert f"{BASE_URL}/services/twitch{ending}" in text
        assert document.xpath("//link/@href") == ["../style.css"]
    assert ("There are none yet." in empty.xpath("string(//main)"), empty.xpath("//li")) == (True, [])
    assert "There are none yet." not in full.xpath("string(//main)")
    assert full.xpath("//li/h3/a/@href") == [DETAIL.url] * 2
    assert full.xpath("//li/h3/a/text()") == [item().title] * 2


@pytest.mark.parametrize("ending", XML_ENDINGS)
def test_a_browser_without_xslt_finds_every_element_that_its_stylesheet_shows(ending: str) -> None:
    css = (ASSETS / "feed.css").read_text(encoding="utf-8")
    data = render_feed(feed(item(), path="all"), BASE_URL)[ending]
    document = etree.fromstring(data)
    assert b'<?xml-stylesheet type="text/css" href="feed.css"?>' in data
    for parent, name in SHOWN_BY_CSS[ending]:
        assert f"{parent} > {name}" in css
        [shown] = document.xpath(f"//*[local-name()='{parent}']/*[local-name()='{name}']")
        assert shown.text


@pytest.mark.parametrize("ending", XML_ENDINGS)
def test_hostile_text_harms_neither_its_item_nor_the_others(ending: str) -> None:
    line = DropLine(name=HOSTILE, required_minutes=1, benefits=(BenefitLine(name=HOSTILE, image_url="javascript:x"),))
    detail = CampaignDetail(
        name=HOSTILE,
        url="javascript:alert(1)",
        account_link_url="data:text/html,x",
        box_art_url="javascript:x",
        game=HOSTILE,
        organization=HOSTILE,
        description=HOSTILE,
        drops=(line,),
        drops_added=(line,),
        channels_total=1,
        channels=(HOSTILE,),
        channels_added=(HOSTILE,),
        changes=(FieldChange(field=HOSTILE, old=[HOSTILE], new={HOSTILE: 1}, about=HOSTILE),),
    )
    hostile = item(0, title=HOSTILE, event_key=HOSTILE, kind=HOSTILE, service=HOSTILE, detail=detail)

    data = render_feed(feed(hostile, item(1), path="all"), BASE_URL)[ending]

    parsed = parse(data)
    assert [len(unescape(entry.title)) <= 300 for entry in parsed.entries] == [True, True]
    entry = parsed.entries[0]
    assert unescape(entry.title).startswith("Hi <script>alert(1)</script> @everyone ]]>")
    assert entry.link == f"{BASE_URL}/"
    assert b"javascript:" not in data
    assert b"<script" not in data
    assert "<script" not in render_entry(hostile).content
    assert parsed.entries[1].title == "New drops on Twitch – Gloomtide: Winter Trawl"


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)


@settings(max_examples=examples(60), deadline=None)
@given(title=ANY_TEXT, name=st.none() | ANY_TEXT, key=ANY_TEXT, url=st.none() | ANY_TEXT, kind=ANY_TEXT)
def test_whatever_an_event_says_its_feeds_are_well_formed(
    title: str, name: str | None, key: str, url: str | None, kind: str
) -> None:
    detail = CampaignDetail(name=name, url=url, description=name, game=name, drops=(DropLine(name=name),))
    rendered = render_feed(feed(item(title=title, event_key=key, kind=kind, detail=detail)), BASE_URL)

    for data in (rendered[ending] for ending in XML_ENDINGS):
        ET.fromstring(data)  # noqa: S314 - our own bytes


def test_a_guid_is_a_tag_uri_that_stays_the_same_whatever_else_changes() -> None:
    same = [item(), item(title="Another", kind="campaign.ended", occurred_at=NOON + timedelta(days=1))]

    assert {render_entry(variant).guid for variant in same} == {"tag:lootwire,2026:campaign.added/twitch/0"}
    assert guid("a b/é#%\ud800") == "tag:lootwire,2026:a%20b/%C3%A9%23%25%ED%A0%80"


def test_different_keys_have_different_guids() -> None:
    assert len({guid(key) for key in ("a b", "a%20b", "a+b", "A b", "a/b")}) == 5


def test_the_same_values_give_the_same_bytes_at_any_time() -> None:
    first = render_feed(feed(item(0), item(1)), BASE_URL)
    again = render_feed(feed(item(0), item(1)), BASE_URL)

    assert first == again
    # Nothing in them tells of the time at which they were rendered.
    assert set(re.findall(rb"\d+ \w{3} \d{4} [\d:]+", first[RSS_ENDING])) == {
        b"20 Nov 2026 12:00:00",
        b"20 Nov 2026 11:59:00",
    }
    assert set(re.findall(rb">(\d{4}-\d\d-\d\dT[\d:.]+)", first[ATOM_ENDING])) == {
        b"2026-11-20T12:00:00",
        b"2026-11-20T11:59:00",
    }
    assert b"2026-11-20T12:00:00+00:00</updated><author>" in first[ATOM_ENDING]
    assert b"<lastBuildDate>Fri, 20 Nov 2026 12:00:00 +0000</lastBuildDate>" in first[RSS_ENDING]


def test_a_feed_without_items_is_still_a_feed() -> None:
    rendered = render_feed(feed(), BASE_URL)

    assert parse(rendered[RSS_ENDING]).entries == []
    assert parse(rendered[ATOM_ENDING]).feed.updated == "1970-01-01T00:00:00+00:00"


def test_a_campaign_without_game_is_told_without_one() -> None:
    detail = msgspec.structs.replace(DETAIL, game=None, organization=None, box_art_url=None)

    entry = render_entry(item(detail=detail))

    assert entry.summary.startswith("Twitch · 2 drops")
    assert {scheme for _, scheme in entry.categories} == {"kind", "service"}
    assert "None" not in entry.content


def test_an_event_with_nothing_to_say_has_the_name_of_its_kind() -> None:
    entry = render_entry(item(title="", kind="campaign.ended", service=None, detail=CampaignDetail()))

    assert (entry.title, entry.summary) == ("Campaign ended", "Campaign ended")


def test_long_lists_end_with_how_many_more_there_are() -> None:
    detail = msgspec.structs.replace(
        DETAIL,
        drops=tuple(DropLine(required_minutes=minutes) for minutes in range(1, 51)),
        channels_added=tuple(f"channel{number}" for number in range(4000)),
    )

    content = render_entry(item(detail=detail)).content

    assert "… and 20 more." in content
    assert "and 3980 more" in content
    assert len(content) < 20_000


def test_changes_read_as_old_and_new() -> None:
    changes = (
        FieldChange(field="required_minutes", old=60, new=150, about="Lantern"),
        FieldChange(field="drop", old="Banner", new=None, about="Banner"),
        FieldChange(field="benefits", old=["A"], new=["A", "B"], about="Chest"),
    )

    content = render_entry(item(detail=CampaignDetail(name="x", changes=changes))).content

    assert "Lantern: Minutes to watch: <s>1 h</s> → 2 h 30 min" in content
    assert "<li>Drop: <s>Banner</s> → removed</li>" in content
    assert "Chest: Benefits: <s>A</s> → A, B" in content


def test_the_opml_lists_every_feed_in_its_group_and_there_by_service() -> None:
    links = (
        FeedLink(scope="all", path="all", title="Everything"),
        FeedLink(scope="game", path="games/x-1", title='Rook & "Rapier" <b>\x00'),
        FeedLink(scope="organization", path="organizations/y-2", title="Tidewarden", service="kick"),
        FeedLink(scope="organization", path="organizations/z-3", title="Tidewarden", service="twitch"),
        FeedLink(scope="channel", path="channels/x-1", title="x", service="twitch"),
    )

    root = ET.fromstring(render_opml(links, BASE_URL))  # noqa: S314 - our own bytes

    def read(outlines: Iterable[ET.Element]) -> list[Any]:
        return [(each.get("text"), each.get("xmlUrl") or read(each)) for each in outlines]

    assert read(root.iterfind("body/outline")) == [
        ("Everything", [("Everything", f"{BASE_URL}/all.rss.xml")]),
        ("Games", [('Rook & "Rapier" <b>', f"{BASE_URL}/games/x-1.rss.xml")]),
        (
            "Organizations",
            [
                ("Kick", [("Tidewarden (Kick)", f"{BASE_URL}/organizations/y-2.rss.xml")]),
                ("Twitch", [("Tidewarden (Twitch)", f"{BASE_URL}/organizations/z-3.rss.xml")]),
            ],
        ),
        ("Channels", [("x", f"{BASE_URL}/channels/x-1.rss.xml")]),
    ]


def channels_entry(**changed: Any) -> str:
    detail = CampaignDetail(name="Winter Trawl", **changed)
    return str(render_entry(item(kind="campaign.channels_changed", detail=detail)).content)


def test_an_entry_does_not_list_channels_again_that_went() -> None:
    content = channels_entry(channels_removed=("ann",), channels=("ann", "bob"), channels_total=2)
    assert "Counts on 1 channel: " in content
    assert content.count(">ann<") == 1


@pytest.mark.parametrize("channels", [(), ("ann",)])
def test_an_entry_of_a_list_that_became_empty_says_that_every_channel_counts(channels: tuple[str, ...]) -> None:
    content = channels_entry(channels_removed=("ann",), channels=channels, channels_total=len(channels))
    assert "Counts on every channel with drops in this category now." in content


def test_an_entry_of_a_withdrawal_does_not_say_that_it_lasts_until_its_end() -> None:
    detail = CampaignDetail(name="Winter Trawl", start_at=NOON, end_at=NOON + timedelta(days=1), channels_total=2)
    entry = render_entry(item(kind="campaign.withdrawn", detail=detail))
    assert "From Fri 20 Nov 2026, 12:00 UTC, was to end Sat 21 Nov 2026, 12:00 UTC" in entry.content
    assert "Counted on 2 channels" in entry.content
    assert entry.summary == "Twitch · was to end Sat 21 Nov 2026, 12:00 UTC"
    assert "From Fri 20 Nov 2026, 12:00 UTC until Sat 21" in render_entry(item(detail=detail)).content


def test_an_entry_of_a_reward_counts_rewards() -> None:
    rewards = (DropLine(benefits=(BenefitLine(name="Skin"), BenefitLine(name="Hat"))),)
    detail = CampaignDetail(name="Quest", drops=rewards, required_minutes=60, required_subs=1)
    entry = render_entry(item(kind="reward.added", detail=detail))
    assert entry.summary == "Twitch · 2 rewards, 1 h + 1 sub"
    assert "<p>Rewards:</p>" in entry.content
    assert "Counts on" not in entry.content
