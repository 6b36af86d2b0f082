"""`/channels`, `/categories` and `/campaign-channels`: what a person follows, and what was recorded of channels."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from models.errors import UsageError
from pipeline.channels.following.lists import read_list
from pipeline.channels.following.watched import DEFAULT_TOP
from pipeline.channels.listing.status import ChannelStatus
from pipeline.channels.listing.streams import (
    RecordedSession,
    RecordedSnapshot,
    key_of_session,
    key_of_snapshot,
    list_sessions,
    list_snapshots,
)
from pipeline.channels.listing.watching import WatchedChannel
from pipeline.operations import channels
from pipeline.operations.channels import Added, CampaignChannels, CategoryAnswer, ChannelStatistics, WantedCategory
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, make_page, page_of, read_cursor
from pipeline.web.api.problems import FieldProblem, InvalidRequest, RequestProblem
from pipeline.web.api.routes.periods import PeriodPageQuery, PeriodQuery, begin_of, end_of
from pipeline.web.api.routing import Routes

routes = Routes("channels")
# A request has thirty seconds, in which Twitch is asked about a hundred names at a time.
NAMES_AT_ONCE = 1000
CATEGORIES_AT_ONCE = 20
ChannelName = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class CategoryToFollow(msgspec.Struct, frozen=True, kw_only=True):
    """A category by its name, as people write it, and how many of its most watched streams are recorded."""

    name: Title
    top: Annotated[int, msgspec.Meta(ge=1, le=500)] = DEFAULT_TOP


class ToFollow(msgspec.Struct, frozen=True, kw_only=True):
    """What to follow: channels by login, numeric id or address, categories by name, channels that campaigns name."""

    channels: Annotated[Sequence[ChannelName], msgspec.Meta(max_length=NAMES_AT_ONCE)] = ()
    categories: Annotated[Sequence[CategoryToFollow], msgspec.Meta(max_length=CATEGORIES_AT_ONCE)] = ()
    drops: bool = False


class ListToFollow(msgspec.Struct, frozen=True, kw_only=True):
    """A list of channels as text, CSV or JSON; without one those that the account follows that signed in to Twitch."""

    text: str | UnsetType = UNSET


class ImportedChannels(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each name of a list, and how the list was read."""

    read_as: str
    added: Added


class StatisticsQuery(PeriodQuery, frozen=True, kw_only=True):
    """A period, and the time zone of weekdays and hours."""

    zone: Annotated[str, msgspec.Meta(max_length=100, examples=["Europe/Berlin"])] = "UTC"


@routes.add("GET", "/channels", scope="follow")
def list_channels(call: Reading, query: PageQuery) -> Page[WatchedChannel]:
    """List the channels that you follow: why, what is on now, and whether it is told in real time."""
    listed = channels.list_channels(call.connection, call.person_id, call.now)
    return page_of(listed, query, lambda each: (each.login, each.external_id))


@routes.add("POST", "/channels", scope="follow", role="member", status=201)
def follow_channels(call: Working, body: ToFollow) -> Added:
    """Follow channels, categories, or all channels that running campaigns name.

    Twitch is asked first. Each name has its own result; where none of them can be followed, the request is not valid.
    """
    if not body.channels and not body.categories and not body.drops:
        raise InvalidRequest([FieldProblem(pointer="", detail="give channels, categories or drops")])
    wanted = [WantedCategory(name=each.name, top=each.top) for each in body.categories]
    added = channels.follow(
        call.runtime, call.person_id, call.now, names=body.channels, categories=wanted, drops=body.drops
    )
    _refuse_nothing(added)
    return added


@routes.add("POST", "/channel-lists", scope="follow", role="member", status=201)
def import_channels(call: Working, body: ListToFollow) -> ImportedChannels:
    """Follow the channels of a list, or all that the owner's account follows at Twitch."""
    if body.text is UNSET and not call.is_owner:
        raise RequestProblem("not-allowed", "the account that is signed in to Twitch is the owner's; give a text")
    listed = None if body.text is UNSET else read_list(body.text.encode(errors="replace"))
    if listed is not None and len(listed.names) > NAMES_AT_ONCE:
        detail = f"names {len(listed.names):,} channels; {NAMES_AT_ONCE:,} at most in a request"
        raise InvalidRequest([FieldProblem(pointer="/text", detail=detail)])
    added, read_as = channels.follow_list(call.runtime, call.person_id, call.now, listed)
    return ImportedChannels(read_as=read_as, added=added)


@routes.add("DELETE", "/channels/{channel}", scope="follow", role="member")
def unfollow_channel(call: Changing, channel: str) -> None:
    """Follow a channel no longer, by its login, one it had before, or its id.

    What was recorded of it stays. Others who follow it go on doing so.
    """
    channels.unfollow_channel(call.connection, call.person_id, call.now, channel)


@routes.add("GET", "/channels/{channel}/status", scope="read")
def show_status(call: Working, channel: str) -> ChannelStatus:
    """Say what is on at a channel now; Twitch is asked where nobody watches it."""
    return channels.show_status(call.runtime, call.person_id, call.now, channel)


@routes.add("GET", "/channels/{channel}/stats", scope="read")
def show_statistics(call: Reading, channel: str, query: StatisticsQuery) -> ChannelStatistics:
    """Sum up a channel: time on air, viewers, categories, weekdays and hours, and its last streams.

    Averages are weighted by time.
    """
    try:
        channels.check_zone(query.zone)
    except UsageError as error:
        raise InvalidRequest([FieldProblem(pointer="/query/zone", detail=str(error))]) from None
    return channels.show_statistics(
        call.connection,
        call.person_id,
        call.now,
        channel,
        since=begin_of(call, query),
        until=query.until,
        zone=query.zone,
    )


@routes.add("GET", "/channels/{channel}/sessions", scope="read")
def list_channel_sessions(call: Reading, channel: str, query: PeriodPageQuery) -> Page[RecordedSession]:
    """List the streams of a channel in a period, the newest first."""
    known = channels.known_channel(call.connection, call.person_id, channel)
    after = read_cursor(query, datetime, int)
    sessions = list_sessions(
        call.connection,
        known.channel_id,
        query.limit + 1,
        since=begin_of(call, query),
        until=end_of(query),
        after=None if after is None else (after[0], after[1]),
    )
    return make_page(sessions, query, key_of_session)


@routes.add("GET", "/channels/{channel}/snapshots", scope="read")
def list_channel_snapshots(call: Reading, channel: str, query: PeriodPageQuery) -> Page[RecordedSnapshot]:
    """List what polls saw of a channel in a period, the newest first."""
    known = channels.known_channel(call.connection, call.person_id, channel)
    after = read_cursor(query, datetime, int, datetime)
    snapshots = list_snapshots(
        call.connection,
        known.channel_id,
        query.limit + 1,
        since=begin_of(call, query),
        until=end_of(query),
        after=None if after is None else (after[0], after[1], after[2]),
    )
    return make_page(snapshots, query, key_of_snapshot)


@routes.add("GET", "/categories", scope="follow")
def list_categories(call: Reading, query: PageQuery) -> Page[CategoryAnswer]:
    """List the categories that you follow, whose most watched streams are recorded."""
    listed = channels.list_categories(call.connection, call.person_id)
    return page_of(listed, query, lambda each: (each.since, each.external_id))


@routes.add("DELETE", "/categories/{category}", scope="follow", role="member")
def unfollow_category(call: Changing, category: str) -> None:
    """Record a category's streams no longer, by Twitch's id of it or its name."""
    channels.unfollow_category_named(call.connection, call.person_id, category)


@routes.add("GET", "/campaign-channels", scope="follow")
def show_campaign_channels(call: Reading) -> CampaignChannels:
    """Say whether you watch all channels that running campaigns name, and how many those are."""
    return channels.show_campaign_channels(call.connection, call.person_id, call.now)


@routes.add("DELETE", "/campaign-channels", scope="follow", role="member")
def unfollow_campaign_channels(call: Changing) -> None:
    """Watch the channels that campaigns name no longer."""
    channels.unfollow_campaign_channels(call.connection, call.person_id)


def _refuse_nothing(added: Added) -> None:
    """Raise `InvalidRequest` that names each wish, where none of them could be followed."""
    notes = {f"/channels/{place}": each.note for place, each in enumerate(added.channels) if each.is_set_aside}
    notes |= {f"/categories/{place}/name": each.note for place, each in enumerate(added.groups) if each.is_set_aside}
    if len(notes) == len(added.channels) + len(added.groups):
        raise InvalidRequest(
            [FieldProblem(pointer=pointer, detail=note or "is not known") for pointer, note in notes.items()]
        )
