"""Operators hear of sources and of the installation without a subscription, and know why."""

import pytest

from models.details import OperatorDetail
from models.events import EventKind
from notifiers.conditions.kinds import takes_kind
from notifiers.operators import is_for_operators, tell_operators
from notifiers.reasons import why_not
from notifiers.render import Foot
from notifiers.targets import change_target, pause_target
from tests.notifiers.world import Notifying


def tell(world: Notifying, event_id: int) -> int:
    with world.engine.begin() as connection:
        return tell_operators(connection, [event_id], world.now)


def make_operator(world: Notifying, name: str = "phone") -> None:
    with world.engine.begin() as connection:
        change_target(connection, name, role="operator")


@pytest.mark.parametrize("kind", EventKind)
def test_operators_hear_of_sources_and_of_the_installation_alone(kind: EventKind) -> None:
    assert is_for_operators(kind) is (kind.family in {"source", "operator"} and kind != EventKind.OPERATOR_HEARTBEAT)


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        ((), False),
        (("*",), False),
        (("!campaign.*",), False),
        (("*.disk_full",), False),
        (("source.*",), False),
        (("operator.*",), True),
        (("operator.disk_*",), True),
        (("operator.disk_full",), True),
        (("operator.*", "!operator.disk_full"), False),
    ],
)
def test_others_hear_of_the_installation_where_they_name_its_events(patterns: tuple[str, ...], *, wanted: bool) -> None:
    assert takes_kind(patterns, EventKind.OPERATOR_DISK_FULL) is wanted


def test_a_subscription_that_wants_the_same_makes_no_second_message(world: Notifying) -> None:
    world.target(kinds=["source.*"])
    make_operator(world)
    event_id = world.event("Source kick.drops is failing", kind="source.failing")
    assert tell(world, event_id) == 0
    assert world.event_ids() == [event_id]


def test_telling_twice_tells_once_and_neither_the_paused_nor_the_silent(world: Notifying) -> None:
    world.target(kinds=["campaign.added"])
    make_operator(world)
    first = world.event("Source kick.drops is failing", kind="source.failing")
    assert (tell(world, first), tell(world, first)) == (1, 0)
    assert tell(world, world.event("Imported", kind="source.failing", silent=True)) == 0
    with world.engine.begin() as connection:
        pause_target(connection, "phone", world.now)
    second = world.event("Source kick.drops is stale", kind="source.stale")
    assert tell(world, second) == 0
    assert world.event_ids() == [first]
    with world.engine.connect() as connection:
        answer = why_not(connection, "phone", second, world.now)
    assert answer.reason == "the target is paused"


def test_why_not_knows_that_no_subscription_was_needed(world: Notifying) -> None:
    world.target(kinds=["campaign.added"])
    event_id = world.event("Source kick.drops is failing", kind="source.failing")
    make_operator(world)
    with world.engine.connect() as connection:
        answer = why_not(connection, "phone", event_id, world.now)
    assert answer.reason.startswith("the target hears of it as an operator's now, and did not when it happened")


def test_a_message_says_that_it_came_because_of_the_role(world: Notifying) -> None:
    world.target(kinds=["campaign.added"])
    make_operator(world)
    detail = OperatorDetail(reason="full: there is no room left")
    tell(world, world.event("The disk of the data is full", kind="operator.disk_full", detail=detail))
    (message,) = world.claim()
    assert message.rules == ("role operator",)
    assert Foot(message.rules, message.target).because == "“role operator”"
