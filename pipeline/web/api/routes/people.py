"""`/people`, `/me`: who shares the installation, with what they may and use up."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from pipeline.operations import people
from pipeline.operations.people import InvitationAnswer, Me, PersonAnswer, PersonLine, Removal
from pipeline.people.records import Role
from pipeline.web.api.asking import asking
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routing import Routes

routes = Routes("people")
PersonName = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A person to add."""

    name: PersonName
    role: Role = "member"
    plan: str | None = None


class PersonChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed of a person; a plan of null ends what is counted."""

    name: PersonName | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    plan: str | UnsetType | None = UNSET


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation to make; with a role it is given to the person."""

    role: Role | None = None


@routes.add("GET", "/me", scope="read")
def show_me(call: Reading) -> Me:
    """Show who asks, what the key may do, and what is left of the plan."""
    caller = asking(call)
    return people.show_me(call.connection, caller.person_id, call.now, key=caller.key, scopes=caller.scopes)


@routes.add("GET", "/people", scope="admin", role="owner")
def list_people(call: Reading, query: PageQuery) -> Page[PersonLine]:
    """List everybody, the owner of the installation first."""
    return page_of(people.list_people(call.connection), query, lambda each: each.id)


@routes.add("POST", "/people", scope="admin", role="owner", status=201)
def add_person(call: Changing, body: NewPerson) -> PersonLine:
    """Add a person."""
    return people.add_person(call.connection, call.now, body.name, body.role, plan=body.plan)


@routes.add("GET", "/people/{person}", scope="admin", role="owner")
def show_person(call: Reading, person: str) -> PersonAnswer:
    """Show a person with what they have and may use."""
    return people.show_person(call.connection, call.now, person)


@routes.add("PATCH", "/people/{person}", scope="admin", role="owner")
def change_person(call: Changing, person: str, body: PersonChange) -> PersonLine:
    """Change a person's name, role or plan."""
    plan = None if body.plan is UNSET else body.plan or "none"
    return people.change_person(
        call.connection,
        call.now,
        person,
        new_name=None if body.name is UNSET else body.name,
        role=None if body.role is UNSET else body.role,
        plan=plan,
    )


@routes.add("POST", "/people/{person}/disable", scope="admin", role="owner")
def disable_person(call: Changing, person: str) -> PersonLine:
    """Let a person keep everything and do nothing.

    No key of theirs is valid, and nothing is sent to their targets.
    """
    return people.disable_person(call.connection, call.now, person)


@routes.add("POST", "/people/{person}/enable", scope="admin", role="owner")
def enable_person(call: Changing, person: str) -> PersonLine:
    """Let a person in again."""
    return people.enable_person(call.connection, person)


@routes.add("POST", "/people/{person}/invitation", scope="admin", role="owner", status=201)
def invite_person(call: Changing, person: str, body: Invite) -> InvitationAnswer:
    """Make an address that gives a person a key, once within three days.

    Somebody new is added where the body has a role.
    """
    url = str(call.runtime.settings.public_url)
    return people.invite_person(call.connection, call.now, person, url, role=body.role)


@routes.add("GET", "/people/{person}/removal", scope="admin", role="owner")
def show_removal(call: Reading, person: str) -> Removal:
    """Show what would go with a person."""
    return people.show_removal(call.connection, person)


@routes.add("DELETE", "/people/{person}", scope="admin", role="owner")
def remove_person(call: Working, person: str) -> Removal:
    """Delete a person with all that is theirs alone, rows and files.

    What others want too becomes theirs. Answers what went.
    """
    return people.remove_person(call.runtime, call.now, person)
