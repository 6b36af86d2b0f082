"""Compares what rules want with what there is. Pure."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec.structs import replace

from models.names import name_key
from notifiers.conditions.conditions import Conditions, conditions_to_json
from notifiers.rules.words import written, written_in_full
from notifiers.timing.settings import Role, TargetSettings

# What a target without a word of it does, where that is not nothing.
_USUAL = {key: value for key, value in written_in_full(TargetSettings()).items() if value and value != "0s"}
Action = Literal["add", "change", "take over", "remove"]


@dataclass(frozen=True, kw_only=True)
class WantedTarget:
    """A target as rules want it, or as it is; `origin` is the file that it came from."""

    name: str
    url: str = field(repr=False)
    timezone: str
    settings: TargetSettings
    is_paused: bool = False
    role: Role | None = None
    # Whether nothing is said of private addresses: then what holds goes on.
    keeps_private: bool = False
    origin: str | None = None

    def settings_over(self, before: TargetSettings) -> TargetSettings:
        """Return the settings that are wanted of a target that has others."""
        return replace(self.settings, private=before.private) if self.keeps_private else self.settings


@dataclass(frozen=True, kw_only=True)
class WantedSubscription:
    """A subscription as rules want it, or as it is."""

    name: str
    target: str
    conditions: Conditions
    origin: str | None = None


@dataclass(frozen=True, kw_only=True)
class WantedFollow:
    """A follow as rules want it, or as it is: `channel`, `category`, `game`, `list` or `drops`, and of what.

    A list is called as the `file` in which it is, without its ending; `digest` is that of the file's content, None
    where it cannot be read. `written` is how rules wrote the name of what there is: a channel may be called otherwise
    since, and a game is known by several titles.
    """

    kind: str
    name: str
    file: str | None = None
    digest: str | None = None
    top: int | None = None
    origin: str | None = None
    written: str | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """All that rules want, or all that there is."""

    targets: tuple[WantedTarget, ...] = ()
    subscriptions: tuple[WantedSubscription, ...] = ()
    follows: tuple[WantedFollow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that has to be done so that what there is agrees with the rules; `details` are lines for a person."""

    action: Action
    what: Literal["target", "subscription", "follow"]
    name: str
    details: tuple[str, ...] = ()
    # Of what is taken over: the file that it came from, None where it was made by hand.
    came_from: str | None = None


def compare(wanted: Wanted, present: Wanted, origin: str, *, elsewhere: Sequence[Wanted] = ()) -> list[Change]:
    """Return the changes that a file of this origin asks for, in an order in which they can be done.

    What is gone from the file is removed only where it came from it, and where none of the files that are applied with
    it wants it (`elsewhere`): it has moved there. What somebody made by hand is taken over by a block of its name.
    """
    targets = [*wanted.targets, *(each for other in elsewhere for each in other.targets)]
    subscriptions = [*wanted.subscriptions, *(each for other in elsewhere for each in other.subscriptions)]
    follows = [each for other in elsewhere for each in other.follows]
    return [
        *_of_named("target", wanted.targets, present.targets, origin),
        *_of_named("subscription", wanted.subscriptions, present.subscriptions, origin),
        *_of_follows(wanted.follows, present.follows, origin, follows),
        # Subscriptions go before their targets.
        *_gone("subscription", subscriptions, present.subscriptions, origin),
        *_gone("target", targets, present.targets, origin),
    ]


Named = WantedTarget | WantedSubscription


def _of_named(
    what: Literal["target", "subscription"], wanted: Iterable[Named], present: Iterable[Named], origin: str
) -> Iterable[Change]:
    there = {each.name: each for each in present}
    for each in wanted:
        before = there.get(each.name)
        if before is None:
            yield Change(action="add", what=what, name=each.name, details=_lines({}, _shown(each)))
            continue
        if isinstance(each, WantedTarget) and isinstance(before, WantedTarget):
            each = dataclasses.replace(each, settings=each.settings_over(before.settings))  # noqa: PLW2901
        details = _lines(_shown(before), _shown(each), address_moved=_address(before) != _address(each))
        if before.origin != origin:
            yield Change(action="take over", what=what, name=each.name, details=details, came_from=before.origin)
        elif details:
            yield Change(action="change", what=what, name=each.name, details=details)


def _gone(
    what: Literal["target", "subscription"], wanted: Iterable[Named], present: Iterable[Named], origin: str
) -> Iterable[Change]:
    names = {each.name for each in wanted}
    for each in present:
        if each.origin == origin and each.name not in names:
            yield Change(action="remove", what=what, name=each.name)


def _of_follows(
    wanted: Iterable[WantedFollow], present: Collection[WantedFollow], origin: str, elsewhere: Iterable[WantedFollow]
) -> Iterable[Change]:
    there = {key: each for each in present for key in _keys(each)}
    wanted_keys = {key for each in elsewhere for key in _keys(each)}
    for each in wanted:
        wanted_keys |= _keys(each)
        before = next((there[key] for key in _keys(each) if key in there), None)
        if before is None:
            yield Change(action="add", what="follow", name=follow_name(each))
        elif before.top != each.top and each.top is not None:
            yield Change(
                action="change", what="follow", name=follow_name(each), details=(f"top: {before.top} → {each.top}",)
            )
        elif before.digest != each.digest:
            says = "its file says something else" if each.digest else "its file cannot be read"
            yield Change(action="change", what="follow", name=follow_name(each), details=(says,))
    for each in present:
        if each.origin == origin and wanted_keys.isdisjoint(_keys(each)):
            yield Change(action="remove", what="follow", name=follow_name(each))


def follow_name(follow: WantedFollow) -> str:
    """Return what a follow is called: `channel shroud`, `drops`."""
    return f"{follow.kind} {follow.name}".strip()


def _keys(follow: WantedFollow) -> set[tuple[str, str]]:
    return {(follow.kind, name_key(name)) for name in (follow.name, follow.written) if name is not None}


def _address(each: Named) -> str:
    return each.url if isinstance(each, WantedTarget) else ""


def _shown(each: Named) -> dict[str, Any]:
    """Return what may be shown of a target or subscription: never the address."""
    if isinstance(each, WantedSubscription):
        return {"to": each.target, **conditions_to_json(each.conditions)}
    paused = {"paused": True} if each.is_paused else {}
    role = {"role": each.role} if each.role else {}
    return {"timezone": each.timezone, **paused, **role, **written(each.settings)}


def _lines(before: Mapping[str, Any], after: Mapping[str, Any], *, address_moved: bool = False) -> tuple[str, ...]:
    lines = ["another address"] if address_moved else []
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            is_switch = any(isinstance(shown.get(key), bool) for shown in (before, after))
            usual = _USUAL.get(key, False if is_switch else None)
            old, new = (in_words(shown.get(key, usual)) for shown in (before, after))
            lines.append(f"{key}: {new}" if not before else f"{key}: {old} → {new}")
    return tuple(lines)


def in_words(value: Any) -> str:
    """Return a value as a person reads it."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case dict():
            return " ".join(f"{key} {in_words(inner)}" for key, inner in value.items())
        case list() | tuple():
            return ", ".join(map(in_words, value)) or "none"
    return str(value)
