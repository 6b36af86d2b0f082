"""People: added, changed, listed. Deleting one is `forgetting`."""

import re
from datetime import datetime
from typing import Any, Literal, cast

import msgspec
from sqlalchemy import Connection, insert, select, update

from models import Balance, Person, Plan, Target
from models.errors import LootwireError, UnknownThing, UsageError
from models.moments import Moment
from models.names import nearest
from models.printable import NAME_LENGTH, on_a_line
from pipeline.people.records import Role
from pipeline.people.store.plans import leave_plan, plan_named, take_up_plan

_NAME = re.compile(r"\w(?:[\w .-]{0,58}[\w.-])?")
NO_PLAN = "none"


class LastOwner(LootwireError):
    """The only owner of an installation cannot be disabled, demoted or deleted."""


class PersonLine(msgspec.Struct, frozen=True, kw_only=True):
    """A person as the owner sees them; without a `plan` nothing of theirs is counted, and `credits` is null."""

    id: int
    name: str
    role: Role
    plan: str | None
    credits: int | None
    created_at: Moment
    disabled_at: Moment | None


def add_person(connection: Connection, name: str, role: Role, now: datetime, *, plan: str | None = None) -> PersonLine:
    """Add a person; they get a key by an invitation, or by `keys add`.

    Raises `UsageError` for a name that somebody has or nobody can have, and for a plan that is not there.
    """
    check_name(name)
    if connection.scalar(select(Person.id).where(Person.name == name)) is not None:
        raise UsageError(f"there is a person {name!r} already")
    row = {"name": name, "role": role, "created_at": now}
    person_id = connection.execute(insert(Person).values(row).returning(Person.id)).scalar_one()
    if plan is not None:
        take_up_plan(connection, person_id, plan_named(connection, plan), now)
    return load_person(connection, person_id)


def check_name(name: str) -> None:
    """Raise `UsageError` for what is no name of a person."""
    if not _NAME.fullmatch(name):
        raise UsageError("a person's name has 1 to 60 letters, digits, spaces, dots, hyphens or underscores")


def list_people(connection: Connection) -> list[PersonLine]:
    """Return all people, the owner of the installation first."""
    return [_line(row) for row in connection.execute(_query().order_by(Person.id))]


def load_person(connection: Connection, person_id: int) -> PersonLine:
    """Return a person by their row id; raises `UnknownThing` where there is none."""
    row = connection.execute(_query().where(Person.id == person_id)).one_or_none()
    if row is None:
        raise UnknownThing("there is no such person: lootwire people lists them")
    return _line(row)


def find_person(connection: Connection, name: str) -> PersonLine:
    """Return a person by name; raises `UnknownThing`, which says what is like it."""
    row = connection.execute(_query().where(Person.name == name)).one_or_none()
    if row is None:
        known = connection.scalars(select(Person.name).order_by(Person.id)).all()
        near = nearest(name, known) or [on_a_line(each, NAME_LENGTH) for each in known]
        raise UnknownThing(f"there is no person {on_a_line(name, NAME_LENGTH)!r}; there are: {', '.join(near)}")
    return _line(row)


def rename_person(connection: Connection, person_id: int, name: str) -> None:
    """Give a person another name. Raises `UsageError` as `add_person` does."""
    check_name(name)
    taken = select(Person.id).where(Person.name == name, Person.id != person_id)
    if connection.scalar(taken) is not None:
        raise UsageError(f"there is a person {name!r} already")
    connection.execute(update(Person).where(Person.id == person_id).values(name=name))


def change_role(connection: Connection, person_id: int, role: Role) -> None:
    """Give a person another role; their keys may from then on do what it allows.

    Raises `LastOwner` where nobody would be the owner any more.
    """
    if role != "owner":
        refuse_last_owner(connection, person_id, f"made a {role}")
    connection.execute(update(Person).where(Person.id == person_id).values(role=role))


def change_plan(connection: Connection, person_id: int, plan: str | Literal["none"], now: datetime) -> None:  # noqa: PYI051 - the one word says more
    """Give a person another plan, with the credits of its present period, or `none`: then nothing is counted."""
    if plan == NO_PLAN:
        leave_plan(connection, person_id)
    else:
        take_up_plan(connection, person_id, plan_named(connection, plan), now)


def disable_person(connection: Connection, person_id: int, now: datetime) -> None:
    """Let a person keep everything and do nothing: no key of theirs is valid, and nothing is sent to their targets.

    Raises `LastOwner`.
    """
    refuse_last_owner(connection, person_id, "disabled")
    running = update(Person).where(Person.id == person_id, Person.disabled_at.is_(None))
    if connection.execute(running.values(disabled_at=now)).rowcount:
        paused = update(Target).where(Target.person_id == person_id, Target.disabled_at.is_(None))
        connection.execute(paused.values(disabled_at=now))


def enable_person(connection: Connection, person_id: int) -> None:
    """Let a person in again: their keys are valid, and targets that were paused with them are resumed."""
    disabled_at = connection.scalar(select(Person.disabled_at).where(Person.id == person_id).with_for_update())
    if disabled_at is None:
        return
    connection.execute(update(Person).where(Person.id == person_id).values(disabled_at=None))
    # What the person paused before stays so.
    paused_with = (Target.person_id == person_id, Target.disabled_at == disabled_at, Target.removed_at.is_(None))
    connection.execute(update(Target).where(*paused_with).values(disabled_at=None))


def refuse_last_owner(connection: Connection, person_id: int, what: str, *, only_looks: bool = False) -> None:
    """Raise `LastOwner` where a person is the only owner that can act; `what` is not to be done with them."""
    owners = select(Person.id).where(Person.role == "owner", Person.disabled_at.is_(None)).order_by(Person.id)
    if not only_looks:
        # In one order, so that two owners cannot demote each other at once.
        owners = owners.with_for_update()
    if list(connection.scalars(owners)) == [person_id]:
        name = connection.scalar(select(Person.name).where(Person.id == person_id))
        raise LastOwner(
            f"{name} is the only owner and cannot be {what}; make somebody else the owner first: "
            "lootwire people set NAME --role owner"
        )


def _query() -> Any:
    return (
        select(
            Person.id,
            Person.name,
            Person.role,
            Plan.name.label("plan"),
            Balance.credits,
            Person.created_at,
            Person.disabled_at,
        )
        .outerjoin(Plan, Plan.id == Person.plan_id)
        .outerjoin(Balance, (Balance.person_id == Person.id) & Person.plan_id.is_not(None))
    )


def _line(row: Any) -> PersonLine:
    return PersonLine(**row._asdict() | {"role": cast("Role", row.role)})
