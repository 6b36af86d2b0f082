"""Try a person's own templates on a page of every kind, before a reader sees them."""

import html.parser
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from feeds.content import FeedContent, FeedLink, Item, Scope, SourceHealth
from feeds.looks import HOUSE, Look, LookError
from feeds.pages.campaign import CampaignPage, render_campaign
from feeds.pages.cards import CampaignCard, ChannelLink, PageLink, RewardCard, RewardLine, rhythm
from feeds.pages.changes import ChangesPage, render_changes
from feeds.pages.channel import ChannelPage, render_channel
from feeds.pages.collection import CollectionPage, OwnedWork, render_collection
from feeds.pages.feed_list import FeedList, render_feed_list
from feeds.pages.game import Facts, GamePage, Move, render_game
from feeds.pages.game_list import ListPage, Placed, render_list
from feeds.pages.game_list import Move as ListMove
from feeds.pages.index import LiveChannel, Site, render_index
from feeds.pages.items import ItemsPage, render_items
from feeds.pages.journal import JournalPage, Once, Session, render_journal
from feeds.pages.news import lines
from feeds.pages.organization import OrganizationPage, OwnedGame, render_organization
from feeds.pages.releases import Release, ReleasesPage, render_releases
from feeds.pages.rewards import Offer, Offered, RewardsPage, in_few_words, render_rewards
from feeds.pages.roms import CollectedGame, Dump, RomsPage, render_platforms, render_roms
from feeds.pages.tallies import Subject
from feeds.pages.year import render_years
from feeds.podcasts.content import Chapter, Episode, Podcast, Source, Transcript
from feeds.podcasts.pages import render_episode_page, render_podcast_page
from feeds.stylesheets import problems_of_style
from models.details import BenefitLine, CampaignDetail, DropLine, FieldChange, ReleaseDetail
from models.periods import Period

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADDRESS = "https://example.com"
PICTURE = f"{ADDRESS}/picture.png"


class _Strict(Look):
    """A look that does not hide what is wrong with a template behind the house's own."""

    def render(self, name: str, /, **values: Any) -> bytes:
        return self.render_own(name, **values)


class _Scripts(html.parser.HTMLParser):
    """Finds what the security policy of pages would keep from working."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.has_policy = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        values = dict(attrs)
        self.has_policy |= tag == "meta" and (values.get("http-equiv") or "").lower() == "content-security-policy"
        if "style" in names or any(name.startswith("on") for name in names):
            self.refused.append(f"<{tag}> has a style or a script of its own, which the pages' policy refuses")
        if tag == "script" and "src" not in names:
            self.refused.append("<script> without a file of its own, which the pages' policy refuses")


def check_look(folder: Path) -> list[str]:
    """Return what is wrong with the templates and stylesheets in a folder, each with its file and line; takes samples.

    Templates that fail here are not used by a publish either: the house's are.
    """
    look = _Strict(folder)
    problems = dict(look.problems)
    for name, style in look.own_styles.items():
        problems |= {problem: problem for problem in problems_of_style(name, style.decode())}
    for name, render in _renders(_samples("Gloomtide")):
        try:
            scripts = _Scripts()
            scripts.feed(render(look=look).decode())
        except LookError as error:
            # A base that is broken is broken on every page.
            problems.setdefault(str(error), str(error))
            continue
        refused = scripts.refused if scripts.has_policy else [*scripts.refused, "it has lost the pages' policy"]
        problems |= {f"{name}: {problem}": f"{name}: {problem}" for problem in refused}
    return list(problems.values())


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """A value for each kind of page, in which every text is the same one."""

    site: Site
    game: GamePage
    organization: OrganizationPage
    campaign: CampaignPage
    rewards_campaign: CampaignPage
    changes: ChangesPage
    releases: ReleasesPage
    rewards: RewardsPage
    feeds: FeedList
    items: ItemsPage
    channel: ChannelPage
    collection: CollectionPage
    journal: JournalPage
    roms: RomsPage
    list: ListPage
    podcast: Podcast
    content: FeedContent


def _samples(text: str) -> Samples:
    card = _card(text)
    quest = RewardCard(
        service="twitch", name=text, brand=text, summary=text, instructions=text, game=text, game_path="games/a",
        path="reward-campaigns/a", image_url=PICTURE, url=ADDRESS, required_minutes=30, start_at=NOON,
        end_at=NOON + timedelta(days=1), first_seen_at=NOON,
        rewards=(RewardLine(name=text, image_url=PICTURE, earnable_until=NOON),),
    )  # fmt: skip
    old = msgspec.structs.replace(
        card,
        start_at=NOON - timedelta(days=400),
        end_at=NOON - timedelta(days=390),
        ended_at=NOON - timedelta(days=390),
    )
    coming = msgspec.structs.replace(card, started_at=None, start_at=NOON + timedelta(days=1))
    content = _content(text, "game")
    news = lines(content.items, {content.items[0].event_key: "campaigns/a"})
    releases = tuple(
        Release(game=text, game_path="games/a", when=when, platforms=(text,), stage=text, is_cancelled=off)
        for when, off in ((Period(2026, month=11, day=21), False), (Period(2026, quarter=4), True), (Period(), False))
    )
    offered = Offered(
        name=text,
        service="twitch",
        game=PageLink(name=text, path="games/a"),
        image_url=PICTURE,
        offers=tuple(
            Offer(campaign=PageLink(name=text), begin=NOON + timedelta(days=days), end=NOON + timedelta(days=days + 2))
            for days in (-200, -1)
        ),
    )
    games, few_words = in_few_words([offered])
    cards = (card, coming, old)
    return Samples(
        site=Site(
            active=(card, card),
            upcoming=(coming,),
            rewards=(quest,),
            live=(LiveChannel(name=text, path="channels/a", game=PageLink(name=text), viewers=12),),
            live_total=1,
            news=news,
            releases=releases,
            sources=(SourceHealth(name=text, service=text, failing_since=NOON),),
            has_feed_of_everything=True,
        ),
        game=GamePage(
            path="games/a", name=text, box_art_url=PICTURE, services=("twitch",),
            organizations=(PageLink(name=text, path="organizations/a"),), campaigns=cards, rewards=(quest,),
            releases=releases, moves=(Move(at=NOON, label=text, when=text, before=text, difference=text, places=text),),
            facts=Facts(url=ADDRESS, summary=text, rating=80.5, rating_count=3, genres=(text,), companies=(text,)),
            channels=card.channels,
        ),
        organization=OrganizationPage(
            path="organizations/a", name=text, service="twitch", url=ADDRESS, image_url=PICTURE,
            games=(OwnedGame(name=text, path="games/a", campaigns=3, last_at=NOON, is_on=True),), campaigns=cards,
            habit=rhythm(cards),
        ),
        campaign=CampaignPage(path="campaigns/a", drops=card, siblings=(PageLink(name=text, path="campaigns/b"),)),
        rewards_campaign=CampaignPage(path="reward-campaigns/a", rewards=quest),
        changes=ChangesPage(news=news),
        releases=ReleasesPage(releases=releases, news=news),
        rewards=RewardsPage(items=(offered,), games=games, all_items=few_words, has_feed=True),
        feeds=FeedList(
            feeds=tuple(
                FeedLink(scope=scope, path=path, title=text, service="twitch")
                for scope, path in _PATHS.items()
            )
        ),
        items=ItemsPage(more=PageLink(name=text, path="games/a")),
        channel=ChannelPage(
            path="channels/a", service="twitch", external_id="1", login=text, display_name=text, description=text,
            former_logins=(text,), profile_image_url=PICTURE, days=30, week_days=90,
        ),
        collection=_collection(text),
        journal=_journal(text),
        roms=_roms(text),
        list=_list(text),
        podcast=_podcast(text),
        content=content,
    )  # fmt: skip


def _collection(text: str) -> CollectionPage:
    owned = OwnedWork(
        name=text, words=("owned",), status="playing", stores=("steam",), platforms=(text,), seconds=7200, rating=80.0,
        last_played_at=NOON, is_favourite=True, tags=(text,), series=text, year=2026,
    )  # fmt: skip
    wished = msgspec.structs.replace(owned, words=("wished",), status=None)
    return CollectionPage(path="private/a/library", works=(owned, wished))


def _journal(text: str) -> JournalPage:
    of = Subject(game_id=1, name=text, series=text, genres=(text,))
    once = Once(
        of=of, status="finished", platform=text, completion="all", started="2026", finished="2026-11-19", seconds=7200,
        rating=80.0, notes=text, is_replay=True,
    )  # fmt: skip
    undated = Once(of=of, status="abandoned")
    session = Session(of=of, month="2026-11", seconds=7200, platform=text, store=text)
    return JournalPage(path="private/b/journal", playthroughs=(once, undated), sessions=(session,))


def _roms(text: str) -> RomsPage:
    dumps = (Dump(written=text, verdict="verified"), Dump(written=text, is_missing=True))
    game = CollectedGame(title=text, platform=text, year=1995, matched=f"{text} II", dumps=dumps)
    return RomsPage(path="private/d/roms", games=(game,))


def _list(text: str) -> ListPage:
    moves = (ListMove(at=NOON, place=1, place_before=7),)
    placed = Placed(place=1, name=text, notes=text, rating=80.0, status="backlog", added_at=NOON, moves=moves)
    return ListPage(path="private/c/list", name=text, description=text, is_ranked=True, entries=(placed,))


def _podcast(text: str) -> Podcast:
    source = Source(path="sounds/a.mp3", digest="0123456789abcdef")
    heard = Episode(
        public_id="00000000-0000-4000-8000-000000000001", title=text, published_at=NOON, enclosure=source,
        size=1_000_000, ending="mp3", seconds=3725, description=text, artist=text, webpage_url=ADDRESS,
        tags=(text,), artwork=source,
        chapters=(Chapter(start=0, title=text, url=ADDRESS), Chapter(start=60, title=text)), muted=((360, 360),),
        transcripts=(Transcript(language="en", format="vtt", source=source),),
    )  # fmt: skip
    plain = Episode(
        public_id="00000000-0000-4000-8000-000000000002", title=text, published_at=NOON, enclosure=source, size=1,
        ending="m4a",
    )  # fmt: skip
    return Podcast(
        feed_id=1, version=1, scope="show", path="shows/a", title=text, identity="a", is_public=True, description=text,
        author=text, episodes=(heard, plain),
    )  # fmt: skip


_PATHS: dict[Scope, str] = {
    "all": "all",
    "game": "games/a",
    "organization": "organizations/a",
    "channel": "channels/a",
    "ending_soon": "ending-soon",
}


def _card(text: str) -> CampaignCard:
    return CampaignCard(
        service="twitch",
        name=text,
        path="campaigns/a",
        game=text,
        game_path="games/a",
        organization=text,
        organization_path="organizations/a",
        box_art_url=PICTURE,
        image_url=PICTURE,
        details_url=ADDRESS,
        account_link_url=ADDRESS,
        description=text,
        start_at=NOON - timedelta(days=1),
        started_at=NOON - timedelta(days=1),
        end_at=NOON + timedelta(days=2),
        first_seen_at=NOON - timedelta(days=2),
        drops=(
            DropLine(name=text, required_minutes=30, benefits=(BenefitLine(name=text, image_url=PICTURE),)),
            DropLine(name=text, required_subs=2),
        ),
        channels_total=2,
        channels=(ChannelLink(login=text, external_id="1", display_name=text), ChannelLink(login="a", external_id="2")),
    )


def _content(text: str, scope: Scope) -> FeedContent:
    details = {
        "campaign.changed": CampaignDetail(
            name=text,
            game=text,
            end_at=NOON,
            changes=(FieldChange(field="details_url", old=text, new=text, about=text),),
        ),
        "campaign.channels_changed": CampaignDetail(name=text, channels_added=(text,), channels_removed=(text,)),
        "release.moved": ReleaseDetail(game=text, when="2026-11-21", when_before="2026-Q3", platforms=(text,), days=60),
    }
    items = tuple(
        Item(event_key=f"{kind}/{number}", kind=kind, occurred_at=NOON, title=text, service="twitch", detail=detail)
        for number, (kind, detail) in enumerate(details.items())
    )
    return FeedContent(feed_id=1, version=1, scope=scope, path="games/a", title=text, items=items)


def _renders(of: Samples) -> Iterator[tuple[str, Any]]:
    """Yield the name of each kind of page with what renders its sample in a look."""
    stamp = "0" * 16
    yield "index.html.j2", partial(render_index, of.site, ADDRESS, NOON, stamp=stamp)
    yield "index.html.j2", partial(render_index, Site(), ADDRESS, NOON, stamp=stamp)
    yield "game.html.j2", partial(render_game, of.game, of.content, NOON, stamp=stamp)
    yield "organization.html.j2", partial(render_organization, of.organization, of.content, NOON, stamp=stamp)
    yield "campaign.html.j2", partial(render_campaign, of.campaign, of.content, NOON, stamp=stamp)
    yield "campaign.html.j2", partial(render_campaign, of.rewards_campaign, of.content, NOON, stamp=stamp)
    yield "changes.html.j2", partial(render_changes, of.changes, NOON, stamp=stamp)
    yield "releases.html.j2", partial(render_releases, of.releases, NOON, stamp=stamp)
    yield "rewards.html.j2", partial(render_rewards, of.rewards, NOON, stamp=stamp)
    yield "feeds.html.j2", partial(render_feed_list, of.feeds, ADDRESS, NOON, stamp=stamp)
    yield "items.html.j2", partial(render_items, of.items, of.content, NOON, stamp=stamp)
    yield "channel.html.j2", partial(render_channel, of.channel, NOON, stamp=stamp)
    yield "collection.html.j2", partial(render_collection, of.collection, of.content, NOON, stamp=stamp)
    yield "journal.html.j2", partial(render_journal, of.journal, of.content, NOON, stamp=stamp)
    yield "list.html.j2", partial(render_list, of.list, of.content, NOON, stamp=stamp)
    yield "year.html.j2", partial(_render_year, of.journal, of.content, NOON, stamp=stamp)
    yield "roms.html.j2", partial(render_roms, of.roms, of.content, NOON, stamp=stamp)
    yield "podcast.html.j2", partial(render_podcast_page, of.podcast, stamp=stamp)
    for episode in of.podcast.episodes:
        yield "episode.html.j2", partial(render_episode_page, of.podcast, episode, stamp=stamp)
    yield "platform.html.j2", partial(_render_platform, of.roms, of.content, NOON, stamp=stamp)


def _render_platform(page: RomsPage, feed: FeedContent, now: datetime, *, stamp: str, look: Look) -> bytes:
    (rendered,) = render_platforms(page, feed, now, stamp=stamp, look=look).values()
    return rendered


def _render_year(page: JournalPage, feed: FeedContent, now: datetime, *, stamp: str, look: Look) -> bytes:
    (rendered,) = render_years(page, feed, now, stamp=stamp, look=look).values()
    return rendered


def sample_pages(text: str, look: Look = HOUSE) -> dict[str, bytes]:
    """Return a page of every kind in which each text from outside is this one, by the names of their templates."""
    return {f"{number}-{name}": render(look=look) for number, (name, render) in enumerate(_renders(_samples(text)))}
