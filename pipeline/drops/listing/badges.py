"""Read the global chat badges as commands and the API show them."""

import msgspec
from sqlalchemy import Connection, select

from models import ChatBadge
from models.moments import Moment


class BadgeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A global chat badge, whose `external_id` is `set/version`; `last_seen_at` is null while its service lists it."""

    id: int
    service: str
    external_id: str
    title: str
    description: str | None
    image_url: str | None
    click_url: str | None
    first_seen_at: Moment
    last_seen_at: Moment | None


_COLUMNS = [getattr(ChatBadge, name) for name in BadgeAnswer.__struct_fields__]


def list_badges(connection: Connection, *, before: int | None = None, limit: int | None = None) -> list[BadgeAnswer]:
    """Return badges, those that became known last first, behind the one with the id `before`."""
    statement = select(*_COLUMNS).order_by(ChatBadge.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(ChatBadge.id < before)
    return [BadgeAnswer(**row) for row in connection.execute(statement).mappings()]


def find_badge(connection: Connection, badge_id: int) -> BadgeAnswer | None:
    """Return a badge by its number."""
    row = connection.execute(select(*_COLUMNS).where(ChatBadge.id == badge_id)).mappings().one_or_none()
    return None if row is None else BadgeAnswer(**row)
