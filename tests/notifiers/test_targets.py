from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from models import Delivery, Source, Target
from notifiers import targets
from notifiers.conditions.conditions import Conditions
from notifiers.deliveries import list_deliveries, next_due_at, replay
from notifiers.errors import TargetError
from notifiers.subscriptions import (
    SubscriptionLine,
    add_subscription,
    filters_of,
    list_subscriptions,
    remove_subscription,
)
from tests.notifiers.world import NOON, Notifying

SECRET = "s3cr3t"
URL = f"discord://123456/{SECRET}"


def test_an_address_is_in_the_database_as_ciphertext_only(world: Notifying) -> None:
    world.target("phone", URL)
    with world.engine.connect() as connection:
        everything = str(connection.execute(text("SELECT t::text FROM targets t")).all())
        (stored,) = connection.execute(text("SELECT url_encrypted FROM targets")).scalars()
    assert SECRET not in everything
    assert SECRET.encode().hex() not in everything
    assert world.vault.decrypt(stored) == URL


def test_a_target_is_listed_by_label_with_what_waits_for_it(world: Notifying) -> None:
    world.target("phone", URL)
    world.target("mail", "mailto://ann:pw@gmail.com")
    for _ in range(2):
        world.event()
    (claimed, _) = world.claim(limit=2)
    world.fail(claimed, permanent=True)
    with world.engine.begin() as connection:
        mail, phone = targets.list_targets(connection)
    assert (mail.name, mail.label) == ("mail", "Email (smtp.gmail.com)")
    assert (phone.name, phone.label, phone.created_at) == ("phone", "Discord", NOON)
    assert sorted([(mail.waiting, mail.dead), (phone.waiting, phone.dead)]) == [(0, 2), (2, 0)]
    assert SECRET not in repr(phone)


@pytest.mark.parametrize(
    "name", ["", " phone", "phone ", "a/b", "new\nline", URL, "x" * 61, "-dash", "\u202ebackwards"]
)
def test_a_malformed_name_is_refused_and_not_repeated(world: Notifying, name: str) -> None:
    with pytest.raises(TargetError, match="1 to 60 letters") as caught, world.engine.begin() as connection:
        targets.add_target(connection, world.vault, name, URL, NOON)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["p", "Ann", "휴대폰", "mail.home-2_b", "x" * 60])
def test_a_name_may_be_in_any_language(world: Notifying, name: str) -> None:
    with world.engine.begin() as connection:
        assert targets.add_target(connection, world.vault, name, URL, NOON).name == name


def test_a_name_that_is_taken_is_refused_and_the_first_target_stays(world: Notifying) -> None:
    world.target("phone", URL)
    with world.engine.begin() as connection:
        with pytest.raises(TargetError, match="'phone' already"):
            targets.add_target(connection, world.vault, "phone", "json://example.org/", NOON)
        # The transaction goes on: the refusal was no database error.
        assert [line.label for line in targets.list_targets(connection)] == ["Discord"]


def test_a_bad_address_adds_no_target(world: Notifying) -> None:
    with world.engine.begin() as connection:
        with pytest.raises(TargetError, match="on this computer"):
            targets.add_target(connection, world.vault, "phone", "file:///etc/passwd", NOON)
        assert targets.list_targets(connection) == []


def test_a_target_leaves_with_its_address_and_subscriptions_and_frees_its_name(world: Notifying) -> None:
    world.target("phone", URL)
    with world.engine.begin() as connection:
        targets.remove_target(connection, "phone", NOON)
        assert targets.list_targets(connection) == []
        assert list_subscriptions(connection) == []
        assert connection.scalars(select(Target.url_encrypted)).all() == [b""]
    world.target("phone", URL)
    with world.engine.connect() as connection:
        assert [line.name for line in targets.list_targets(connection)] == ["phone"]


def test_what_waits_for_a_removed_target_is_given_up_and_what_was_sent_stays_on_record(world: Notifying) -> None:
    world.target("phone", URL)
    world.event()
    world.event()
    with world.engine.begin() as connection:
        first = connection.scalar(select(func.min(Delivery.id)))
        connection.execute(update(Delivery).where(Delivery.id == first).values(state="sent", sent_at=NOON))
        removal = targets.look_at_removal(connection, "phone")
        assert targets.remove_target(connection, "phone", NOON) == removal
    assert (removal.subscriptions, removal.waiting, removal.sent) == (1, 1, 1)
    with world.engine.begin() as connection:
        lines = list_deliveries(connection)
        assert [(line.target, line.state, line.last_error) for line in lines] == [
            ("phone", "dead", "the target was removed"),
            ("phone", "sent", None),
        ]
        assert replay(connection, NOON) == 0


def test_a_paused_target_is_told_nothing_until_it_is_resumed(world: Notifying) -> None:
    world.target("phone", URL)
    world.event("before")
    with world.engine.begin() as connection:
        assert targets.pause_target(connection, "phone", NOON)
        assert not targets.pause_target(connection, "phone", NOON)
        assert next_due_at(connection) is None
    world.event("meanwhile")
    with world.engine.begin() as connection:
        assert targets.resume_target(connection, "phone")
        assert not targets.resume_target(connection, "phone")
        assert [line.title for line in list_deliveries(connection)] == ["before"]
        assert next_due_at(connection) is not None


def test_a_target_changes_its_name_and_its_address_and_keeps_its_subscriptions(world: Notifying) -> None:
    world.target("phone", URL)
    world.target("mail")
    address = targets.Address.of(world.vault, "ntfy://ntfy.example/other")
    with world.engine.begin() as connection:
        before = list_subscriptions(connection, "phone")
        changed = targets.change_target(connection, "phone", new_name="tablet", address=address)
        assert (changed.name, changed.label) == ("tablet", address.label)
        assert [line.id for line in list_subscriptions(connection, "tablet")] == [line.id for line in before]
        with pytest.raises(TargetError, match="named 'mail' already"):
            targets.change_target(connection, "tablet", new_name="mail")
        stored = connection.scalars(select(Target.url_encrypted).where(Target.name == "tablet")).one()
    assert world.vault.decrypt(stored) == "ntfy://ntfy.example/other"


def test_an_unknown_target_is_told_with_those_there_are(world: Notifying) -> None:
    with world.engine.begin() as connection, pytest.raises(TargetError, match="no targets yet"):
        targets.remove_target(connection, "phone", NOON)
    world.target("phone")
    world.target("mail")
    with world.engine.begin() as connection, pytest.raises(TargetError, match="There are: mail, phone"):
        add_subscription(connection, URL, NOON)


def test_a_subscription_reads_back_as_it_was_asked_for(world: Notifying) -> None:
    world.target(
        "phone",
        kinds=["reward.*", "campaign.added"],
        service="twitch",
        game="Rust",
        organization="Facepunch",
        channel="https://www.twitch.tv/Shroud",
    )
    with world.engine.begin() as connection:
        (line,) = list_subscriptions(connection)
    assert line == SubscriptionLine(
        id=line.id,
        target="phone",
        kinds=("campaign.added", "reward.*"),
        service="twitch",
        game="Rust",
        organization="Facepunch",
        channel="Shroud",
        created_at=NOON,
        name="phone: campaign.added, reward.* of twitch, Rust, Facepunch, Shroud",
        conditions=Conditions(
            kinds=("campaign.added", "reward.*"),
            services=("twitch",),
            games=("Rust",),
            organizations=("Facepunch",),
            channels=("Shroud",),
        ),
        origin=None,
    )
    assert filters_of(line.conditions) == {
        "service": "twitch",
        "game": "Rust",
        "organization": "Facepunch",
        "channel": "Shroud",
    }


SAME: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {}, True),
    ({}, {"kinds": []}, True),
    ({"kinds": ["campaign.added", "reward.*"]}, {"kinds": ["reward.*", "campaign.added"]}, True),
    ({"game": "Rust"}, {"game": "RUST"}, True),
    ({"game": "Rust"}, {}, False),
    ({"channel": "shroud"}, {"channel": "@SHROUD"}, True),
    ({"channel": "shroud"}, {"channel": "shroud2"}, False),
    ({"service": "twitch"}, {"service": "kick"}, False),
]


@pytest.mark.parametrize(("first", "second", "same"), SAME)
def test_asking_twice_for_the_same_makes_one_subscription(
    world: Notifying, first: dict[str, Any], second: dict[str, Any], same: bool
) -> None:
    world.target("phone", **first)
    first_id = world.subscribe(**first)
    world.later(days=1)
    assert (world.subscribe(**second) == first_id) is same


@pytest.mark.parametrize("kind", ["campaign", "campaign.", "campaign.*.*", "!", "campaign.aded", "CAMPAIGN.*"])
def test_an_unknown_kind_is_refused_with_all_there_are(world: Notifying, kind: str) -> None:
    world.target()
    with pytest.raises(TargetError, match=r"campaign\.added.*stream\.online.*badge\.\*, .*stream\.\*, video\.\*"):
        world.subscribe(kinds=["campaign.added", kind])


@pytest.mark.parametrize("channel", ["two words", "https://kick.com/shroud", "twitch.tv/shroud/videos", "a" * 61, "@"])
def test_what_can_be_no_login_is_refused_as_a_channel(world: Notifying, channel: str) -> None:
    world.target()
    with pytest.raises(TargetError, match=r"by its login, such as shroud"):
        world.subscribe(channel=channel)


@pytest.mark.parametrize("name", ["game", "organization", "channel", "service"])
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_filter_is_no_subscription_to_everything(world: Notifying, name: str, value: str) -> None:
    world.target()
    with pytest.raises(TargetError, match=f"The {name} is empty"):
        world.subscribe(**{name: value})


def test_an_unknown_service_is_refused_once_sources_are_known(world: Notifying) -> None:
    world.target()
    world.subscribe(service="anything")
    with world.engine.begin() as connection:
        for name, service in (("twitch-mirror", "twitch"), ("kick", "kick")):
            connection.execute(insert(Source).values(name=name, service=service, next_due_at=NOON))
    with pytest.raises(TargetError, match="there are: kick, twitch"):
        world.subscribe(service="twich")


def test_a_removed_subscription_wants_nothing_new(world: Notifying) -> None:
    world.target(service="twitch")
    first = world.event()
    with world.engine.begin() as connection:
        (line,) = list_subscriptions(connection, "phone")
        remove_subscription(connection, line.id)
        with pytest.raises(TargetError, match="no subscription"):
            remove_subscription(connection, line.id)
    world.event()
    assert world.event_ids() == [first]


def test_a_subscription_is_from_now_on(world: Notifying) -> None:
    world.event()
    world.now += timedelta(hours=1)
    world.target()
    assert world.event_ids() == []
