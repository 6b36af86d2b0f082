"""Judges whether an event meets the conditions of a subscription, and says which one fails first. Pure."""

from collections.abc import Iterable, Iterator

from models.names import name_key
from notifiers.conditions.conditions import Conditions
from notifiers.conditions.facts import EventFacts
from notifiers.conditions.keys import CATEGORY_FAMILIES
from notifiers.conditions.kinds import takes_kind
from notifiers.conditions.words import has_word

# Rewards that are the service's own, and need no account elsewhere.
ON_THE_SERVICE = frozenset({"badge", "emote"})


def first_failing(conditions: Conditions, facts: EventFacts, person_id: int) -> str | None:
    """Return the name of the first condition that an event does not meet, in the order of `Conditions`; None if none.

    `person_id` is whose subscription it is. Before all others stands `person`: what is of somebody's library is theirs
    alone.
    """
    return next((name for name, is_met in _conditions(conditions, facts, person_id) if not is_met), None)


def _conditions(wanted: Conditions, facts: EventFacts, person_id: int) -> Iterator[tuple[str, bool]]:
    """Yield every condition by its field's name, and whether it is met."""
    category = facts.game_key if facts.family in CATEGORY_FAMILIES else None
    minutes = facts.minutes
    yield "person", may_know(facts, person_id)
    yield "kinds", takes_kind(wanted.kinds, facts.kind)
    yield "services", not wanted.services or facts.service in {service.lower() for service in wanted.services}
    yield "games", _is_among(facts.game_key, wanted.games)
    yield "organizations", _is_among(facts.organization_key, wanted.organizations)
    yield "channels", not wanted.channels or any(login.lower() in facts.channel_logins for login in wanted.channels)
    yield "lists", not wanted.lists or any((person_id, name_key(name)) in facts.list_keys for name in wanted.lists)
    yield "categories", _is_among(category, wanted.categories)
    yield "platforms", not wanted.platforms or any(name_key(name) in facts.platform_keys for name in wanted.platforms)
    yield "require", not wanted.require or any(has_word(facts.texts, word) for word in wanted.require)
    yield "block", not any(has_word(facts.texts, word) for word in wanted.block)
    yield "min_minutes", wanted.min_minutes is None or (minutes is not None and minutes >= wanted.min_minutes)
    yield "max_minutes", wanted.max_minutes is None or (minutes is not None and minutes <= wanted.max_minutes)
    yield "no_subscriptions", not (wanted.no_subscriptions and facts.needs_subscriptions)
    yield "rewards", not wanted.rewards or bool(facts.reward_kinds & set(wanted.rewards))
    yield "linked", wanted.linked is None or _is_linked(facts, person_id) is wanted.linked
    yield "followed_games", not wanted.followed_games or person_id in facts.game_followers
    yield "followed_channels", not wanted.followed_channels or person_id in facts.channel_followers
    yield "only_live", not wanted.only_live or facts.is_live
    yield "languages", not wanted.languages or _speaks(facts.language, wanted.languages)
    yield "no_reruns", not (wanted.no_reruns and facts.is_rerun)
    yield "library", not wanted.library or any((person_id, word) in facts.library for word in wanted.library)
    yield "library_except", not any((person_id, word) in facts.library for word in wanted.library_except)
    is_on_mine = not facts.platform_keys or person_id in facts.platform_people
    yield "my_platforms", not wanted.my_platforms or is_on_mine


def may_know(facts: EventFacts, person_id: int) -> bool:
    """Return whether a person may know of an event: what is of somebody's library is theirs alone."""
    if facts.person_id is not None:
        return facts.person_id == person_id
    return not facts.is_private or any(person == person_id for person, _ in facts.library)


def _is_linked(facts: EventFacts, person_id: int) -> bool | None:
    """Return whether a campaign gives something to a person as the accounts are; None where nobody knows.

    Badges and emotes are the service's own, and need no account elsewhere.
    """
    if facts.reward_kinds and facts.reward_kinds <= ON_THE_SERVICE:
        return True
    return person_id in facts.linked if person_id in facts.linked | facts.unlinked else None


def _is_among(key: str | None, names: Iterable[str]) -> bool:
    keys = {name_key(name) for name in names}
    return not keys or key in keys


def _speaks(language: str | None, wanted: Iterable[str]) -> bool:
    """Return whether a language is wanted: `pt` wants `pt-BR` too."""
    spoken = (language or "").lower()
    return any(spoken == each.lower() or spoken.startswith(f"{each.lower()}-") for each in wanted)
