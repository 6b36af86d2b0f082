"""Campaigns, rewards and links as pages show them: frozen values, and what is said of several campaigns. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Literal

import msgspec

from models.details import DropLine
from models.words.units import counted

State = Literal["on", "upcoming", "over", "withdrawn"]
STATE_LABELS: dict[State, str] = {"on": "On now", "upcoming": "Coming", "over": "Over", "withdrawn": "Withdrawn"}


class PageLink(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may have a page of its own; `path` is without its ending."""

    name: str
    path: str | None = None


class ChannelLink(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that counts for a campaign, and the path of its page where it has one."""

    login: str
    external_id: str
    display_name: str | None = None
    path: str | None = None


class CampaignCard(msgspec.Struct, frozen=True, kw_only=True):
    """A drop campaign as pages show it.

    `channels_total` is 0 where every channel of the game counts; `channels` are the first few of them. Paths are those
    of pages, without their endings.
    """

    service: str
    name: str
    path: str | None = None
    game: str | None = None
    game_path: str | None = None
    organization: str | None = None
    organization_path: str | None = None
    box_art_url: str | None = None
    image_url: str | None = None
    details_url: str | None = None
    account_link_url: str | None = None
    description: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    first_seen_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    withdrawn_at: datetime | None = None
    drops: tuple[DropLine, ...] = ()
    channels_total: int = 0
    channels: tuple[ChannelLink, ...] = ()

    @property
    def first_at(self) -> datetime | None:
        """When it began or begins, as far as is known."""
        return self.start_at or self.started_at or self.first_seen_at

    @property
    def last_at(self) -> datetime | None:
        """When it was or will be over, as far as is known."""
        return self.withdrawn_at or self.end_at or self.ended_at


class RewardLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a reward campaign gives; where it asks for nothing of its own, it asks for what the card does."""

    name: str
    image_url: str | None = None
    required_minutes: int | None = None
    required_subs: int | None = None
    required_turbo_subs: int | None = None
    earnable_until: datetime | None = None


class RewardCard(msgspec.Struct, frozen=True, kw_only=True):
    """A reward campaign as pages show it."""

    service: str
    name: str
    path: str | None = None
    brand: str | None = None
    summary: str | None = None
    instructions: str | None = None
    game: str | None = None
    game_path: str | None = None
    image_url: str | None = None
    url: str | None = None
    required_minutes: int | None = None
    required_subs: int | None = None
    required_turbo_subs: int | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    ended_at: datetime | None = None
    first_seen_at: datetime | None = None
    rewards: tuple[RewardLine, ...] = ()


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """How often campaigns came: how many, since when, every how many days, and for how many days each."""

    campaigns: int
    first_at: datetime | None = None
    last_at: datetime | None = None
    every_days: int | None = None
    lasting_days: int | None = None

    @property
    def words(self) -> str:
        """Return it as a sentence without its end: "14 campaigns since November 2024, one about every 3 weeks"."""
        since = f" since {month_words(self.first_at)}" if self.first_at and self.campaigns > 1 else ""
        often = f", one about every {roughly(self.every_days)}" if self.every_days else ""
        lasting = f", each for about {roughly(self.lasting_days)}" if self.lasting_days else ""
        return f"{counted(self.campaigns, 'campaign')}{since}{often}{lasting}"


def state_of(card: CampaignCard, now: datetime) -> State:
    """Return how a campaign stands; one whose end has passed is over, judged or not."""
    if card.withdrawn_at is not None:
        return "withdrawn"
    if card.ended_at is not None or (card.end_at is not None and card.end_at <= now):
        return "over"
    is_running = card.started_at is not None or (card.start_at is not None and card.start_at <= now)
    return "on" if is_running else "upcoming"


def reward_state(card: RewardCard, now: datetime) -> State:
    """Return how a reward campaign stands."""
    if card.ended_at is not None or (card.end_at is not None and card.end_at <= now):
        return "over"
    return "upcoming" if card.start_at is not None and card.start_at > now else "on"


def gives(card: CampaignCard) -> tuple[str, ...]:
    """Return the names of what a campaign gives, each once, in the order in which it is earned."""
    names = [name for drop in card.drops for name in _names_of(drop)]
    return tuple(dict.fromkeys(names))


def _names_of(drop: DropLine) -> list[str]:
    named = [benefit.name for benefit in drop.benefits if benefit.name]
    return named or ([drop.name] if drop.name else [])


def most_minutes(card: CampaignCard) -> int | None:
    """Return how long one has to watch for everything; drops of a campaign are mostly counted together."""
    return max((drop.required_minutes for drop in card.drops if drop.required_minutes), default=None)


def asks_for_subs(card: CampaignCard) -> bool:
    """Return whether something of it takes a subscription."""
    return any(drop.required_subs or drop.required_turbo_subs for drop in card.drops)


def rhythm(cards: Sequence[CampaignCard]) -> Rhythm:
    """Return how often these campaigns came, by the days on which they began."""
    begun = sorted({card.first_at.astimezone(UTC).date() for card in cards if card.first_at})
    gaps = [(after - before).days for before, after in pairwise(begun)]
    lengths = [_days(card.start_at, card.end_at) for card in cards if card.start_at and card.end_at]
    return Rhythm(
        campaigns=len(cards),
        first_at=min((card.first_at for card in cards if card.first_at), default=None),
        last_at=max((card.last_at for card in cards if card.last_at), default=None),
        every_days=round(median(gaps)) if len(gaps) >= 2 else None,
        lasting_days=max(1, round(median(lengths))) if lengths else None,
    )


def _days(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(days=1)


def roughly(days: int) -> str:
    """Return days as people say them when they do not count: "5 days", "3 weeks", "7 months", "2 years"."""
    if days < 14:
        return counted(max(days, 1), "day")
    if days < 60:
        return counted(round(days / 7), "week")
    if days < 700:
        return counted(round(days / 30.44), "month")
    return counted(round(days / 365.25), "year")


def month_words(at: datetime) -> str:
    """Return the month of a time: "March 2026"."""
    return f"{at.astimezone(UTC):%B %Y}"


def day_words(at: datetime) -> str:
    """Return the day of a time in UTC: "9 Mar 2026"."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b} {at.year}"


def soonest_first(cards: Iterable[CampaignCard]) -> list[CampaignCard]:
    """Return campaigns by their ends, those without one last."""
    return sorted(cards, key=lambda card: (card.end_at is None, card.end_at or datetime.max.replace(tzinfo=UTC)))


def newest_first(cards: Iterable[CampaignCard]) -> list[CampaignCard]:
    """Return campaigns by when they were over, the latest first."""
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(cards, key=lambda card: (card.last_at or never, card.first_at or never), reverse=True)
