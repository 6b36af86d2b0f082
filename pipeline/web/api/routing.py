"""Turn functions with typed path, query, body and answer into routes, and all of them into one OpenAPI 3.1 document.

A handler's first parameter says what the API opens for it (`calls`: a reading, a changing or a working call). Others
are parts of the path by their names, and `query` and `body`, each a struct. What it returns is the answer; None is 204.
"""

import inspect
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

import msgspec

from pipeline.web.api import common
from pipeline.web.api.calls import Call, Role, Scope, Working
from pipeline.web.api.files import WHOLE, FileAnswer
from pipeline.web.api.problems import Problem

_REF = "#/components/schemas/{name}"
_Handler = TypeVar("_Handler", bound=Callable[..., Any])


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A method and a path template with the function that answers them, and what its types say.

    `scope` is what a key needs for it, None for what everybody may ask; `role` is the least role of its person.
    A `body` of bytes is a file as it was sent, any other is JSON.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    tag: str
    scope: Scope | None
    role: Role
    status: int
    call: type[Call]
    path_types: Mapping[str, Any]
    query: type[msgspec.Struct] | None
    body: type[msgspec.Struct] | type[bytes] | None
    answer: Any
    # Takes what the handler takes, and returns something cheap that changes whenever what it returns would.
    version: Callable[..., object] | None

    @property
    def name(self) -> str:
        """The operation's name in the document, which no other has: `targets.add`."""
        return f"{self.tag}.{self.handler.__name__}"


class Routes:
    """The routes of a subject; each method is a decorator that keeps the function as it is."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.operations: list[Operation] = []

    def add(
        self,
        method: str,
        path: str,
        *,
        scope: Scope | None,
        role: Role = "guest",
        status: int = 200,
        version: Callable[..., object] | None = None,
    ) -> Callable[[_Handler], _Handler]:
        """Return what adds a function under a method and a path template such as `/targets/{target}`.

        `version` takes what the function takes and returns what its ETag is made of, so that what has not changed is
        not loaded; without it the ETag is that of the bytes.
        """

        def keep(handler: _Handler) -> _Handler:
            operation = _operation(self.tag, method, path, handler, scope=scope, role=role, status=status)
            self.operations.append(msgspec.structs.replace(operation, version=version))
            return handler

        return keep


def _operation(
    tag: str, method: str, path: str, handler: Callable[..., Any], *, scope: Scope | None, role: Role, status: int
) -> Operation:
    hints = get_type_hints(handler, include_extras=True)
    answer = hints.pop("return")
    call, *others = inspect.signature(handler).parameters
    return Operation(
        method=method,
        path=path,
        handler=handler,
        tag=tag,
        scope=scope,
        role=role,
        status=204 if answer is type(None) else status,
        call=hints[call],
        path_types={name: hints[name] for name in others if name not in {"query", "body"}},
        query=hints.get("query"),
        body=hints.get("body"),
        answer=None if answer is type(None) else answer,
        version=None,
    )


def describe(
    operations: Sequence[Operation], conditional: Container[str], *, title: str, version: str, description: str
) -> dict[str, Any]:
    """Return the document that describes these routes: OpenAPI 3.1, whose schemas are JSON Schema 2020-12.

    `conditional` are the names of those that change a thing on a condition.
    """
    kinds = list(dict.fromkeys(_types_of(operations)))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _describe(operation, schema_of, has_condition=operation.name in conditional)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    key = {"type": "http", "scheme": "bearer", "description": "lw_…, a key of a person"}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": components,
            **common.components(schema_of[Problem]),
            "securitySchemes": {"key": key},
        },
    }


def _types_of(operations: Sequence[Operation]) -> Iterator[Any]:
    yield Problem
    for operation in operations:
        yield from operation.path_types.values()
        yield from (field.type for field in msgspec.structs.fields(operation.query)) if operation.query else ()
        yield from (kind for kind in (operation.body, operation.answer) if kind not in {None, bytes, FileAnswer})


def _describe(operation: Operation, schema_of: Mapping[Any, Any], *, has_condition: bool) -> dict[str, Any]:
    summary, _, description = inspect.getdoc(operation.handler).partition("\n\n")  # type: ignore[union-attr]
    good: dict[str, Any] = {"description": "Done." if operation.answer is None else "The answer."}
    good["headers"] = common.good_headers(operation.method, has_condition=has_condition)
    is_file = operation.answer is FileAnswer
    if is_file:
        good["content"] = WHOLE
    elif operation.answer is not None:
        good["content"] = {"application/json": {"schema": schema_of[operation.answer]}}
    others = common.responses(
        operation.method,
        has_key=operation.scope is not None,
        has_path=bool(operation.path_types),
        has_body=operation.body is not None,
        has_condition=has_condition,
        works=issubclass(operation.call, Working),
    )
    shared = common.parameters(operation.method, has_condition=has_condition)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": summary.rstrip("."),
        "description": description,
        "parameters": [*_parameters(operation, schema_of), *shared],
        "responses": {str(operation.status): good, **(common.OF_PARTS if is_file else {}), **others},
        "security": [] if operation.scope is None else [{"key": [operation.scope]}],
    }
    if operation.body is not None:
        kind, schema = ("*/*", {}) if operation.body is bytes else ("application/json", schema_of[operation.body])
        # Where nothing has to be said nothing need be sent.
        body = operation.body
        is_needed = issubclass(body, bytes) or any(field.required for field in msgspec.structs.fields(body))
        described["requestBody"] = {"required": is_needed, "content": {kind: {"schema": schema}}}
    return described


def _parameters(operation: Operation, schema_of: Mapping[Any, Any]) -> Iterator[dict[str, Any]]:
    for name, kind in operation.path_types.items():
        yield {"name": name, "in": "path", "required": True, "schema": schema_of[kind]}
    for field in msgspec.structs.fields(operation.query) if operation.query is not None else ():
        schema = dict(schema_of[field.type])
        yield {"name": field.encode_name, "in": "query", "required": field.required, "schema": schema}
