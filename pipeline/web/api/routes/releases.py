"""`/releases`: what comes out when."""

from datetime import date
from typing import Annotated

import msgspec

from pipeline.games.listing.releases import Position, ReleaseLine, position_of
from pipeline.operations import releases
from pipeline.operations.releases import UnknownPlatform
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.problems import FieldProblem, InvalidRequest
from pipeline.web.api.routes.words import Number, Word
from pipeline.web.api.routing import Routes

routes = Routes("releases")
# An id below 0 is ours, for a date that came without one.
_Id = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class ReleaseQuery(PageQuery, frozen=True, kw_only=True):
    """Which release dates; what is not given is any."""

    since: Annotated[date, msgspec.Meta(description="The first day of the window; today, unless given.")] | None = None
    until: Annotated[date, msgspec.Meta(description="The last day of the window.")] | None = None
    platform: Annotated[Word, msgspec.Meta(description="A platform's name, such as PC or Switch.")] | None = None
    followed: Annotated[bool, msgspec.Meta(description="Only games that you follow.")] = False


@routes.add("GET", "/releases", scope="read")
def list_releases(call: Reading, query: ReleaseQuery) -> Page[ReleaseLine]:
    """List release dates by the last day on which each may be.

    A quarter is in the window where any of its days is; dates to be determined are in none.
    """
    after = read_cursor(query, date, Number, _Id)
    try:
        lines = releases.list_releases(
            call.connection,
            call.person_id,
            since=query.since or call.now.date(),
            until=query.until,
            platform=query.platform,
            followed=query.followed,
            after=Position(*after) if after else None,
            limit=query.limit + 1,
        )
    except UnknownPlatform as error:
        raise InvalidRequest([FieldProblem(pointer="/query/platform", detail=str(error))]) from error
    return make_page(lines, query, position_of)
