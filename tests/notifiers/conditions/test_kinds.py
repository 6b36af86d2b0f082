"""Whatever patterns name, the database finds the events that they want and no others."""

from itertools import combinations

import pytest
from alembic import command
from sqlalchemy import Connection, delete, func, insert, select

from models import Delivery, Subscription, SubscriptionKey, Target
from models.events import EventKind
from notifiers.conditions.conditions import Conditions
from notifiers.conditions.kinds import classes_of_event, kind_classes, takes_kind
from notifiers.match import fan_out
from notifiers.subscriptions import store_conditions
from pipeline.database.connecting import alembic_config, migrate
from tests.notifiers.world import NOON, Notifying

KINDS = tuple(kind.value for kind in EventKind)
FAMILIES = tuple(dict.fromkeys(kind.partition(".")[0] for kind in KINDS))
PATTERNS = (
    *("*", "*.*", "*.added", "?perator.*", "operator.clock*", "operator.[ch]*", "stream.re*", "!*.added"),
    *(f"{family}.*" for family in FAMILIES),
    *(f"!{family}.*" for family in ("stream", "operator", "campaign")),
    *KINDS,
    *("!stream.rerun", "!operator.heartbeat"),
)
WISHES = ((), *((pattern,) for pattern in PATTERNS), *combinations(PATTERNS, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_looked_up_where_patterns_that_take_it_stand(kind: str) -> None:
    for patterns in WISHES:
        classes, is_exact = kind_classes(patterns)
        shares = bool(classes & set(classes_of_event(kind)))
        assert shares or not takes_kind(patterns, kind), patterns
        assert not (shares and is_exact) or takes_kind(patterns, kind), patterns


def test_what_the_database_finds_is_what_patterns_take(world: Notifying) -> None:
    wishes = [*WISHES[: len(PATTERNS) + 1], *WISHES[len(PATTERNS) + 1 :: 3]]
    ids = {kind: world.event(kind, kind=kind) for kind in KINDS}
    with world.engine.begin() as connection:
        subscribed = _subscribe(connection, wishes)
        fan_out(connection, list(ids.values()), NOON)
        wanted = select(Delivery.event_id, func.array_agg(Target.name)).join(Target).group_by(Delivery.event_id)
        names_of = {event_id: set(names) for event_id, names in connection.execute(wanted)}
    for kind, event_id in ids.items():
        expected = {name for name, patterns in subscribed.items() if takes_kind(patterns, kind)}
        assert names_of.get(event_id, set()) == expected, kind


def _subscribe(connection: Connection, wishes: list[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Have a target for each of the wishes; returns them by its name."""
    subscribed = {f"t{number}": patterns for number, patterns in enumerate(wishes)}
    for name, patterns in subscribed.items():
        row = {"name": name, "label": "json", "url_encrypted": b"", "created_at": NOON}
        target_id = connection.execute(insert(Target).values(row).returning(Target.id)).scalar_one()
        row = {"target_id": target_id, "name": name, "is_exact": False, "created_at": NOON}
        added = connection.execute(insert(Subscription).values(row).returning(Subscription.id)).scalar_one()
        store_conditions(connection, added, Conditions(kinds=patterns))
    return subscribed


def test_keys_that_an_older_version_left_out_are_there_after_the_upgrade(world: Notifying) -> None:
    keys = select(SubscriptionKey.subscription_id, SubscriptionKey.key)
    wishes = [("*", "operator.*"), ("*", "stream.rerun"), ("*.added", "operator.c*"), ("*",), ("operator.*",)]
    with world.engine.begin() as connection:
        _subscribe(connection, wishes)
        right = set(connection.execute(keys).all())
        command.downgrade(alembic_config(connection), "0014")
        stands_under_all = select(SubscriptionKey.subscription_id).where(SubscriptionKey.key.startswith("*|"))
        left_out = delete(SubscriptionKey).where(SubscriptionKey.subscription_id.in_(stands_under_all))
        assert connection.execute(left_out.where(~SubscriptionKey.key.startswith("*|"))).rowcount == 3
    migrate(world.engine)
    with world.engine.connect() as connection:
        assert set(connection.execute(keys).all()) == right
