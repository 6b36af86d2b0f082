"""Channels that a person follows, what is on at them, and what was recorded of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from sqlalchemy import Connection, Engine, func, select

from models import Follow
from models.errors import LootwireError, UnknownThing, UsageError
from models.moments import Moment
from models.names import name_key
from models.statistics import (
    NEVER,
    CategoryTotals,
    HourTotals,
    Story,
    Totals,
    by_hour,
    by_weekday,
    load_categories,
    load_hours,
    load_reach,
    load_stories,
    load_totals,
)
from pipeline.catalogue.unknown import unknown_channel
from pipeline.channels.following.adding import Outcome, add_category, add_channels
from pipeline.channels.following.follows import (
    Known,
    find_channel,
    follow_drops,
    unfollow,
    unfollow_category,
    unfollow_drops,
)
from pipeline.channels.following.lists import ReadList
from pipeline.channels.following.names import Name, parse_name
from pipeline.channels.following.watched import FollowedCategory, followed_categories
from pipeline.channels.listing import status
from pipeline.channels.listing.status import ChannelStatus
from pipeline.channels.listing.watching import WatchedChannel, list_watched
from pipeline.errors import SourceError, SourceRefused
from pipeline.fetch.http import Client
from pipeline.games.finding.unknown import unknown_game
from pipeline.people.store.plans import QuotaError
from pipeline.programs.sources import register
from pipeline.runtime.runtime import Runtime
from pipeline.services.twitch.account import SERVICE
from pipeline.services.twitch.credentials import load_credential
from pipeline.services.twitch.helix import Helix

STREAMS_SHOWN = 5


class WantedCategory(msgspec.Struct, frozen=True, kw_only=True):
    """A category by its name, as people write it, and how many of its most watched streams are recorded."""

    name: str
    top: int


class AddedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the wish to follow a group of channels: a category by name, or `drops`.

    `note` says why none was followed, or what may be meant.
    """

    group: str
    result: Literal["followed", "already followed", "unknown"]
    note: str | None = None

    @property
    def is_set_aside(self) -> bool:
        """Whether nothing was followed."""
        return self.result == "unknown"


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each name that was to be followed, in their order, and of each group."""

    channels: Sequence[Outcome]
    groups: Sequence[AddedGroup] = ()


class CategoryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A category whose `top` most watched streams are recorded; `external_id` is Twitch's."""

    external_id: str
    name: str
    top: int
    since: Moment


class CampaignChannels(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a person watches all channels that running campaigns name, how many those are and how many are live."""

    followed: bool
    channels: int
    live: int


class Recap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stream with what it added up to; averages are weighted by time. What is not known is left out."""

    started_at: Moment
    ended_at: Moment
    seconds: int
    peak_viewers: int | None = None
    average_viewers: int | None = None
    categories: Sequence["CategoryOfRecap"] = ()


class CategoryOfRecap(msgspec.Struct, frozen=True, kw_only=True):
    """How long a category was on; `name` is null where it is not known."""

    name: str | None
    seconds: int


class StoryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A stream, live or over, with its title as last known; while it is live its recap reaches to the last poll."""

    session_id: int
    live: bool
    title: str | None
    recap: Recap


class ChannelStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a channel streamed in a period, in the hours of a time zone.

    `average_seconds` is how long a stream of the period lasted on average. The last streams, and when the first and the
    last one began, are those of all time. Weekdays begin with Monday, hours with midnight, both in seconds on air.
    """

    channel_id: int
    external_id: str
    login: str
    display_name: str | None
    former_logins: Sequence[str]
    followed: bool
    since: Moment
    until: Moment
    zone: str
    streams: int
    seconds: int
    average_viewers: int | None
    peak_viewers: int | None
    categories: Sequence[CategoryTotals]
    weekdays: Sequence[int]
    hours: Sequence[int]
    week: Sequence[HourTotals]
    last_streams: Sequence[StoryAnswer]
    average_seconds: int | None
    first_stream_at: Moment | None
    last_stream_at: Moment | None


def list_channels(connection: Connection, person_id: int, now: datetime) -> list[WatchedChannel]:
    """Return the channels that a person follows, by name or because campaigns name them."""
    return list_watched(connection, now, person_id=person_id)


def list_categories(connection: Connection, person_id: int) -> list[CategoryAnswer]:
    """Return the categories that a person follows, the oldest first."""
    return [
        CategoryAnswer(external_id=each.external_id, name=each.name, top=each.top, since=each.since)
        for each in followed_categories(connection, person_id=person_id)
    ]


def show_campaign_channels(connection: Connection, person_id: int, now: datetime) -> CampaignChannels:
    """Return whether a person watches the channels that running campaigns name, and how many those are."""
    return campaign_channels_among(connection, person_id, list_channels(connection, person_id, now))


def campaign_channels_among(
    connection: Connection, person_id: int, channels: Sequence[WatchedChannel]
) -> CampaignChannels:
    """Return the same as `show_campaign_channels` of channels that are listed already."""
    mine = (Follow.person_id == person_id, Follow.kind == "drops")
    is_followed = bool(connection.scalar(select(func.count()).where(*mine)))
    named = [channel for channel in channels if "drops" in channel.why] if is_followed else []
    live = sum(channel.live is not None for channel in named)
    return CampaignChannels(followed=is_followed, channels=len(named), live=live)


def follow(
    runtime: Runtime,
    person_id: int,
    now: datetime,
    *,
    names: Sequence[str] = (),
    categories: Sequence[WantedCategory] = (),
    drops: bool = False,
) -> Added:
    """Follow channels by login, id or address, categories by name, and all channels that campaigns name.

    Raises `LootwireError` that names the setting where an application at Twitch is needed, `SourceError` where Twitch
    does not answer, and `QuotaError` where the person's plan allows no more; what was followed until then stays.
    """
    _register(runtime, now)
    engine = runtime.engine
    with Client() as client:
        # First of all: without an application Lootwire cannot watch any of this, so nothing may be changed.
        helix = runtime.needed_helix(client)
        outcomes = add_channels(engine, helix, [parse_name(name) for name in names], now, person_id=person_id)
        groups = [_add_category(engine, helix, each, now, person_id) for each in categories]
    if drops:
        with engine.begin() as connection:
            is_new = follow_drops(connection, now, person_id=person_id)
        groups.append(AddedGroup(group="drops", result="followed" if is_new else "already followed"))
    return Added(channels=outcomes, groups=groups)


def follow_list(runtime: Runtime, person_id: int, now: datetime, listed: ReadList | None) -> tuple[Added, str]:
    """Follow the channels of a list, or without one those that the account signed in to Twitch follows there.

    Returns how the list was read, too. Raises what `follow` does, and `LootwireError` where the sign-in does not do.
    """
    _register(runtime, now)
    with Client() as client:
        helix = runtime.needed_helix(client)
        listed = listed or _followed_at_twitch(runtime, client)
        outcomes = add_channels(runtime.engine, helix, listed.names, now, person_id=person_id)
    return Added(channels=outcomes), listed.taken_as


def unfollow_channel(connection: Connection, person_id: int, now: datetime, name: str) -> Known:
    """Follow a channel no longer; what was recorded of it stays. Raises `UnknownThing` where it is not followed."""
    known = find_channel(connection, parse_name(name), of_followed=True, person_id=person_id)
    if known is None:
        raise UnknownThing(f"{name}: is not followed")
    unfollow(connection, [known.channel_id], now, person_id=person_id)
    return known


def unfollow_category_named(connection: Connection, person_id: int, name: str) -> CategoryAnswer:
    """Record a category's streams no longer, by its name or Twitch's id; raises `UnknownThing` if none is."""
    category = _category_meant(followed_categories(connection, person_id=person_id), name)
    if category is None:
        raise UnknownThing(f"{name}: is not followed")
    unfollow_category(connection, category.game_id, person_id=person_id)
    return CategoryAnswer(external_id=category.external_id, name=category.name, top=category.top, since=category.since)


def follow_campaign_channels(connection: Connection, person_id: int, now: datetime) -> CampaignChannels:
    """Watch all channels that running campaigns name."""
    follow_drops(connection, now, person_id=person_id)
    return show_campaign_channels(connection, person_id, now)


def unfollow_campaign_channels(connection: Connection, person_id: int) -> None:
    """Watch the channels that campaigns name no longer; raises `UnknownThing` where they are not watched."""
    if not unfollow_drops(connection, person_id=person_id):
        raise UnknownThing("campaigns' channels: are not watched")


def show_status(runtime: Runtime, person_id: int, now: datetime, name: str) -> ChannelStatus:
    """Return what is on at a channel, followed or not; see `look_at_channel`."""
    return status.look_at_channel(runtime.engine, runtime.needed_helix, name, now, person_id=person_id)


def known_channel(connection: Connection, person_id: int, name: str) -> Known:
    """Return the channel that a name means; raises `UnknownThing` with those that may be meant."""
    parsed = parse_name(name)
    known = find_channel(connection, parsed, person_id=person_id) if parsed.problem is None else None
    if known is None:
        # PostgreSQL holds no NUL.
        unknown = None if "\0" in name else unknown_channel(connection, name)
        meant = f" (did you mean {' or '.join(unknown.near)}?)" if unknown and unknown.near else ""
        hint = "`lootwire channels list` shows those that are followed"
        raise UnknownThing(f"no channel {name!r} is known{meant}; {hint}")
    return known


def show_statistics(
    connection: Connection,
    person_id: int,
    now: datetime,
    name: str,
    *,
    since: datetime,
    until: datetime | None = None,
    zone: str = "UTC",
) -> ChannelStatistics:
    """Return what a channel streamed in a period; raises `UnknownThing`."""
    known = known_channel(connection, person_id, name)
    ids, channel_id = [known.channel_id], known.channel_id
    # Without an end, as the last streams are: what is newer than `now` came while this was asked for.
    end = NEVER if until is None else until
    totals = load_totals(connection, ids, since, end).get(channel_id, Totals())
    week = load_hours(connection, ids, since, end, zone=zone).get(channel_id, [])
    reach = load_reach(connection, ids).get(channel_id)
    return ChannelStatistics(
        **msgspec.structs.asdict(known),
        since=since,
        until=until or now,
        zone=zone,
        **msgspec.structs.asdict(totals),
        categories=load_categories(connection, ids, since, end).get(channel_id, []),
        weekdays=by_weekday(week),
        hours=by_hour(week),
        week=week,
        last_streams=[_story(each) for each in load_stories(connection, ids, STREAMS_SHOWN).get(channel_id, [])],
        average_seconds=round(totals.seconds / totals.streams) if totals.streams else None,
        first_stream_at=None if reach is None else reach.first_stream_at,
        last_stream_at=None if reach is None else reach.last_stream_at,
    )


def check_zone(zone: str) -> None:
    """Raise `UsageError` where there is no time zone of that name."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"there is no time zone {zone!r}; write Europe/Berlin, say") from None


def _register(runtime: Runtime, now: datetime) -> None:
    """Give every source a row, so that those of streams can be made due."""
    with runtime.engine.begin() as connection:
        register(connection, runtime, now)


def _add_category(engine: Engine, helix: Helix, wanted: WantedCategory, now: datetime, person_id: int) -> AddedGroup:
    try:
        category = add_category(engine, helix, wanted.name, wanted.top, now, person_id=person_id)
    except (SourceError, QuotaError):
        raise
    except LootwireError as error:
        with engine.connect() as connection:
            unknown = unknown_game(connection, wanted.name)
        meant = f" (did you mean {' or '.join(unknown.near)}?)" if unknown and unknown.near else ""
        return AddedGroup(group=wanted.name, result="unknown", note=f"{error}{meant}")
    return AddedGroup(group=category, result="followed")


def _category_meant(categories: Sequence[FollowedCategory], name: str) -> FollowedCategory | None:
    by_id = [each for each in categories if each.external_id == name]
    by_name = [each for each in categories if name_key(each.name) == name_key(name)]
    return next(iter([*by_id, *by_name]), None)


def _followed_at_twitch(runtime: Runtime, client: Client) -> ReadList:
    account = runtime.account
    with runtime.engine.connect() as connection:
        credential = load_credential(connection, SERVICE)
    way_out = "`lootwire sources login twitch --follows`"
    if account is None or credential is None:
        raise LootwireError(f"nobody is signed in to Twitch: {way_out}, which also asks to read whom you follow")
    try:
        followed = runtime.needed_helix(client).followed(credential.user_id, account.session(client))
    except SourceRefused as error:
        message = (
            f"the sign-in of {credential.login} may not read whom it follows ({error}): sign in again with {way_out}"
        )
        raise LootwireError(message) from error
    if not followed:
        raise LootwireError(f"{credential.login} follows nobody at Twitch")
    names = tuple(Name(channel.login, external_id=channel.external_id) for channel in followed)
    return ReadList(names, f"the follows of {credential.login}")


def _story(story: Story) -> StoryAnswer:
    recap = msgspec.structs.asdict(story.recap)
    categories = [CategoryOfRecap(name=each.name, seconds=each.seconds) for each in story.recap.categories]
    return StoryAnswer(
        session_id=story.session_id,
        live=story.live,
        title=story.title,
        recap=Recap(**recap | {"categories": tuple(categories)}),
    )
