"""The period that statistics and lists of recordings are of."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from models.statistics import NEVER
from pipeline.web.api.calls import Call
from pipeline.web.api.paging import PageQuery

Since = Annotated[datetime, msgspec.Meta(tz=True, description="From this time on; 30 days ago, if none is given.")]
Until = Annotated[datetime, msgspec.Meta(tz=True, description="Until before this time; no end, if none is given.")]
USUAL_PERIOD = timedelta(days=30)


class PeriodQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A period."""

    since: Since | None = None
    until: Until | None = None


class PeriodPageQuery(PageQuery, frozen=True, kw_only=True):
    """A page of what was recorded in a period."""

    since: Since | None = None
    until: Until | None = None


def begin_of(call: Call, query: PeriodQuery | PeriodPageQuery) -> datetime:
    """Return the begin of the period that a query means."""
    return query.since or call.now - USUAL_PERIOD


def end_of(query: PeriodQuery | PeriodPageQuery) -> datetime:
    """Return the end of the period that a query means."""
    return query.until or NEVER
