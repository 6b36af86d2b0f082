"""The keys by which an event finds the subscriptions that may want it: `campaign.added|game|rust`. Pure.

A subscription stands under its narrowest condition, once for each of the condition's values and each class of its
kinds. So an event costs a few lookups, however many subscriptions there are. What asks for a library stands under its
person and all that a game may be to them for it, `campaign.added|library|1:owned+finished`: an event has one such key
for each person to whom its game is anything, and what is excepted stands under no key.
"""

from collections import defaultdict
from collections.abc import Collection
from itertools import combinations

import msgspec

from models.names import name_key
from notifiers.conditions.conditions import LIBRARY_WORDS, Conditions
from notifiers.conditions.facts import EventFacts
from notifiers.conditions.kinds import classes_of_event, kind_classes

# What a subscription may stand under, the narrowest first: the field, and what its keys call it.
_FIELDS = (
    ("channels", "channel"),
    ("games", "game"),
    ("categories", "category"),
    ("lists", "list"),
    ("library", "library"),
    ("organizations", "organization"),
    ("platforms", "platform"),
    ("services", "service"),
)
# Of lists a key has the name alone, and others may have one of that name.
_SAID_BY_KEYS = frozenset(field for field, _ in _FIELDS) - {"lists"}
# All that a game may be to somebody at once.
_ANY_WORDS = tuple(
    frozenset(words) for count in range(1, len(LIBRARY_WORDS) + 1) for words in combinations(LIBRARY_WORDS, count)
)
# A stream's game is its category.
CATEGORY_FAMILIES = frozenset({"stream", "video"})


class Keys(msgspec.Struct, frozen=True):
    """The keys of a subscription; it is exact where every event with one of them meets all conditions."""

    keys: frozenset[str]
    is_exact: bool


def subscription_keys(conditions: Conditions, person_id: int) -> Keys:
    """Return the keys under which a person's subscription stands."""
    classes, are_all_kinds = kind_classes(conditions.kinds)
    field, name = next(((field, name) for field, name in _FIELDS if getattr(conditions, field)), (None, ""))
    values = {_value(name, value) for value in getattr(conditions, field)} if field else {""}
    rest = msgspec.structs.replace(conditions, kinds=(), **({field: ()} if field in _SAID_BY_KEYS else {}))
    if field == "library":
        values = {_of_person(person_id, words) for words in _ANY_WORDS if _fit(words, conditions)}
        rest = msgspec.structs.replace(rest, library_except=())
    keys = frozenset(f"{each}|{name}|{value}" for each in classes for value in values)
    return Keys(keys, is_exact=are_all_kinds and rest == Conditions())


def event_keys(facts: EventFacts) -> frozenset[str]:
    """Return the keys under which a subscription may stand that wants an event."""
    values = {("", ""), *(("channel", login) for login in facts.channel_logins)}
    values |= {("list", key) for _, key in facts.list_keys} | {("platform", key) for key in facts.platform_keys}
    libraries: defaultdict[int, set[str]] = defaultdict(set)
    for person_id, word in facts.library:
        libraries[person_id].add(word)
    values |= {("library", _of_person(person_id, words)) for person_id, words in libraries.items()}
    named = (("game", facts.game_key), ("organization", facts.organization_key), ("service", facts.service))
    values |= {(name, value) for name, value in named if value}
    if facts.game_key and facts.family in CATEGORY_FAMILIES:
        values.add(("category", facts.game_key))
    return frozenset(f"{each}|{name}|{value}" for each in classes_of_event(facts.kind) for name, value in values)


def _of_person(person_id: int, words: Collection[str]) -> str:
    """Return all that a game is to a person as keys have it: `1:owned+finished`."""
    return f"{person_id}:{'+'.join(word for word in LIBRARY_WORDS if word in words)}"


def _fit(words: Collection[str], conditions: Conditions) -> bool:
    return not set(conditions.library).isdisjoint(words) and set(conditions.library_except).isdisjoint(words)


def _value(name: str, value: str) -> str:
    """Return a condition's value as an event has it."""
    return value.lower() if name in {"channel", "service"} else name_key(value)
