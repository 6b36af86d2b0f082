"""Makes the database's targets and subscriptions agree with a rules file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from models import Subscription, Target
from models.people import OWNER_ID
from models.vault import Vault
from notifiers import held
from notifiers.conditions.conditions import conditions_from_json
from notifiers.errors import TargetError
from notifiers.rules.difference import Change, Wanted, WantedSubscription, WantedTarget
from notifiers.subscriptions import add_subscription, check_conditions, remove_subscription, store_conditions
from notifiers.targets import (
    Address,
    add_target,
    change_target,
    pause_target,
    remove_target,
    resume_target,
    target_id_of,
)
from notifiers.timing.settings import settings_from_json, settings_to_json


class RefusedChange(TargetError):
    """A change of the rules cannot be carried out; `change` is which one."""

    def __init__(self, change: Change, error: TargetError) -> None:
        """Say what the error says."""
        super().__init__(str(error))
        self.change = change


def load_present(connection: Connection, vault: Vault) -> Wanted:
    """Return the targets and subscriptions of the owner, whom rules are of, with their addresses in clear."""
    targets = connection.execute(
        select(Target).where(Target.removed_at.is_(None), Target.person_id == OWNER_ID).order_by(Target.name)
    ).all()
    subscriptions = connection.execute(
        select(Subscription, Target.name.label("target"))
        .join(Target, Target.id == Subscription.target_id)
        .where(Subscription.person_id == OWNER_ID)
        .order_by(Subscription.name)
    ).all()
    return Wanted(
        targets=tuple(
            WantedTarget(
                name=row.name,
                url=vault.decrypt(row.url_encrypted),
                timezone=row.timezone,
                settings=settings_from_json(row.settings),
                is_paused=row.disabled_at is not None,
                role=row.role,
                origin=row.origin,
            )
            for row in targets
        ),
        subscriptions=tuple(
            WantedSubscription(
                name=row.name, target=row.target, conditions=conditions_from_json(row.conditions), origin=row.origin
            )
            for row in subscriptions
        ),
    )


def check_wanted(connection: Connection, wanted: Sequence[WantedSubscription]) -> tuple[WantedSubscription, ...]:
    """Return subscriptions with their conditions as they are stored; raises TargetError where one is none."""
    return tuple(
        WantedSubscription(
            name=each.name,
            target=each.target,
            conditions=check_conditions(connection, each.conditions),
            origin=each.origin,
        )
        for each in wanted
    )


def apply(
    connection: Connection, vault: Vault, changes: Iterable[Change], wanted: Wanted, origin: str, now: datetime
) -> None:
    """Carry out changes of targets and subscriptions, in their order.

    Belongs in one transaction: a file is applied as a whole or not at all. Raises RefusedChange where a target or
    subscription cannot be as it is wanted.
    """
    targets = {target.name: target for target in wanted.targets}
    subscriptions = {subscription.name: subscription for subscription in wanted.subscriptions}
    for change in changes:
        try:
            if change.what == "target":
                _apply_to_target(connection, vault, change, targets, origin, now)
            elif change.what == "subscription":
                _apply_to_subscription(connection, change, subscriptions, origin, now)
        except TargetError as error:
            raise RefusedChange(change, error) from error


def _apply_to_target(
    connection: Connection,
    vault: Vault,
    change: Change,
    wanted: Mapping[str, WantedTarget],
    origin: str,
    now: datetime,
) -> None:
    if change.action == "remove":
        remove_target(connection, change.name, now)
        return
    target = wanted[change.name]
    if change.action == "add":
        add_target(connection, vault, target.name, target.url, now, timezone=target.timezone)
    else:
        address = Address.of(vault, target.url) if "another address" in change.details else None
        change_target(connection, target.name, address=address, timezone=target.timezone)
    target_id = target_id_of(connection, target.name)
    stored = connection.execute(select(Target.settings).where(Target.id == target_id)).scalar_one()
    settings = target.settings_over(settings_from_json(stored))
    values = {"settings": settings_to_json(settings), "role": target.role, "origin": origin}
    # One that becomes an operator's again is not late with a heartbeat of long ago.
    values |= {} if target.role else {"heartbeat_at": None}
    connection.execute(update(Target).where(Target.id == target_id).values(values))
    if target.is_paused:
        pause_target(connection, target.name, now)
    else:
        resume_target(connection, target.name)
    held.let_go(connection, target_id, now)


def _apply_to_subscription(
    connection: Connection, change: Change, wanted: Mapping[str, WantedSubscription], origin: str, now: datetime
) -> None:
    named = (Subscription.name == change.name, Subscription.person_id == OWNER_ID)
    subscription_id = connection.scalar(select(Subscription.id).where(*named))
    if change.action == "remove" and subscription_id is not None:
        remove_subscription(connection, subscription_id)
        return
    subscription = wanted[change.name]
    if subscription_id is None:
        add_subscription(
            connection,
            subscription.target,
            now,
            name=subscription.name,
            conditions=subscription.conditions,
            origin=origin,
        )
        return
    target_id = target_id_of(connection, subscription.target)
    values = {"target_id": target_id, "origin": origin}
    connection.execute(update(Subscription).where(Subscription.id == subscription_id).values(values))
    store_conditions(connection, subscription_id, subscription.conditions)
