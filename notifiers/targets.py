"""Adds, lists and removes the targets that messages go to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cache
from typing import Any, Literal
from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models import Delivery, DeliveryState, Subscription, Target
from models.people import OWNER_ID
from models.vault import Vault
from notifiers.apprise_urls import check_url, is_private
from notifiers.days import move_waiting, zone
from notifiers.due import lock_targets
from notifiers.errors import TakenTarget, TargetError, UnknownTarget
from notifiers.timing.settings import Role, TargetSettings, settings_to_json

_NAME = re.compile(r"\w(?:[\w .-]{0,58}[\w.-])?")


@dataclass(frozen=True, kw_only=True)
class TargetLine:
    """A target as it may be shown; its address is not in it."""

    id: int
    name: str
    label: str
    timezone: str
    created_at: datetime
    # When the service wants the next message; it may have passed.
    rests_until: datetime | None
    disabled_at: datetime | None
    waiting: int
    dead: int
    # As `notifiers.timing.settings` has them.
    settings: dict[str, Any] = field(default_factory=dict)
    origin: str | None = None
    role: str | None = None
    # Whether its address is in a private network, as it is written, and nobody allowed that. Known of a new one alone.
    is_refused: bool = False


@dataclass(frozen=True)
class Address:
    """An address that we send to: what may be shown of it, and all of it, encrypted."""

    label: str
    url_encrypted: bytes
    # Whether it is one of a private network as it is written.
    is_private: bool = False

    @classmethod
    def of(cls, vault: Vault, url: str) -> "Address":
        """Check an Apprise URL and encrypt it; raises TargetError, whose text never holds it, where we send to none."""
        return cls(check_url(url), vault.encrypt(url), is_private(url))


def add_target(
    connection: Connection,
    vault: Vault,
    name: str,
    url: str,
    now: datetime,
    *,
    timezone: str = "UTC",
    role: Role | None = None,
    private: bool = False,
    person_id: int = OWNER_ID,
) -> TargetLine:
    """Add a person's target by its Apprise URL, stored encrypted; a `private` one may be in a private network.

    As an operator's, which the owner alone has, it needs no subscription.

    Raises TargetError for a name that is taken or malformed, for a time zone that the IANA database does not know, and
    for an address that we do not send to; its text never holds the address.
    """
    _check_name(name)
    _check_role(role, person_id)
    address = Address.of(vault, url)
    timezone = checked_timezone(timezone)
    row: dict[str, Any] = {
        "person_id": person_id,
        "name": name,
        "url_encrypted": address.url_encrypted,
        "label": address.label,
        "timezone": timezone,
        "role": role,
        "settings": settings_to_json(TargetSettings(private=private)),
        "created_at": now,
    }
    added = (
        insert(Target)
        .values(row)
        .on_conflict_do_nothing(index_elements=["person_id", "name"], index_where=Target.removed_at.is_(None))
        .returning(Target.id)
    )
    target_id = connection.execute(added).scalar_one_or_none()
    if target_id is None:
        raise TakenTarget(f"There is a target named {name!r} already; choose another name, or remove it first.")
    return TargetLine(
        id=target_id,
        name=name,
        label=address.label,
        timezone=timezone,
        created_at=now,
        rests_until=None,
        disabled_at=None,
        waiting=0,
        dead=0,
        role=role,
        settings=row["settings"],
        is_refused=address.is_private and not private,
    )


def change_target(
    connection: Connection,
    name: str,
    *,
    new_name: str | None = None,
    address: Address | None = None,
    timezone: str | None = None,
    role: Role | Literal["none"] | None = None,
    person_id: int = OWNER_ID,
) -> TargetLine:
    """Change what is given of a target: name, address, time zone, role (`none` ends it); returns it as it is then.

    What waits there goes to the new address, and what waits for a day waits for it in the new zone. Raises
    TargetError for a target that is not known, and for values that `add_target` would refuse.
    """
    target_id = target_id_of(connection, name, person_id=person_id)
    _check_role(role, person_id)
    values: dict[str, object] = {}
    if new_name is not None and new_name != name:
        _check_name(new_name)
        if connection.scalar(select(Target.id).where(Target.name == new_name, _is_of(person_id))) is not None:
            raise TakenTarget(f"There is a target named {new_name!r} already; choose another name.")
        values["name"] = new_name
    if address is not None:
        # A rest was the wish of whoever is at the old address.
        values |= {"label": address.label, "url_encrypted": address.url_encrypted, "rests_until": None}
        values |= {"failures": 0, "broken_until": None}
    if timezone is not None:
        values["timezone"] = checked_timezone(timezone)
    if role is not None:
        # Its heartbeat begins anew.
        values |= {"role": None if role == "none" else role, "heartbeat_at": None}
    if values:
        connection.execute(update(Target).where(Target.id == target_id).values(values))
    if timezone is not None:
        move_waiting(connection, target_id)
    return next(line for line in list_targets(connection, person_id=person_id) if line.id == target_id)


def pause_target(connection: Connection, name: str, now: datetime, *, person_id: int = OWNER_ID) -> bool:
    """Send a target nothing until it is resumed; returns whether it was not paused before.

    What waits stays waiting; of what happens meanwhile the target is never told. Raises TargetError for an unknown one.
    """
    running = (Target.id == target_id_of(connection, name, person_id=person_id)) & Target.disabled_at.is_(None)
    return bool(connection.execute(update(Target).where(running).values(disabled_at=now)).rowcount)


def resume_target(connection: Connection, name: str, *, person_id: int = OWNER_ID) -> bool:
    """Send to a paused target again: what waited at once, and what happens from now on; returns whether it was paused.

    Raises TargetError for an unknown one.
    """
    paused = (Target.id == target_id_of(connection, name, person_id=person_id)) & Target.disabled_at.is_not(None)
    return bool(connection.execute(update(Target).where(paused).values(disabled_at=None)).rowcount)


def is_paused(connection: Connection, name: str, *, person_id: int = OWNER_ID) -> bool:
    """Return whether a target is paused; raises TargetError for an unknown one."""
    target_id = target_id_of(connection, name, person_id=person_id)
    return bool(connection.scalar(select(Target.disabled_at.is_not(None)).where(Target.id == target_id)))


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What the removal of a target does away with, and how many messages that were sent stay on record."""

    subscriptions: int
    waiting: int
    sent: int


def look_at_removal(connection: Connection, name: str, *, person_id: int = OWNER_ID) -> Removal:
    """Return what a removal would do away with; raises TargetError if there is no target of that name."""
    target_id = target_id_of(connection, name, person_id=person_id)
    states = dict(
        connection.execute(
            select(Delivery.state, func.count()).where(Delivery.target_id == target_id).group_by(Delivery.state)
        ).all()
    )
    subscriptions = select(func.count()).where(Subscription.target_id == target_id)
    return Removal(
        subscriptions=connection.scalar(subscriptions) or 0,
        waiting=states.get(DeliveryState.PENDING, 0) + states.get(DeliveryState.SENDING, 0),
        sent=states.get(DeliveryState.SENT, 0),
    )


def remove_target(connection: Connection, name: str, now: datetime, *, person_id: int = OWNER_ID) -> Removal:
    """Remove a target with its address and subscriptions; what waits for it is given up, what was sent stays on record.

    Its name is free from then on. Raises TargetError if there is none of that name.
    """
    target_id = target_id_of(connection, name, person_id=person_id)
    removal = look_at_removal(connection, name, person_id=person_id)
    # Before the deliveries, as a sender that settles does, so that neither waits for the other for ever.
    lock_targets(connection, [target_id])
    connection.execute(delete(Subscription).where(Subscription.target_id == target_id))
    # One that a worker is sending right now is settled by that worker.
    waiting = (Delivery.target_id == target_id) & (Delivery.state == DeliveryState.PENDING)
    connection.execute(
        update(Delivery).where(waiting).values(state=DeliveryState.DEAD, last_error="the target was removed")
    )
    connection.execute(
        update(Target)
        .where(Target.id == target_id)
        .values(removed_at=now, disabled_at=func.coalesce(Target.disabled_at, now), url_encrypted=b"")
    )
    return removal


def list_targets(connection: Connection, *, person_id: int = OWNER_ID) -> list[TargetLine]:
    """Return a person's targets by name, each with how many deliveries wait for it and how many are dead."""
    dead = Delivery.state == DeliveryState.DEAD
    waiting = Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING])
    rows = connection.execute(
        select(
            Target.id,
            Target.name,
            Target.label,
            Target.timezone,
            Target.created_at,
            Target.rests_until,
            Target.disabled_at,
            Target.settings,
            Target.origin,
            Target.role,
            func.count().filter(waiting).label("waiting"),
            func.count().filter(dead).label("dead"),
        )
        .outerjoin(Delivery, (Delivery.target_id == Target.id) & (dead | waiting))
        .where(_is_of(person_id))
        .group_by(Target.id)
        .order_by(Target.name)
    )
    return [TargetLine(**row) for row in rows.mappings()]


def target_id_of(connection: Connection, name: str, *, person_id: int = OWNER_ID) -> int:
    """Return the id of a person's target.

    Raises UnknownTarget, which lists the names that the person has, if there is none of that name.
    """
    target_id = connection.scalar(select(Target.id).where(Target.name == name, _is_of(person_id)))
    if target_id is None:
        names = connection.scalars(select(Target.name).where(_is_of(person_id)).order_by(Target.name)).all()
        known = f"There are: {', '.join(names)}." if names else "There are no targets yet."
        raise UnknownTarget(f"There is no target of that name. {known}")
    return target_id


def zone_of(connection: Connection, name: str, *, person_id: int = OWNER_ID) -> tzinfo:
    """Return the time zone of a target, by whose clock its times are read and shown; raises TargetError if unknown."""
    target_id = target_id_of(connection, name, person_id=person_id)
    return zone(connection.execute(select(Target.timezone).where(Target.id == target_id)).scalar_one())


def mistakes_of(name: str | None, url: str | None, timezone: str | None) -> Iterator[tuple[str, str]]:
    """Yield why a target cannot be as it is wanted: the key that is wrong, and what is wrong with it.

    What is None is not looked at.
    """
    checks = (("name", _check_name, name), ("url", check_url, url), ("timezone", checked_timezone, timezone))
    for key, check, value in checks:
        if value is None:
            continue
        try:
            check(value)
        except TargetError as error:
            yield key, str(error)


def _is_of(person_id: int) -> ColumnElement[bool]:
    return (Target.person_id == person_id) & Target.removed_at.is_(None)


def _check_role(role: Role | Literal["none"] | None, person_id: int) -> None:
    if role not in {None, "none"} and person_id != OWNER_ID:
        raise TargetError("Only a target of the owner may have the role operator: it hears how the installation is.")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        # Not repeated: people confuse the two arguments, and this one could be the address.
        raise TargetError("A target's name has 1 to 60 letters, digits, spaces, dots, hyphens or underscores.")


@cache
def _timezones() -> dict[str, str]:
    """Return the zones that this machine knows, by their names in lower case: to list them takes 30 ms."""
    return {name.lower(): name for name in available_timezones()}


def checked_timezone(timezone: str) -> str:
    """Return a time zone as the IANA database spells it; case does not count, and a space stands for `_`."""
    wanted = timezone.strip().replace(" ", "_").lower()
    known = _timezones().get(wanted)
    if known is None:
        raise TargetError(f"There is no time zone {timezone!r}; write it as Europe/Berlin, America/New_York or UTC.")
    return known
