"""`/targets`: where a person's messages go."""

from pipeline.operations import targets
from pipeline.operations.targets import TargetAnswer
from pipeline.web.api.calls import Changing, Reading
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routing import Routes

routes = Routes("targets")


@routes.add("GET", "/targets", scope="targets")
def list_targets(call: Reading, query: PageQuery) -> Page[TargetAnswer]:
    """List your targets by name."""
    return page_of(targets.list_targets(call.connection, call.person_id, call.now), query, lambda each: each.name)


@routes.add("GET", "/targets/{target}", scope="targets")
def show_target(call: Reading, target: str) -> TargetAnswer:
    """Show one target."""
    return targets.show_target(call.connection, call.person_id, call.now, target)


@routes.add("POST", "/targets/{target}/pause", scope="targets")
def pause_target(call: Changing, target: str) -> TargetAnswer:
    """Send a target nothing until it is resumed.

    Of what happens meanwhile it is never told.
    """
    return targets.pause_target(call.connection, call.person_id, call.now, target)
