"""Which subscriptions are created, deleted, kept and reported."""

from datetime import UTC, datetime

import pytest

from pipeline.channels.eventsub.reconcile import Wanted, reconcile, wanted_for
from pipeline.channels.following.watched import Watched
from pipeline.services.twitch.helix_eventsub import EventSubSubscription, Subscriptions, Transport

OURS = Transport(method="conduit", conduit_id="ours")
ONLINE_7 = Wanted("stream.online", "1", ("broadcaster_user_id", "7"))
ONLINE_8 = Wanted("stream.online", "1", ("broadcaster_user_id", "8"))


def existing(*subscriptions: EventSubSubscription, total_cost: int = 0, most: int = 10_000) -> Subscriptions:
    return Subscriptions(
        subscriptions=subscriptions, total=len(subscriptions), total_cost=total_cost, max_total_cost=most
    )


def subscription(
    id_: str, want: Wanted = ONLINE_7, *, status: str = "enabled", cost: int = 1, transport: Transport = OURS
) -> EventSubSubscription:
    return EventSubSubscription(
        id=id_,
        status=status,
        type=want.type,
        version=want.version,
        condition=want.condition,
        transport=transport,
        cost=cost,
    )


def channel(external_id: str, *, by_hand: bool) -> Watched:
    return Watched(1, external_id, "login", datetime(2026, 9, 1, tzinfo=UTC), by_hand, not by_hand)


def test_what_is_missing_is_created_and_what_is_right_is_kept() -> None:
    plan = reconcile([ONLINE_7, ONLINE_8], existing(subscription("a"), total_cost=1), OURS)
    assert (plan.create, plan.delete, plan.kept) == ((ONLINE_8,), (), 1)


def test_what_is_not_wanted_any_more_is_deleted_and_so_is_a_second_one_of_a_kind() -> None:
    plan = reconcile([ONLINE_7], existing(subscription("a"), subscription("b"), subscription("c", ONLINE_8)), OURS)
    assert (plan.create, plan.delete, plan.kept) == ((), ("b", "c"), 1)


@pytest.mark.parametrize(
    "transport",
    [
        Transport(method="conduit", conduit_id="another"),
        Transport(method="webhook", callback="https://somewhere.example/hook"),
        Transport(method="websocket", session_id="s"),
    ],
)
def test_what_belongs_to_others_is_left_alone_whatever_its_state(transport: Transport) -> None:
    foreign = [
        subscription("a", transport=transport),
        subscription("b", ONLINE_8, status="user_removed", transport=transport),
    ]
    plan = reconcile([ONLINE_7], existing(*foreign), OURS)
    assert (plan.create, plan.delete, plan.broken) == ((ONLINE_7,), (), ())


@pytest.mark.parametrize("status", ["authorization_revoked", "notification_failures_exceeded", "something_new"])
def test_what_twitch_has_ended_is_reported_and_made_anew(status: str) -> None:
    ended = subscription("a", status=status, cost=0)
    plan = reconcile([ONLINE_7], existing(ended), OURS)
    assert (plan.create, plan.delete, plan.broken) == ((ONLINE_7,), ("a",), (ended,))


@pytest.mark.parametrize("status", ["user_removed", "version_removed"])
def test_what_cannot_be_had_again_is_reported_and_not_asked_for(status: str) -> None:
    ended = subscription("a", status=status, cost=0)
    plan = reconcile([ONLINE_7, ONLINE_8], existing(ended), OURS)
    assert (plan.create, plan.delete, plan.broken) == ((ONLINE_8,), (), (ended,))


def test_a_webhook_that_is_being_verified_is_as_good_as_one_that_works() -> None:
    ours = Transport(method="webhook", callback="https://us.example/eventsub", secret="a secret of ours")
    pending = subscription(
        "a",
        status="webhook_callback_verification_pending",
        transport=Transport(method="webhook", callback="https://us.example/eventsub"),
    )
    assert reconcile([ONLINE_7], existing(pending), ours).kept == 1


def test_what_was_made_with_another_secret_is_made_anew() -> None:
    plan = reconcile([ONLINE_7], existing(subscription("a")), OURS, trusted=False)
    assert (plan.create, plan.delete, plan.kept) == ((ONLINE_7,), ("a",), 0)


def test_the_cost_of_others_counts_and_what_finds_no_room_is_left_out() -> None:
    foreign = subscription("a", transport=Transport(method="conduit", conduit_id="another"))
    plan = reconcile([ONLINE_7, ONLINE_8], existing(foreign, total_cost=1, most=2), OURS)
    assert (plan.create, plan.left_out) == ((ONLINE_7,), (ONLINE_8,))


def test_what_is_more_important_takes_the_room_of_what_is_less() -> None:
    plan = reconcile([ONLINE_7, ONLINE_8], existing(subscription("a", ONLINE_8), total_cost=1, most=1), OURS)
    assert (plan.create, plan.delete, plan.left_out) == ((ONLINE_7,), ("a",), (ONLINE_8,))


def test_a_subscription_about_somebody_who_authorised_us_costs_nothing() -> None:
    free = subscription("a", cost=0)
    plan = reconcile([ONLINE_7, ONLINE_8], existing(free, total_cost=0, most=1), OURS)
    assert (plan.kept, plan.create, plan.left_out) == (1, (ONLINE_8,), ())


def test_channels_followed_by_hand_come_first_and_going_live_before_all_else() -> None:
    channels = [channel("named", by_hand=False), channel("mine", by_hand=True)]
    wanted = wanted_for(channels, client_id="us", conduit=True)
    assert [(want.type, want.subject[1]) for want in wanted] == [
        ("conduit.shard.disabled", "us"),
        ("stream.online", "mine"),
        ("stream.offline", "mine"),
        ("channel.update", "mine"),
        ("stream.online", "named"),
        ("stream.offline", "named"),
        ("channel.update", "named"),
    ]
    assert wanted_for([], client_id="us", conduit=False) == []
