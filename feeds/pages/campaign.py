"""Render the page of a campaign, of drops or of rewards: everything about it, for ever at the same address. Pure."""

from datetime import datetime, timedelta

import msgspec

from feeds.content import FeedContent
from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.cards import (
    STATE_LABELS,
    CampaignCard,
    PageLink,
    RewardCard,
    most_minutes,
    reward_state,
    roughly,
    state_of,
)
from feeds.pages.channels import shown_channels
from feeds.pages.news import lines
from feeds.sanitise import one_line
from models.words.units import duration


class CampaignPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a campaign is rendered from: one of drops, or one of rewards; others of its game beside it."""

    path: str
    drops: CampaignCard | None = None
    rewards: RewardCard | None = None
    siblings: tuple[PageLink, ...] = ()


def render_campaign(
    page: CampaignPage, feed: FeedContent, now: datetime, *, stamp: str = "", look: Look = HOUSE
) -> bytes:
    """Return the page of a campaign as it reads at `now`; links within the folder are relative."""
    card = page.drops or page.rewards
    name = one_line(card.name, 160) if card else ""
    values = _of_drops(page.drops, now) if page.drops else _of_rewards(page.rewards, now)
    return look.render(
        "campaign.html.j2",
        **values,
        stamp=stamp,
        root="../" * page.path.count("/"),
        path=page.path,
        page=page,
        card=card,
        name=name or page.path,
        # Each is about this campaign: its name would be said again and again.
        news=[msgspec.structs.replace(line, title="", path=None, url=None) for line in lines(feed.items, {})],
        more_news=feed.archives,
        formats=formats_of(feed.scope),
        feed_path=page.path,
        feed_title=name,
    )


def _of_drops(card: CampaignCard, now: datetime) -> dict[str, object]:
    minutes = most_minutes(card)
    state = state_of(card, now)
    return {
        "state": state,
        "state_label": STATE_LABELS[state],
        "watch": duration(minutes) if minutes else None,
        "lasts": _lasts(card.start_at, card.end_at),
        "channels": shown_channels(card.service, card.channels),
    }


def _of_rewards(card: RewardCard | None, now: datetime) -> dict[str, object]:
    if card is None:
        raise ValueError("a campaign's page is of drops or of rewards")
    state = reward_state(card, now)
    return {
        "state": state,
        "state_label": STATE_LABELS[state],
        "watch": None,
        "lasts": _lasts(card.start_at, card.end_at),
        "channels": [],
    }


def _lasts(start: datetime | None, end: datetime | None) -> str | None:
    if start is None or end is None or end <= start:
        return None
    span = end - start
    return (
        roughly(round(span / timedelta(days=1)))
        if span >= timedelta(days=1)
        else duration(int(span.total_seconds() // 60))
    )
