"""Checks JSON against a JSON Schema, as far as our own schemas go: a keyword that is not known here fails."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

# A keyword says nothing of a value of another type.
SAYS_OF: dict[str, Any] = {
    "required": dict,
    "properties": dict,
    "additionalProperties": dict,
    "dependentRequired": dict,
    "items": list,
    "minItems": list,
    "maxItems": list,
    "pattern": str,
    "format": str,
    "minLength": str,
    "maxLength": str,
    "minimum": (int, float),
    "maximum": (int, float),
}
# What a value may be of, without a word on what that is.
OF_TEXTS = {"path", "password"}
TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}
WORDS = {"$schema", "$id", "$defs", "title", "description", "default", "writeOnly"}


def problems(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = "$") -> Iterator[str]:
    """Yield what is wrong with a value, each with its place."""
    root = schema if root is None else root
    for keyword, wanted in schema.items():
        if keyword not in WORDS | {"then"} and isinstance(value, SAYS_OF.get(keyword, object)):
            yield from _problems_of(keyword, wanted, value, schema, root, at)


def _problems_of(  # noqa: PLR0912  a branch a keyword
    keyword: str, wanted: Any, value: Any, schema: dict[str, Any], root: dict[str, Any], at: str
) -> Iterator[str]:
    match keyword:
        case "$ref":
            yield from problems(value, root["$defs"][wanted.removeprefix("#/$defs/")], root, at)
        case "anyOf":
            if all(list(problems(value, each, root, at)) for each in wanted):
                yield f"{at}: {value!r} is none of them"
        case "allOf":
            for each in wanted:
                yield from problems(value, each, root, at)
        case "if":
            if not list(problems(value, wanted, root, at)):
                yield from problems(value, schema["then"], root, at)
        case "type":
            is_number_for_bool = isinstance(value, bool) and wanted != "boolean"
            if not isinstance(value, TYPES[wanted]) or is_number_for_bool:
                yield f"{at}: {value!r} is no {wanted}"
        case "required":
            yield from (f"{at}: has no {name}" for name in wanted if name not in value)
        case "properties":
            for name, inner in wanted.items():
                if name in value:
                    yield from problems(value[name], inner, root, f"{at}.{name}")
        case "additionalProperties":
            assert wanted in ({}, True, False)
            if wanted is False:
                yield from (f"{at}: there is no {name}" for name in value if name not in schema["properties"])
        case "dependentRequired":
            for name, others in wanted.items():
                if name in value:
                    yield from (f"{at}: has no {other}" for other in others if other not in value)
        case "enum":
            if value not in wanted:
                yield f"{at}: {value!r} is none of {wanted}"
        case "pattern":
            if not re.search(wanted, value):
                yield f"{at}: {value!r} does not match {wanted}"
        case "format":
            assert wanted in {"date-time", *OF_TEXTS}
            if wanted == "date-time":
                datetime.fromisoformat(value)
        case "minItems" | "maxItems" | "minLength" | "maxLength" | "minimum" | "maximum":
            amount = value if isinstance(value, int | float) else len(value)
            if amount < wanted if keyword.startswith("min") else amount > wanted:
                yield f"{at}: {value!r} is beyond {keyword} {wanted}"
        case "const":
            if value != wanted:
                yield f"{at}: {value!r} is not {wanted!r}"
        case "items":
            for number, each in enumerate(value):
                yield from problems(each, wanted, root, f"{at}[{number}]")
        case _:
            raise AssertionError(f"a keyword that is not known here: {keyword}")
