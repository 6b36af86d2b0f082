"""Render `rewards.html` with `rewards-index.json`: every item ever on offer, and what was back after months. Pure."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.cards import PageLink
from feeds.pages.game import back_after
from feeds.sanitise import one_line

ITEMS_SHOWN = 150


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One time that an item was on offer, in a campaign."""

    campaign: PageLink
    begin: datetime
    end: datetime | None = None


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was on offer, in all campaigns of its game that gave it; `offers` oldest first."""

    name: str
    service: str
    game: PageLink | None = None
    image_url: str | None = None
    offers: tuple[Offer, ...] = ()


class RewardsPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of rewards is rendered from: the items that are shown, latest offer first, and all in few words.

    `all_items` are rows of name, number of the game in `games`, and the last day in ISO 8601, in the same order. Its
    feed is of reward campaigns alone, and there from the first of them on.
    """

    items: tuple[Offered, ...] = ()
    games: tuple[str, ...] = ()
    all_items: tuple[tuple[str, int, str], ...] = ()
    has_feed: bool = False


class _Shown(msgspec.Struct, frozen=True):
    item: Offered
    name: str
    last: Offer
    back_after: str | None
    is_on: bool


def render_rewards(page: RewardsPage, now: datetime, *, stamp: str = "", look: Look = HOUSE) -> bytes:
    """Return `rewards.html` as it reads at `now`."""
    return look.render(
        "rewards.html.j2",
        stamp=stamp,
        root="",
        path="rewards",
        items=[_shown(item, now) for item in page.items if item.offers],
        total=len(page.all_items),
        formats=formats_of("rewards") if page.has_feed else (),
        feed_path="rewards",
        feed_title="Lootwire: rewards",
    )


def render_index_of_rewards(page: RewardsPage) -> bytes:
    """Return `rewards-index.json`, in which the page searches for what it does not show."""
    return json.dumps(
        {"games": page.games, "items": page.all_items}, ensure_ascii=False, separators=(",", ":")
    ).encode()


def _shown(item: Offered, now: datetime) -> _Shown:
    last = item.offers[-1]
    return _Shown(
        item,
        one_line(item.name, 90),
        last,
        back_after([(offer.begin, offer.end) for offer in item.offers]),
        last.begin <= now and (last.end is None or last.end > now),
    )


def in_few_words(items: Iterable[Offered]) -> tuple[tuple[str, ...], tuple[tuple[str, int, str], ...]]:
    """Return the names of games, and the items as rows of name, number of the game and last day."""
    games: dict[str, int] = {}
    rows = []
    for item in items:
        game = one_line(item.game.name, 80) if item.game else ""
        number = games.setdefault(game, len(games))
        end = item.offers[-1].end if item.offers else None
        rows.append((one_line(item.name, 90), number, end.astimezone(UTC).date().isoformat() if end else ""))
    return tuple(games), tuple(rows)


def by_last_offer(items: Iterable[Offered]) -> Sequence[Offered]:
    """Return items by their last offer, the latest first."""
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(
        items, key=lambda item: (item.offers[-1].end or never, item.offers[-1].begin, item.name), reverse=True
    )
