"""The kinds of events and the shape of what an event says.

Messages, feed items and the command line all read an event's `detail` through `EventDetail`; whatever they show
is in it, so an old event reads the same after the catalogue has moved on.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class EventKind(StrEnum):
    """Every kind of event; a family is the part before the dot."""

    CAMPAIGN_ADDED = "campaign.added"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_CHANGED = "campaign.changed"
    CAMPAIGN_DROP_ADDED = "campaign.drop_added"
    CAMPAIGN_CHANNELS_CHANGED = "campaign.channels_changed"
    CAMPAIGN_ENDING_SOON = "campaign.ending_soon"
    CAMPAIGN_LAST_CHANCE = "campaign.last_chance"
    CAMPAIGN_ENDED = "campaign.ended"
    CAMPAIGN_WITHDRAWN = "campaign.withdrawn"
    CAMPAIGN_RETURNED = "campaign.returned"
    CAMPAIGN_WATCHABLE = "campaign.watchable"
    REWARD_ADDED = "reward.added"
    REWARD_ENDED = "reward.ended"
    BADGE_ADDED = "badge.added"
    STREAM_ONLINE = "stream.online"
    STREAM_OFFLINE = "stream.offline"
    STREAM_TITLE_CHANGED = "stream.title_changed"
    STREAM_CATEGORY_CHANGED = "stream.category_changed"
    VIDEO_PUBLISHED = "video.published"
    RELEASE_ANNOUNCED = "release.announced"
    RELEASE_PRECISED = "release.precised"
    RELEASE_MOVED = "release.moved"
    RELEASE_OUT = "release.out"
    RELEASE_CANCELLED = "release.cancelled"
    GAME_ADDED = "game.added"
    SOURCE_FAILING = "source.failing"
    SOURCE_STALE = "source.stale"
    SOURCE_RECOVERED = "source.recovered"
    SOURCE_CHANGED = "source.changed"

    @property
    def family(self) -> str:
        """The part before the dot: `campaign`, `stream`, `source`."""
        return self.value.split(".", 1)[0]


class BenefitLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A benefit as a message shows it."""

    name: str | None = None
    image_url: str | None = None
    distribution_type: str | None = None


class DropLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A drop as a message shows it: what it asks for and what it gives."""

    name: str | None = None
    required_minutes: int | None = None
    required_subs: int | None = None
    benefits: tuple[BenefitLine, ...] = ()


class FieldChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field with its old and its new value; times are ISO 8601 in UTC. `about` names the drop it belongs to."""

    field: str
    old: Any
    new: Any
    about: str | None = None


class SeenBefore(msgspec.Struct, frozen=True, kw_only=True):
    """A benefit of the same name that was on offer before: in which campaign, and until when."""

    benefit: str
    campaign: str
    until: datetime | None = None


class CategoryTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long a category was on; `name` is None where nobody told which."""

    name: str | None
    seconds: int


class StreamRecap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stream's story when it is over. `seconds` counts only the time on air; viewers are None where no poll saw it.

    `average_viewers` is weighted by time.
    """

    started_at: datetime
    ended_at: datetime
    seconds: int
    peak_viewers: int | None = None
    average_viewers: int | None = None
    categories: tuple[CategoryTime, ...] = ()


class EventDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that is told of an event. All texts are as the service sent them: escape before you show them."""

    name: str | None = None
    url: str | None = None
    account_link_url: str | None = None
    image_url: str | None = None
    box_art_url: str | None = None
    game: str | None = None
    organization: str | None = None
    description: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    required_minutes: int | None = None
    required_subs: int | None = None
    drops: tuple[DropLine, ...] = ()
    # How many channels the campaign names (0: every channel of the game counts) and the first few of them.
    channels_total: int = 0
    channels: tuple[str, ...] = ()
    changes: tuple[FieldChange, ...] = ()
    channels_added: tuple[str, ...] = ()
    channels_removed: tuple[str, ...] = ()
    drops_added: tuple[DropLine, ...] = ()
    # Benefits that this organization gave for this game before, under other campaigns.
    seen_before: tuple[SeenBefore, ...] = ()
    # stream.*, video.*: the channel's display name and login; `name` is then the stream's or the video's title.
    channel: str | None = None
    channel_login: str | None = None
    viewers: int | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    # Names of the running campaigns that can be earned on this stream.
    campaigns: tuple[str, ...] = ()
    recap: StreamRecap | None = None
    # How long a video is.
    seconds: int | None = None
    # release.*: where (a platform, with its region unless that is the world), when as `models.periods` writes it, and
    # when before; `days` is how much later the period ends now (earlier: below 0). `stage` is what comes out short of
    # the game itself (early access), or what kind of entry a game.added is (DLC).
    platforms: tuple[str, ...] = ()
    when: str | None = None
    when_before: str | None = None
    days: int | None = None
    is_delay: bool = False
    stage: str | None = None
    # Told after its time, because nothing ran when it was due.
    late: bool = False
    # source.*: what went wrong, since when, and when it is tried again.
    reason: str | None = None
    since: datetime | None = None
    next_attempt_at: datetime | None = None


def detail_to_json(detail: EventDetail) -> dict[str, Any]:
    """Return the detail as JSON builtins, without what is empty; times become ISO 8601 strings."""
    built: dict[str, Any] = msgspec.to_builtins(detail)
    return built


def detail_from_json(value: dict[str, Any]) -> EventDetail:
    """Return the detail of an event row; fields that a newer version added are ignored."""
    return msgspec.convert(value, EventDetail)
