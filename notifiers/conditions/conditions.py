"""The conditions of a subscription, as the database and rules files keep them. Pure."""

from typing import Any, Literal, get_args

import msgspec

RewardKind = Literal["badge", "emote", "item"]
# What a game is to a person, as `models.PersonWork` has it.
LibraryWord = Literal["owned", "playing", "backlog", "wished", "finished", "abandoned", "rom"]
LIBRARY_WORDS: tuple[LibraryWord, ...] = get_args(LibraryWord)


class Conditions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What must hold of an event for a subscription to want it; what is left out holds of every event.

    Of several values one must hold, and all conditions together. A condition on something that an event has not never
    holds: a source's own events have no game.
    """

    # Kinds and patterns (`campaign.*`); with `!` in front what is not wanted. An event must be named, unless all of
    # them exclude.
    kinds: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    games: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    # Logins.
    channels: tuple[str, ...] = ()
    # Names of the person's own lists of games.
    lists: tuple[str, ...] = ()
    # What a stream is about.
    categories: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    # Whole words, of which title, game or rewards must have one, or may have none.
    require: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    min_minutes: int | None = None
    max_minutes: int | None = None
    no_subscriptions: bool = False
    rewards: tuple[RewardKind, ...] = ()
    # Whether the account is linked with the campaign's game; only a person who signed in to the service has any.
    linked: bool | None = None
    followed_games: bool = False
    followed_channels: bool = False
    only_live: bool = False
    languages: tuple[str, ...] = ()
    no_reruns: bool = False
    # What the game, in whichever edition, is to the person: one of these, and none of those.
    library: tuple[LibraryWord, ...] = ()
    library_except: tuple[LibraryWord, ...] = ()
    # Whether it is for a platform that the person plays on; what is for none in particular is for all.
    my_platforms: bool = False


def conditions_to_json(conditions: Conditions) -> dict[str, Any]:
    """Return conditions as JSON builtins, without those that every event meets."""
    built: dict[str, Any] = msgspec.to_builtins(conditions)
    return built


def conditions_from_json(value: dict[str, Any]) -> Conditions:
    """Return the conditions that were stored; raises `msgspec.ValidationError` for what is none."""
    return msgspec.convert(value, Conditions)
