"""People by their names."""

from sqlalchemy import Connection, select

from models import Person
from models.errors import UsageError
from models.names import nearest
from models.people import OWNER_ID
from models.printable import NAME_LENGTH, on_a_line


def person_named(connection: Connection, name: str | None) -> int:
    """Return a person's row id; without a name the owner's. Raises `UsageError` where there is nobody of that name."""
    if name is None:
        return OWNER_ID
    people: dict[str, int] = dict(connection.execute(select(Person.name, Person.id).order_by(Person.id)).all())
    if name in people:
        return people[name]
    near = nearest(name, people) or [on_a_line(known, NAME_LENGTH) for known in people]
    raise UsageError(f"there is no person {on_a_line(name, NAME_LENGTH)!r}; there are: {', '.join(near)}")
