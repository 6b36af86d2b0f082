"""The page of a channel: what it shows, that nothing from outside gets out of its place, and when it is written."""

import math
import re
from datetime import timedelta
from html import unescape as html_unescaped
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html
from sqlalchemy import Engine, update

from feeds.formats import PAGE_ENDING, formats_of
from feeds.pages.channel import ChannelPage, render_channel
from feeds.pages.channel_rows import ensure_feeds
from feeds.pages.charts import HEIGHT, WIDTH, compact, on_air, viewers_curve, week_cells
from feeds.publish import PublishSummary, publish
from models import Channel, StreamSession
from models.details import CategoryTime, StreamRecap
from models.statistics import CategoryTotals, Counted, HourTotals, Part, Story, Totals
from models.words.units import length
from tests.channels import NOON, Channels
from tests.feeds.world import BASE_URL, Publishing

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOSTILE = "<script>alert(1)</script>\" onload='x' &amp; \u202e\x00{{ 7 * 7 }}"


def story(number: int = 1, *, live: bool = False, title: str | None = "A quiet evening", **recap: Any) -> Story:
    fields = {"seconds": 3600, "average_viewers": 1234, "peak_viewers": 2000} | recap
    started_at = NOON - number * 24 * HOUR
    return Story(
        session_id=number,
        live=live,
        title=title,
        recap=StreamRecap(started_at=started_at, ended_at=started_at + HOUR, **fields),
    )


def page(**fields: Any) -> ChannelPage:
    required = {
        "path": "channels/lanternwake-0a1b2c3d",
        "service": "twitch",
        "external_id": "7",
        "login": "lanternwake",
    }
    return ChannelPage(**required | {"days": 30, "week_days": 90} | fields)


def full(**fields: Any) -> ChannelPage:
    """A page that shows everything there is to show."""
    begin = NOON - 24 * HOUR
    everything = {
        "display_name": "LanternWake",
        "stories": (story(1, categories=(CategoryTime(name="Gloomtide", seconds=3600),)), story(2)),
        "counted": tuple(Counted(begin + minute * MINUTE, 1000 + minute, 1) for minute in range(0, 60, 5)),
        "parts": (Part(begin=begin, end=begin + HOUR, name="Gloomtide"),),
        "totals": Totals(streams=2, seconds=7200, average_viewers=1234, peak_viewers=2000),
        "categories": (CategoryTotals(name="Gloomtide", seconds=7200, average_viewers=1234, peak_viewers=2000),),
        "week": (HourTotals(weekday=4, hour=20, seconds=7200, average_viewers=1234),),
    }
    return page(**everything | fields)


def document(content: ChannelPage) -> Any:
    return html.document_fromstring(render_channel(content, NOON, stamp="0123456789abcdef").decode())


def text(content: ChannelPage) -> str:
    return " ".join(document(content).text_content().split())


def test_the_page_tells_the_last_streams_with_time_viewers_and_categories() -> None:
    rows = document(full()).xpath("//table[@class='streams']/tbody/tr")
    assert [" ".join(row.text_content().split()) for row in rows] == [
        "Thu 19 Nov, 12:00 UTC 1 h 1,234 2,000 A quiet eveningGloomtide",
        "Wed 18 Nov, 12:00 UTC 1 h 1,234 2,000 A quiet evening",
    ]


def test_a_live_channel_says_so_and_an_idle_one_says_when_it_was_on() -> None:
    live = document(full(stories=(story(live=True, title="On the roof"),)))
    (state,) = live.xpath("//section[contains(@class, 'state')]")
    assert "on" in state.get("class").split()
    assert " ".join(state.text_content().split()).startswith("Live On the roof Gloomtide since Thu 19 Nov, 12:00 UTC")
    assert live.findtext(".//title") == "LanternWake is live – Lootwire"
    assert "Not live Last on air until Thu 19 Nov, 13:00 UTC" in text(full())


def test_a_stream_that_has_just_begun_is_not_shown_in_minutes() -> None:
    shown = text(full(stories=(story(live=True, seconds=0),)))
    assert "12:00 UTC, just begun" in shown
    assert "0 min so far" not in shown


def test_a_channel_that_was_never_seen_live_has_a_page_all_the_same() -> None:
    empty = document(page())
    assert "No stream has been seen yet" in empty.text_content()
    assert empty.xpath("//table | //figure | //dl") == []


def test_a_stream_that_nobody_counted_has_no_curve_and_dashes_for_viewers() -> None:
    content = full(stories=(story(average_viewers=None, peak_viewers=None),), counted=(), totals=Totals(streams=1))
    tree = document(content)
    assert tree.xpath("//figure[@class='curve']") == []
    assert "Nobody has counted its viewers yet" in tree.text_content()
    assert [cell.text for cell in tree.xpath("//table[@class='streams']//td[@data-of='peak']")] == ["–"]


def test_a_stream_that_was_counted_once_has_no_curve_and_says_why() -> None:
    page_text = text(full(counted=(Counted(NOON, 30, 1),)))
    assert "Nobody has counted" not in page_text
    assert "counted once; a curve takes two counts" in page_text


@pytest.mark.parametrize(
    "hostile",
    [
        full(stories=(story(live=True, title=HOSTILE), story(2, title=HOSTILE))),
        full(display_name=HOSTILE, description=HOSTILE, former_logins=(HOSTILE,), login=HOSTILE),
        full(parts=(Part(begin=NOON - 24 * HOUR, end=NOON - 23 * HOUR, name=HOSTILE),)),
        full(categories=(CategoryTotals(name=HOSTILE, seconds=1),)),
        full(stories=(story(categories=(CategoryTime(name=HOSTILE, seconds=1),)),)),
        full(profile_image_url="javascript:alert(1)"),
        full(profile_image_url='https://x.example/"onerror="alert(1)'),
    ],
)
def test_texts_from_outside_stay_texts(hostile: ChannelPage) -> None:
    markup = render_channel(hostile, NOON).decode()
    tree = html.document_fromstring(markup)
    assert tree.xpath("//script[not(@src)] | //@onload | //@onerror | //@style") == []
    assert all(not address.startswith("javascript") for address in tree.xpath("//@href | //@src"))
    assert "\u202e" not in markup
    assert "\0" not in markup
    assert ">49" not in markup


def test_the_page_loads_nothing_but_pictures_and_our_styles_and_script() -> None:
    tree = document(full(profile_image_url="https://pictures.example/face.png"))
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert "script-src 'self';" in policy
    assert tree.xpath("//script/@src") == ["../page.js"]
    assert policy.startswith("default-src 'none'")
    assert tree.xpath("//link[@rel='stylesheet']/@href") == ["../style.css", "../channel.css"]
    assert tree.xpath("//img/@src") == ["https://pictures.example/face.png"]
    assert "../index.html" in tree.xpath("//a/@href")
    assert "https://www.twitch.tv/lanternwake" in tree.xpath("//a/@href")
    assert "../channels/lanternwake-0a1b2c3d.rss.xml" in tree.xpath("//a/@href")


def test_each_picture_has_a_name_a_description_and_a_table_that_tells_the_same() -> None:
    tree = document(full())
    pictures = tree.xpath("//svg[@role='img']")
    assert len(pictures) == 2
    for picture in pictures:
        ids = picture.get("aria-labelledby").split()
        assert all(tree.get_element_by_id(element_id).text_content().strip() for element_id in ids)
    viewers = tree.xpath("//table[@class='plain']/tbody/tr/td[2]")
    assert [int(cell.text.replace(",", "")) for cell in viewers] == list(range(1000, 1060, 5))
    week = tree.xpath("//table[contains(@class, 'week')]/tbody/tr")
    assert [cell.text for cell in week[4].xpath("td")][20] == "120"
    assert len(tree.xpath("//*[@id]/@id")) == len(set(tree.xpath("//*[@id]/@id")))


def test_the_pictures_are_well_formed() -> None:
    markup = render_channel(full(stories=(story(title=HOSTILE),)), NOON).decode()
    for picture in markup.split("<svg ")[1:]:
        inner = picture.split("</svg>")[0]
        assert "<script" not in inner
    figure = markup[markup.index('<figure class="curve">') : markup.index("<figcaption>")] + "</figure>"
    etree.fromstring(figure.encode())


def test_a_long_stream_is_told_in_a_short_table_with_its_peak() -> None:
    begin = NOON - 48 * HOUR
    counted = tuple(Counted(begin + n * MINUTE, 9_999 if n == 1_111 else n, 1) for n in range(2_880))
    tree = document(full(counted=counted))
    rows = tree.xpath("//table[@class='plain']/tbody/tr")
    assert 24 <= len(rows) <= 27
    assert [row.xpath("string(td[2])") for row in rows if row.get("class") == "peak"] == ["9,999"]
    assert len(render_channel(full(counted=counted), NOON)) < 60_000


def counts(*minutes_and_viewers: tuple[int, int], session: int = 1) -> list[Counted]:
    return [Counted(NOON + minute * MINUTE, viewers, session) for minute, viewers in minutes_and_viewers]


def test_the_line_breaks_where_nobody_counted_and_between_the_streams_of_a_story() -> None:
    gap = viewers_curve(counts((0, 5), (5, 5), (10, 5), (60, 5), (65, 5)), [])
    assert gap is not None
    assert len(gap.lines) == len(gap.areas) == 2
    story_of_two = viewers_curve([*counts((0, 5), (5, 5)), *counts((10, 5), session=2)], [])
    assert story_of_two is not None
    assert [line.endswith("h0") for line in story_of_two.lines] == [False, True]
    assert len(story_of_two.areas) == 1
    assert viewers_curve(counts((0, 5)), []) is None


def test_polls_that_are_seldom_still_make_a_line() -> None:
    seldom = viewers_curve(counts((0, 5), (30, 6), (60, 7)), [])
    assert seldom is not None
    assert len(seldom.lines) == 1


@given(
    st.lists(st.tuples(st.integers(1, 600), st.integers(0, 3_000_000)), min_size=2, max_size=60),
    st.lists(st.integers(1, 500), max_size=8),
)
def test_whatever_is_counted_stays_within_the_picture(steps: list[tuple[int, int]], cuts: list[int]) -> None:
    minute, counted = 0, []
    for step, viewers in steps:
        minute += step
        counted.append(Counted(NOON + minute * MINUTE, viewers, 1))
    edges = [NOON, *sorted({NOON + cut * MINUTE for cut in cuts})]
    parts = [Part(begin=begin, end=end, name=str(end.minute % 3)) for begin, end in pairwise(edges)]
    curve = viewers_curve(counted, parts)
    assert curve is not None
    numbers = [pair.split(" ") for line in curve.lines for pair in line[1:].removesuffix("h0").split("L")]
    assert all(0 <= float(x) <= WIDTH and 0 < float(y) <= HEIGHT for x, y in numbers)
    assert 1 <= len(curve.down) <= 5
    assert len(curve.along) <= 7
    assert all(4 <= mark.at <= 96 for mark in curve.along)
    assert sum(band.width for band in curve.bands) <= 100.1
    assert all(math.isfinite(band.at) for band in curve.bands)


def test_the_peak_reaches_higher_than_anything_else_also_when_points_are_thinned() -> None:
    curve = viewers_curve(counts(*((n, 900 if n == 1234 else 100) for n in range(3_000))), [])
    assert curve is not None
    heights = [float(pair.split(" ")[1]) for pair in curve.lines[0][1:].split("L")]
    assert len(heights) <= 600
    assert min(heights) == pytest.approx(HEIGHT - (HEIGHT - 16) * 900 / 1000, abs=1)


def test_the_darkest_hour_is_the_one_with_most_time() -> None:
    week = [HourTotals(weekday=day, hour=20, seconds=600 * (day + 1)) for day in range(7)]
    shades = [cell.shade for cell in week_cells(week)]
    assert shades == sorted(shades)
    assert shades[-1] == 1
    assert week_cells(week)[0].text == "Monday 20:00: 10 min on air"
    assert week_cells([]) == []


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (950, "950"), (12_500, "12.5K"), (200_000, "200K"), (3e6, "3M")]
)
def test_numbers_on_an_axis_are_short(number: float, text: str) -> None:
    assert compact(number) == text


@pytest.fixture
def channels(engine: Engine) -> Channels:
    return Channels(engine)


class Site:
    """The published folder of some channels."""

    def __init__(self, channels: Channels, root: Path) -> None:
        self.channels = channels
        self.root = root

    def publish(self) -> PublishSummary:
        return publish(self.channels.engine, self.root, "https://drops.example", self.channels.now)

    def path(self, login: str) -> Path:
        (path,) = self.root.glob(f"channels/{login}-*.html")
        return path

    def feed(self, channel_id: int) -> None:
        with self.channels.engine.begin() as connection:
            ensure_feeds(connection, [channel_id])

    def change(self, session_id: int, **values: Any) -> None:
        with self.channels.engine.begin() as connection:
            connection.execute(update(StreamSession).where(StreamSession.id == session_id).values(values))


@pytest.fixture
def site(channels: Channels, root: Path) -> Site:
    return Site(channels, root)


def test_a_followed_channel_has_a_page_beside_its_feeds(site: Site) -> None:
    site.feed(site.channels.channel())
    summary = site.publish()
    # The feed of everything is the other.
    assert (summary.feeds, summary.pages, summary.failures) == (2, 2, [])
    path = site.path("lanternwake")
    endings = {PAGE_ENDING, *(each.ending for each in formats_of("channel"))}
    assert {other.name for other in path.parent.iterdir()} == {path.stem + ending for ending in endings}
    assert f"channels/{path.name}" in (site.root / "feeds.html").read_text()
    assert (site.root / "channel.css").exists()
    assert site.publish() == PublishSummary()


def test_the_page_of_a_live_channel_follows_the_polls_without_any_event(site: Site) -> None:
    channel_id = site.channels.channel()
    session_id = site.channels.stream(channel_id, NOON - HOUR, None, viewers=[(0, 100)], last_seen_at=NOON - HOUR)
    site.feed(channel_id)
    site.publish()
    assert site.publish() == PublishSummary()
    site.change(session_id, last_seen_at=NOON - 5 * MINUTE)
    assert site.publish() == PublishSummary(pages=1, written=1)
    assert "55 min so far" in site.path("lanternwake").read_text()
    assert site.publish() == PublishSummary()
    site.change(session_id, ended_at=NOON - 4 * MINUTE, last_seen_at=NOON - 4 * MINUTE)
    assert site.publish().pages == 1
    assert "Not live" in site.path("lanternwake").read_text()
    site.change(session_id, told_at=NOON)
    assert site.publish() == PublishSummary()


def test_one_stream_has_one_average_and_one_peak_on_its_page(site: Site) -> None:
    channel_id, gloom = site.channels.channel(), site.channels.game()
    counts = [(0, 610), (5, 627), (10, 980), (15, 655)]
    games = [(0, gloom)]
    site.channels.stream(channel_id, NOON - 20 * MINUTE, 20, games=games, viewers=counts)
    site.feed(channel_id)
    # Polls came after the worker had looked at its clock, and before it read the rows.
    site.channels.now = NOON - 12 * MINUTE
    site.publish()
    text = html_unescaped(site.path("lanternwake").read_text())
    averages = re.findall(r"([\d,]+)(?:</dd><dt>| )viewers on average", text)
    peaks = re.findall(r"([\d,]+)(?:</dd><dt>at| at) the peak", text)
    # The last 30 days, the last stream, its curve, and its category.
    assert (averages, peaks) == (["718"] * 4, ["980"] * 4)
    assert "<dd>1</dd><dt>stream in 30 days</dt>" in text
    assert "Not on air in that time" not in text


def test_a_begun_minute_is_none_on_a_page_as_in_a_message() -> None:
    assert on_air(299 * 60 + 59) == length(299 * 60 + 59) == "4 h 59 min"


def test_items_of_streams_lead_to_the_page_in_every_feed(world: Publishing) -> None:
    channel_id = world.channel("lanternwake")
    world.event("Lanternwake is live", kind="stream.online", channel_id=channel_id)
    world.event("New drops", kind="campaign.added")
    world.publish()
    (path,) = (path for path in world.files() if path.startswith("channels/") and path.endswith(".html"))
    link = f'href="{BASE_URL}/{path}"'
    for feed in ("all.rss.xml", path.replace(".html", ".atom.xml")):
        assert html_unescaped(world.text(feed)).count(link) >= 1
    assert html_unescaped(world.text("services/twitch.rss.xml")).count(link) == 0


def test_a_page_that_cannot_be_written_leaves_its_feed_marked(site: Site) -> None:
    channel_id = site.channels.channel()
    site.feed(channel_id)
    site.publish()
    path = site.path("lanternwake")
    path.unlink()
    path.mkdir()
    (site.root / "feeds.opml").unlink()
    assert [failure.path for failure in site.publish().failures] == [str(path.relative_to(site.root))]
    path.rmdir()
    site.publish()
    assert path.is_file()


def test_the_address_of_a_page_outlives_the_login(site: Site) -> None:
    channel_id = site.channels.channel()
    site.channels.stream(channel_id, NOON - HOUR, None)
    site.feed(channel_id)
    site.publish()
    with site.channels.engine.begin() as connection:
        renamed = {"login": "harbourwake", "display_name": "HarbourWake", "former_logins": ["lanternwake"]}
        connection.execute(update(Channel).values(renamed))
        connection.execute(update(StreamSession).values(title="Under a new name"))
    site.feed(channel_id)
    site.publish()
    page_text = site.path("lanternwake").read_text()
    assert "HarbourWake" in page_text
    assert "once lanternwake" in page_text
    assert len(list((site.root / "channels").glob("*.html"))) == 1


def test_pages_that_are_behind_take_turns(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Feeds must not wait for hundreds of pages; the next run comes within seconds."""
    monkeypatch.setattr("feeds.writing.PAGES_AT_ONCE", 4)
    for number in range(6):
        channel_id = site.channels.channel(f"channel{number}")
        site.channels.stream(channel_id, NOON - 5 * HOUR, None, viewers=[(0, 1), (5, 2)], games=[(0, None)])
        site.feed(channel_id)
    site.publish()
    with site.channels.engine.begin() as connection:
        connection.execute(update(StreamSession).values(last_seen_at=NOON + 5 * MINUTE))
    assert [site.publish().pages for _ in range(3)] == [4, 2, 0]


def test_a_page_is_not_written_more_often_than_every_five_minutes_for_polls_alone(site: Site) -> None:
    """Channels of campaigns are polled each minute."""
    channel_id = site.channels.channel()
    session_id = site.channels.stream(channel_id, NOON - HOUR, None)
    site.feed(channel_id)
    site.publish()
    pages = 0
    for minute in range(1, 16):
        site.change(session_id, last_seen_at=NOON + minute * MINUTE)
        pages += site.publish().pages
    assert pages == 3
    site.change(session_id, title="Something else")
    assert site.publish().pages == 1
