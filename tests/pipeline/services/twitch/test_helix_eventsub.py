"""Subscriptions, conduits and shards, as Helix manages them."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from pipeline.embedded import Servers
from pipeline.errors import SourceChanged, SourceUnavailable
from pipeline.services.twitch.helix import Helix
from pipeline.services.twitch.helix_eventsub import Conduit, Created, Transport
from pipeline.services.twitch.helix_requests import RequestRejected, TooManyConduits, TooManySubscriptions
from tests.pipeline.services.twitch.helix_setting import HelixSetting, helix_setting
from tests.twitch import LocalTwitch

CONDUITS, SUBSCRIPTIONS = "/helix/eventsub/conduits", "/helix/eventsub/subscriptions"
NOWHERE = "26b1c993-bfcf-44d9-b876-379dacafe75a"


@pytest.fixture
def twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch() as running:
        running.add_users(260)
        yield running


@pytest.fixture
def setting(twitch: LocalTwitch, servers: Servers, tmp_path: Path) -> Iterator[HelixSetting]:
    with helix_setting(twitch, servers, tmp_path) as setting:
        yield setting


def subscribe(helix: Helix, conduit: Conduit, number: int = 1) -> Created:
    condition = {"broadcaster_user_id": str(100_000_000 + number)}
    transport = Transport(method="conduit", conduit_id=conduit.id)
    return helix.create_subscription("stream.online", "1", condition, transport)


def test_a_subscription_is_created_listed_and_deleted(setting: HelixSetting) -> None:
    helix = setting.helix
    conduit = helix.create_conduit(1)

    created = subscribe(helix, conduit)

    assert created.subscription is not None
    assert (created.total_cost, created.max_total_cost) == (1, 10_000)
    answer = helix.subscriptions()
    assert answer.subscriptions == (created.subscription,)
    assert (answer.total, answer.total_cost, answer.max_total_cost) == (1, 1, 10_000)
    assert created.subscription.transport.conduit_id == conduit.id
    assert (created.subscription.type, created.subscription.version) == ("stream.online", "1")
    assert helix.delete_subscription(created.subscription.id)
    assert not helix.delete_subscription(created.subscription.id)
    assert helix.subscriptions().subscriptions == ()


def test_a_subscription_that_exists_is_an_outcome_and_no_error(setting: HelixSetting) -> None:
    helix = setting.helix
    conduit = helix.create_conduit(1)
    subscribe(helix, conduit)

    again = subscribe(helix, conduit)

    assert again.subscription is None
    assert helix.subscriptions().total == 1


def test_a_fourth_subscription_of_one_type_and_condition_is_too_many(setting: HelixSetting) -> None:
    helix = setting.helix
    for _ in range(3):
        subscribe(helix, helix.create_conduit(1))

    with pytest.raises(TooManySubscriptions):
        subscribe(helix, helix.create_conduit(1))


def test_all_pages_of_subscriptions_are_read_and_filters_are_passed_on(setting: HelixSetting) -> None:
    helix = setting.helix
    conduit = helix.create_conduit(1)
    for user in range(1, 251):
        condition = {"broadcaster_user_id": str(100_000_000 + user)}
        setting.twitch.add_subscription("stream.online", condition, conduit_id=conduit.id)
    ended = setting.twitch.add_subscription(
        "stream.offline", {"broadcaster_user_id": "100000251"}, conduit_id=conduit.id, status="user_removed"
    )

    assert len(helix.subscriptions().subscriptions) == 251
    assert len(setting.requests("eventsub/subscriptions")) == 3
    assert [subscription.id for subscription in helix.subscriptions(status="user_removed").subscriptions] == [ended.id]
    assert [subscription.id for subscription in helix.subscriptions(type="stream.offline").subscriptions] == [ended.id]
    assert [subscription.id for subscription in helix.subscriptions(user_id="100000251").subscriptions] == [ended.id]
    by_id = helix.subscriptions(subscription_id=ended.id)
    assert [subscription.id for subscription in by_id.subscriptions] == [ended.id]


def test_creating_thousands_leaves_points_for_polls(setting: HelixSetting) -> None:
    setting.twitch.budget = 40
    setting.twitch.budget_seconds = 3600
    setting.twitch.refill_budget()
    helix = setting.helix
    conduit = setting.twitch.add_conduit()
    for number in range(1, 31):
        subscribe(helix, Conduit(conduit.id, 1), number)

    with pytest.raises(SourceUnavailable) as caught:
        subscribe(helix, Conduit(conduit.id, 1), 31)

    assert caught.value.retry_after is not None
    assert len(helix.users(ids=["100000001"])) == 1
    assert 429 not in setting.statuses("eventsub/subscriptions")


def test_a_conduit_is_created_resized_and_listed(setting: HelixSetting) -> None:
    helix = setting.helix

    conduit = helix.create_conduit(2)

    assert conduit.shard_count == 2
    assert helix.update_conduit(conduit.id, 5) == Conduit(conduit.id, 5)
    assert helix.conduits() == [Conduit(conduit.id, 5)]
    setting.twitch.delete_conduit(conduit.id)
    assert helix.update_conduit(conduit.id, 1) is None
    assert helix.conduits() == []


def test_a_conduit_whose_answer_is_lost_is_not_created_twice(setting: HelixSetting) -> None:
    setting.twitch.fail(CONDUITS, None, cut_off=True, times=math.inf, method="POST")

    with pytest.raises(SourceUnavailable):
        setting.helix.create_conduit(1)

    assert len(setting.requests("eventsub/conduits")) == 1


def test_a_subscription_whose_answer_is_lost_is_found_to_exist(setting: HelixSetting) -> None:
    helix = setting.helix
    conduit = helix.create_conduit(1)
    setting.twitch.fail(SUBSCRIPTIONS, None, cut_off=True, method="POST")

    assert subscribe(helix, conduit).subscription is None
    assert setting.statuses("eventsub/subscriptions")[-1] == 409


def test_a_sixth_conduit_is_too_many(setting: HelixSetting) -> None:
    helix = setting.helix
    for _ in range(5):
        helix.create_conduit(1)

    with pytest.raises(TooManyConduits):
        helix.create_conduit(1)


def test_shards_are_updated_one_by_one_and_a_part_may_fail(setting: HelixSetting) -> None:
    helix = setting.helix
    conduit = helix.create_conduit(2)
    with connect(setting.twitch.eventsub_url) as socket:
        socket.recv()
        (session,) = setting.twitch.sessions

        update = helix.update_shards(
            conduit.id,
            {
                "0": Transport(method="websocket", session_id=session.id),
                "1": Transport(method="websocket", session_id="none"),
                "7": Transport(method="websocket", session_id=session.id),
            },
        )

        assert [(shard.id, shard.status) for shard in update.shards] == [("0", "enabled")]
        assert [error.id for error in update.errors] == ["1", "7"]
        assert "outside the conduit's range" in update.errors[1].message
        (shard,) = helix.shards(conduit.id)
        assert shard.transport is not None
        assert shard.transport.session_id == session.id
        assert shard.transport.connected_at is not None


def test_shards_of_a_conduit_that_is_gone_are_rejected_with_404(setting: HelixSetting) -> None:
    for ask in (
        lambda: setting.helix.shards(NOWHERE),
        lambda: setting.helix.update_shards(NOWHERE, {"0": Transport(method="websocket", session_id="x")}),
    ):
        with pytest.raises(RequestRejected) as caught:
            ask()
        assert caught.value.status == 404


def test_a_subscription_of_a_user_who_does_not_exist_is_rejected(setting: HelixSetting) -> None:
    helix = setting.helix
    conduit = helix.create_conduit(1)

    with pytest.raises(RequestRejected, match="condition user does not exist") as caught:
        subscribe(helix, conduit, 999)

    assert caught.value.status == 400


def test_an_answer_that_does_not_tell_what_was_made_is_a_change(setting: HelixSetting) -> None:
    setting.twitch.fail(CONDUITS, 200, {"data": []})

    with pytest.raises(SourceChanged, match="does not tell what was made"):
        setting.helix.create_conduit(1)


def test_a_webhooks_secret_is_sent_and_never_shown(setting: HelixSetting) -> None:
    transport = Transport(method="webhook", callback="https://loot.example.org/eventsub", secret="s3cret0s3cret")

    created = setting.helix.create_subscription(
        "stream.offline", "1", {"broadcaster_user_id": "100000001"}, transport, bulk=False
    )

    assert created.subscription is not None
    assert created.subscription.transport == Transport(method="webhook", callback="https://loot.example.org/eventsub")
    assert "s3cret" not in repr(transport)
    assert b"s3cret0s3cret" in setting.requests("eventsub/subscriptions")[0].body
