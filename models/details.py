"""The details of events, one struct for each family of kinds.

Messages, feed items and the command line all read an event's `detail` through these; whatever they show is in it, so
an old event reads the same after the catalogue has moved on. The stored JSON does not name its family: the event's
kind does.
"""

from datetime import datetime
from typing import Any, ClassVar

import msgspec

# What Twitch calls a stream that is no rerun and the like.
LIVE = "live"


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
    required_turbo_subs: int | None = None
    # campaign.last_chance: the last moment to begin with it, for somebody who has nothing of it.
    start_by: datetime | None = None
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
    """How long a category was on; `name` is None where the service gave none."""

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
    """What an event of any family may show. All texts are as the service sent them: escape before you show them.

    Events have the struct of their family; `families` are the kinds' parts before the dot.
    """

    families: ClassVar[tuple[str, ...]] = ()

    name: str | None = None
    url: str | None = None
    box_art_url: str | None = None
    game: str | None = None
    description: str | None = None


class CampaignDetail(EventDetail, frozen=True, kw_only=True, omit_defaults=True):
    """What events of drop campaigns, reward campaigns and chat badges show."""

    families = ("campaign", "reward", "badge")

    account_link_url: str | None = None
    image_url: str | None = None
    organization: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    required_minutes: int | None = None
    required_subs: int | None = None
    required_turbo_subs: int | None = None
    drops: tuple[DropLine, ...] = ()
    # How many channels the campaign names (0: every channel of the game counts) and the first few of them.
    channels_total: int = 0
    channels: tuple[str, ...] = ()
    changes: tuple[FieldChange, ...] = ()
    channels_added: tuple[str, ...] = ()
    channels_removed: tuple[str, ...] = ()
    drops_added: tuple[DropLine, ...] = ()
    # campaign.last_chance: the drops that it is about where it is not about all, and until when they can be earned
    # where that is before the campaign's end.
    drops_ending: tuple[DropLine, ...] = ()
    drops_end_at: datetime | None = None
    # Benefits that this organization gave for this game before, under other campaigns.
    seen_before: tuple[SeenBefore, ...] = ()
    # campaign.watchable: the channel to watch, by its display name and its login, and its viewers.
    channel: str | None = None
    channel_login: str | None = None
    viewers: int | None = None
    # The event was due while nothing ran, and comes after its time.
    late: bool = False
    # Of the person who is told, as things stand when it is sent; no event holds them. How many minutes are missing
    # where some were watched, and whether the account has to be linked first.
    missing_minutes: int | None = None
    needs_link: bool = False


class StreamDetail(EventDetail, frozen=True, kw_only=True, omit_defaults=True):
    """What events of streams and videos show; `name` is the title of either, `game` the category."""

    families = ("stream", "video")

    image_url: str | None = None
    start_at: datetime | None = None
    channel: str | None = None
    channel_login: str | None = None
    viewers: int | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    # stream.rerun: what is on instead of a live stream, as Twitch calls it: rerun, playlist, watch_party, premiere.
    type: str | None = None
    # Names of the running campaigns that can be earned on this stream.
    campaigns: tuple[str, ...] = ()
    changes: tuple[FieldChange, ...] = ()
    recap: StreamRecap | None = None
    # How long a video is.
    seconds: int | None = None


class ReleaseDetail(EventDetail, frozen=True, kw_only=True, omit_defaults=True):
    """What events of release dates and of games show; `name` is that of an entry that belongs to the game."""

    families = ("release", "game")

    # Each with its region, unless that is the world.
    platforms: tuple[str, ...] = ()
    # As `models.periods` writes it.
    when: str | None = None
    when_before: str | None = None
    # How much later the period ends now; earlier: below 0.
    days: int | None = None
    is_delay: bool = False
    # What comes out short of the game itself (early access), or what kind of entry a game.added is (DLC).
    stage: str | None = None
    reason: str | None = None


class LibraryLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A game of a library or a list as a message shows it: its places before and after where a list moved it."""

    name: str
    note: str | None = None
    place: int | None = None
    place_before: int | None = None


class LibraryDetail(EventDetail, frozen=True, kw_only=True, omit_defaults=True):
    """What events of a person's library, journal, lists and ROMs show; they are that person's alone."""

    families = ("library", "play", "list", "rom")

    # The file, account, list or folder that it came from.
    origin: str | None = None
    store: str | None = None
    platform: str | None = None
    # How many games it is about, and the first of them.
    total: int = 0
    games: tuple[LibraryLine, ...] = ()
    # list.changed: what happened to the list.
    added: tuple[LibraryLine, ...] = ()
    removed: tuple[LibraryLine, ...] = ()
    moved: tuple[LibraryLine, ...] = ()
    # play.finished: as `models.periods` writes it, `main`, `extras` or `all`, how long, and 0 to 100.
    finished: str | None = None
    completion: str | None = None
    seconds: int | None = None
    rating: int | None = None


class SoundDetail(EventDetail, frozen=True, kw_only=True, omit_defaults=True):
    """What events of sounds show; `name` is the title, `url` where its page or, of a failed one, its source is."""

    families = ("sound",)

    # The first show that has it, of which `channel` may be the channel.
    show: str | None = None
    channel: str | None = None
    channel_login: str | None = None
    image_url: str | None = None
    seconds: int | None = None
    chapters: tuple[str, ...] = ()
    # How long it is silent because the service muted it.
    muted_seconds: int | None = None
    # sound.failed: the kind of `pipeline.sound.records.ErrorKind`, and what a person can do.
    error_kind: str | None = None
    reason: str | None = None
    way_out: str | None = None
    # sound.expiring: when the show lets it go.
    expires_at: datetime | None = None


class QuotaDetail(EventDetail, frozen=True, kw_only=True, omit_defaults=True):
    """What events of a person's credits show; `name` is the plan, `of` what a period of it gives."""

    families = ("quota",)

    credits: int = 0
    of: int = 0
    # When more come; null where none do by themselves.
    more_at: datetime | None = None


class SourceDetail(EventDetail, frozen=True, kw_only=True, omit_defaults=True):
    """What events of sources show: what went wrong, since when, and when the source is tried again."""

    families = ("source",)

    reason: str | None = None
    since: datetime | None = None
    next_attempt_at: datetime | None = None


class OperatorDetail(EventDetail, frozen=True, kw_only=True, omit_defaults=True):
    """What events of the installation itself show: what is wrong, or how all is going.

    `name` is what is in trouble: a program, a target, a disk.
    """

    families = ("operator",)

    reason: str | None = None
    since: datetime | None = None
    # It was told before, and lasts.
    is_repeated: bool = False
    # The machine that it is on, where it concerns one alone.
    host: str | None = None
    # operator.recovered: the kind of the trouble that is over.
    trouble: str | None = None
    # operator.heartbeat: when it was due, how many sources are healthy, and of how many; how many messages were sent
    # since the last one, wait, and were given up; since when the oldest waits; and headlines of what is wrong.
    due_at: datetime | None = None
    sources_healthy: int | None = None
    sources_total: int | None = None
    messages_sent: int | None = None
    messages_waiting: int | None = None
    messages_dead: int | None = None
    oldest_waiting_seconds: int | None = None
    troubles: tuple[str, ...] = ()


DETAILS: tuple[type[EventDetail], ...] = (
    CampaignDetail,
    StreamDetail,
    ReleaseDetail,
    LibraryDetail,
    SoundDetail,
    QuotaDetail,
    SourceDetail,
    OperatorDetail,
)
_BY_FAMILY = {family: detail for detail in DETAILS for family in detail.families}
_DECODERS = {detail: msgspec.json.Decoder(detail) for detail in DETAILS}


def detail_type(kind: str) -> type[EventDetail]:
    """Return the struct of a kind's family; a family of a newer version is read as far as it looks like campaigns."""
    return _BY_FAMILY.get(kind.partition(".")[0], CampaignDetail)


def detail_to_json(detail: EventDetail) -> dict[str, Any]:
    """Return the detail as JSON builtins, without what is empty; times become ISO 8601 strings."""
    built: dict[str, Any] = msgspec.to_builtins(detail)
    return built


def detail_from_json(kind: str, value: dict[str, Any]) -> EventDetail:
    """Return the detail of an event of this kind; fields that a newer version added are ignored.

    Raises `msgspec.ValidationError` where a field is not what it should be.
    """
    return msgspec.convert(value, detail_type(kind))


def read_detail(kind: str, encoded: str) -> EventDetail:
    """Return the detail of an event of this kind from the text of its JSON, as `detail_from_json` does and faster."""
    detail: EventDetail = _DECODERS[detail_type(kind)].decode(encoded)
    return detail
