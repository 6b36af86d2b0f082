"""People: who shares the installation, with what they may, and what they use up."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from models.moments import Moment
from pipeline.people.credits import is_low
from pipeline.people.records import Role, Scope
from pipeline.people.store import people as store
from pipeline.people.store.forgetting import Removal, artwork_of_shows, forget, let_go, look_at_removal
from pipeline.people.store.invitations import invite
from pipeline.people.store.people import PersonLine
from pipeline.people.store.plans import GAUGES, Gauge, load_plan
from pipeline.people.store.usage import load_usage
from pipeline.runtime.runtime import Runtime
from pipeline.sound.extracting.keeping import remove_file
from pipeline.sound.extracting.sweeping import sweep

__all__ = ["PersonLine", "Removal"]
# Where an invitation is opened, below the public address.
INVITE = "/invite"


class GaugeLine(msgspec.Struct, frozen=True, kw_only=True):
    """How much of something a person has; `allowed` is null where no plan names a limit.

    `used` is null where it is not counted: requests of a minute, and without a plan messages of a day.
    """

    name: Gauge
    used: int | None
    allowed: int | None


class PersonStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has and may use: their plan, credits, prices and gauges; without a plan nothing is counted."""

    plan: str | None
    credits: int | None
    ceiling: int | None
    # When more credits come.
    more_at: Moment | None
    is_low: bool
    prices: dict[str, int]
    gauges: list[GaugeLine]


class PersonAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A person with what they have and may use."""

    name: str
    role: Role
    created_at: Moment
    disabled_at: Moment | None
    standing: PersonStanding


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, with which key, what it may do, and what the person has and may use."""

    name: str
    role: Role
    key: str
    scopes: list[Scope]
    standing: PersonStanding


class InvitationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An address that gives a person a key, once, until it expires; it is shown this once."""

    person: str
    address: str
    expires_at: Moment

    def __repr__(self) -> str:
        return f"InvitationAnswer({self.person!r})"


def list_people(connection: Connection) -> list[PersonLine]:
    """Return all people, the owner of the installation first."""
    return store.list_people(connection)


def show_person(connection: Connection, now: datetime, name: str) -> PersonAnswer:
    """Return a person with what they have and may use; raises `UnknownThing`."""
    person = store.find_person(connection, name)
    return PersonAnswer(
        name=person.name,
        role=person.role,
        created_at=person.created_at,
        disabled_at=person.disabled_at,
        standing=standing_of(connection, person, now),
    )


def show_me(connection: Connection, person_id: int, now: datetime, *, key: str, scopes: frozenset[Scope]) -> Me:
    """Return who asks: the person, the key, and what they have and may use."""
    person = store.load_person(connection, person_id)
    return Me(
        name=person.name,
        role=person.role,
        key=key,
        scopes=sorted(scopes),
        standing=standing_of(connection, person, now),
    )


def standing_of(connection: Connection, person: PersonLine, now: datetime) -> PersonStanding:
    """Return what a person has and may use."""
    usage = load_usage(connection, person.id, now)
    plan = None if person.plan is None else load_plan(connection, person.plan)
    allowed = {} if plan is None else plan.gauges
    return PersonStanding(
        plan=person.plan,
        credits=person.credits,
        ceiling=None if plan is None else plan.ceiling,
        more_at=usage.more_at,
        is_low=plan is not None and is_low(person.credits or 0, plan.credits),
        prices={} if plan is None else plan.prices,
        gauges=[GaugeLine(name=name, used=usage.gauges.get(name), allowed=allowed.get(name)) for name in GAUGES],
    )


def add_person(connection: Connection, now: datetime, name: str, role: Role, *, plan: str | None = None) -> PersonLine:
    """Add a person; they get their key by an invitation, or by `keys add`. Raises `UsageError` for a name in use."""
    return store.add_person(connection, name, role, now, plan=plan)


def change_person(
    connection: Connection,
    now: datetime,
    name: str,
    *,
    new_name: str | None = None,
    role: Role | None = None,
    plan: str | None = None,
) -> PersonLine:
    """Change what is given of a person; the plan `none` ends what is counted.

    Raises `UnknownThing`, `UsageError` for a name in use, and `LastOwner` where nobody would be the owner.
    """
    person = store.find_person(connection, name)
    if new_name is not None and new_name != name:
        store.rename_person(connection, person.id, new_name)
    if role is not None and role != person.role:
        store.change_role(connection, person.id, role)
    if plan is not None:
        store.change_plan(connection, person.id, plan, now)
    return store.load_person(connection, person.id)


def disable_person(connection: Connection, now: datetime, name: str) -> PersonLine:
    """Let a person keep everything and do nothing: no key of theirs is valid, and nothing is sent to them."""
    person = store.find_person(connection, name)
    store.disable_person(connection, person.id, now)
    return store.load_person(connection, person.id)


def enable_person(connection: Connection, name: str) -> PersonLine:
    """Let a person in again; their keys are valid, and their targets are told again."""
    person = store.find_person(connection, name)
    store.enable_person(connection, person.id)
    return store.load_person(connection, person.id)


def invite_person(
    connection: Connection, now: datetime, name: str, public_url: str, *, role: Role | None = None
) -> InvitationAnswer:
    """Return an address that gives a person a key, once within three days; somebody new is added with the role.

    An earlier address of theirs that was not used gives no key any more. Raises `UnknownThing` for somebody new where
    no role is given.
    """
    known = any(each.name == name for each in store.list_people(connection))
    if known or role is None:
        person = store.find_person(connection, name)
        if role is not None and role != person.role:
            store.change_role(connection, person.id, role)
    else:
        person = store.add_person(connection, name, role, now)
    invitation = invite(connection, person.id, now)
    address = f"{public_url.rstrip('/')}{INVITE}/{invitation.name}"
    return InvitationAnswer(person=person.name, address=address, expires_at=invitation.expires_at)


def show_removal(connection: Connection, name: str) -> Removal:
    """Return what would go with a person; raises `LastOwner` for somebody whom the installation cannot do without."""
    return look_at_removal(connection, store.find_person(connection, name).id)


def remove_person(runtime: Runtime, now: datetime, name: str) -> Removal:
    """Delete a person with all that is theirs alone, rows and files; what others want too becomes theirs.

    Files in folders of their own stay. Killed on the way it leaves a person who is disabled, and can be repeated.
    Pages and feeds of theirs go with the next publish. Raises `UnknownThing` and `LastOwner`.
    """
    data_dir = runtime.settings.data_dir
    with runtime.engine.begin() as connection:
        person = store.find_person(connection, name)
        removal = look_at_removal(connection, person.id)
        let_go(connection, person.id, now)
    sweep(runtime.engine, data_dir, now)
    with runtime.engine.begin() as connection:
        pictures = artwork_of_shows(connection, person.id)
        forget(connection, person.id)
    for path in pictures:
        remove_file(data_dir, path)
    return removal
