"""`/drops`: what you have or want no more of."""

from typing import Annotated

import msgspec

from notifiers.settled import ProgressLine, SettledLine, State
from pipeline.operations import drops
from pipeline.operations.drops import SettleAnswer
from pipeline.web.api.calls import Changing, Reading
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routes.words import Word
from pipeline.web.api.routing import Routes

routes = Routes("drops")
Thing = Annotated[
    Word,
    msgspec.Meta(description="`campaign:12`, `game:3` or `benefit:7`, a name, or an id of the service."),
]
Target = Annotated[Word, msgspec.Meta(description="One of your targets: for this alone.")]


class SettleBody(msgspec.Struct, frozen=True, kw_only=True):
    """That you have it or want no more of it, for one target or all."""

    state: State
    target: Target | None = None


class WantQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is reminded of again."""

    target: Target | None = None


@routes.add("GET", "/drops", scope="library")
def list_drops(call: Reading, query: PageQuery) -> Page[SettledLine]:
    """List what you have claimed or ignore, the newest last: nothing reminds of it."""
    lines = drops.list_settled(call.connection, call.person_id)
    return page_of(lines, query, lambda line: (line.created_at.timestamp(), line.what, line.id, line.target or ""))


@routes.add("GET", "/drops/progress", scope="library")
def list_progress(call: Reading, query: PageQuery) -> Page[ProgressLine]:
    """List the drops that you have begun or claimed, as Twitch's inventory says, by campaign and drop."""
    lines = drops.list_progress(call.connection, call.person_id)
    return page_of(lines, query, lambda line: (line.campaign, line.required_minutes or 0, line.drop or "", line.id))


@routes.add("PUT", "/drops/{thing}", scope="library")
def settle_drop(call: Changing, thing: Thing, body: SettleBody) -> SettleAnswer:
    """Be reminded no more of a benefit, a campaign, or all campaigns of a game: you have it, or do not want it."""
    return drops.settle(call.connection, call.person_id, call.now, thing, body.state, target=body.target)


@routes.add("DELETE", "/drops/{thing}", scope="library")
def want_drop(call: Changing, thing: Thing, query: WantQuery) -> None:
    """Be reminded again of what you claimed or ignored."""
    drops.want(call.connection, call.person_id, thing, target=query.target)
