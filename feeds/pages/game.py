"""Render the page of a game: its campaigns now and before, how often they come, when it comes out, what it is."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import msgspec

from feeds.content import FeedContent
from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.cards import (
    CampaignCard,
    ChannelLink,
    PageLink,
    RewardCard,
    Rhythm,
    gives,
    month_words,
    newest_first,
    reward_state,
    rhythm,
    roughly,
    soonest_first,
    state_of,
)
from feeds.pages.channels import shown_channels
from feeds.pages.news import lines
from feeds.pages.releases import Release
from feeds.sanitise import one_line, safe_url
from models.words.addresses import category_address

PAST_SHOWN = 40
GIVES_NAMED = 4
ITEMS_SHOWN = 60
NEWS_SHOWN = 15
# Two years tell a yearly habit from a chance.
STRIP_DAYS = 730
STRIP_LEAST = timedelta(days=60)
STRIP_LANES = 6
LANE = 9


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A release date that changed: what happened, and when it was said; `when` and `before` are in words."""

    at: datetime
    label: str
    when: str | None = None
    before: str | None = None
    difference: str | None = None
    places: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What IGDB says of a game."""

    url: str | None = None
    summary: str | None = None
    rating: float | None = None
    rating_count: int | None = None
    genres: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    franchises: tuple[str, ...] = ()


class GamePage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a game is rendered from; `paths` are those of pages that its events lead to, by event key."""

    path: str
    name: str
    box_art_url: str | None = None
    services: tuple[str, ...] = ()
    organizations: tuple[PageLink, ...] = ()
    campaigns: tuple[CampaignCard, ...] = ()
    rewards: tuple[RewardCard, ...] = ()
    releases: tuple[Release, ...] = ()
    moves: tuple[Move, ...] = ()
    facts: Facts | None = None
    channels: tuple[ChannelLink, ...] = ()
    paths: dict[str, str] = {}


class Past(msgspec.Struct, frozen=True):
    """A campaign that is over, as a row of a table."""

    card: CampaignCard
    gives: str


class Item(msgspec.Struct, frozen=True):
    """An item that campaigns of the game gave: in how many, when last, and after how long it was back."""

    name: str
    times: int
    last_at: datetime | None
    back_after: str | None


class Bar(msgspec.Struct, frozen=True):
    """A campaign on the strip of two years: position and width in percent, `top` in pixels."""

    at: float
    width: float
    top: int
    state: str
    text: str


def render_game(page: GamePage, feed: FeedContent, now: datetime, *, stamp: str = "", look: Look = HOUSE) -> bytes:
    """Return the page of a game as it reads at `now`; links within the folder are relative."""
    states = [(card, state_of(card, now)) for card in page.campaigns]
    current = soonest_first(card for card, state in states if state == "on")
    coming = soonest_first(card for card, state in states if state == "upcoming")
    past = newest_first(card for card, state in states if state in {"over", "withdrawn"})
    bars, months = strip(page.campaigns, now)
    return look.render(
        "game.html.j2",
        stamp=stamp,
        root="../" * page.path.count("/"),
        path=page.path,
        page=page,
        name=one_line(page.name, 120) or page.path,
        current=current,
        coming=coming,
        past=[Past(card, _gives(card)) for card in past[:PAST_SHOWN]],
        past_total=len(past),
        rewards=[card for card in page.rewards if reward_state(card, now) != "over"],
        rewards_past=[card for card in page.rewards if reward_state(card, now) == "over"],
        habit=rhythm(page.campaigns),
        offered=_offered(current, coming, past, rhythm(page.campaigns)),
        items=items_of(page.campaigns)[:ITEMS_SHOWN],
        bars=bars,
        months=months,
        strip_height=max((bar.top for bar in bars), default=0) + LANE,
        lane=LANE - 2,
        channels=shown_channels("twitch", page.channels),
        news=lines(feed.items[:NEWS_SHOWN], page.paths),
        twitch=safe_url(category_address("twitch", one_line(page.name))) if "twitch" in page.services else None,
        formats=formats_of("game"),
        feed_path=page.path,
        feed_title=one_line(page.name, 120),
    )


def _gives(card: CampaignCard) -> str:
    names = gives(card)
    shown = ", ".join(one_line(name, 60) for name in names[:GIVES_NAMED])
    return f"{shown} and {len(names) - GIVES_NAMED} more" if len(names) > GIVES_NAMED else shown


def _offered(
    current: Sequence[CampaignCard], coming: Sequence[CampaignCard], past: Sequence[CampaignCard], habit: Rhythm
) -> str:
    """Return in a sentence when something was or is on offer, as people ask for it: "Last offered in March 2026"."""
    if current:
        return "On offer now"
    if coming:
        return "Coming"
    last = past[0].last_at if past else None
    if last is None:
        return "Nothing has been on offer yet"
    tail = f", for the {_ordinal(habit.campaigns)} time" if habit.campaigns > 1 else ""
    return f"Last offered in {month_words(last)}{tail}"


def _ordinal(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def items_of(cards: Sequence[CampaignCard]) -> list[Item]:
    """Return what campaigns gave by its name, what came most often first."""
    times: dict[str, list[tuple[datetime, datetime | None]]] = {}
    for card in cards:
        if card.first_at is not None:
            for name in gives(card):
                times.setdefault(one_line(name, 90), []).append((card.first_at, card.last_at))
    items = []
    for name, spans in times.items():
        ordered = sorted(spans, key=lambda span: span[0])
        back = back_after(ordered)
        items.append(Item(name, len(spans), max((end for _, end in spans if end), default=None), back))
    return sorted(items, key=lambda item: (-item.times, item.name))


def back_after(spans: Sequence[tuple[datetime, datetime | None]]) -> str | None:
    """Return after how long something was last back on offer, or None where it was away for no month."""
    gaps = [(after[0] - before[1]).days for before, after in pairwise(spans) if before[1] is not None]
    away = [gap for gap in gaps if gap >= 28]
    return roughly(away[-1]) if away else None


def strip(cards: Sequence[CampaignCard], now: datetime) -> tuple[list[Bar], list[tuple[float, str]]]:
    """Return campaigns as bars on the last two years, or since the first where that is less, and the marks of months.

    Bars that would lie on each other lie below each other, as far as there is room.
    """
    spans = sorted(
        ((card.first_at, card.last_at or max(now, card.first_at), card) for card in cards if card.first_at),
        key=lambda span: (span[0], span[1]),
    )
    if len(spans) < 2 or max(last for _, last, _ in spans) - spans[0][0] < STRIP_LEAST:
        return [], []
    begin = max(spans[0][0], now - timedelta(days=STRIP_DAYS)) - timedelta(days=2)
    end = max(now, *(last for _, last, _ in spans)) + timedelta(days=2)
    whole = end - begin
    ends: list[datetime] = []
    bars = []
    for first, last, card in spans:
        if last < begin:
            continue
        lane = next((lane for lane, taken in enumerate(ends) if taken < first), len(ends))
        lane = min(lane, STRIP_LANES - 1)
        ends[lane : lane + 1] = [last]
        at = 100 * (max(first, begin) - begin) / whole
        width = max(0.4, 100 * (last - max(first, begin)) / whole)
        text = one_line(card.name, 80)
        bars.append(Bar(round(at, 2), round(width, 2), lane * LANE, state_of(card, now), text))
    return bars, _months(begin, end)


def _months(begin: datetime, end: datetime) -> list[tuple[float, str]]:
    months: list[date] = []
    month = begin.astimezone(UTC).date().replace(day=1)
    while month <= end.astimezone(UTC).date():
        months.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    each = max(1, len(months) // 7)
    marks = []
    for month in months[1::each]:
        at = 100 * (datetime(month.year, month.month, 1, tzinfo=UTC) - begin) / (end - begin)
        if at < 92:
            marks.append((round(at, 2), f"{month:%b %Y}"))
    return marks
