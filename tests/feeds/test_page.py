import base64
import gzip
import hashlib
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from sqlalchemy import insert

from feeds.content import FeedContent, FeedLink, SourceHealth
from feeds.formats import formats_of
from feeds.pages.campaign import CampaignPage, render_campaign
from feeds.pages.cards import CampaignCard, ChannelLink, RewardCard, RewardLine
from feeds.pages.feed_list import FeedList, render_feed_list
from feeds.pages.index import Site, render_index
from feeds.pages.index_rows import load_site
from feeds.templating import hue, initials
from models import DropCampaign, Reward, RewardCampaign
from models.details import BenefitLine, DropLine
from tests.feeds.world import BASE_URL, NOON, Publishing

HOSTILE = "<script>alert(1)</script>\"'\x00\ufffe\ud800 @everyone" + "y" * 500
VOID = {"meta", "link", "img", "input", "br", "hr"}
# Their end tags may be left out (HTML standard, 13.1.2.4).
OPTIONAL = {"li", "p"}


class Balance(HTMLParser):
    """Reads a page and remembers its elements, its links, its text, and tags that do not match."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] != tag and self.open[-1] in OPTIONAL:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.words.append(data)

    def attributes(self, name: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(name)) is not None]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read_index(site: Site) -> Balance:
    page = Balance()
    page.feed(render_index(site, BASE_URL, NOON).decode())
    page.close()
    assert (page.wrong, page.open) == ([], [])
    return page


def card(name: str = "Winter Trawl", **fields: object) -> CampaignCard:
    values = {"service": "twitch", "game": "Gloomtide", "end_at": NOON + timedelta(days=3), **fields}
    return CampaignCard(name=name, **values)  # type: ignore[arg-type]


CONTENT = FeedContent(feed_id=1, version=1, scope="reward_campaign", path="reward-campaigns/fizz-1", title="Fizz")
FULL = Site(
    active=(
        card(
            organization="Tidewarden",
            game_path="games/gloomtide-1",
            path="campaigns/winter-trawl-1",
            box_art_url="https://example.com/box.jpg",
            details_url="https://example.com/details",
            account_link_url="https://example.com/link",
            drops=tuple(
                DropLine(required_minutes=30 * n, benefits=(BenefitLine(name=f"Item {n}"),)) for n in range(1, 41)
            ),
            channels_total=4000,
            channels=(ChannelLink(login="captbrine", external_id="1", display_name="Capt_Brine"),),
        ),
        card("Endless", end_at=None, game_path="games/gloomtide-1"),
    ),
    upcoming=(card("Soon to come", start_at=NOON + timedelta(days=2)),),
    rewards=(
        RewardCard(service="kick", name="Fizz", brand="Soda", required_subs=2, rewards=(RewardLine(name="Cap"),)),
    ),
    ended_recently=5,
    sources=(SourceHealth(name="kick-api", service="kick", failing_since=NOON),),
    has_feed_of_everything=True,
)


def test_the_page_is_balanced_and_says_all_there_is_to_know() -> None:
    text = read_index(FULL).text

    for words in (
        "Winter Trawl",
        "Gloomtide",
        "Tidewarden",
        "ends in 3 days",
        "Mon 23 Nov, 12:00 UTC",
        "20 h",
        "Item 1, Item 2, Item 3 and 37 more",
        "on 4,000 channels",
        "1 more campaign",
        "no end announced",
        "starts in 2 days",
        "2 subs",
        "Cap",
        "failing since Fri 20 Nov, 12:00 UTC",
    ):
        assert words in text, words


def test_the_page_runs_no_script_but_its_own_and_loads_nothing_but_pictures() -> None:
    page = read_index(FULL)
    html = render_index(FULL, BASE_URL, NOON).decode()

    assert [attributes for tag, attributes in page.elements if tag == "script"] == [{"src": "page.js", "defer": None}]
    assert not [
        name for _, attributes in page.elements for name in attributes if name.startswith("on") or name == "style"
    ]
    policy = next(a["content"] for t, a in page.elements if t == "meta" and a.get("http-equiv"))
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy is not None
    assert f"style-src 'self' 'sha256-{digest}'" in policy
    assert "script-src 'self';" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_the_page_carries_its_style_so_that_it_is_readable_when_it_has_come() -> None:
    sheets = [a["href"] for t, a in read_index(FULL).elements if t == "link" and a.get("rel") == "stylesheet"]

    assert sheets == []


def test_a_feed_reader_finds_the_feeds_by_itself() -> None:
    links = {
        (a.get("type"), a.get("href"))
        for t, a in read_index(FULL).elements
        if t == "link" and a.get("rel") == "alternate"
    }

    feeds = {(each.media_type, f"all{each.ending}") for each in formats_of("all")}
    assert {("application/rss+xml", "all.rss.xml"), ("application/atom+xml", "all.atom.xml")} <= feeds
    assert links == feeds | {("text/x-opml", "feeds.opml")}


def test_pictures_have_a_size_a_text_and_wait_until_they_are_seen() -> None:
    pictures = [attributes for tag, attributes in read_index(FULL).elements if tag == "img"]

    assert pictures
    for picture in pictures:
        assert {"src", "alt", "width", "height"} <= picture.keys()
        assert picture["loading"] == "lazy"


def test_hostile_names_are_shown_and_never_run() -> None:
    drop = DropLine(name=HOSTILE, required_minutes=1, benefits=(BenefitLine(name=HOSTILE, image_url="javascript:x"),))
    site = Site(
        active=(
            card(
                HOSTILE,
                game=HOSTILE,
                organization=HOSTILE,
                box_art_url='https://example.com/"onerror="x',
                details_url="javascript:alert(1)",
                account_link_url="data:text/html,x",
                drops=(drop,) * 5,
                channels_total=1,
                channels=(ChannelLink(login=HOSTILE, external_id="1"),),
            ),
        ),
        rewards=(RewardCard(service=HOSTILE, name=HOSTILE, brand=HOSTILE, summary=HOSTILE, url="javascript:x"),),
        sources=(SourceHealth(name=HOSTILE, service="x"),),
    )

    page = read_index(site)

    assert [tag for tag, _ in page.elements].count("script") == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.text
    for url in (*page.attributes("href"), *page.attributes("src")):
        assert not url.startswith(("javascript:", "data:"))


def test_a_campaign_without_game_or_picture_has_initials_instead() -> None:
    page = read_index(Site(active=(card("Season Kick-off", game=None),)))

    assert "SK" in page.text
    assert "None" not in page.text
    assert not [tag for tag, _ in page.elements if tag == "img"]


@pytest.mark.parametrize(
    ("name", "expected"), [("Rook & Rapier", "RR"), ("은하포차", "은"), ("x", "X"), ("!?", "?"), ("", "?")]
)
def test_initials_are_those_of_the_first_two_words(name: str, expected: str) -> None:
    assert initials(name) == expected
    assert hue(name) in range(8)


def test_campaigns_stand_under_how_soon_they_end() -> None:
    site = Site(
        active=(
            *(card(f"in {days}", game=None, end_at=NOON + timedelta(days=days)) for days in (1, 3, 30)),
            card("never", game=None, end_at=None),
        )
    )
    text = read_index(site).text

    order = [text.index(part) for part in ("Ends within a day", "in 1 ", "Ends this week", "in 3 ", "Ends later")]
    order += [text.index(part) for part in ("in 30 ", "No end announced", "never")]
    assert order == sorted(order)


def test_a_busy_page_stays_light() -> None:
    url = "https://static-cdn.example/twitch-quests-assets/REWARD/01234567-89ab-cdef-0123-456789abcdef.png"
    drops = tuple(
        DropLine(
            required_minutes=60 * n, benefits=(BenefitLine(name=f"A fairly long benefit name {n}", image_url=url),)
        )
        for n in range(1, 6)
    )
    channels = tuple(ChannelLink(login=f"some_streamer_{n}", external_id=str(n)) for n in range(8))
    site = Site(
        active=tuple(
            card(
                f"Campaign {n}",
                box_art_url=url,
                details_url=url,
                account_link_url=url,
                drops=drops,
                channels=channels,
                channels_total=4000,
                game_path=f"games/some-game-{n}-01234567",
                path=f"campaigns/campaign-{n}-01234567",
            )
            for n in range(130)
        ),
    )

    html = render_index(site, BASE_URL, NOON)

    assert len(html) <= 150_000
    assert len(gzip.compress(html, 9)) <= 25_000


def test_campaigns_of_a_game_stand_in_one_row_by_the_soonest_end() -> None:
    late, soon = card("late", end_at=NOON + timedelta(days=9)), card("soon", end_at=NOON + timedelta(hours=9))
    site = Site(active=(soon, card("other", game="Frostbarrow", end_at=NOON + timedelta(days=5)), late))

    page = read_index(site)

    rows = [attributes for tag, attributes in page.elements if tag == "li" and attributes.get("class") == "row"]
    assert len(rows) == 2
    assert page.text.index("soon") < page.text.index("late") < page.text.index("other")


def test_feeds_are_listed_with_their_pages() -> None:
    feeds = (
        FeedLink(scope="all", path="all", title="Everything"),
        FeedLink(scope="game", path="games/gloomtide-1", title="Gloomtide"),
        FeedLink(scope="channel", path="channels/captbrine-1", title="Capt. <Brine>"),
    )

    page = render_feed_list(FeedList(feeds=feeds), BASE_URL, NOON).decode()

    assert '<a href="channels/captbrine-1.html">Capt. &lt;Brine&gt;</a>' in page
    assert '<a href="games/gloomtide-1.html">Gloomtide</a>' in page
    assert all(f'href="all{each.ending}"' in page for each in formats_of("all"))


def test_the_site_holds_open_campaigns_by_their_end_with_drops_and_channels(world: Publishing) -> None:
    game = world.game(box_art_url="https://example.com/box.jpg")
    late = world.campaign("late", end_at=NOON + timedelta(days=9), game_id=game, organization_id=world.organization())
    early = world.campaign("early", end_at=NOON + timedelta(days=1))
    world.drop(late, "second", 120)
    world.drop(late, "first", 30, image_url="https://example.com/i.png")
    world.allow(late, [f"channel{number}" for number in range(40)])
    world.campaign("endless", end_at=None)
    world.event(game_id=game)
    world.take_in()

    with world.engine.connect() as connection:
        site = load_site(connection, NOON)

    assert early < world.campaign("unrelated", ended_at=NOON)
    assert [card.name for card in site.active] == ["early", "late", "endless"]
    card = site.active[1]
    assert (card.game, card.organization, card.box_art_url) == (
        "Gloomtide",
        "Tidewarden",
        "https://example.com/box.jpg",
    )
    assert card.game_path is not None
    assert [(drop.required_minutes, drop.benefits[0].name) for drop in card.drops] == [(30, "first"), (120, "second")]
    assert card.channels_total == 40
    assert (site.active[0].game, site.active[0].channels_total) == (None, 0)


def test_what_is_over_withdrawn_or_past_its_end_is_not_on_the_page(world: Publishing) -> None:
    world.campaign("ended", ended_at=NOON - timedelta(days=2))
    world.campaign("ended long ago", ended_at=NOON - timedelta(days=20))
    world.campaign("withdrawn", withdrawn_at=NOON)
    world.campaign("past its end, not judged yet", end_at=NOON - timedelta(minutes=1))

    with world.engine.connect() as connection:
        site = load_site(connection, NOON)

    assert (site.active, site.upcoming, site.ended_recently) == ((), (), 1)


def test_upcoming_campaigns_come_by_their_start(world: Publishing) -> None:
    for days in (3, 1):
        world.campaign(
            f"in {days}", started_at=None, start_at=NOON + timedelta(days=days), end_at=NOON + timedelta(days=20 - days)
        )

    with world.engine.connect() as connection:
        site = load_site(connection, NOON)

    assert [card.name for card in site.upcoming] == ["in 1", "in 3"]
    assert site.active == ()


def test_rewards_and_the_health_of_sources_are_loaded(world: Publishing) -> None:
    reward = world.add(
        RewardCampaign, service="twitch", external_id="r", name="Fizz", first_seen_at=NOON, required_minutes=45
    )
    world.add(Reward, reward_campaign_id=reward, external_id="1", name="Cap", first_seen_at=NOON)
    world.add(RewardCampaign, service="twitch", external_id="over", name="x", first_seen_at=NOON, ended_at=NOON)
    world.source("b", last_success_at=NOON)
    world.source("a", failing_since=NOON)
    world.source("off", enabled=False)

    with world.engine.connect() as connection:
        site = load_site(connection, NOON)

    assert [(card.name, card.required_minutes, card.rewards) for card in site.rewards] == [
        ("Fizz", 45, (RewardLine(name="Cap"),))
    ]
    assert [(source.name, source.failing_since is None) for source in site.sources] == [("a", False), ("b", True)]


def test_each_reward_says_what_it_asks_for_where_that_is_its_own(world: Publishing) -> None:
    quest = world.add(
        RewardCampaign, service="twitch", external_id="r", name="Fizz", first_seen_at=NOON, required_minutes=240
    )
    goals = {"Pot": {"required_minutes": 240}, "Bowl": {"required_minutes": 60}, "Fez": {"required_turbo_subs": 1}}
    for name, own in goals.items():
        world.add(Reward, reward_campaign_id=quest, external_id=name, name=name, first_seen_at=NOON, **own)

    with world.engine.connect() as connection:
        site = load_site(connection, NOON)

    assert [reward.name for reward in site.rewards[0].rewards] == ["Bowl", "Pot", "Fez"]
    page = render_campaign(
        CampaignPage(path="reward-campaigns/fizz-1", rewards=site.rewards[0]), CONTENT, NOON
    ).decode()
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert text.index("1 h Bowl") < text.index("4 h Pot") < text.index("1 Turbo sub Fez")


def test_what_a_source_no_longer_lists_is_not_shown(world: Publishing) -> None:
    campaign = world.campaign()
    drop = world.drop(campaign)
    world.allow(campaign, ["gone"])
    with world.engine.begin() as connection:
        for table, column in (("time_based_drops", "id"), ("allowed_channels", "campaign_id")):
            value = drop if column == "id" else campaign
            connection.exec_driver_sql(f"UPDATE {table} SET last_seen_at = now() WHERE {column} = {value}")  # noqa: S608

    with world.engine.connect() as connection:
        site = load_site(connection, NOON)

    assert (site.active[0].drops, site.active[0].channels_total) == ((), 0)


def test_the_page_is_loaded_in_a_fixed_number_of_queries(world: Publishing) -> None:
    from sqlalchemy import event

    rows = [
        {"service": "twitch", "external_id": str(n), "name": str(n), "first_seen_at": NOON, "started_at": NOON}
        for n in range(60)
    ]
    counts = []
    for part in (rows[:1], rows[1:]):
        statements: list[str] = []
        with world.engine.begin() as connection:
            connection.execute(insert(DropCampaign), part)
        with world.engine.connect() as connection:
            event.listen(connection, "before_cursor_execute", lambda *args, to=statements: to.append(args[2]))
            load_site(connection, NOON)
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 14
