"""Says in a few words what is wrong with a value that a person wrote, and what was meant. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from models.names import nearest

_TEXT, _WHOLE, _NUMBER, _YES_OR_NO = "a text", "a whole number", "a number", "true or false"
# Pydantic's types of errors, and what a value of that type must be.
_KINDS: Mapping[str, str] = {
    "string_type": _TEXT,
    "path_type": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _YES_OR_NO,
    "bool_parsing": _YES_OR_NO,
    "list_type": "a list",
    "tuple_type": "a list",
    "model_type": "a block of keys",
    "dict_type": "a block of keys",
}
# And what limits say, by what they hold.
_LIMITS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than_equal": lambda limit: f"must be at least {limit['ge']}",
    "greater_than": lambda limit: f"must be more than {limit['gt']}",
    "less_than_equal": lambda limit: f"must be at most {limit['le']}",
    "less_than": lambda limit: f"must be less than {limit['lt']}",
    "too_short": lambda limit: f"must name at least {limit['min_length']}",
    "too_long": lambda limit: f"must name at most {limit['max_length']}",
    "string_too_short": lambda limit: f"must have at least {limit['min_length']} characters",
    "string_too_long": lambda limit: f"must have at most {limit['max_length']} characters",
    "string_pattern_mismatch": lambda limit: f"must be of the form {limit['pattern']}",
}


def reason_of(problem: Mapping[str, Any]) -> str:
    """Return what is wrong with a value, of an error of Pydantic's; the value is repeated only where it is a word.

    What we say ourselves of a value stays as it is.
    """
    kind, context = str(problem["type"]), problem.get("ctx", {})
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", str(context["expected"]))
        near = nearest(str(problem["input"]), known, 1)
        meant = f"; did you mean `{near[0]}`?" if near else ""
        return f"{problem['input']!r} is none of {', '.join(known)}{meant}"
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}"
    if kind in _LIMITS:
        return _LIMITS[kind](context)
    return str(problem["msg"]).removeprefix("Value error, ")
