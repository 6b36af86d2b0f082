"""The keys by which an event finds the subscriptions that may want it: `campaign.added|game|rust`. Pure.

A subscription stands under its narrowest condition, once for each of the condition's values and each class of its
kinds. So an event costs a few lookups, however many subscriptions there are. What asks for a library stands under its
person, and what a game is to them: `campaign.added|library|1:owned`. An event has such keys for whoever has its game.
"""

import msgspec

from models.names import name_key
from notifiers.conditions.conditions import Conditions
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
    values = {_value(name, value, person_id) for value in getattr(conditions, field)} if field else {""}
    # Of lists the key says the name alone, and others may have one of that name.
    said = {field: ()} if field and field != "lists" else {}
    rest = msgspec.structs.replace(conditions, kinds=(), **said)
    keys = frozenset(f"{each}|{name}|{value}" for each in classes for value in values)
    return Keys(keys, is_exact=are_all_kinds and rest == Conditions())


def event_keys(facts: EventFacts) -> frozenset[str]:
    """Return the keys under which a subscription may stand that wants an event."""
    values = {("", ""), *(("channel", login) for login in facts.channel_logins)}
    values |= {("list", key) for _, key in facts.list_keys} | {("platform", key) for key in facts.platform_keys}
    values |= {("library", _of_person(person_id, word)) for person_id, word in facts.library}
    named = (("game", facts.game_key), ("organization", facts.organization_key), ("service", facts.service))
    values |= {(name, value) for name, value in named if value}
    if facts.game_key and facts.family in CATEGORY_FAMILIES:
        values.add(("category", facts.game_key))
    return frozenset(f"{each}|{name}|{value}" for each in classes_of_event(facts.kind) for name, value in values)


def _of_person(person_id: int, word: str) -> str:
    return f"{person_id}:{word}"


def _value(name: str, value: str, person_id: int) -> str:
    """Return a condition's value as an event has it."""
    if name == "library":
        return _of_person(person_id, value)
    return value.lower() if name in {"channel", "service"} else name_key(value)
