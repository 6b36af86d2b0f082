"""Render the web page of what is on: campaigns by their end, rewards, feeds, and how the sources do."""

import base64
import hashlib
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
from markupsafe import Markup

from feeds.content import CampaignCard, ChannelLink, FeedLink, RewardCard, Scope, Site
from feeds.formats import FORMATS, PAGE_ENDING, RSS_ENDING, list_title
from feeds.sanitise import one_line
from feeds.templating import ASSETS, template
from models.names import slug
from models.words.addresses import page_channel_address
from models.words.units import distance, service_heading

DROPS_SHOWN = 3
DROPS_LISTED = 16
HUES = 8
_CARDS_KEPT = 2048
_FEED_GROUPS: tuple[tuple[Scope, str], ...] = (
    ("releases", "Releases"),
    ("service", "Services"),
    ("game", "Games"),
    ("organization", "Organizations"),
    ("channel", "Channels"),
)


class _Group(msgspec.Struct, frozen=True):
    """Campaigns under one heading."""

    name: str
    title: str
    cards: Sequence[Markup]


def render_index(site: Site, base_url: str, now: datetime, *, stamp: str = "") -> bytes:
    """Return `index.html` as it reads at `now`; all links within the folder are relative.

    `base_url` is shown as the place to subscribe at; `stamp` goes into a comment near the beginning.
    """
    html = template("index.html.j2").render(
        stamp=stamp,
        base_url=base_url.rstrip("/"),
        now=now.astimezone(UTC),
        groups=_groups(site.active, now),
        upcoming=[_card(card, now, is_upcoming=True) for card in site.upcoming],
        rewards=[_reward(card, now) for card in site.rewards],
        active_count=len(site.active),
        services=_services(site),
        site=site,
        waiting=[source for source in site.sources if source.failing_since or not source.last_success_at],
        is_unread=not any(source.last_success_at for source in site.sources),
        next_end=next((card.end_at for card in site.active if card.end_at), None),
        feed_groups=_feed_groups(site.feeds),
        has_feed_of_everything=any(feed.scope == "all" for feed in site.feeds),
        script=_script(),
        script_hash=_script_hash(),
        distance=distance,
        rss=RSS_ENDING,
        formats=FORMATS,
    )
    return html.encode("utf-8")


def initials(name: str) -> str:
    """Return one or two letters that stand in for a picture that is missing."""
    words = [word for word in "".join(c if c.isalnum() else " " for c in name).split() if word]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def hue(name: str) -> int:
    """Return the colour number of a name, the same on every page."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % HUES


def _groups(cards: Iterable[CampaignCard], now: datetime) -> list[_Group]:
    limits = (("soon", "Ends within a day", timedelta(days=1)), ("week", "Ends this week", timedelta(days=7)))
    left = list(cards)
    groups = []
    for name, title, span in limits:
        groups.append(_Group(name, title, [_card(card, now) for card in left if _ends_within(card, now, span)]))
        left = [card for card in left if not _ends_within(card, now, span)]
    groups.append(_Group("later", "Ends later", [_card(card, now) for card in left if card.end_at]))
    groups.append(_Group("open", "No end announced", [_card(card, now) for card in left if not card.end_at]))
    return [group for group in groups if group.cards]


def _ends_within(card: CampaignCard, now: datetime, span: timedelta) -> bool:
    return card.end_at is not None and card.end_at - now <= span


def _card(card: CampaignCard, now: datetime, *, is_upcoming: bool = False) -> Markup:
    at = card.start_at if is_upcoming else card.end_at
    left = distance(at - now) if at else ""
    is_urgent = not is_upcoming and _ends_within(card, now, timedelta(days=1))
    return _card_html(card, left, now.astimezone(UTC).year, is_upcoming=is_upcoming, is_urgent=is_urgent)


@lru_cache(maxsize=_CARDS_KEPT)
def _card_html(card: CampaignCard, left: str, year: int, *, is_upcoming: bool, is_urgent: bool) -> Markup:
    """Return a card, kept since most stay the same from page to page; all that it shows is in the cache's key."""
    title = one_line(card.game or card.name, 120)
    html = template("card.html.j2").render(
        card=card,
        left=left,
        year=year,
        is_upcoming=is_upcoming,
        is_urgent=is_urgent,
        game=title if card.game else None,
        service_key=slug(card.service),
        service=one_line(service_heading(card.service), 40),
        initials=initials(title),
        hue=hue(title),
        shown=card.drops[:DROPS_SHOWN],
        more=card.drops[DROPS_SHOWN:DROPS_LISTED],
        unlisted=max(0, len(card.drops) - DROPS_LISTED),
        channels=[_channel(card.service, channel) for channel in card.channels],
        rss=RSS_ENDING,
    )
    return Markup(html)  # noqa: S704 - the template escapes


def _reward(card: RewardCard, now: datetime) -> Markup:
    return _reward_html(card, distance(card.end_at - now) if card.end_at else "", now.astimezone(UTC).year)


@lru_cache(maxsize=_CARDS_KEPT)
def _reward_html(card: RewardCard, left: str, year: int) -> Markup:
    title = one_line(card.brand or card.name, 120)
    html = template("reward.html.j2").render(
        card=card,
        left=left,
        year=year,
        service_key=slug(card.service),
        service=one_line(service_heading(card.service), 40),
        initials=initials(title),
        hue=hue(title),
    )
    return Markup(html)  # noqa: S704 - the template escapes


def _channel(service: str, channel: ChannelLink) -> tuple[str, str | None]:
    name = one_line(channel.display_name or channel.login, 60)
    return name, page_channel_address(service, channel.external_id if service == "chzzk" else channel.login)


def _services(site: Site) -> list[tuple[str, str]]:
    services = {card.service for card in (*site.active, *site.upcoming)} | {card.service for card in site.rewards}
    return [(slug(service), one_line(service_heading(service), 40)) for service in sorted(services)]


def _feed_groups(feeds: Sequence[FeedLink]) -> list[tuple[str, list[tuple[str, str, str | None]]]]:
    """Return headings, each with its feeds: title, path, and the page of those that have one."""
    groups = [(name, [_feed(feed) for feed in feeds if feed.scope == scope]) for scope, name in _FEED_GROUPS]
    return [group for group in groups if group[1]]


def _feed(feed: FeedLink) -> tuple[str, str, str | None]:
    return list_title(feed), feed.path, feed.path + PAGE_ENDING if feed.scope == "channel" else None


@lru_cache
def _script() -> Markup:
    text = (ASSETS / "index.js").read_text(encoding="utf-8").strip()
    return Markup(text)  # noqa: S704 - our own file


@lru_cache
def _script_hash() -> str:
    """Return the hash by which the page's security policy lets this script run and no other."""
    return base64.b64encode(hashlib.sha256(str(_script()).encode()).digest()).decode()
