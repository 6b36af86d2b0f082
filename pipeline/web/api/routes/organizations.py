"""`/organizations`: the companies that run campaigns."""

from pipeline.drops.listing.organizations import OrganizationLine, OrganizationPage
from pipeline.operations import organizations
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.routes.words import Name, Number, Word
from pipeline.web.api.routing import Routes

routes = Routes("organizations")


class OrganizationQuery(PageQuery, frozen=True, kw_only=True):
    """Which organizations; what is not given is any."""

    service: Word | None = None


@routes.add("GET", "/organizations", scope="read")
def list_organizations(call: Reading, query: OrganizationQuery) -> Page[OrganizationLine]:
    """List organizations with how many campaigns each had, in the order in which they became known."""
    after = read_cursor(query, Number)
    lines = organizations.list_organizations(
        call.connection, service=query.service, after=after[0] if after else 0, limit=query.limit + 1
    )
    return make_page(lines, query, lambda line: line.id)


@routes.add("GET", "/organizations/{organization}", scope="read")
def show_organization(call: Reading, organization: Name) -> OrganizationPage:
    """Show an organization with its games."""
    return organizations.show_organization(call.connection, organization)
