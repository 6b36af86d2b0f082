"""Organizations: the companies that run campaigns."""

from sqlalchemy import Connection

from models.errors import UnknownThing
from pipeline.catalogue.unknown import unknown_organization
from pipeline.drops.listing import organizations
from pipeline.drops.listing.organizations import OrganizationLine, OrganizationPage


def list_organizations(
    connection: Connection, *, service: str | None = None, after: int = 0, limit: int | None = None
) -> list[OrganizationLine]:
    """Return organizations in the order of their ids, behind the one with the id `after`."""
    return organizations.list_organizations(connection, service=service, after=after, limit=limit)


def show_organization(connection: Connection, written: str) -> OrganizationPage:
    """Return one by its name or public id, with its games; raises `UnknownThing`, which says what may be meant."""
    page = organizations.find_organization(connection, written)
    if page is None:
        unknown = unknown_organization(connection, written)
        raise UnknownThing(unknown.sentence if unknown else f"there is no organization {written!r}")
    return page
