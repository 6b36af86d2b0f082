"""The JSON Schemas of what people write in a line: patterns, which editors check as they are typed. Pure."""

import re
from typing import Any

from models.events import EventKind
from notifiers.timing.settings import DAYS

_KINDS = "|".join(re.escape(kind) for kind in EventKind)
_FAMILIES = "|".join(sorted({kind.family for kind in EventKind}))
_WITH_WILDCARD = r"[^.]*[*?\[].*"


def _any_case(word: str) -> str:
    """Return a pattern that takes a word in small and capital letters; JSON Schema has no flag for that."""
    return "".join(f"[{letter.upper()}{letter}]" for letter in word)


_DAY = f"(?:{'|'.join(map(_any_case, DAYS))})"
_DAYS = f"{_DAY}(?:-{_DAY})?"
_HOURS = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_ON = rf"(?:\s+{_any_case('on')}\s+{_DAY}\w*)?"
_AT = rf"(?:\s+{_any_case('at')}\s+(?:{_HOURS}|:[0-5]\d))?"
_WORDS_OF_DIGESTS = {word: _any_case(word) for word in ("hourly", "daily", "weekly")}

TIME = rf"^\s*{_HOURS}\s*$"
END = rf"^\s*(?:{_HOURS}|24:00)\s*$"
SPAN = r"^\s*\d+\s*(?:s|min|m|h)\s*$"
QUIET = rf"^\s*{_HOURS}\s*(?:-|\u2013|to)\s*(?:{_HOURS}|24:00)(?:\s+{_DAYS}(?:[ ,]+{_DAYS})*[ ,]*)?\s*$"
DIGEST = rf"^\s*(?:{_any_case('none')}|(?:{'|'.join(_WORDS_OF_DIGESTS.values())}){_ON}{_AT})\s*$"
HEARTBEAT = rf"^\s*(?:{_WORDS_OF_DIGESTS['daily']}|{_WORDS_OF_DIGESTS['weekly']}){_ON}{_AT}\s*$"
LOCALE = r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*$"
LANGUAGE = r"^(?:[A-Za-z]{2,3}|[Oo][Tt][Hh][Ee][Rr])(?:-[A-Za-z0-9]+)*$"
UNSUBSCRIBE = r"^(?:mailto:[^\s@]+@[^\s@]+|https://\S+)$"


def text(pattern: str) -> dict[str, Any]:
    """Return the schema of a text of a form."""
    return {"type": "string", "pattern": pattern}


# The first is what editors offer.
KIND: dict[str, Any] = {
    "anyOf": [
        {"enum": [*map(str, EventKind), *(f"{family}.*" for family in _FAMILIES.split("|"))]},
        text(rf"^!?(?:{_KINDS}|(?:{_FAMILIES})\.{_WITH_WILDCARD}|{_WITH_WILDCARD})$"),
    ]
}
