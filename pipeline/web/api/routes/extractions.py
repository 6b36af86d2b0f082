"""`/extractions`: what is fetched for your sounds and shows, how far it is, and why something was not."""

from typing import Annotated

import msgspec

from pipeline.operations import extractions
from pipeline.operations.extractions import ExtractionAnswer, ExtractionChange
from pipeline.sound.records import State
from pipeline.web.api.calls import Changing, Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.routing import Routes

routes = Routes("extractions")
Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class ExtractionsQuery(PageQuery, frozen=True, kw_only=True):
    """Extractions in these states, or in all."""

    state: tuple[State, ...] = ()


@routes.add("GET", "/extractions", scope="sounds")
def list_extractions(call: Reading, query: ExtractionsQuery) -> Page[ExtractionAnswer]:
    """List extractions, the newest first."""
    after = read_cursor(query, int)
    before_id = None if after is None else after[0]
    rows = extractions.list_extractions(call.connection, call.person_id, query.state, query.limit + 1, before_id)
    return make_page(rows, query, lambda each: each.id)


@routes.add("POST", "/extractions/retry", scope="extract", role="member")
def retry_failed(call: Changing) -> Page[ExtractionChange]:
    """Try all extractions again that failed."""
    again = extractions.retry_extractions(call.runtime.settings, call.connection, call.person_id, call.now)
    return Page(items=again)


@routes.add("GET", "/extractions/{extraction}", scope="sounds")
def show_extraction(call: Reading, extraction: Number) -> ExtractionAnswer:
    """Show all that is known of an extraction."""
    return extractions.show_extraction(call.connection, call.person_id, extraction)


@routes.add("POST", "/extractions/{extraction}/retry", scope="extract", role="member")
def retry_extraction(call: Changing, extraction: Number) -> ExtractionAnswer:
    """Try an extraction again that failed or was cancelled; one that waits is tried at once."""
    extractions.retry_extractions(call.runtime.settings, call.connection, call.person_id, call.now, [extraction])
    return extractions.show_extraction(call.connection, call.person_id, extraction)


@routes.add("POST", "/extractions/{extraction}/cancel", scope="extract", role="member")
def cancel_extraction(call: Changing, extraction: Number) -> ExtractionAnswer:
    """Cancel an extraction; whatever fetches it just now ends within seconds."""
    extractions.cancel_extractions(call.connection, call.person_id, call.now, [extraction])
    return extractions.show_extraction(call.connection, call.person_id, extraction)
