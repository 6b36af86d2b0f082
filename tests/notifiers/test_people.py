"""Several people on one installation: names are each one's own, and who is disabled hears nothing."""

import json
from pathlib import Path

import pytest

from notifiers import mutes
from notifiers.conditions.conditions import Conditions
from notifiers.deliveries import list_deliveries, replay_newest, replay_one
from notifiers.errors import TakenTarget, TargetError, UnknownTarget
from notifiers.inbox import load_inbox
from notifiers.reasons import why_not
from notifiers.rehearsal import rehearse_target
from notifiers.subscriptions import add_subscription, list_subscriptions, remove_subscription, target_and_subscription
from notifiers.targets import add_target, change_target, list_targets, pause_target, remove_target, zone_of
from pipeline.demo.sinks import WebhookSink
from tests.notifiers.shelves import Shelves
from tests.notifiers.world import Notifying, hook_url


@pytest.fixture
def shelves(world: Notifying) -> Shelves:
    return Shelves(world.engine)


@pytest.fixture
def ann(shelves: Shelves) -> int:
    return shelves.person("ann")


def test_a_name_means_the_target_of_whoever_gives_it(world: Notifying, ann: int) -> None:
    world.target(name="phone", game="Rust")
    world.target(name="phone", person_id=ann, game="Palia")
    with world.engine.begin() as connection:
        change_target(connection, "phone", timezone="Europe/Paris", person_id=ann)
        pause_target(connection, "phone", world.now, person_id=ann)
        mutes.mute(connection, "phone", world.now.replace(year=2099), world.now, person_id=ann)
        [mine] = list_targets(connection)
        assert (mine.timezone, mine.disabled_at, mutes.list_mutes(connection, world.now)) == ("UTC", None, [])
        assert str(zone_of(connection, "phone", person_id=ann)) == "Europe/Paris"
        remove_target(connection, "phone", world.now, person_id=ann)
        assert [line.name for line in list_targets(connection)] == ["phone"]
        assert list_targets(connection, person_id=ann) == []
        assert len(list_subscriptions(connection)) == 1


def test_a_subscriptions_name_is_taken_for_its_person_alone(world: Notifying, ann: int) -> None:
    world.target(name="phone", kinds=["campaign.*"])
    world.subscribe("phone", name="rust", game="Rust")
    world.target(name="tablet", person_id=ann)
    with world.engine.begin() as connection:
        hers = add_subscription(connection, "tablet", world.now, name="rust", game="Palia", person_id=ann)
        assert target_and_subscription(connection, "rust", person_id=ann) == ("tablet", "rust")
        assert target_and_subscription(connection, "rust") == ("phone", "rust")
        with pytest.raises(UnknownTarget):
            remove_subscription(connection, hers.id)
        with pytest.raises(TakenTarget, match="'rust' already"):
            add_subscription(connection, "tablet", world.now, name="rust", person_id=ann)


def test_what_is_hers_is_unknown_to_me(world: Notifying, ann: int) -> None:
    world.target(name="tablet", person_id=ann)
    event = world.event()
    with world.engine.begin() as connection:
        [hers] = list_deliveries(connection, person_id=ann)
        assert list_deliveries(connection) == []
        for asked in (
            lambda: load_inbox(connection, "tablet", world.now),
            lambda: why_not(connection, "tablet", event, world.now),
            lambda: rehearse_target(connection, "tablet", None, world.now),
            lambda: replay_one(connection, hers.id, world.now),
            lambda: target_and_subscription(connection, "tablet"),
        ):
            with pytest.raises(UnknownTarget):
                asked()
        assert len(load_inbox(connection, "tablet", world.now, person_id=ann)) == 1
        assert len(rehearse_target(connection, "tablet", None, world.now, person_id=ann)) == 1


def test_the_dead_of_one_person_are_sent_again_without_those_of_another(world: Notifying, ann: int) -> None:
    world.target(name="phone")
    world.target(name="phone", person_id=ann)
    world.event()
    for claimed in world.claim(limit=2):
        world.fail(claimed, permanent=True)
    with world.engine.begin() as connection:
        assert [line.state for line in replay_newest(connection, world.now, person_id=ann)] == ["pending"]
        assert [line.state for line in list_deliveries(connection)] == ["dead"]


def test_what_follows_and_libraries_mean_is_the_subscriptions_person(
    world: Notifying, shelves: Shelves, ann: int
) -> None:
    rust, palia = shelves.game("Rust", 1), shelves.game("Palia", 2)
    shelves.has(rust)
    shelves.has(palia, person_id=ann)
    owned = Conditions(library=("owned",))
    world.target(name="phone", conditions=owned)
    world.target(name="tablet", person_id=ann, conditions=owned)
    mine, hers = world.event(game_id=rust), world.event(game_id=palia)
    assert (world.event_ids("phone"), world.event_ids("tablet")) == ([mine], [hers])


def test_an_operators_target_is_the_owners_alone(world: Notifying, ann: int) -> None:
    address = "json://127.0.0.1:9/x"
    with world.engine.begin() as connection, pytest.raises(TargetError, match="Only a target of the owner"):
        add_target(connection, world.vault, "phone", address, world.now, role="operator", person_id=ann)
    world.target(name="tablet", person_id=ann)
    with world.engine.begin() as connection, pytest.raises(TargetError, match="Only a target of the owner"):
        change_target(connection, "tablet", role="operator", person_id=ann)


@pytest.mark.parametrize("conditions", [Conditions(), Conditions(block=("nothing",))], ids=["exact", "judged"])
def test_who_is_disabled_hears_nothing_and_what_waited_is_held(
    world: Notifying, ann: int, conditions: Conditions
) -> None:
    world.target(name="phone")
    world.target(name="tablet", person_id=ann, conditions=conditions)
    before = world.event("Before")
    world.disable(ann)
    meanwhile = world.event("Meanwhile")
    assert (world.event_ids("phone"), world.event_ids("tablet")) == ([before, meanwhile], [before])
    assert [message.target for message in world.claim(limit=5)] == ["phone"]
    with world.engine.begin() as connection:
        assert why_not(connection, "tablet", meanwhile, world.now, person_id=ann).reason == (
            "its person is disabled, and hears nothing"
        )
    world.enable(ann)
    after = world.event("After")
    [message] = [message for message in world.claim(limit=5) if message.target == "tablet"]
    assert [event.id for event in message.events] == [before, after]


def test_words_for_a_target_are_those_of_the_owners_target_of_that_name(
    world: Notifying, ann: int, tmp_path: Path
) -> None:
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "any.title.j2").write_text("Mine: {{ event.title }}", encoding="utf-8")
    (tmp_path / "campaign.any.title.j2").write_text("All: {{ event.title }}", encoding="utf-8")
    with WebhookSink() as mine, WebhookSink() as hers:
        world.target(name="phone", url=hook_url(mine))
        world.target(name="phone", url=hook_url(hers), person_id=ann)
        world.event("Drops")
        assert world.deliver(templates=tmp_path).sent == 2
        titles = [json.loads(sink.messages[0].body)["title"].partition(":")[0] for sink in (mine, hers)]
    assert titles == ["Mine", "All"]
