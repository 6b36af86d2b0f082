"""Pages of all kinds: nothing from outside gets out of its place, a person's own look, and what the pages say."""

import json
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html
from sqlalchemy import insert, select

from feeds.catalog import load_feeds
from feeds.content import FeedLink
from feeds.looks import HOUSE, Look, names_of_templates
from feeds.pages.cards import CampaignCard, rhythm, roughly, state_of
from feeds.pages.checking import check_look, sample_pages
from feeds.pages.feed_list import FeedList, render_search
from feeds.pages.game import back_after, strip
from feeds.pages.registry import PAGES, SITE_PAGES, Site, load_feed_pages
from feeds.pages.releases import Release, ReleasesPage, in_order, merged, render_releases
from feeds.scopes import PODCASTS, SCOPES
from feeds.stylesheets import problems_of_style
from feeds.templating import ASSETS
from models import Feed, GameMetadata, Platform, ReleaseDate
from models.details import BenefitLine, CampaignDetail, DropLine, FieldChange, ReleaseDetail
from models.names import public_id
from models.periods import Period
from tests.feeds.hostile_texts import CORPUS
from tests.feeds.world import BASE_URL, NOON, Publishing

DAY = timedelta(days=1)
GLOOMTIDE = f"games/gloomtide-{public_id('twitch', 'Gloomtide')}"


def page_of(world: Publishing, path: str) -> html.HtmlElement:
    return html.document_fromstring(world.text(path))


def words(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


@pytest.mark.parametrize("number", range(0, len(CORPUS), 20))
def test_no_text_from_outside_gets_out_of_its_place_on_any_page(number: int) -> None:
    usual = {name: tags(page) for name, page in sample_pages("Gloomtide").items()}
    for text in CORPUS[number : number + 20]:
        for name, page in sample_pages(text).items():
            tree = html.document_fromstring(page)
            assert not tree.xpath("//@*[starts-with(name(), 'on')] | //@style"), (name, text)
            links = [str(link).lower() for link in tree.xpath("//@href | //@src")]
            assert not [link for link in links if link.startswith(("javascript:", "data:", "vbscript:"))], (name, text)
            shown = tags(page)
            # A login that no service gives out is no link.
            assert shown.keys() <= usual[name].keys() | {"span"}, (name, text)
            # What has no text has no section, and campaigns without a game stand in rows of their own.
            assert not text.strip() or [shown[tag] for tag in ONCE] == [usual[name][tag] for tag in ONCE], (name, text)


# What a page has so many of, whatever its texts are.
ONCE = ("script", "img", "title", "h1", "h2", "section", "table", "form", "iframe", "link", "meta", "style")


def tags(page: bytes) -> Counter[str]:
    """Return how many elements of each kind a page has, without those that a campaign's description may bring."""
    tree = html.document_fromstring(page)
    for prose in tree.find_class("prose"):
        for element in list(prose):
            element.drop_tree()
    return Counter(str(element.tag) for element in tree.iter())


def test_every_page_has_the_same_policy_and_lets_nothing_run_but_our_file() -> None:
    for name, page in sample_pages("Gloomtide").items():
        policy = html.document_fromstring(page).xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
        assert policy.startswith("default-src 'none'"), name
        assert "script-src 'self';" in policy, name
        assert "unsafe" not in policy, name


def test_every_page_has_one_heading_of_its_own_and_a_way_past_the_navigation() -> None:
    for name, page in sample_pages("Gloomtide").items():
        tree = html.document_fromstring(page)
        assert len(tree.xpath("//h1")) == 1, name
        assert tree.xpath("//a[@class='skip']/@href") == ["#main"], name
        assert tree.xpath("//main/@id") == ["main"], name
        assert [image for image in tree.xpath("//img") if image.get("alt") is None] == [], name
        ids = tree.xpath("//@id")
        assert len(ids) == len(set(ids)), name


def test_times_name_utc_and_can_be_read_by_programs() -> None:
    for name, page in sample_pages("Gloomtide").items():
        for element in html.document_fromstring(page).iter("time"):
            machine = element.get("datetime") or ""
            assert re.fullmatch(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\dZ)?)?)?", machine), (name, machine)
            if "T" in machine and element.get("class") != "day":
                assert (element.text or "").endswith("UTC"), (name, element.text)


def test_each_scope_has_a_page_beside_its_feed(world: Publishing) -> None:
    assert PAGES.keys() | {"releases", "rewards", "channel"} | PODCASTS == SCOPES.keys()
    game, owner = world.game(), world.organization()
    campaign = world.campaign(game_id=game, organization_id=owner)
    world.event(game_id=game, organization_id=owner, campaign_id=campaign)
    world.publish()

    files = set(world.files())
    with world.engine.connect() as connection:
        paths = list(connection.scalars(select(Feed.path)))
    assert paths
    assert {f"{path}.html" for path in paths} <= files
    assert {page.path for page in SITE_PAGES} | {"search.json", "rewards-index.json", "page.js", "favicon.svg"} <= files


def test_a_page_of_a_game_says_what_is_on_what_was_and_how_often_it_comes(world: Publishing) -> None:
    game = world.game()
    for days in (400, 200, 100):
        old = world.campaign(
            f"Trawl {days}",
            game_id=game,
            start_at=NOON - days * DAY,
            started_at=NOON - days * DAY,
            end_at=NOON - (days - 7) * DAY,
            ended_at=NOON - (days - 7) * DAY,
        )
        world.drop(old, "Lantern")
    world.drop(world.campaign("Winter Trawl", game_id=game), "Lantern", minutes=90)
    world.event(game_id=game)
    world.publish()

    text = words(page_of(world, f"{GLOOMTIDE}.html"))

    assert "On offer now 4 campaigns since October 2025, one about every 3 months, each for about 7 days." in text
    assert text.index("Winter Trawl") < text.index("Before 3")
    before = text[text.index("Before 3") :]
    assert before.index("Trawl 100") < before.index("Trawl 200") < before.index("Trawl 400")
    assert "1 h 30 min Lantern" in text
    assert "Lantern 4 times" in text
    assert "was back after 3 months" in text


def test_a_game_of_which_nothing_is_on_says_when_it_last_was(world: Publishing) -> None:
    game = world.game()
    world.campaign(
        game_id=game,
        start_at=NOON - 260 * DAY,
        started_at=NOON - 260 * DAY,
        end_at=NOON - 250 * DAY,
        ended_at=NOON - 250 * DAY,
    )
    world.event(game_id=game)
    world.publish()

    assert "Last offered in March 2026" in words(page_of(world, f"{GLOOMTIDE}.html"))


def test_a_page_of_a_game_has_its_dates_with_how_they_moved_and_what_igdb_says(world: Publishing) -> None:
    game = world.game()
    with world.engine.begin() as connection:
        connection.execute(insert(Platform).values(igdb_id=6, name="PC"))
        entry = {"igdb_id": 7, "game_id": game, "name": "Gloomtide", "name_key": "gloomtide", "summary": "Salt & fog."}
        lists: dict[str, list[str]] = {
            name: [] for name in ("themes", "modes", "franchises", "collections", "companies", "platforms")
        }
        rest = {"genres": ["Adventure"], "rating": 81.4, "synced_at": NOON, "digest": b"", "raw": {}}
        connection.execute(insert(GameMetadata).values(**entry, **lists, **rest))
        date = {"game_igdb_id": 7, "igdb_id": 1, "platform_id": 6, "precision": "quarter", "year": 2027, "quarter": 2}
        connection.execute(insert(ReleaseDate).values(**date, first_seen_at=NOON))
    moved = ReleaseDetail(game="Gloomtide", when="2027-Q2", when_before="2026-11-21", days=221, is_delay=True)
    world.event("Gloomtide moved", kind="release.moved", service=None, game_id=game, detail=moved)
    world.publish()

    text = words(page_of(world, f"{GLOOMTIDE}.html"))

    assert "Q2 2027 PC" in text
    assert "21 November 2026 → Q2 2027 a delay of about 7 months" in text
    assert "Salt & fog." in text
    assert "81 of 100" in text
    assert "Q2 2027 Gloomtide PC" in words(page_of(world, "releases.html"))


def test_organizations_name_their_games_and_games_their_organizations(world: Publishing) -> None:
    game, owner = world.game(), world.organization()
    campaign = world.campaign(game_id=game, organization_id=owner)
    world.event(game_id=game, organization_id=owner, campaign_id=campaign)
    world.publish()
    owner_path = f"organizations/tidewarden-{public_id('twitch', 'Tidewarden')}"

    assert f"../{GLOOMTIDE}.html" in page_of(world, f"{owner_path}.html").xpath("//section[@id='games']//a/@href")
    assert f"../{owner_path}.html" in page_of(world, f"{GLOOMTIDE}.html").xpath("//header//a/@href")


def test_a_campaign_has_a_page_for_ever_with_every_change_to_it(world: Publishing) -> None:
    game = world.game()
    campaign = world.campaign("Winter Trawl", game_id=game, description="Catch <b>all</b>\nof it.")
    world.drop(campaign, "Lantern", minutes=30)
    world.allow(campaign, ["captbrine"])
    world.event(game_id=game, campaign_id=campaign)
    change = FieldChange(field="end_at", old="2026-11-20T12:00:00Z", new="2026-11-21T12:00:00Z")
    world.event(
        kind="campaign.changed", game_id=game, campaign_id=campaign, detail=CampaignDetail(name="x", changes=(change,))
    )
    world.publish()
    with world.engine.connect() as connection:
        path = connection.scalar(select(Feed.path).where(Feed.campaign_id == campaign))

    page = page_of(world, f"{path}.html")
    text = words(page)

    for part in ("On now", "30 min Lantern", "On 1 channel only", "captbrine", "Campaign changed", "→"):
        assert part in text, part
    assert page.find_class("prose")[0].xpath("b")[0].text == "all"
    assert f"{path}.html" in world.text("index.html")


def test_the_pages_of_many_feeds_are_loaded_in_as_many_queries_as_those_of_one(world: Publishing) -> None:
    from sqlalchemy import event

    for number in range(12):
        game, owner = world.game(f"Game {number}"), world.organization(f"Owner {number}")
        campaign = world.campaign(f"Campaign {number}", game_id=game, organization_id=owner)
        world.drop(campaign)
        world.event(game_id=game, organization_id=owner, campaign_id=campaign)
    world.publish()
    counts = []
    with world.engine.connect() as connection:
        for scope in ("game", "organization", "campaign"):
            ids = list(connection.scalars(select(Feed.id).where(Feed.scope == scope).order_by(Feed.id)))
            for part in (ids[:1], ids):
                feeds = load_feeds(connection, part)
                statements: list[str] = []
                listener = lambda *args, to=statements: to.append(args[2])  # noqa: E731
                event.listen(connection, "before_cursor_execute", listener)
                assert len(load_feed_pages(connection, feeds, NOON)) == len(part)
                event.remove(connection, "before_cursor_execute", listener)
                counts.append(len(statements))

    assert counts[0::2] == counts[1::2]


def test_a_page_of_the_site_is_written_again_only_when_what_it_shows_is_new(world: Publishing) -> None:
    world.event(game_id=world.game())
    world.publish()
    before = world.files()

    world.event(game_id=world.game("Gloomtide II"), kind="campaign.added")
    world.publish()

    changed = {path for path, data in world.files().items() if before.get(path) != data}
    assert {"index.html", "changes.html", "feeds.html", "search.json"} <= changed
    assert "releases.html" not in changed
    assert "rewards.html" not in changed


def test_pages_of_the_site_name_no_feed_that_is_not_there_yet(world: Publishing) -> None:
    world.event(game_id=world.game())
    world.publish()

    for path in ("releases.html", "rewards.html", "changes.html", "index.html", "feeds.html"):
        links = {str(link) for link in page_of(world, path).xpath("//@href") if "://" not in link and link[0] != "#"}
        assert links
        assert links <= world.files().keys(), path

    world.event("A console", kind="reward.added")
    world.publish()
    assert "rewards.rss.xml" in page_of(world, "rewards.html").xpath("//@href")


def test_every_item_that_was_on_offer_is_on_the_page_of_rewards_with_how_long_it_was_away(world: Publishing) -> None:
    game = world.game()
    for days in (220, 1):
        campaign = world.campaign(
            f"Trawl {days}", game_id=game, start_at=NOON - days * DAY, end_at=NOON - (days - 3) * DAY
        )
        world.drop(campaign, "Lantern")
    world.drop(world.campaign("Other", game_id=world.game("Frostbarrow")), "Ice Pick")
    world.event(game_id=game)
    world.publish()

    rows = [words(row) for row in page_of(world, "rewards.html").find_class("item-row")]

    assert len(rows) == 2
    (lantern,) = [row for row in rows if row.startswith("Lantern")]
    assert "On now" in lantern
    assert "2 times was back after 7 months" in lantern
    index = json.loads(world.text("rewards-index.json"))
    assert sorted((name, index["games"][game]) for name, game, _ in index["items"]) == [
        ("Ice Pick", "Frostbarrow"),
        ("Lantern", "Gloomtide"),
    ]


def test_the_search_finds_the_pages_of_games_organizations_and_channels(world: Publishing) -> None:
    links = (
        FeedLink(scope="game", path="games/gloomtide-0123abcd", title="Gloomtide"),
        FeedLink(scope="game", path="games/0123abce", title="은하포차"),
        FeedLink(scope="game", path="games/an-older-name-0123abcf", title="A newer name"),
        FeedLink(scope="service", path="services/twitch", title="Twitch"),
    )

    games = json.loads(render_search(FeedList(feeds=links)))["groups"][0]

    assert games["folder"] == "games/"
    assert games["pages"] == [
        ["Gloomtide", "0123abcd"],
        ["은하포차", "0123abce"],
        ["A newer name", "an-older-name-0123abcf"],
    ]


def test_the_index_for_the_search_takes_a_few_kilobytes_for_a_thousand_games() -> None:
    import gzip

    links = tuple(
        FeedLink(
            scope="game",
            path=f"games/the-long-night-{number}-{public_id(str(number))}",
            title=f"The Long Night {number}",
        )
        for number in range(1000)
    )

    assert len(gzip.compress(render_search(FeedList(feeds=links)), 9)) < 10_000


def test_a_release_is_shown_no_more_precisely_than_it_is_known() -> None:
    releases = in_order(
        [
            Release(game="Year", when=Period(2026)),
            Release(game="Day", when=Period(2026, month=11, day=25)),
            Release(game="Never", when=Period()),
            Release(game="Month", when=Period(2026, month=11)),
            Release(game="Quarter", when=Period(2026, quarter=4)),
        ]
    )
    page = html.document_fromstring(render_releases(ReleasesPage(releases=tuple(releases)), NOON))

    assert [release.game for release in releases] == ["Day", "Month", "Quarter", "Year", "Never"]
    assert [cell.text_content() for cell in page.xpath("//td[@class='full']//span[@class='out']/span")] == ["Day"]
    assert page.xpath("//td[@class='full']/a/@href") == ["#d2026-11-25"]
    assert page.xpath("//li[@id='d2026-11-25']//time/@datetime") == ["2026-11-25"]
    assert "to be determined" in words(page)


def test_platforms_that_share_a_date_stand_in_one_line() -> None:
    day = Period(2026, month=11, day=25)
    same = [Release(game="Gloomtide", when=day, platforms=(name,)) for name in ("PC", "Switch", "PC")]

    assert merged(same) == [Release(game="Gloomtide", when=day, platforms=("PC", "Switch"))]


@pytest.mark.parametrize(
    ("days", "expected"), [(0, "1 day"), (13, "13 days"), (14, "2 weeks"), (62, "2 months"), (800, "2 years")]
)
def test_days_are_said_roughly(days: int, expected: str) -> None:
    assert roughly(days) == expected


def test_a_campaign_whose_end_has_passed_is_over_judged_or_not() -> None:
    card = CampaignCard(service="twitch", name="x", start_at=NOON, end_at=NOON + DAY)

    assert [state_of(card, NOON + days * DAY) for days in (-1, 0, 1)] == ["upcoming", "on", "over"]
    assert state_of(CampaignCard(service="twitch", name="x", withdrawn_at=NOON), NOON) == "withdrawn"


def test_how_often_is_said_of_days_on_which_something_began() -> None:
    cards = [
        CampaignCard(service="twitch", name="x", start_at=NOON + days * DAY, end_at=NOON + (days + 5) * DAY)
        for days in (0, 0, 30, 60)
    ]

    assert rhythm(cards).words == "4 campaigns since November 2026, one about every 4 weeks, each for about 5 days"
    assert rhythm([]).words == "0 campaigns"
    assert back_after([(NOON, NOON + DAY), (NOON + 10 * DAY, None)]) is None


def test_the_strip_of_campaigns_puts_what_overlaps_below_each_other() -> None:
    spans = ((-300, 10), (-299, 20), (-100, 10))
    cards = [
        CampaignCard(
            service="twitch", name=str(start), start_at=NOON + start * DAY, end_at=NOON + (start + length) * DAY,
            drops=(DropLine(benefits=(BenefitLine(name="x"),)),),
        )
        for start, length in spans
    ]  # fmt: skip

    bars, months = strip(cards, NOON)

    assert [bar.top for bar in bars] == [0, 9, 0]
    assert all(0 <= bar.at <= 100 and bar.at + bar.width <= 100.1 for bar in bars)
    assert months


def test_a_template_of_a_persons_own_takes_the_place_of_the_houses(tmp_path: Path) -> None:
    (tmp_path / "game.html.j2").write_text(
        '{% extends "house/game.html.j2" %}{% block main %}<p id="own">{{ name }}</p>{{ super() }}{% endblock %}'
    )
    (tmp_path / "style.css").write_text("body { color: teal }")
    look = Look(tmp_path)

    pages = sample_pages("Gloom <i>tide</i>", look)

    own = html.document_fromstring(pages["2-game.html.j2"])
    assert own.get_element_by_id("own").text == "Gloom <i>tide</i>"
    assert look.problems == {}
    assert look.asset("style.css") == b"body { color: teal }"
    assert look.asset("page.js") == (ASSETS / "page.js").read_bytes()
    assert look.digest != HOUSE.digest
    assert check_look(tmp_path) == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("<p>\n{% if %}", "game.html.j2, line 2: "),
        ("\n\n{{ no_such_thing }}", "game.html.j2, line 3: 'no_such_thing' is undefined"),
        ("{{ ''.__class__ }}", "game.html.j2, line 1: access to attribute '__class__'"),
        ("{% include '/etc/passwd' %}", "game.html.j2, line 1: "),
        ("{% for x in range(90000) %}{{ 'y' * 100 }}{% endfor %}", "it writes more than"),
        ("x" * 70_000, "is longer than"),
        (
            "\n{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
            "game.html.j2, line 2: it takes too long",
        ),
        (
            "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
            "takes too long",
        ),
    ],
)
def test_a_broken_template_is_named_with_its_line_and_the_houses_is_used(
    source: str, problem: str, tmp_path: Path
) -> None:
    (tmp_path / "game.html.j2").write_text(source)
    look = Look(tmp_path)

    pages = sample_pages("Gloomtide", look)

    assert pages["2-game.html.j2"] == sample_pages("Gloomtide")["2-game.html.j2"]
    assert problem in next(iter(look.problems.values()))
    assert any(problem in found for found in check_look(tmp_path))


def test_a_base_that_is_broken_breaks_no_page(tmp_path: Path) -> None:
    (tmp_path / "base.html.j2").write_text("{% for %}")
    look = Look(tmp_path)

    assert sample_pages("Gloomtide", look) == sample_pages("Gloomtide")
    assert check_look(tmp_path) == ["base.html.j2, line 1: Expected an expression, got 'end of statement block'"]


def test_a_fault_of_the_base_is_named_as_its_own_and_looked_for_once(tmp_path: Path) -> None:
    (tmp_path / "base.html.j2").write_text("\n\n{{ 1 // 0 }}{% block main %}{% endblock %}")
    (tmp_path / "game.html.j2").write_text('{% extends "base.html.j2" %}{% block main %}{{ name }}{% endblock %}')
    look = Look(tmp_path)

    assert sample_pages("Gloomtide", look) == sample_pages("Gloomtide")
    assert list(look.problems) == ["base.html.j2"]
    assert check_look(tmp_path) == ["base.html.j2, line 3: integer division or modulo by zero"]


@pytest.mark.parametrize(
    ("style", "problem"),
    [
        ("body {\n color: teal;\n\n", 'style.css, line 1: "{" is never closed'),
        ("a { } }", 'style.css, line 1: "}" closes nothing that is open'),
        ("a { }\n/* b", "style.css, line 2: what begins here is never closed: /* b"),
        ("a { content: 'b\n}", "style.css, line 1: the text that begins here is never closed: 'b"),
    ],
)
def test_what_a_stylesheet_leaves_open_is_named_with_its_line(style: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text(style)

    assert check_look(tmp_path) == [problem]


@pytest.mark.parametrize("style", ["style.css", "channel.css", "feed.css"])
def test_the_houses_stylesheets_leave_nothing_open(style: str) -> None:
    assert list(problems_of_style(style, (ASSETS / style).read_text())) == []


def test_what_the_policy_would_refuse_and_names_that_mean_nothing_are_problems(tmp_path: Path) -> None:
    (tmp_path / "items.html.j2").write_text(
        '{% extends "house/items.html.j2" %}{% block main %}<p onclick="x()">x</p><script>x()</script>{% endblock %}'
    )
    (tmp_path / "sytle.css").write_text("")

    problems = check_look(tmp_path)

    assert any("sytle.css: no template or stylesheet of pages is called so" in problem for problem in problems)
    assert sum("policy refuses" in problem for problem in problems) == 2


def test_entries_of_feeds_cannot_be_changed_since_readers_would_show_them_again() -> None:
    assert "item.html.j2" not in names_of_templates()
    assert {"base.html.j2", "game.html.j2", "row.html.j2"} <= names_of_templates()


def test_a_new_look_writes_every_page_and_a_broken_one_is_told(world: Publishing, tmp_path: Path) -> None:
    from feeds.publish import publish

    world.event(game_id=world.game())
    world.publish()
    own = tmp_path / "pages"
    own.mkdir()
    (own / "base.html.j2").write_text(
        '{% extends "house/base.html.j2" %}{% block foot %}<p>By the harbour.</p>{% endblock %}'
    )
    (own / "game.html.j2").write_text("{{ nothing }}")

    summary = publish(world.engine, world.root, BASE_URL, NOON, style=Look(own))

    assert "By the harbour." in world.text("changes.html")
    assert "By the harbour." not in world.text(f"{GLOOMTIDE}.html")
    assert summary.look_problems == ["game.html.j2, line 1: 'nothing' is undefined"]
    assert summary.failures == []


def test_the_site_needs_no_more_than_its_own_database(world: Publishing) -> None:
    with world.engine.connect() as connection:
        for page in SITE_PAGES:
            site = Site(BASE_URL, NOON, HOUSE)
            files = page.render(page.load(connection, site), site, "0" * 16)
            assert page.path in files
