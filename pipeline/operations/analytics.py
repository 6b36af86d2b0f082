"""What channels streamed: figures over all of them, the top ones, and how they are watched."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from models.statistics import NEVER, By, load_top
from pipeline.channels.listing.figures import ChannelCoverage, ChannelsOverview, list_coverage, load_overview


class RankedChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel in a list of the top ones; averages are weighted by time."""

    place: int
    channel_id: int
    login: str
    display_name: str | None
    streams: int
    seconds: int
    average_viewers: int | None
    peak_viewers: int | None


def show_summary(
    connection: Connection, now: datetime, *, since: datetime, until: datetime | None = None
) -> ChannelsOverview:
    """Return the figures over all channels of a period; one without an end goes on until now."""
    return load_overview(connection, since, until or now, now)


def list_top(
    connection: Connection, *, since: datetime, until: datetime | None = None, by: By = "hours", limit: int = 20
) -> list[RankedChannel]:
    """Return the channels that were on air longest in a period, most often, or watched by most."""
    ranked = load_top(connection, since, NEVER if until is None else until, by=by, limit=limit)
    return [
        RankedChannel(
            place=place,
            channel_id=channel.channel_id,
            login=channel.login,
            display_name=channel.display_name,
            **msgspec.structs.asdict(channel.totals),
        )
        for place, channel in enumerate(ranked, 1)
    ]


def list_channels_covered(
    connection: Connection, now: datetime, *, is_open: bool | None = None, is_gap: bool | None = None
) -> list[ChannelCoverage]:
    """Return how each watched channel is watched, by login; with an open stream, or with a gap, alone if asked."""
    return [
        line
        for line in list_coverage(connection, now)
        if is_open in {None, line.session_id is not None} and is_gap in {None, line.is_gap}
    ]
