"""Tell a person that a name is not known, with those that may be meant: a typing error must not pass in silence."""

from typing import NamedTuple

from sqlalchemy import Connection, any_, func, literal, select

from models import Channel, Organization
from models.names import name_key, nearest


class Unknown(NamedTuple):
    """A name that nothing has: `kind` says what was looked for, `near` holds the names that are most like it."""

    kind: str
    written: str
    near: list[str]
    # The service on which it was looked for; None where any will do.
    service: str | None = None

    @property
    def sentence(self) -> str:
        """The name and what may be meant, for a person."""
        meant = f" (did you mean {' or '.join(self.near)}?)" if self.near else ""
        where = f" on {self.service}" if self.service else ""
        return f"no {self.kind} named {self.written!r} is known{where} yet{meant}"


def unknown_organization(connection: Connection, name: str, service: str | None = None) -> Unknown | None:
    """Return what is known instead of an organization of this name; None where there is one, on a service if given."""
    there = literal(value=True) if service is None else Organization.service == service
    same = select(Organization.id).where(Organization.name_key == name_key(name), there).limit(1)
    if connection.scalar(same) is not None:
        return None
    names = connection.scalars(select(Organization.name).where(there).distinct())
    return Unknown("organization", name, nearest(name, names), service)


def unknown_channel(connection: Connection, login: str, service: str | None = None) -> Unknown | None:
    """Return what is known instead of a channel that has or had this login; None where there is one.

    With a service it must be a channel of that service.
    """
    key = login.lower()
    there = literal(value=True) if service is None else Channel.service == service
    named = (func.lower(Channel.login) == key) | (key == any_(Channel.former_logins))
    if connection.scalar(select(Channel.id).where(named, there).limit(1)) is not None:
        return None
    logins = connection.scalars(select(Channel.login).where(there))
    return Unknown("channel", login, nearest(login, logins), service)
