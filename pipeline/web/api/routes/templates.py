"""`/templates`: the owner's own words for messages."""

from typing import Annotated

import msgspec

from pipeline.operations import templates
from pipeline.operations.templates import CheckedAnswer, PreviewAnswer, TemplateAnswer
from pipeline.web.api.calls import Working
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routing import Routes

routes = Routes("templates")
EventNumber = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class PreviewQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Of which kind of event, for which target, and about which events; else about the newest of the kind."""

    kind: Annotated[str, msgspec.Meta(description="A kind such as campaign.added, or several.")]
    target: Annotated[str, msgspec.Meta(description="The name of the target that would get it.")]
    event: Annotated[list[EventNumber], msgspec.Meta(max_length=100)] = []


@routes.add("GET", "/templates", scope="admin", role="owner")
def list_templates(call: Working, query: PageQuery) -> Page[TemplateAnswer]:
    """List the files with your own words for messages: for which target, kind and part each is."""
    files, _ = templates.list_templates(call.runtime)
    return page_of(files, query, lambda each: each.path)


@routes.add("GET", "/templates/check", scope="admin", role="owner")
def check_templates(call: Working, query: PageQuery) -> Page[CheckedAnswer]:
    """Try each of your templates on an event of each kind that it is for, and say what is wrong with it."""
    return page_of(templates.try_templates(call.runtime, call.now), query, lambda each: each.file)


@routes.add("GET", "/templates/preview", scope="admin", role="owner")
def preview(call: Working, query: PreviewQuery) -> PreviewAnswer:
    """Show a message as a target would get it; sends nothing."""
    return templates.preview(call.runtime, call.now, query.kind, query.target, query.event)
