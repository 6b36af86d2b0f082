"""Every route with every role, for own, another's and nobody's things, and without a key."""

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import Engine

from models.people import OWNER_ID
from models.vault import Vault
from pipeline.people.records import ROLES, SCOPES_OF, Role
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.web.api.routes.all_routes import OPERATIONS
from pipeline.web.api.routing import Operation
from tests.pipeline.web.api import ownership
from tests.pipeline.web.api.conftest import ClientFor, KeyFor
from tests.pipeline.web.api.ownership import Case, Path, World

SUBJECTS = {
    name: import_module(f"{ownership.__name__}.{name}")
    for _, name, _ in pkgutil.iter_modules(ownership.__path__)
    if not name.startswith("test_")
}
BY_NAME = {operation.name: operation for operation in OPERATIONS}
# Larger than any number that a row gets here.
NO_NUMBER = 2**52
AddPerson = Callable[[str, Role], int]


def cases_of(module: ModuleType) -> list[Case]:
    return getattr(module, "CASES", [])


def public_of(module: ModuleType) -> dict[str, str]:
    return getattr(module, "PUBLIC", {})


@pytest.fixture
def world(engine: Engine, vault: Vault, runtime: Runtime) -> World:
    return World(engine=engine, vault=vault, runtime=runtime, now=utc_now())


@pytest.fixture
def people(add_person: AddPerson) -> Mapping[Role, int]:
    """A person of each role."""
    return {"guest": add_person("gus", "guest"), "member": add_person("ada", "member"), "owner": OWNER_ID}


@pytest.fixture
def stranger(add_person: AddPerson) -> int:
    """Another person, who has all that a member may have."""
    return add_person("eve", "member")


@pytest.fixture
def clients(people: Mapping[Role, int], key_for: KeyFor, client_for: ClientFor) -> Mapping[Role, httpx.Client]:
    return {role: client_for(key_for(person_id, role=role)) for role, person_id in people.items()}


def may(role: Role, operation: Operation) -> bool:
    """Whether a person of a role, with a key for all that the role has, may ask for an operation."""
    fits = ROLES.index(role) >= ROLES.index(operation.role)
    return operation.scope is None or (fits and operation.scope in SCOPES_OF[role])


def ask(client: httpx.Client, operation: Operation, path: Path, case: Case | None = None) -> httpx.Response:
    address = operation.path
    for name, value in path.items():
        address = address.replace(f"{{{name}}}", quote(str(value), safe=""))
    headers = {"If-Match": "*"} if operation.method in {"PUT", "PATCH", "DELETE"} else {}
    query, body = (_value(what, path) for what in (case.query, case.body)) if case else (None, None)
    if body is None and operation.body is not None:
        body = {}
    return client.request(operation.method, address, headers=headers, params=query, json=body)


def _value(what: Any, path: Path) -> Any:
    return what(path) if callable(what) else what


def nobodys(world: World, path: Path) -> Path:
    """Return values of a path that nothing has."""
    return {name: NO_NUMBER if _is_number(value) else world.name() for name, value in path.items()}


def _is_number(value: str | int) -> bool:
    return isinstance(value, int) or value.isdecimal()


def told_of(answer: httpx.Response, path: Path) -> tuple[int, str]:
    """Return an answer without the names that the request itself had."""
    text = answer.text
    for value in path.values():
        text = text.replace(str(value), "…")
    return answer.status_code, text


def wrong_answers(
    case: Case, world: World, people: Mapping[Role, int], stranger: int, clients: Mapping[Role, httpx.Client]
) -> Iterator[str]:
    """Yield what is wrong about an operation on a thing, for each role."""
    operation = BY_NAME[case.operation]
    for role, client in clients.items():
        another = case.make(world, stranger)
        nobody = nobodys(world, another)
        answers = [ask(client, operation, another, case), ask(client, operation, nobody, case)]
        if not may(role, operation):
            yield from (f"{role}: {answer.status_code}, not 403" for answer in answers if answer.status_code != 403)
            continue
        of_another, of_nobody = told_of(answers[0], another), told_of(answers[1], nobody)
        if of_another[0] != 404 or of_another != of_nobody:
            yield f"{role}: another's thing {of_another}, nobody's {of_nobody}"
        own = ask(client, operation, case.make(world, people[role]), case)
        if own.status_code in {401, 403, 404} or own.status_code >= 500:
            yield f"{role}: own thing {own.status_code} {own.text}"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_is_another_persons_is_not_there(
    subject: str, world: World, people: Mapping[Role, int], stranger: int, clients: Mapping[Role, httpx.Client]
) -> None:
    problems = {
        case.operation: [*wrong_answers(case, world, people, stranger, clients)] for case in cases_of(SUBJECTS[subject])
    }
    assert {name: wrong for name, wrong in problems.items() if wrong} == {}


def test_nobody_is_answered_without_a_key(client_for: ClientFor) -> None:
    client = client_for(None)
    closed = [operation for operation in OPERATIONS if operation.scope is not None]
    answers = {each.name: ask(client, each, dict.fromkeys(each.path_types, "1")).status_code for each in closed}
    assert {name: status for name, status in answers.items() if status != 401} == {}


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_may_not_is_refused(role: Role, clients: Mapping[Role, httpx.Client]) -> None:
    closed = [operation for operation in OPERATIONS if not may(role, operation)]
    answers = {each.name: ask(clients[role], each, dict.fromkeys(each.path_types, "1")).status_code for each in closed}
    assert {name: status for name, status in answers.items() if status != 403} == {}


def test_every_operation_on_a_thing_has_a_case_or_is_about_what_is_public() -> None:
    known = {case.operation for module in SUBJECTS.values() for case in cases_of(module)}
    public = {name for module in SUBJECTS.values() for name in public_of(module)}
    on_things = {operation.name for operation in OPERATIONS if operation.path_types}
    assert known & public == set()
    assert known | public == on_things
