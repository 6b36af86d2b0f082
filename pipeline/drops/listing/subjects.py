"""What a campaign is about, and how a name or an id that somebody wrote finds it."""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, bindparam, or_

from models import Game, Organization


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A game or an organization: `public_id` is the id that other routes take, and the end of its feed's path."""

    name: str
    public_id: str


def subject_of(name: str | None, public_id: str | None) -> Subject | None:
    """Return a subject of what an outer join gave."""
    return None if name is None or public_id is None else Subject(name=name, public_id=public_id)


def is_named(table: type[Game] | type[Organization], name: str) -> ColumnElement[bool]:
    """Return the condition that a game or an organization has the name or the public id of two parameters.

    They are called `name` and `name_key`, the latter by `models.names.name_key`.
    """
    written: Any = bindparam(name, type_=Text)
    return or_(table.name_key == bindparam(f"{name}_key", type_=Text), table.public_id == written)
