"""`/sources`: what is asked, and how that is."""

from pipeline.operations import sources
from pipeline.operations.sources import SourceAnswer
from pipeline.web.api.calls import Changing, Reading
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routing import Routes

routes = Routes("sources")


@routes.add("GET", "/sources", scope="read")
def list_sources(call: Reading, query: PageQuery) -> Page[SourceAnswer]:
    """List every source by name: how it is, when it was last asked, and when it is asked next."""
    listed = sources.list_sources(call.connection, with_errors=call.is_owner)
    return page_of(listed, query, lambda each: each.name)


@routes.add("GET", "/sources/{source}", scope="read")
def show_source(call: Reading, source: str) -> SourceAnswer:
    """Show one source."""
    return sources.show_source(call.connection, source, with_errors=call.is_owner)


@routes.add("POST", "/sources/{source}/ask", scope="admin", role="owner", status=202)
def ask_source(call: Changing, source: str) -> SourceAnswer:
    """Make a source due at once, so that it is asked as soon as a fetcher is free."""
    return sources.ask_now(call.connection, call.now, source)
