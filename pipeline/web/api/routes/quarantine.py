"""`/quarantine`: payloads that were set aside."""

from typing import Annotated

import msgspec

from pipeline.operations import quarantine
from pipeline.operations.quarantine import QuarantinedAnswer, QuarantinedContent
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.routing import Routes

routes = Routes("quarantine")
# PostgreSQL counts no further.
Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


@routes.add("GET", "/quarantine", scope="admin", role="owner")
def list_quarantine(call: Reading, query: PageQuery) -> Page[QuarantinedAnswer]:
    """List payloads that could not be read, or were not believed, the newest first."""
    before = read_cursor(query, Number)
    listed = quarantine.list_quarantine(call.connection, query.limit + 1, before=before[0] if before else None)
    return make_page(listed, query, lambda each: each.id)


@routes.add("GET", "/quarantine/{payload}", scope="admin", role="owner")
def show_quarantined(call: Reading, payload: Number) -> QuarantinedContent:
    """Show a payload that was set aside, with all that is in it."""
    return quarantine.show_quarantined(call.connection, payload)
