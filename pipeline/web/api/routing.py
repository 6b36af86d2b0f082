"""Turn functions with typed path, query, body and answer into routes, and all of them into one OpenAPI 3.1 document.

A handler's first parameter says what the API opens for it (`calls`: a reading, a changing or a working call). Others
are parts of the path by their names, and `query` and `body`, each a struct. What it returns is the answer; None is 204.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from models.names import nearest
from pipeline.web.api.calls import Call, Role, Scope
from pipeline.web.api.problems import FieldProblem, InvalidRequest, Problem

_REF = "#/components/schemas/{name}"
# What nobody sent; none of the values that JSON knows.
_ABSENT = object()
_Handler = TypeVar("_Handler", bound=Callable[..., Any])


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A method and a path template with the function that answers them, and what its types say.

    `scope` is what a key needs for it, None for what everybody may ask; `role` is the least role of its person.
    A `body` of bytes is whatever was sent, any other is JSON.
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
    ) -> Callable[[_Handler], _Handler]:
        """Return what adds a function under a method and a path template such as `/targets/{target}`."""

        def keep(handler: _Handler) -> _Handler:
            self.operations.append(_operation(self.tag, method, path, handler, scope, role, status))
            return handler

        return keep


def _operation(
    tag: str, method: str, path: str, handler: Callable[..., Any], scope: Scope | None, role: Role, status: int
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
    )


def bind(
    operation: Operation, path: Mapping[str, str], query: Sequence[tuple[str, str]], body: bytes
) -> dict[str, Any]:
    """Return the arguments of a handler; raises `InvalidRequest` that names each wrong field by its JSON pointer."""
    problems: list[FieldProblem] = []
    arguments: dict[str, Any] = {
        name: _convert(kind, path[name], f"/path/{name}", problems, strict=False)
        for name, kind in operation.path_types.items()
    }
    if operation.query is not None:
        arguments["query"] = _struct(operation.query, _gather(operation.query, query), "/query", problems, strict=False)
    elif query:
        problems.append(FieldProblem(pointer=f"/query/{query[0][0]}", detail="this route takes no query"))
    if operation.body is not None:
        is_raw = operation.body is bytes
        arguments["body"] = body if is_raw else _struct(operation.body, _decode(body), "", problems, strict=True)
    elif body:
        problems.append(FieldProblem(pointer="", detail="this route takes no body"))
    if problems:
        raise InvalidRequest(problems)
    return arguments


def _gather(kind: type[msgspec.Struct], pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return a query by its names: a name that is given several times is a list."""
    lists = {field.encode_name for field in msgspec.structs.fields(kind) if _is_list(field.type)}
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in lists:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise InvalidRequest([FieldProblem(pointer=f"/query/{name}", detail="is given twice")])
        else:
            values[name] = value
    return values


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in {list, tuple, frozenset} or any(map(_is_list, get_args(kind)))


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest([FieldProblem(pointer="", detail=f"the body is no JSON: {error}")]) from error


def _struct(kind: type[Any], values: Any, pointer: str, problems: list[FieldProblem], *, strict: bool) -> Any:
    """Return a struct of these values, or None after adding what is wrong with each of them."""
    if not isinstance(values, dict):
        problems.append(FieldProblem(pointer=pointer, detail="must be an object"))
        return None
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    before = len(problems)
    for name in values.keys() - fields.keys():
        near = nearest(name, fields)
        hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(fields)}" if fields else ""
        problems.append(FieldProblem(pointer=f"{pointer}/{_escape(name)}", detail=f"is not known here{hint}"))
    arguments = {}
    for name, field in fields.items():
        value = values.get(name, _ABSENT)
        if value is not _ABSENT:
            arguments[field.name] = _convert(field.type, value, f"{pointer}/{name}", problems, strict=strict)
        elif field.required:
            problems.append(FieldProblem(pointer=f"{pointer}/{name}", detail="is missing"))
    if len(problems) > before:
        return None
    try:
        return kind(**arguments)
    except ValueError as error:
        problems.append(FieldProblem(pointer=pointer, detail=str(error)))
        return None


def _convert(kind: Any, value: Any, pointer: str, problems: list[FieldProblem], *, strict: bool) -> Any:
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        detail, _, at = str(error).partition(" - at `$")
        problems.append(FieldProblem(pointer=pointer + _pointer(at.rstrip("`")), detail=detail))
        return None


def _pointer(path: str) -> str:
    """Return where msgspec says that a value is wrong as a JSON pointer: `.a[0].b` is `/a/0/b`."""
    return path.replace("[", "/").replace("]", "").replace(".", "/")


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def describe(operations: Sequence[Operation], *, title: str, version: str, description: str) -> dict[str, Any]:
    """Return the document that describes these routes: OpenAPI 3.1, whose schemas are JSON Schema 2020-12."""
    kinds = list(dict.fromkeys(_types_of(operations)))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "lw_…, a key of a person"}},
        },
    }


def _types_of(operations: Sequence[Operation]) -> Iterator[Any]:
    yield Problem
    for operation in operations:
        yield from operation.path_types.values()
        yield from (field.type for field in msgspec.structs.fields(operation.query)) if operation.query else ()
        yield from (kind for kind in (operation.body, operation.answer) if kind not in {None, bytes})


def _describe(operation: Operation, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    summary, _, description = inspect.getdoc(operation.handler).partition("\n\n")  # type: ignore[union-attr]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": summary.rstrip("."),
        "description": description,
        "parameters": [*_parameters(operation, schema_of)],
        "responses": _responses(operation, schema_of),
        "security": [] if operation.scope is None else [{"key": [operation.scope]}],
    }
    if operation.body is not None:
        kind, schema = ("*/*", {}) if operation.body is bytes else ("application/json", schema_of[operation.body])
        described["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}
    return described


def _parameters(operation: Operation, schema_of: Mapping[Any, Any]) -> Iterator[dict[str, Any]]:
    for name, kind in operation.path_types.items():
        yield {"name": name, "in": "path", "required": True, "schema": schema_of[kind]}
    for field in msgspec.structs.fields(operation.query) if operation.query is not None else ():
        schema = dict(schema_of[field.type])
        yield {"name": field.encode_name, "in": "query", "required": field.required, "schema": schema}


def _responses(operation: Operation, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done." if operation.answer is None else "The answer."}
    if operation.answer is not None:
        good["content"] = {"application/json": {"schema": schema_of[operation.answer]}}
    problem = {
        "description": "What was wrong.",
        "content": {"application/problem+json": {"schema": schema_of[Problem]}},
    }
    return {str(operation.status): good, "default": problem}
