"""From a path, a query and a body to the arguments of a handler; each field that is wrong is named."""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args, get_origin

import msgspec

from models.names import nearest
from pipeline.web.api.problems import FieldProblem, InvalidRequest
from pipeline.web.api.routing import Operation
from pipeline.web.api.wire import escape, find_unfit, printable, read_json

# What nobody sent; none of the values that JSON knows.
_ABSENT = object()


def bind(
    operation: Operation, path: Mapping[str, str], query: Sequence[tuple[str, str]], body: bytes
) -> dict[str, Any]:
    """Return the arguments of a handler; raises `InvalidRequest` that names each wrong field by its JSON pointer."""
    problems: list[FieldProblem] = []
    arguments: dict[str, Any] = {
        name: path[name] if kind is str else _convert(kind, path[name], f"/path/{escape(name)}", problems, strict=False)
        for name, kind in operation.path_types.items()
    }
    if operation.query is not None:
        arguments["query"] = _struct(operation.query, _gather(operation.query, query), "/query", problems, strict=False)
    elif query:
        problems.append(FieldProblem(pointer=f"/query/{escape(query[0][0])}", detail="this route takes no query"))
    if operation.body is not None and issubclass(operation.body, bytes):
        arguments["body"] = body
    elif operation.body is not None:
        arguments["body"] = _struct(operation.body, read_json(body), "", problems, strict=True)
    elif body:
        problems.append(FieldProblem(pointer="", detail="this route takes no body"))
    if problems:
        raise InvalidRequest(problems)
    return arguments


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


@functools.cache
def _lists(kind: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(name for name, field in _fields(kind).items() if _is_list(field.type))


def _gather(kind: type[msgspec.Struct], pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return a query by its names: a name that is given several times is a list."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in _lists(kind):
            values.setdefault(name, []).append(value)
        elif name in values:
            raise InvalidRequest([FieldProblem(pointer=f"/query/{escape(name)}", detail="is given twice")])
        else:
            values[name] = value
    return values


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in {list, tuple, frozenset} or any(map(_is_list, get_args(kind)))


def _struct(
    kind: type[msgspec.Struct], values: Any, pointer: str, problems: list[FieldProblem], *, strict: bool
) -> msgspec.Struct | None:
    """Return a struct of these values, or None after adding what is wrong with each of them."""
    if not isinstance(values, dict):
        problems.append(FieldProblem(pointer=pointer, detail="must be an object"))
        return None
    fields = _fields(kind)
    before = len(problems)
    for name in values.keys() - fields.keys():
        near = nearest(name, fields)
        hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(fields)}" if fields else ""
        problems.append(FieldProblem(pointer=f"{pointer}/{escape(name)}", detail=f"is not known here{hint}"))
    arguments = {}
    for name, field in fields.items():
        value = values.get(name, _ABSENT)
        if value is not _ABSENT:
            arguments[field.name] = _convert(field.type, value, f"{pointer}/{escape(name)}", problems, strict=strict)
        elif field.required:
            problems.append(FieldProblem(pointer=f"{pointer}/{escape(name)}", detail="is missing"))
    if len(problems) > before:
        return None
    try:
        return kind(**arguments)
    except ValueError as error:
        problems.append(FieldProblem(pointer=pointer, detail=str(error)))
        return None


def _convert(kind: Any, value: Any, pointer: str, problems: list[FieldProblem], *, strict: bool) -> Any:
    try:
        # Else a number would be a time, as seconds since 1970.
        converted = msgspec.convert(value, kind, strict=strict or _is_time(kind))
    except msgspec.ValidationError as error:
        detail, _, at = str(error).partition(" - at `$")
        problems.append(FieldProblem(pointer=pointer + _pointer(at.rstrip("`")), detail=printable(detail)))
        return None
    if isinstance(converted, datetime) and ":" not in str(value):
        # Seconds since 1970 would be read as well, and the document promises RFC 3339.
        problems.append(FieldProblem(pointer=pointer, detail="must be a time such as 2026-08-22T17:29:00Z"))
        return None
    problems += (FieldProblem(pointer=at, detail=detail) for at, detail in find_unfit(converted, pointer))
    return converted


def _is_time(kind: Any) -> bool:
    return kind is datetime or any(map(_is_time, get_args(kind)))


def _pointer(path: str) -> str:
    """Return where msgspec says that a value is wrong as a JSON pointer: `.a[0].b` is `/a/0/b`."""
    return path.replace("[", "/").replace("]", "").replace(".", "/")
