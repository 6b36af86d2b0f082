"""Render the first page: what is on by the time that is left, what came today, what comes out soon."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
from markupsafe import Markup

from feeds.content import SourceHealth, SourceOff
from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.cards import (
    CampaignCard,
    PageLink,
    RewardCard,
    asks_for_subs,
    gives,
    most_minutes,
    reward_state,
)
from feeds.pages.news import Line
from feeds.pages.releases import Release
from feeds.sanitise import one_line
from models.names import slug
from models.words.units import counted, distance, duration, service_heading

GIVES_NAMED = 3
NEWS_SHOWN = 12
RELEASES_SHOWN = 8
LIVE_SHOWN = 12
_ROWS_KEPT = 4096


class LiveChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel on which a campaign can be earned right now."""

    name: str
    path: str | None = None
    url: str | None = None
    game: PageLink | None = None
    viewers: int | None = None


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the first page shows; campaigns are ordered by their end."""

    active: tuple[CampaignCard, ...] = ()
    upcoming: tuple[CampaignCard, ...] = ()
    rewards: tuple[RewardCard, ...] = ()
    live: tuple[LiveChannel, ...] = ()
    live_total: int = 0
    news: tuple[Line, ...] = ()
    releases: tuple[Release, ...] = ()
    ended_recently: int = 0
    # Of any time: an import brings some where no source was read yet.
    has_campaigns: bool = False
    sources: tuple[SourceHealth, ...] = ()
    off: tuple[SourceOff, ...] = ()
    has_feed_of_everything: bool = False


class _Group(msgspec.Struct, frozen=True):
    """Rows under one heading."""

    name: str
    title: str
    rows: Sequence[Markup]
    campaigns: int


def render_index(site: Site, base_url: str, now: datetime, *, stamp: str = "", look: Look = HOUSE) -> bytes:
    """Return `index.html` as it reads at `now`; all links within the folder are relative.

    `base_url` is shown as the place to subscribe at; `stamp` goes into a comment near the beginning.
    """
    style = _style(look.asset("style.css"))
    return look.render(
        "index.html.j2",
        stamp=stamp,
        root="",
        path="index",
        # Within the page, so that it is readable when it has come; the other pages share the file.
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(str(style).encode()).digest()).decode(),
        base_url=base_url.rstrip("/"),
        now=now.astimezone(UTC),
        groups=_groups(site.active, now, look),
        upcoming=_rows(site.upcoming, now, look, is_upcoming=True),
        rewards=[card for card in site.rewards if reward_state(card, now) == "on"],
        site=site,
        live=site.live[:LIVE_SHOWN],
        news=site.news[:NEWS_SHOWN],
        releases=site.releases[:RELEASES_SHOWN],
        services=_services(site),
        waiting=[source for source in site.sources if source.failing_since or not source.last_success_at],
        is_unread=not site.has_campaigns and not any(source.last_success_at for source in site.sources),
        formats=formats_of("all") if site.has_feed_of_everything else (),
        feed_path="all",
        feed_title="Lootwire: everything",
    )


def _groups(cards: Sequence[CampaignCard], now: datetime, look: Look) -> list[_Group]:
    limits = (
        ("soon", "Ends within a day", timedelta(days=1)),
        ("week", "Ends this week", timedelta(days=7)),
        ("later", "Ends later", timedelta.max),
    )
    groups: list[_Group] = []
    left = _by_game(cards)
    for name, title, span in limits:
        within = [game for game in left if game[0].end_at is not None and game[0].end_at - now <= span]
        groups.append(_group(name, title, within, now, look))
        left = [game for game in left if game not in within]
    groups.append(_group("open", "No end announced", left, now, look))
    return [group for group in groups if group.rows]


def _group(name: str, title: str, games: Sequence[tuple[CampaignCard, ...]], now: datetime, look: Look) -> _Group:
    rows = [_row(game, now, look, is_upcoming=False) for game in games]
    return _Group(name, title, rows, sum(len(game) for game in games))


def _by_game(cards: Iterable[CampaignCard]) -> list[tuple[CampaignCard, ...]]:
    """Return campaigns by their game, in the order of the first of each."""
    games: dict[tuple[str, str], list[CampaignCard]] = {}
    for number, card in enumerate(cards):
        key = ("game", card.game_path or card.game) if card.game else ("campaign", str(number))
        games.setdefault(key, []).append(card)
    return [tuple(game) for game in games.values()]


def _rows(cards: Iterable[CampaignCard], now: datetime, look: Look, *, is_upcoming: bool) -> list[Markup]:
    return [_row(game, now, look, is_upcoming=is_upcoming) for game in _by_game(cards)]


def _row(cards: tuple[CampaignCard, ...], now: datetime, look: Look, *, is_upcoming: bool) -> Markup:
    left = tuple(_left(card, now, is_upcoming=is_upcoming) for card in cards)
    return _row_html(look, cards, left, now.astimezone(UTC).year, is_upcoming=is_upcoming)


def _left(card: CampaignCard, now: datetime, *, is_upcoming: bool) -> tuple[str, bool]:
    """Return roughly how long is left, and whether that is less than a day."""
    at = card.start_at if is_upcoming else card.end_at
    return (distance(at - now), not is_upcoming and at - now <= timedelta(days=1)) if at else ("", False)


@lru_cache(maxsize=_ROWS_KEPT)
def _row_html(
    look: Look, cards: tuple[CampaignCard, ...], left: tuple[tuple[str, bool], ...], year: int, *, is_upcoming: bool
) -> Markup:
    """Return a row, kept since most stay the same from page to page; all that it shows is in the cache's key."""
    first = cards[0]
    html = look.render(
        "row.html.j2",
        name=one_line(first.game or first.name, 120),
        first=first,
        entries=[
            {"card": card, "left": words, "is_hot": is_hot, "gives": _gives(card), "asks": _asks(card)}
            for card, (words, is_hot) in zip(cards, left, strict=True)
        ],
        services=" ".join(sorted({slug(card.service) for card in cards})),
        year=year,
        is_upcoming=is_upcoming,
        # Below the heading of a group, or of the section itself.
        level=3 if is_upcoming else 4,
    )
    return Markup(html.decode())  # noqa: S704 - the template escapes


def _gives(card: CampaignCard) -> str:
    names = gives(card)
    shown = ", ".join(one_line(name, 48) for name in names[:GIVES_NAMED])
    more = len(names) - GIVES_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _asks(card: CampaignCard) -> str:
    minutes = most_minutes(card)
    parts = [duration(minutes)] if minutes else []
    parts += ["subs"] if asks_for_subs(card) else []
    parts += [f"on {counted(card.channels_total, 'channel')}"] if card.channels_total else []
    return " · ".join(parts)


def _services(site: Site) -> list[tuple[str, str]]:
    services = {card.service for card in (*site.active, *site.upcoming)} | {card.service for card in site.rewards}
    return [(slug(service), one_line(service_heading(service), 40)) for service in sorted(services)]


@lru_cache(maxsize=4)
def _style(data: bytes) -> Markup:
    """Return a stylesheet as it may stand within a page, where `</style` would end it."""
    return Markup(data.decode().strip().replace("</", "<\\/"))  # noqa: S704 - it is a stylesheet
