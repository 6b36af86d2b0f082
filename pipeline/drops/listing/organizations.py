"""Read organizations as commands and the API show them: how many campaigns each had, and for which games."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select

from models import DropCampaign, Game, Organization
from models.moments import Moment
from models.names import name_key
from pipeline.drops.listing.subjects import Subject

_OPEN = DropCampaign.ended_at.is_(None) & DropCampaign.withdrawn_at.is_(None)
_COUNTS = (
    func.count(DropCampaign.id).label("campaigns"),
    func.count(DropCampaign.id).filter(_OPEN).label("open"),
    func.max(DropCampaign.end_at).label("last_end_at"),
)


class OrganizationLine(msgspec.Struct, frozen=True, kw_only=True):
    """A company that runs campaigns, as a service names it, and how many campaigns there were and are."""

    id: int
    service: str
    external_id: str
    name: str
    public_id: str
    url: str | None
    logo_url: str | None
    campaigns: int
    open: int
    last_end_at: Moment | None


class GameOfOrganization(msgspec.Struct, frozen=True, kw_only=True):
    """A game that an organization ran campaigns for, and how many."""

    game: Subject
    campaigns: int
    open: int
    last_end_at: Moment | None


class OrganizationPage(msgspec.Struct, frozen=True, kw_only=True):
    """An organization with its games, the latest first."""

    organization: OrganizationLine
    games: list[GameOfOrganization]


def list_organizations(
    connection: Connection, *, service: str | None = None, after: int = 0, limit: int | None = None
) -> list[OrganizationLine]:
    """Return organizations in the order of their ids, behind the one with the id `after`."""
    statement = _lines().where(Organization.id > after).order_by(Organization.id).limit(limit)
    if service is not None:
        statement = statement.where(Organization.service == service)
    return [_line(row) for row in connection.execute(statement)]


def find_organization(connection: Connection, written: str) -> OrganizationPage | None:
    """Return the organization with this name or public id; of several services' the one with the latest campaign."""
    is_it = (Organization.public_id == written) | (Organization.name_key == name_key(written))
    latest = func.max(DropCampaign.end_at).desc().nulls_last()
    row = connection.execute(
        _lines().where(is_it).order_by((Organization.public_id == written).desc(), latest, Organization.id).limit(1)
    ).one_or_none()
    return None if row is None else OrganizationPage(organization=_line(row), games=_games(connection, row.id))


def _lines() -> Select[Any]:
    return (
        select(*Organization.__table__.c, *_COUNTS)
        .outerjoin(DropCampaign, DropCampaign.organization_id == Organization.id)
        .group_by(Organization.id)
    )


def _line(row: Any) -> OrganizationLine:
    return OrganizationLine(**{name: getattr(row, name) for name in OrganizationLine.__struct_fields__})


def _games(connection: Connection, organization_id: int) -> list[GameOfOrganization]:
    statement = (
        select(Game.name, Game.public_id, *_COUNTS)
        .join(DropCampaign, DropCampaign.game_id == Game.id)
        .where(DropCampaign.organization_id == organization_id)
        .group_by(Game.id)
        .order_by(func.max(DropCampaign.end_at).desc().nulls_last(), Game.id)
    )
    return [
        GameOfOrganization(
            game=Subject(name=row.name, public_id=row.public_id),
            campaigns=row.campaigns,
            open=row.open,
            last_end_at=row.last_end_at,
        )
        for row in connection.execute(statement)
    ]
