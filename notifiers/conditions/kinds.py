"""Kinds of events as conditions name them: `campaign.added`, `campaign.*`, `!campaign.changed`. Pure."""

import functools
from collections.abc import Iterable
from fnmatch import fnmatchcase

from models.events import EventKind

ANY = "*"
_ON_REQUEST = frozenset(kind.value for kind in EventKind if kind.is_on_request)
# Those of the installation, and of a person's library: who wants everything did not ask to hear of what they did.
_BY_FAMILY = frozenset(kind.value for kind in EventKind if kind.is_for_operators or kind.is_of_a_person)


@functools.cache
def takes_kind(patterns: tuple[str, ...], kind: str) -> bool:
    """Return whether patterns want a kind: one names it, or all of them exclude, and none excludes it.

    A kind on request (a rerun) must be named itself, one for operators or of a library by its family at least.
    """
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    if any(fnmatchcase(kind, pattern[1:]) for pattern in patterns if pattern.startswith("!")):
        return False
    if kind in _ON_REQUEST:
        return kind in wanted
    if kind in _BY_FAMILY:
        family = kind.partition(".")[0]
        return any(pattern.startswith(f"{family}.") and fnmatchcase(kind, pattern) for pattern in wanted)
    return not wanted or any(fnmatchcase(kind, pattern) for pattern in wanted)


def kind_classes(patterns: Iterable[str]) -> tuple[frozenset[str], bool]:
    """Return the classes that stand for patterns in keys (a kind, a family, or `*`), and whether they say all of it."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    classes = {_class_of(pattern) for pattern in wanted} or {ANY}
    is_exact = len(wanted) == len(tuple(patterns)) and all(_class_of(pattern) == pattern for pattern in wanted)
    if ANY in classes:
        # What `*` does not find keeps the class under which it is looked up.
        classes = {ANY} | {each for each in classes if each in _BESIDE_ANY}
    return frozenset(classes), is_exact or not tuple(patterns)


def classes_of_event(kind: str) -> tuple[str, ...]:
    """Return the classes under which an event of a kind is looked up."""
    if kind in _ON_REQUEST:
        return (kind,)
    family = f"{kind.partition('.')[0]}.*"
    return (kind, family) if kind in _BY_FAMILY else (kind, family, ANY)


# The classes of kinds that must be named, themselves or by their family.
_BESIDE_ANY = frozenset(each for kind in _ON_REQUEST | _BY_FAMILY for each in classes_of_event(kind))


def _class_of(pattern: str) -> str:
    """Return the narrowest class that holds all that a pattern names."""
    family, _, rest = pattern.partition(".")
    if ANY not in pattern and "?" not in pattern and "[" not in pattern:
        return pattern
    return f"{family}.*" if rest and not set(family) & set("*?[") else ANY
