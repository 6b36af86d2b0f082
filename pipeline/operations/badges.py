"""Global chat badges."""

from sqlalchemy import Connection

from models.errors import UnknownThing
from pipeline.drops.listing import badges
from pipeline.drops.listing.badges import BadgeAnswer


def list_badges(connection: Connection, *, before: int | None = None, limit: int | None = None) -> list[BadgeAnswer]:
    """Return badges, those that became known last first, behind the one with the id `before`."""
    return badges.list_badges(connection, before=before, limit=limit)


def show_badge(connection: Connection, badge_id: int) -> BadgeAnswer:
    """Return a badge by its number; raises `UnknownThing` where there is none."""
    badge = badges.find_badge(connection, badge_id)
    if badge is None:
        raise UnknownThing(f"there is no badge {badge_id}; `lootwire badges` lists them")
    return badge
