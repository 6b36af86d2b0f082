"""The keys by which an event finds the subscriptions that may want it: `campaign.added|game|rust`. Pure.

A subscription stands under its narrowest condition, once for each of the condition's values and each class of its
kinds. So an event costs a few lookups, however many subscriptions there are.
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


def subscription_keys(conditions: Conditions) -> Keys:
    """Return the keys under which a subscription stands."""
    classes, are_all_kinds = kind_classes(conditions.kinds)
    field, name = next(((field, name) for field, name in _FIELDS if getattr(conditions, field)), (None, ""))
    values = {_value(name, value) for value in getattr(conditions, field)} if field else {""}
    rest = msgspec.structs.replace(conditions, kinds=(), **({field: ()} if field else {}))
    keys = frozenset(f"{each}|{name}|{value}" for each in classes for value in values)
    return Keys(keys, is_exact=are_all_kinds and rest == Conditions())


def event_keys(facts: EventFacts) -> frozenset[str]:
    """Return the keys under which a subscription may stand that wants an event."""
    values = {("", ""), *(("channel", login) for login in facts.channel_logins)}
    values |= {("list", key) for key in facts.list_keys} | {("platform", key) for key in facts.platform_keys}
    named = (("game", facts.game_key), ("organization", facts.organization_key), ("service", facts.service))
    values |= {(name, value) for name, value in named if value}
    if facts.game_key and facts.family in CATEGORY_FAMILIES:
        values.add(("category", facts.game_key))
    return frozenset(f"{each}|{name}|{value}" for each in classes_of_event(facts.kind) for name, value in values)


def _value(name: str, value: str) -> str:
    """Return a condition's value as an event has it."""
    return value.lower() if name in {"channel", "service"} else name_key(value)
