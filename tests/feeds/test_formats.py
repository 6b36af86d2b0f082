"""Each format as validators would have it, whatever the events say, in feeds and in their archive pages."""

import json
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import msgspec
import pytest
from icalendar import Calendar
from lxml import etree
from sqlalchemy import select

from feeds.calendar_content import CalendarEntry, CampaignSpan, ReleaseDay
from feeds.content import FeedContent, FeedLink, Item, Scope
from feeds.formats import (
    ATOM_ENDING,
    CALENDAR_ENDING,
    FORMATS,
    JSON_ENDING,
    RSS_ENDING,
    formats_of,
    render_feed,
    render_opml,
)
from feeds.item import guid
from feeds.scopes import PODCASTS, SCOPES
from models import Feed, RewardCampaign
from models.details import (
    BenefitLine,
    CampaignDetail,
    CategoryTime,
    DropLine,
    EventDetail,
    FieldChange,
    ReleaseDetail,
    SeenBefore,
    SourceDetail,
    StreamDetail,
    StreamRecap,
    detail_type,
)
from models.events import EventKind
from tests.feeds.hostile_texts import CORPUS
from tests.feeds.rules import ATOM, HISTORY, MEDIA, faults_of_atom, faults_of_json, faults_of_rss
from tests.feeds.test_render import DETAIL, LIVE, feed, item
from tests.feeds.world import BASE_URL, NOON, Publishing

pytestmark = pytest.mark.long

CHECKS = {RSS_ENDING: faults_of_rss, ATOM_ENDING: faults_of_atom, JSON_ENDING: faults_of_json}
QUEST = {"service": "twitch", "external_id": "q", "name": "Quest", "first_seen_at": NOON}
HUBS = ("https://hub.example/a", "https://hub.example/b")


def check(content: FeedContent, *calendar: CalendarEntry) -> dict[str, bytes]:
    """Render a feed, see that no format has a fault, and return its files by their endings."""
    files = dict(render_feed(content, BASE_URL, None, calendar))
    for ending, data in files.items():
        format_ = next(each for each in FORMATS if ending.endswith(each.ending))
        if format_.is_calendar:
            assert not [event.errors for event in Calendar.from_ical(data).walk() if event.errors]
        else:
            assert CHECKS[format_.ending](data, f"{BASE_URL}/{content.path}{ending}") == []
    return files


def of_every_kind() -> list[Item]:
    details: dict[str, EventDetail] = {
        **dict.fromkeys(("campaign", "reward", "badge"), DETAIL),
        **dict.fromkeys(("stream", "video"), LIVE),
        **dict.fromkeys(
            ("release", "game"),
            ReleaseDetail(game="Gloomtide", when="2026-12", when_before="2026", platforms=("PC",), url=LIVE.url),
        ),
    }
    return [
        item(number, kind=kind, event_key=f"{kind}/{number}", detail=details.get(kind.family, detail_type(kind)()))
        for number, kind in enumerate(EventKind)
    ]


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope not in PODCASTS])
def test_no_format_of_any_scope_has_a_fault_for_a_validator(scope: Scope) -> None:
    content = msgspec.structs.replace(feed(*of_every_kind()), scope=scope, hubs=HUBS, archives=3)

    files = check(content)

    assert (CALENDAR_ENDING in files) == SCOPES[scope].has_calendar
    assert {RSS_ENDING, ATOM_ENDING, JSON_ENDING} <= files.keys()


def hostile(text: str, family: str) -> EventDetail:
    """A detail with a text in each of its fields."""
    shared: dict[str, Any] = dict.fromkeys(("name", "url", "box_art_url", "game", "description"), text)
    change = FieldChange(field=text, old=text, new=[text], about=text)
    drop = DropLine(name=text, required_minutes=5, benefits=(BenefitLine(name=text, image_url=text),))
    if family == "campaign":
        shared |= dict.fromkeys(("account_link_url", "image_url", "organization", "channel", "channel_login"), text)
        shared |= dict.fromkeys(("drops", "drops_added", "drops_ending"), (drop, DropLine(name=text)))
        shared |= dict.fromkeys(("channels", "channels_added", "channels_removed"), (text, f"{text}x"))
        return CampaignDetail(
            **shared,
            channels_total=9,
            changes=(change,),
            seen_before=(SeenBefore(benefit=text, campaign=text, until=NOON),),
            start_at=NOON,
            end_at=NOON + timedelta(days=1),
        )
    if family == "stream":
        recap = StreamRecap(
            started_at=NOON, ended_at=NOON, seconds=60, categories=(CategoryTime(name=text, seconds=60),)
        )
        shared |= dict.fromkeys(("image_url", "channel", "channel_login", "language", "type"), text)
        return StreamDetail(
            **shared,
            tags=(text,),
            campaigns=(text,),
            changes=(change,),
            recap=recap,
        )
    if family == "release":
        return ReleaseDetail(
            **shared, platforms=(text,), when="2026-12", when_before=text, stage=text, reason=text, days=9
        )
    return SourceDetail(**shared, reason=text)


@pytest.mark.parametrize("family", ["campaign", "stream", "release", "source"])
def test_whatever_a_text_holds_it_stays_a_text_in_every_field_of_every_format(family: str) -> None:
    kinds = [kind for kind in EventKind if kind.family == family]
    for number, text in enumerate(CORPUS):
        kind = kinds[number % len(kinds)]
        hurt = item(0, title=text, event_key=f"{kind}/{text}", kind=kind, service=text, detail=hostile(text, family))
        odd = item(2, kind=text, event_key=text)
        content = FeedContent(
            feed_id=1, version=1, scope="all", path="all", title=text, service=text, items=(hurt, item(1), odd)
        )
        span = CampaignSpan(
            subject=text,
            sequence=0,
            kind=text,
            occurred_at=NOON,
            service=text,
            detail=hurt.detail if isinstance(hurt.detail, CampaignDetail) else DETAIL,
        )
        day = ReleaseDay(
            subject=text, sequence=0, occurred_at=NOON, when="2026", game=text, stage=text, platforms=(text,), url=text
        )

        files = check(content, span, day)

        assert len(list(Calendar.from_ical(files[CALENDAR_ENDING]).walk("VEVENT"))) == 2
        for ending in (RSS_ENDING, ATOM_ENDING):
            assert b"<script" not in files[ending]
            # A program that reads anything takes its time; the rules above were asked of all.
            if number % 20 == 0:
                parsed = feedparser.parse(files[ending])
                assert not parsed.bozo
                assert [entry.id for entry in parsed.entries] == [guid(each.event_key) for each in content.items]


@pytest.mark.parametrize("text", CORPUS)
def test_whatever_a_feed_is_called_the_list_of_feeds_is_one(text: str) -> None:
    links = [FeedLink(scope="organization", path="organizations/x-1", title=text, service=text)] * 2

    root = ET.fromstring(render_opml(links, BASE_URL))  # noqa: S314 - our own bytes

    outlines = [outline for outline in root.iter("outline") if outline.get("type")]
    assert {tuple(outline.attrib) for outline in outlines} == {("type", "text", "title", "xmlUrl", "htmlUrl")}
    assert {outline.get("xmlUrl") for outline in outlines} == {f"{BASE_URL}/organizations/x-1{RSS_ENDING}"}


def links_of(data: bytes) -> dict[str, list[str]]:
    links: dict[str, list[str]] = {}
    for link in etree.fromstring(data).xpath("/rss/channel/a:link | /a:feed/a:link", namespaces={"a": ATOM[1:-1]}):
        links.setdefault(link.get("rel"), []).append(link.get("href"))
    return links


@pytest.mark.parametrize("ending", [RSS_ENDING, ATOM_ENDING])
def test_a_feed_leads_to_its_hubs_and_to_the_newest_page_of_older_items(ending: str) -> None:
    content = msgspec.structs.replace(feed(item()), hubs=HUBS, archives=3)

    links = links_of(check(content)[ending])

    assert links["hub"] == list(HUBS)
    assert links["prev-archive"] == [f"{BASE_URL}/{content.path}.archive-3{ending}"]
    assert "current" not in links


@pytest.mark.parametrize("ending", [RSS_ENDING, ATOM_ENDING])
@pytest.mark.parametrize(("number", "older"), [(3, 2), (2, 1), (1, None)])
def test_an_archive_page_is_marked_as_one_and_leads_to_older_items_and_to_the_feed(
    ending: str, number: int, older: int | None
) -> None:
    content = msgspec.structs.replace(feed(item()), hubs=HUBS, archives=3, archive=number)

    data = check(content)[f".archive-{number}{ending}"]

    assert len(etree.fromstring(data).findall(f".//{HISTORY}archive")) == 1
    links = links_of(data)
    assert links["current"] == [f"{BASE_URL}/{content.path}{ending}"]
    assert links.get("prev-archive") == (
        None if older is None else [f"{BASE_URL}/{content.path}.archive-{older}{ending}"]
    )
    # A hub passes on what is new, and nothing in here ever is.
    assert "hub" not in links


def test_an_archive_page_stays_as_it_is_when_others_follow() -> None:
    page = msgspec.structs.replace(feed(item()), archives=3, archive=2)
    assert render_feed(page, BASE_URL) == render_feed(msgspec.structs.replace(page, archives=9), BASE_URL)


def json_of(content: FeedContent) -> Any:
    return json.loads(next(data for ending, data in check(content).items() if ending.endswith(JSON_ENDING)))


def test_a_json_feed_leads_to_its_older_items_page_by_page() -> None:
    content = msgspec.structs.replace(feed(item()), hubs=HUBS, archives=2)

    newest, first = json_of(content), json_of(msgspec.structs.replace(content, archive=1))

    assert newest["next_url"] == f"{BASE_URL}/{content.path}.archive-2.json"
    assert newest["hubs"] == [{"type": "WebSub", "url": hub} for hub in HUBS]
    assert "next_url" not in first
    assert "hubs" not in first
    assert "next_url" not in json_of(feed(item()))


def test_an_item_of_a_json_feed_says_to_programs_what_it_is_about_and_what_changed() -> None:
    [shown] = json_of(feed(item()))["items"]

    assert shown["id"] == "tag:lootwire,2026:campaign.added/twitch/0"
    assert shown["url"] == "https://example.com/details?a=1&b=2"
    assert shown["image"] == "https://example.com/box.jpg"
    assert shown["date_published"] == "2026-11-20T12:00:00Z"
    assert shown["tags"] == ["campaign.added", "twitch", "Gloomtide"]
    assert shown["_lootwire"] == {
        "kind": "campaign.added",
        "service": "twitch",
        "game": "Gloomtide",
        "organization": "Tidewarden",
        "start_at": "2026-11-20T12:00:00Z",
        "end_at": "2026-11-23T12:00:00Z",
        "account_link_url": "https://example.com/link",
        "changes": [{"field": "End", "old": "Sun 22 Nov 2026, 12:00 UTC", "new": "Mon 23 Nov 2026, 12:00 UTC"}],
    }


def test_a_release_that_moved_has_its_old_and_its_new_date() -> None:
    moved = ReleaseDetail(game="Gloomtide", when="2026-12-05", when_before="2026-Q4", platforms=("PC",))

    [shown] = json_of(feed(item(kind="release.moved", detail=moved)))["items"]

    assert shown["_lootwire"]["changes"] == [{"field": "Date", "old": "Q4 2026", "new": "5 December 2026"}]


def test_a_json_feed_that_ceases_says_so() -> None:
    assert json_of(msgspec.structs.replace(feed(item()), is_ceasing=True))["expired"] is True
    assert "expired" not in json_of(feed(item()))


def test_an_item_of_rss_shows_its_picture_as_a_thumbnail() -> None:
    root = etree.fromstring(check(feed(item(0), item(1, detail=CampaignDetail(name="x"))))[RSS_ENDING])

    shown = [[each.get("url") for each in some.iterfind(f"{MEDIA}thumbnail")] for some in root.iter("item")]

    assert shown == [["https://example.com/box.jpg"], []]


def test_a_feed_says_how_long_a_reader_may_wait() -> None:
    content = msgspec.structs.replace(feed(item()), ttl_minutes=60)

    assert etree.fromstring(check(content)[RSS_ENDING]).findtext("channel/ttl") == "60"
    assert json_of(content)["_lootwire"]["ttl_minutes"] == 60


def test_an_event_is_rendered_once_for_all_feeds_that_show_it() -> None:
    rendered: dict[str, Any] = {}
    first = render_feed(feed(item(0), item(1)), BASE_URL, rendered)
    kept = dict(rendered)

    again = render_feed(feed(item(0), item(1)), BASE_URL, rendered)

    assert rendered == kept
    assert again == first
    assert all(rendered[key] is kept[key] for key in kept)


def test_every_file_of_every_feed_that_is_published_is_without_a_fault(world: Publishing) -> None:
    """Also where a page of the site, or what belongs to one, might have the name of a feed."""
    game, organization, channel = world.game(), world.organization(), world.channel()
    campaign, reward = world.campaign(game_id=game), world.add(RewardCampaign, **QUEST)
    for shown in of_every_kind():
        family = shown.kind.partition(".")[0]
        world.event(
            shown.title,
            kind=shown.kind,
            game_id=game,
            organization_id=organization,
            channel_id=channel if family in {"stream", "video"} else None,
            campaign_id=campaign if family == "campaign" else None,
            reward_campaign_id=reward if family == "reward" else None,
            key=f"{shown.kind}:igdb/5",
            detail=shown.detail,
        )

    assert not world.publish().failures

    with world.engine.connect() as connection:
        feeds: list[Any] = list(connection.execute(select(Feed.scope, Feed.path)))
    expected = {"releases", "rewards", "reward_campaign", "campaign", "category", "platform"}
    assert expected <= {feed.scope for feed in feeds}
    for scope, path in feeds:
        for each in formats_of(scope):
            data = (world.root / (path + each.ending)).read_bytes()
            if each.is_calendar:
                assert not [part.errors for part in Calendar.from_ical(data).walk() if part.errors]
            else:
                assert CHECKS[each.ending](data, f"{BASE_URL}/{path}{each.ending}") == []
