"""Subscriptions and deliveries, and the rest of what is asked of targets."""

from typing import Any

from sqlalchemy import insert, select

from models import Delivery, DeliveryState, Event, Target
from notifiers.subscriptions import add_subscription
from notifiers.targets import add_target
from tests.pipeline.web.api.ownership import Case, Path, World

# Nothing is there: what is sent to it fails at once, and far from everybody.
HOOK = "json://127.0.0.1:9/x"


def make_target(world: World, person_id: int) -> Path:
    name = world.name()
    with world.engine.begin() as connection:
        add_target(connection, world.vault, name, HOOK, world.now, person_id=person_id)
    return {"target": name}


def make_subscription(world: World, person_id: int) -> Path:
    path = make_target(world, person_id)
    with world.engine.begin() as connection:
        line = add_subscription(connection, str(path["target"]), world.now, person_id=person_id)
    return {"subscription": line.id}


def make_delivery(world: World, person_id: int) -> Path:
    path = make_target(world, person_id)
    with world.engine.begin() as connection:
        target_id = connection.scalars(select(Target.id).where(Target.name == path["target"])).one()
        row: dict[str, Any] = {"event_id": _event(world), "target_id": target_id, "subscription_ids": []}
        row |= {"state": DeliveryState.SENT, "created_at": world.now, "next_attempt_at": world.now}
        return {"delivery": connection.execute(insert(Delivery).values(row).returning(Delivery.id)).scalar_one()}


def _event(world: World) -> int:
    name = world.name()
    row = {"kind": "campaign.added", "event_key": name, "title": name, "detail": {}, "silent": False}
    row |= {"occurred_at": world.now, "recorded_at": world.now}
    with world.engine.begin() as connection:
        return connection.execute(insert(Event).values(row).returning(Event.id)).scalar_one()


def make_target_and_event(world: World, person_id: int) -> Path:
    _event(world)
    return make_target(world, person_id)


CASES = [
    Case(operation="targets.change_target", make=make_target, body={"timezone": "UTC"}),
    Case(operation="targets.remove_target", make=make_target),
    Case(operation="targets.resume_target", make=make_target),
    Case(operation="targets.mute_target", make=make_target, body={"until": "2099-01-01T00:00:00Z"}),
    Case(operation="targets.unmute_target", make=make_target, body={}),
    Case(operation="targets.test_target", make=make_target),
    Case(operation="targets.try_target", make=make_target),
    Case(operation="targets.show_inbox", make=make_target),
    Case(operation="targets.why_not", make=make_target_and_event, query={"event": 1}),
    Case(operation="subscriptions.show_subscription", make=make_subscription),
    Case(operation="subscriptions.change_subscription", make=make_subscription, body={"conditions": {}}),
    Case(operation="subscriptions.remove_subscription", make=make_subscription),
    Case(operation="subscriptions.try_subscription", make=make_subscription),
    Case(operation="deliveries.show_delivery", make=make_delivery),
    Case(operation="deliveries.replay_delivery", make=make_delivery),
]
