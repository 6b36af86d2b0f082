"""Render the page of an organization: its games, and what is on by it. Pure."""

from datetime import datetime

import msgspec

from feeds.content import FeedContent
from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.cards import CampaignCard, Rhythm, gives, month_words, soonest_first, state_of
from feeds.pages.news import lines
from feeds.sanitise import one_line

NEWS_SHOWN = 15
GIVES_NAMED = 3


class OwnedGame(msgspec.Struct, frozen=True, kw_only=True):
    """A game of an organization: how many campaigns it had, how many are on, and when one was last on offer."""

    name: str
    path: str | None = None
    box_art_url: str | None = None
    campaigns: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    is_on: bool = False


class OrganizationPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of an organization is rendered from; `paths` as a game's page has them."""

    path: str
    name: str
    service: str
    url: str | None = None
    image_url: str | None = None
    games: tuple[OwnedGame, ...] = ()
    campaigns: tuple[CampaignCard, ...] = ()
    habit: Rhythm
    paths: dict[str, str] = {}


def render_organization(
    page: OrganizationPage, feed: FeedContent, now: datetime, *, stamp: str = "", look: Look = HOUSE
) -> bytes:
    """Return the page of an organization as it reads at `now`; links within the folder are relative."""
    states = [(card, state_of(card, now)) for card in page.campaigns]
    return look.render(
        "organization.html.j2",
        stamp=stamp,
        root="../" * page.path.count("/"),
        path=page.path,
        page=page,
        name=one_line(page.name, 120) or page.path,
        current=[(card, _gives(card)) for card in soonest_first(card for card, state in states if state == "on")],
        coming=[(card, _gives(card)) for card in soonest_first(card for card, state in states if state == "upcoming")],
        month_words=month_words,
        news=lines(feed.items[:NEWS_SHOWN], page.paths),
        formats=formats_of("organization"),
        feed_path=page.path,
        feed_title=one_line(page.name, 120),
    )


def _gives(card: CampaignCard) -> str:
    names = gives(card)
    shown = ", ".join(one_line(name, 60) for name in names[:GIVES_NAMED])
    return f"{shown} and {len(names) - GIVES_NAMED} more" if len(names) > GIVES_NAMED else shown
