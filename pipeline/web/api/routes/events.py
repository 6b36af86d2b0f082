"""`/events`: what happened."""

from typing import Annotated

import msgspec

from models.errors import UsageError
from models.moments import Moment
from pipeline.events.listing import EventFilter, EventLine, Order, Viewer
from pipeline.operations import events
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.problems import FieldProblem, InvalidRequest
from pipeline.web.api.routes.words import Number, Word
from pipeline.web.api.routing import Routes

routes = Routes("events")
Kind = Annotated[
    Word, msgspec.Meta(description="A kind (`campaign.added`) or a family (`campaign.*`); may be repeated.")
]
Subject = Annotated[
    Word, msgspec.Meta(description="A game, organization, campaign or stream by name, a campaign's id, or a login.")
]


class EventQuery(PageQuery, frozen=True, kw_only=True):
    """Which events; what is not given is any. Times are by when an event was recorded."""

    kind: tuple[Kind, ...] = ()
    subject: Subject | None = None
    service: Word | None = None
    game: Annotated[Word, msgspec.Meta(description="A game's name, or its `public_id`.")] | None = None
    channel: Annotated[Word, msgspec.Meta(description="The login that a channel has or had.")] | None = None
    campaign: Annotated[Number, msgspec.Meta(description="A drop campaign's `id`.")] | None = None
    since: Annotated[Moment, msgspec.Meta(description="The first moment that is wanted.")] | None = None
    until: Annotated[Moment, msgspec.Meta(description="The first moment that is wanted no more.")] | None = None
    order: Order = "newest"


@routes.add("GET", "/events", scope="events")
def list_events(call: Reading, query: EventQuery) -> Page[EventLine]:
    """List what happened, by default newest first.

    These are the public events, your own, and news of games that you have. With the scope `admin` those of sources and
    of the installation are among them.
    """
    try:
        events.check_kinds(query.kind)
    except UsageError as error:
        raise InvalidRequest([FieldProblem(pointer="/query/kind", detail=str(error))]) from error
    after = read_cursor(query, Number)
    wanted = EventFilter(
        kinds=query.kind,
        subject=query.subject,
        service=query.service,
        game=query.game,
        channel=query.channel,
        campaign_id=query.campaign,
        since=query.since,
        until=query.until,
    )
    lines = events.list_events(
        call.connection,
        _viewer(call),
        wanted,
        order=query.order,
        after=after[0] if after else None,
        limit=query.limit + 1,
    )
    return make_page(lines, query, lambda line: line.id)


@routes.add("GET", "/events/{event}", scope="events")
def show_event(call: Reading, event: Number) -> EventLine:
    """Show one event by its number."""
    return events.show_event(call.connection, _viewer(call), event)


def _viewer(call: Reading) -> Viewer:
    is_operator = call.is_owner and call.caller is not None and "admin" in call.caller.scopes
    return Viewer(person_id=call.person_id, is_operator=is_operator)
