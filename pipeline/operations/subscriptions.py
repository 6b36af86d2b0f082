"""Subscriptions: what each target of a person is told of."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from models.errors import UsageError, WrongFields
from models.moments import Moment
from notifiers import subscriptions as store
from notifiers.conditions.conditions import Conditions
from notifiers.rehearsal import RehearsedLine, rehearse_target
from pipeline.catalogue.unknown import Unknown
from pipeline.channels.following.watched import watched
from pipeline.games.finding.unknown import unknown_platform
from pipeline.people.store.plans import check_gauge
from pipeline.rules.names import unknown_names

# Of so long ago a rehearsal tries events where nobody says since when.
USUAL_PERIOD = timedelta(days=30)


class SubscriptionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription with the name of its target; what is null matches everything.

    `conditions` holds all of them; those before it are the first of each, as older versions had them.
    """

    id: int
    target: str
    kinds: list[str] | None
    service: str | None
    game: str | None
    organization: str | None
    channel: str | None
    created_at: Moment
    name: str
    conditions: Conditions
    origin: str | None


class StoredSubscription(SubscriptionAnswer, frozen=True, kw_only=True):
    """A subscription that was added or changed just now, with what it waits for.

    `waits_for` says which names nothing has yet. Of `unfollowed` channels nothing is known until somebody follows them.
    `on_any_platform` is true where it goes by the platforms that the person plays on, and none is named yet.
    """

    waits_for: list[str]
    unfollowed: list[str]
    on_any_platform: bool


class RehearsedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A past event and what would have become of it.

    `message` numbers the message that it would have been in, with others perhaps, and `sent_at` says when that would
    have gone; it is held for something until a time, or `dropped` says why. One that is `silent` was told to nobody
    when it came: imported history, or the first that was seen of its source. `because` says what its game is to you.
    """

    id: int
    occurred_at: Moment
    kind: str
    title: str
    message: int | None
    sent_at: Moment | None
    held_for: str | None
    until: Moment | None
    dropped: str | None
    silent: bool = False
    because: str | None = None


class PlatformsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The platforms that a person plays on; all count where there is none."""

    platforms: list[str]
    waits_for: list[str] = []


def list_subscriptions(connection: Connection, person_id: int) -> list[SubscriptionAnswer]:
    """Return a person's subscriptions, the oldest first."""
    return [answer_of(line) for line in store.list_subscriptions(connection, person_id=person_id)]


def show_subscription(connection: Connection, person_id: int, subscription_id: int) -> SubscriptionAnswer:
    """Return a subscription of a person; raises `UnknownThing` where the person has none of that number."""
    return answer_of(store.load_subscription(connection, subscription_id, person_id=person_id))


def add_subscription(
    connection: Connection,
    person_id: int,
    now: datetime,
    *,
    target: str,
    name: str | None,
    conditions: Conditions,
    strict: bool = False,
) -> StoredSubscription:
    """Tell a target of events from now on; without conditions, of everything. The same wish again changes nothing.

    Raises `WrongFields` for conditions that are none, and `UsageError` where something is called as nothing is known
    yet and it is to be `strict`; `QuotaError` where the person's plan allows no more.
    """
    _check(connection, person_id, conditions)
    line = store.add_subscription(connection, target, now, name=name, conditions=conditions, person_id=person_id)
    check_gauge(connection, person_id, "subscriptions", len(store.list_subscriptions(connection, person_id=person_id)))
    return _stored(connection, person_id, now, line, strict=strict)


def change_subscription(
    connection: Connection,
    person_id: int,
    now: datetime,
    subscription_id: int,
    *,
    name: str | None = None,
    target: str | None = None,
    conditions: Conditions | None = None,
    strict: bool = False,
) -> StoredSubscription:
    """Change what is given of a subscription: its name, its target, all its conditions.

    Raises as `add_subscription`, and `UnknownThing` where the person has none of that number.
    """
    if conditions is not None:
        _check(connection, person_id, conditions)
    line = store.change_subscription(
        connection, subscription_id, name=name, target=target, conditions=conditions, person_id=person_id
    )
    return _stored(connection, person_id, now, line, strict=strict)


def remove_subscription(connection: Connection, person_id: int, subscription_id: int) -> None:
    """Remove a subscription; what it put into the outbox before is still sent."""
    store.remove_subscription(connection, subscription_id, person_id=person_id)


def rehearse(
    connection: Connection,
    person_id: int,
    now: datetime,
    target: str,
    since: datetime | None,
    *,
    subscription: str | None = None,
) -> list[RehearsedAnswer]:
    """Return what a target would have been sent of the events since a time, in their order; None is 30 days.

    With the name of one of its subscriptions by that alone. Nothing is sent.
    """
    begin = now - USUAL_PERIOD if since is None else since
    lines = rehearse_target(connection, target, begin, now, subscription=subscription, person_id=person_id)
    return [_rehearsed(line) for line in lines]


def rehearse_subscription(
    connection: Connection, person_id: int, now: datetime, subscription_id: int, since: datetime | None
) -> list[RehearsedAnswer]:
    """Return what a subscription alone would have sent to its target, as `rehearse` does."""
    line = store.load_subscription(connection, subscription_id, person_id=person_id)
    return rehearse(connection, person_id, now, line.target, since, subscription=line.name)


def show_platforms(connection: Connection, person_id: int) -> PlatformsAnswer:
    """Return the platforms that a person plays on."""
    return PlatformsAnswer(platforms=[*store.my_platforms(connection, person_id)])


def say_platforms(connection: Connection, person_id: int, platforms: Iterable[str]) -> PlatformsAnswer:
    """Have a person play on these platforms and no others; without any, on all."""
    names = [*platforms]
    store.play_on(connection, person_id, names)
    unknown = [each.sentence for name in names if (each := unknown_platform(connection, name)) is not None]
    return PlatformsAnswer(platforms=[*store.my_platforms(connection, person_id)], waits_for=unknown)


def _check(connection: Connection, person_id: int, conditions: Conditions) -> None:
    wrong: dict[str, str] = {}
    for field, reason in store.mistakes_of_conditions(connection, conditions):
        wrong.setdefault(f"/conditions/{field}", reason)
    if (mistake := store.mistake_of_person(conditions, person_id)) is not None:
        wrong.setdefault("/conditions/kinds", mistake)
    if wrong:
        raise WrongFields(wrong)


def _stored(
    connection: Connection, person_id: int, now: datetime, line: store.SubscriptionLine, *, strict: bool
) -> StoredSubscription:
    unknown: list[Unknown] = unknown_names(connection, line.conditions, person_id=person_id)
    if unknown and strict:
        raise UsageError("; ".join(each.sentence for each in unknown))
    channels = {login.lower() for login in line.conditions.channels}
    followed = {each.login.lower() for each in watched(connection, now)} if channels else set()
    return StoredSubscription(
        **_fields(line),
        waits_for=[each.sentence for each in unknown],
        unfollowed=[login for login in line.conditions.channels if login.lower() not in followed],
        on_any_platform=line.conditions.my_platforms and not store.my_platforms(connection, person_id),
    )


def answer_of(line: store.SubscriptionLine) -> SubscriptionAnswer:
    """Return a subscription as it is answered."""
    return SubscriptionAnswer(**_fields(line))


def _fields(line: store.SubscriptionLine) -> dict[str, Any]:
    return vars(line) | {"kinds": None if line.kinds is None else [*line.kinds]}


def _rehearsed(line: RehearsedLine) -> RehearsedAnswer:
    return RehearsedAnswer(**vars(line))
