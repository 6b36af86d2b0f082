"""`/streams`: what is live."""

from datetime import datetime

from pipeline.channels.listing import streams
from pipeline.channels.listing.streams import LiveStream, key_of_live
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.routing import Routes

routes = Routes("streams")


class LiveQuery(PageQuery, frozen=True, kw_only=True):
    """A page of live streams."""

    followed: bool = False


@routes.add("GET", "/streams/live", scope="read")
def list_live(call: Reading, query: LiveQuery) -> Page[LiveStream]:
    """List the streams that are recorded and on now, the newest first; of channels that you follow alone if asked."""
    after = read_cursor(query, datetime, int)
    listed = streams.list_live(
        call.connection,
        query.limit + 1,
        after=None if after is None else (after[0], after[1]),
        person_id=call.person_id if query.followed else None,
    )
    return make_page(listed, query, key_of_live)
