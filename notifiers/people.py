"""Says which people hear: somebody who is disabled hears nothing, and what waits for them is held."""

from sqlalchemy import ColumnElement, func, select

from models import Person, Target


def hears() -> ColumnElement[bool]:
    """Return the condition that the person whom a target belongs to is not disabled.

    Who is disabled is read once in a query, not once for each of its rows: nearly always it is nobody.
    """
    disabled = select(Person.id).where(Person.disabled_at.is_not(None)).scalar_subquery()
    return Target.person_id != func.all(func.array(disabled))
