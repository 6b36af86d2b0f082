"""`/analytics`: what channels streamed, all of them together and the top ones, and how they are watched."""

from models.statistics import By
from pipeline.channels.listing.figures import ChannelCoverage, ChannelsOverview
from pipeline.operations import analytics
from pipeline.operations.analytics import RankedChannel
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, page_of, read_cursor
from pipeline.web.api.routes.periods import PeriodPageQuery, PeriodQuery, begin_of
from pipeline.web.api.routing import Routes

routes = Routes("analytics")


class TopQuery(PeriodPageQuery, frozen=True, kw_only=True):
    """A page of the top channels of a period, by hours, streams, average or peak viewers."""

    by: By = "hours"


class CoverageQuery(PageQuery, frozen=True, kw_only=True):
    """A page of the watched channels; those with an open stream, or with a gap, alone if asked."""

    open: bool | None = None
    gap: bool | None = None


@routes.add("GET", "/analytics/summary", scope="read")
def show_summary(call: Reading, query: PeriodQuery) -> ChannelsOverview:
    """Sum up all channels: how many are followed and covered, streams, polls and hours in a period."""
    return analytics.show_summary(call.connection, call.now, since=begin_of(call, query), until=query.until)


@routes.add("GET", "/analytics/top", scope="read")
def list_top(call: Reading, query: TopQuery) -> Page[RankedChannel]:
    """List the channels that were on air longest in a period, most often, or watched by most."""
    after = read_cursor(query, int)
    ranked = analytics.list_top(
        call.connection,
        since=begin_of(call, query),
        until=query.until,
        by=query.by,
        limit=(after[0] if after else 0) + query.limit + 1,
    )
    return page_of(ranked, query, lambda each: each.place)


@routes.add("GET", "/analytics/coverage", scope="read")
def list_coverage(call: Reading, query: CoverageQuery) -> Page[ChannelCoverage]:
    """List how each watched channel is watched, with the age of the last sign of its open stream, and gaps."""
    listed = analytics.list_channels_covered(call.connection, call.now, is_open=query.open, is_gap=query.gap)
    return page_of(listed, query, lambda each: (each.login, each.external_id))
