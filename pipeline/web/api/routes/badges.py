"""`/badges`: global chat badges."""

from pipeline.drops.listing.badges import BadgeAnswer
from pipeline.operations import badges
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.routes.words import Number
from pipeline.web.api.routing import Routes

routes = Routes("badges")


@routes.add("GET", "/badges", scope="read")
def list_badges(call: Reading, query: PageQuery) -> Page[BadgeAnswer]:
    """List global chat badges, those that became known last first."""
    before = read_cursor(query, Number)
    lines = badges.list_badges(call.connection, before=before[0] if before else None, limit=query.limit + 1)
    return make_page(lines, query, lambda line: line.id)


@routes.add("GET", "/badges/{badge}", scope="read")
def show_badge(call: Reading, badge: Number) -> BadgeAnswer:
    """Show a badge by its number."""
    return badges.show_badge(call.connection, badge)
