"""Adds, lists and removes subscriptions, and checks their conditions."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from models import Person, Source, Subscription, SubscriptionKey, Target
from models.events import EventKind
from models.names import name_key, nearest
from models.people import OWNER_ID
from notifiers.conditions.checks import mistake_of_kinds, mistake_of_languages, mistake_of_words
from notifiers.conditions.conditions import Conditions, conditions_from_json, conditions_to_json
from notifiers.conditions.keys import subscription_keys
from notifiers.conditions.kinds import takes_kind
from notifiers.errors import TakenTarget, TargetError, UnknownTarget
from notifiers.targets import target_id_of

_CHANNEL = re.compile(r"(?:(?:https?://)?(?:www\.|m\.)?twitch\.tv/|@)?(?P<login>[\w-]{1,60})/?", re.IGNORECASE)
NAME_LENGTH = 120
ON_ANY_PLATFORM = "you have named no platform yet: lootwire subscriptions platforms PC 'PlayStation 5'"
# Conditions that are said otherwise than they are called.
_OF_OPERATORS = tuple(kind for kind in EventKind if kind.is_for_operators)
_SAID = {"library": "in your library:", "library_except": "except", "my_platforms": "on your platforms"}


@dataclass(frozen=True, kw_only=True)
class SubscriptionLine:
    """A subscription with the name of its target; what is None matches everything.

    `conditions` holds all of them; those before it are the first of each, as older versions had them.
    """

    id: int
    target: str
    kinds: tuple[str, ...] | None
    service: str | None
    game: str | None
    organization: str | None
    channel: str | None
    created_at: datetime
    name: str
    conditions: Conditions
    origin: str | None


def add_subscription(
    connection: Connection,
    target: str,
    now: datetime,
    *,
    name: str | None = None,
    kinds: Iterable[str] | None = None,
    service: str | None = None,
    game: str | None = None,
    organization: str | None = None,
    channel: str | None = None,
    conditions: Conditions | None = None,
    origin: str | None = None,
    person_id: int = OWNER_ID,
) -> SubscriptionLine:
    """Subscribe a target to events from now on; without conditions, to all. Asking twice for the same changes nothing.

    `kinds` holds kinds (`campaign.added`) and patterns (`campaign.*`, `!campaign.changed`). Games and organizations are
    given by name and need not be known yet; so are channels, by login or address. `conditions` are further ones.
    Without a name the subscription is named by what it says. Raises TargetError for an unknown target, kind or
    service, for what can be no login, and for a name that is taken.
    """
    given = {"services": service, "games": game, "organizations": organization, "channels": channel}
    wanted = msgspec.structs.replace(
        conditions or Conditions(),
        **({"kinds": tuple(kinds)} if kinds else {}),
        **{field: (value,) for field, value in given.items() if value is not None},
    )
    checked = check_conditions(connection, wanted)
    _check_person(checked, person_id)
    target_id = target_id_of(connection, target, person_id=person_id)
    # What has a name is what its name says, also where another says the same.
    subscription_id = _same(connection, target_id, checked) if name is None else None
    if subscription_id is None:
        row = {
            "person_id": person_id,
            "target_id": target_id,
            "name": _name(connection, name, target, checked, person_id),
            "is_exact": False,
            "origin": origin,
            "created_at": now,
        }
        subscription_id = connection.execute(insert(Subscription).values(row).returning(Subscription.id)).scalar_one()
        store_conditions(connection, subscription_id, checked)
    return load_subscription(connection, subscription_id, person_id=person_id)


def says(conditions: Conditions) -> str:
    """Return the conditions of a subscription in words: `game Rust; kinds campaign.*`."""
    filters = [
        _SAID.get(name, name) + ("" if name == "my_platforms" else f" {value}")
        for name, value in filters_of(conditions).items()
    ]
    kinds = [f"kinds {', '.join(conditions.kinds)}"] if conditions.kinds else []
    return "; ".join([*filters, *kinds]) or "everything"


def filters_of(conditions: Conditions) -> dict[str, str]:
    """Return the conditions that are set beside `kinds`, in words: `{"game": "Rust"}`."""
    fields = conditions_to_json(conditions)
    return {_singular(name): _in_words(value) for name, value in fields.items() if name != "kinds"}


def check_conditions(connection: Connection, conditions: Conditions) -> Conditions:
    """Return conditions as they are stored; raises TargetError for a kind or service that is none, or no login.

    So it does for minutes that nothing takes.
    """
    for _, reason in mistakes_of_conditions(connection, conditions):
        raise TargetError(reason)
    return msgspec.structs.replace(
        conditions,
        kinds=tuple(sorted(set(conditions.kinds))),
        services=tuple(service.strip().lower() for service in conditions.services),
        channels=tuple(match["login"] for channel in conditions.channels if (match := _login(channel))),
    )


def mistakes_of_conditions(connection: Connection, conditions: Conditions) -> Iterator[tuple[str, str]]:
    """Yield why conditions cannot be as they are wanted: the field that is wrong, and what is wrong with it."""
    fields = conditions_to_json(conditions)
    written = {name: values for name, values in fields.items() if isinstance(values, list | tuple)}
    for field, values in written.items():
        if not all(value.strip() for value in values):
            # An empty variable of a shell must not subscribe to everything.
            yield field, f"The {_singular(field)} is empty; name one, or leave the filter out to hear of all."
    reasons = {
        "min_minutes": _mistake_of_minutes(conditions.min_minutes, conditions.max_minutes),
        "library_except": _mistake_of_library(conditions),
        "kinds": mistake_of_kinds([kind for kind in conditions.kinds if kind.strip()]),
        "services": _mistake_of_services(connection, conditions.services),
        "channels": _mistake_of_channels(conditions.channels),
        "require": mistake_of_words(conditions.require),
        "block": mistake_of_words(conditions.block),
        "languages": mistake_of_languages(language for language in conditions.languages if language.strip()),
    }
    yield from ((field, reason) for field, reason in reasons.items() if reason is not None)


def mistake_of_person(conditions: Conditions, person_id: int) -> str | None:
    """Return why a person may not ask for such events; None where they may. How the installation is the owner hears."""
    if person_id == OWNER_ID or not any(takes_kind(conditions.kinds, kind) for kind in _OF_OPERATORS):
        return None
    return "Only the owner hears how the installation is: leave operator.* out."


def _check_person(conditions: Conditions, person_id: int) -> None:
    if (mistake := mistake_of_person(conditions, person_id)) is not None:
        raise TargetError(mistake)


def _mistake_of_minutes(least: int | None, most: int | None) -> str | None:
    if least is None or most is None or least <= most:
        return None
    return (
        f"min_minutes ({least}) is more than max_minutes ({most}), so that no campaign fits; swap them, or leave one "
        "out."
    )


def _mistake_of_library(conditions: Conditions) -> str | None:
    both = [word for word in conditions.library if word in conditions.library_except]
    return (
        f"{both[0]} is asked for and excepted at once, which no game can be; leave one of them out." if both else None
    )


def store_conditions(connection: Connection, subscription_id: int, conditions: Conditions) -> None:
    """Store conditions of a subscription anew, with their keys."""
    of_subscription = select(Subscription.person_id).where(Subscription.id == subscription_id)
    keys = subscription_keys(conditions, connection.execute(of_subscription).scalar_one())
    connection.execute(
        update(Subscription)
        .where(Subscription.id == subscription_id)
        .values(conditions=conditions_to_json(conditions), is_exact=keys.is_exact)
    )
    connection.execute(delete(SubscriptionKey).where(SubscriptionKey.subscription_id == subscription_id))
    rows = [{"key": key, "subscription_id": subscription_id} for key in sorted(keys.keys)]
    connection.execute(insert(SubscriptionKey), rows)


def list_subscriptions(
    connection: Connection, target: str | None = None, *, person_id: int = OWNER_ID
) -> list[SubscriptionLine]:
    """Return a person's subscriptions, or those of one target, oldest first."""
    statement = _lines_of(person_id).order_by(Subscription.id)
    if target is not None:
        statement = statement.where(Target.id == target_id_of(connection, target, person_id=person_id))
    return [_line(row) for row in connection.execute(statement)]


def load_subscription(connection: Connection, subscription_id: int, *, person_id: int = OWNER_ID) -> SubscriptionLine:
    """Return a person's subscription by its number; raises UnknownTarget where the person has none of it."""
    row = connection.execute(_lines_of(person_id).where(Subscription.id == subscription_id)).one_or_none()
    if row is None:
        raise _unknown(subscription_id)
    return _line(row)


def change_subscription(
    connection: Connection,
    subscription_id: int,
    *,
    name: str | None = None,
    target: str | None = None,
    conditions: Conditions | None = None,
    person_id: int = OWNER_ID,
) -> SubscriptionLine:
    """Change what is given of a subscription: its name, its target, its conditions; returns it as it is then.

    What it put into the outbox before is still sent where it was to go. Raises UnknownTarget for a subscription or a
    target that the person has not, and TargetError for values that `add_subscription` would refuse.
    """
    before = load_subscription(connection, subscription_id, person_id=person_id)
    values: dict[str, object] = {}
    if name is not None and name != before.name:
        _check_free(name, _names_of(connection, person_id))
        values["name"] = name
    if target is not None:
        values["target_id"] = target_id_of(connection, target, person_id=person_id)
    if values:
        connection.execute(update(Subscription).where(Subscription.id == subscription_id).values(values))
    if conditions is not None:
        checked = check_conditions(connection, conditions)
        _check_person(checked, person_id)
        store_conditions(connection, subscription_id, checked)
    return load_subscription(connection, subscription_id, person_id=person_id)


def _lines_of(person_id: int) -> Select[*tuple[Any, ...]]:
    query = select(Subscription, Target.name.label("target")).join(Target, Target.id == Subscription.target_id)
    return query.where(Subscription.person_id == person_id)


def target_and_subscription(connection: Connection, name: str, *, person_id: int = OWNER_ID) -> tuple[str, str | None]:
    """Return the target of this name and None, or the target of the subscription of this name and the subscription.

    Raises TargetError where neither is called so.
    """
    is_theirs = (Target.person_id == person_id, Target.removed_at.is_(None))
    if connection.scalar(select(Target.id).where(Target.name == name, *is_theirs)) is not None:
        return name, None
    of_subscription = select(Target.name).join(Subscription).where(Subscription.name == name, *is_theirs)
    if (target := connection.scalar(of_subscription)) is not None:
        return target, name
    names = [*connection.scalars(select(Target.name).where(*is_theirs).order_by(Target.name))]
    near = nearest(name, [*names, *_names_of(connection, person_id)])
    meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    there = f" There are: {', '.join(names)}." if names else " There are no targets yet."
    raise UnknownTarget(
        f"There is no target of that name, and no subscription.{meant}{there} "
        "`lootwire subscriptions` lists the others."
    )


def my_platforms(connection: Connection, person_id: int) -> tuple[str, ...]:
    """Return on which platforms a person plays, as they named them; none where they have named none yet."""
    return tuple(connection.execute(select(Person.platforms).where(Person.id == person_id)).scalar_one())


def play_on(connection: Connection, person_id: int, platforms: Iterable[str]) -> None:
    """Have a person play on these platforms and no others; without any, on all."""
    names = [" ".join(name.split()) for name in platforms]
    if not all(names):
        raise TargetError("A platform has no name; name one, such as PC or PlayStation 5.")
    of_person = update(Person).where(Person.id == person_id)
    connection.execute(of_person.values(platforms=list(dict.fromkeys(names))))


def remove_subscription(connection: Connection, subscription_id: int, *, person_id: int = OWNER_ID) -> None:
    """Remove a person's subscription; what it put into the outbox before is still sent.

    Raises UnknownTarget where the person has none of that number.
    """
    of_person = (Subscription.id == subscription_id, Subscription.person_id == person_id)
    if not connection.execute(delete(Subscription).where(*of_person)).rowcount:
        raise _unknown(subscription_id)


def _unknown(subscription_id: int) -> UnknownTarget:
    return UnknownTarget(f"There is no subscription {subscription_id}; `lootwire subscriptions` lists them.")


def _same(connection: Connection, target_id: int, conditions: Conditions) -> int | None:
    """Return the subscription of a target that says the same: "Rust" and "RUST" are one wish."""
    rows = connection.execute(
        select(Subscription.id, Subscription.conditions).where(Subscription.target_id == target_id)
    )
    wanted = _folded(conditions)
    return next((row.id for row in rows if _folded(conditions_from_json(row.conditions)) == wanted), None)


def _folded(conditions: Conditions) -> Conditions:
    fields = ("games", "organizations", "channels", "lists", "categories", "platforms")
    keys = {field: tuple(sorted({name_key(value) for value in getattr(conditions, field)})) for field in fields}
    return msgspec.structs.replace(conditions, **keys)


def _names_of(connection: Connection, person_id: int) -> set[str]:
    return set(connection.scalars(select(Subscription.name).where(Subscription.person_id == person_id)))


def _check_free(name: str, taken: Collection[str]) -> None:
    if name in taken:
        raise TakenTarget(f"There is a subscription named {name!r} already; choose another name.")


def _name(connection: Connection, name: str | None, target: str, conditions: Conditions, person_id: int) -> str:
    taken = _names_of(connection, person_id)
    if name is not None:
        _check_free(name, taken)
        return name
    described = described_name(target, conditions)
    names = [described, *(f"{described} ({number})" for number in range(2, len(taken) + 3))]
    return next(each for each in names if each not in taken)


def described_name(target: str, conditions: Conditions) -> str:
    """Return a name that says what a subscription is about: `phone: campaign.* of Rust`."""
    fields = conditions_to_json(conditions)
    about = ", ".join(_described(name, value) for name, value in fields.items() if name != "kinds")
    kinds = ", ".join(conditions.kinds) or "everything"
    return f"{target}: {kinds}{f' of {about}' if about else ''}"[:NAME_LENGTH]


def _described(name: str, value: Any) -> str:
    if name == "library_except":
        return f"not {_in_words(value)}"
    return name.replace("_", " ") if value is True else _in_words(value)


def _line(row: Any) -> SubscriptionLine:
    conditions = conditions_from_json(row.conditions)
    return SubscriptionLine(
        id=row.id,
        target=row.target,
        kinds=conditions.kinds or None,
        service=_first(conditions.services),
        game=_first(conditions.games),
        organization=_first(conditions.organizations),
        channel=_first(conditions.channels),
        created_at=row.created_at,
        name=row.name,
        conditions=conditions,
        origin=row.origin,
    )


def _first(values: Sequence[str]) -> str | None:
    return values[0] if values else None


def _singular(field: str) -> str:
    return field.removesuffix("s") if field in {"services", "games", "organizations", "channels"} else field


def _in_words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _mistake_of_services(connection: Connection, services: Iterable[str]) -> str | None:
    wanted = [service.strip().lower() for service in services if service.strip()]
    known = connection.scalars(select(Source.service).distinct().order_by(Source.service)).all() if wanted else []
    # Before the first start no source is known, and every service may come.
    unknown = [service for service in wanted if known and service not in known]
    if not unknown:
        return None
    near = nearest(unknown[0], known, 1)
    return f"Unknown service; there are: {', '.join(known)}.{f' Did you mean {near[0]}?' if near else ''}"


def _mistake_of_channels(channels: Iterable[str]) -> str | None:
    if all(_login(channel) for channel in channels if channel.strip()):
        return None
    return "A channel is given by its login, such as shroud, or its address, https://www.twitch.tv/shroud."


def _login(channel: str) -> re.Match[str] | None:
    return _CHANNEL.fullmatch(channel.strip())
