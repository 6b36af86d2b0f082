"""Tell a person that a name is not known, with those that may be meant: a typing error must not pass in silence."""

from typing import NamedTuple

from sqlalchemy import Connection, any_, func, select

from models import Channel, Organization
from models.names import name_key, nearest


class Unknown(NamedTuple):
    """A name that nothing has: `kind` says what was looked for, `near` holds the names that are most like it."""

    kind: str
    written: str
    near: list[str]

    @property
    def sentence(self) -> str:
        """The name and what may be meant, for a person."""
        meant = f" (did you mean {' or '.join(self.near)}?)" if self.near else ""
        return f"no {self.kind} named {self.written!r} is known yet{meant}"


def unknown_organization(connection: Connection, name: str) -> Unknown | None:
    """Return what is known instead of an organization of this name; None where there is one."""
    same = select(Organization.id).where(Organization.name_key == name_key(name)).limit(1)
    if connection.scalar(same) is not None:
        return None
    return Unknown("organization", name, nearest(name, connection.scalars(select(Organization.name).distinct())))


def unknown_channel(connection: Connection, login: str) -> Unknown | None:
    """Return what is known instead of a channel that has or had this login; None where there is one."""
    key = login.lower()
    same = select(Channel.id).where((func.lower(Channel.login) == key) | (key == any_(Channel.former_logins))).limit(1)
    if connection.scalar(same) is not None:
        return None
    return Unknown("channel", login, nearest(login, connection.scalars(select(Channel.login))))
